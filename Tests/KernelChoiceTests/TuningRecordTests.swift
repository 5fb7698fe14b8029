import AITGraph
import AITKernels
import Testing

/// The record of measurements as a value and as text.
@Suite struct TuningRecordTests {
  static func key(
    _ problem: String = "p",
    _ configuration: String = "c",
    gpu: String = "NVIDIA H200",
    driver: String = "13.0",
    templates: String = "t"
  ) -> TuningRecord.Key {
    TuningRecord.Key(
      origin: .init(gpu: gpu, driver: driver, toolchain: "13.0.88", templates: templates),
      architecture: .sm90a,
      problem: problem,
      configuration: configuration
    )
  }

  private static let record: TuningRecord = {
    var record = TuningRecord()
    record.add(key("p", "c"), .nanoseconds(7400))
    record.add(key("p", "d"), .rejected)
    record.add(key("q", "c"), .nanoseconds(1))
    record.add(key("q", "c", gpu: "NVIDIA H100"), .nanoseconds(2))
    return record
  }()

  @Test("A record is read back from its text, whatever the order of its lines")
  func roundTrip() throws {
    let text = Self.record.description
    #expect(try TuningRecord(text, from: "f") == Self.record)
    var lines = text.split(separator: "\n").map(String.init)
    lines = [lines[0]] + lines.dropFirst().reversed()
    let reversed = try TuningRecord(lines.joined(separator: "\n"), from: "f")
    #expect(reversed == Self.record && reversed.description == text)
    #expect(try TuningRecord(TuningRecord().description, from: "f").isEmpty)
  }

  @Test(
    "Another file is told from a record",
    arguments: ["", "{}", "aitemplate tuning record 2\n", "\u{7f}ELF"]
  )
  func foreign(_ text: String) {
    #expect { try TuningRecord(text, from: "f") } throws: { error in
      (error as? Diagnostic)?.identity == .unsupportedFormat
    }
  }

  @Test(
    "A damaged line is named",
    arguments: [
      { $0.replacing("\t7400", with: "") }, { $0.replacing("7400", with: "-7400") },
      { $0.replacing("7400", with: "fast") }, { $0.replacing("sm_90a", with: "sm_1") },
      { $0.replacing("\tp\t", with: "\t\t") }, { $0.replacing("7400", with: "7400\tmore") },
      { $0 + "NVIDIA" }, { $0.replacing("7400", with: "99999999999999999999") },
    ] as [@Sendable (String) -> String]
  )
  func damaged(_ damage: @Sendable (String) -> String) {
    let text = damage(Self.record.description)
    #expect { try TuningRecord(text, from: "f") } throws: { error in
      let diagnostic = error as? Diagnostic
      return diagnostic?.identity == .corruptFile && diagnostic?.location?.hasPrefix("f:") == true
    }
  }

  @Test("Fields cannot break lines")
  func plainFields() throws {
    var record = TuningRecord()
    record.add(Self.key("p\tq\nr", "c"), .nanoseconds(3))
    let read = try TuningRecord(record.description, from: "f")
    #expect(read.keys.map(\.problem) == ["p q r"])
  }

  @Test("Measurements come from one GPU, made with the same templates")
  func measurements() throws {
    let found = try #require(
      Self.record.measurements(of: "q", for: .sm90a, templates: "t")
    )
    #expect(found.origin.gpu == "NVIDIA H200", "it has most measurements")
    #expect(found.outcomes.map(\.configuration) == ["c"])
    #expect(found.outcomes[0].outcome == .nanoseconds(1))
    #expect(Self.record.measurements(of: "q", for: .sm90a, templates: "other") == nil)
    #expect(Self.record.measurements(of: "q", for: .sm80, templates: "t") == nil)
    #expect(Self.record.measurements(of: "r", for: .sm90a, templates: "t") == nil)
  }

  @Test("Of several drivers the last counts; a merged record replaces")
  func merging() throws {
    var record = Self.record
    record.add(Self.key("q", "c", driver: "13.1"), .nanoseconds(9))
    let found = try #require(record.measurements(of: "q", for: .sm90a, templates: "t"))
    #expect(found.outcomes.map(\.outcome) == [.nanoseconds(9)])
    var newer = TuningRecord()
    newer.add(Self.key("p", "c"), .nanoseconds(5))
    record.merge(newer)
    #expect(record.outcomes[Self.key("p", "c")] == .nanoseconds(5))
    #expect(record.count == Self.record.count + 1)
  }
}
