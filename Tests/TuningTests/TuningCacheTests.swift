import AITBuild
import AITGraph
import AITKernels
import AITProfile
import AITTestSupport
import Testing

/// Measurements in files.
@Suite struct TuningCacheTests {
  private static func record(_ gpu: String, _ problem: String, _ time: Int) -> TuningRecord {
    var record = TuningRecord()
    let origin = TuningRecord.Origin(
      gpu: gpu,
      driver: "13.0",
      toolchain: "V13.0.88",
      templates: "t"
    )
    let key = TuningRecord.Key(
      origin: origin,
      architecture: .sm90a,
      problem: problem,
      configuration: "c"
    )
    record.add(key, .nanoseconds(time))
    return record
  }

  @Test("What is kept is found, by origin and all together")
  func keeping() async throws {
    let folder = try TemporaryFolder()
    let cache = TuningCache(folder: "\(folder.path)/tuning")
    #expect(try cache.all().isEmpty)
    let first = Self.record("A", "p", 1)
    let second = Self.record("B", "p", 2)
    try await cache.merge(first)
    try await cache.merge(second)
    try await cache.merge(Self.record("A", "q", 3))
    #expect(try cache.all().count == 3)
    let ofA = try cache.record(of: first.keys[0].origin)
    #expect(Set(ofA.keys.map(\.problem)) == ["p", "q"])
    try await cache.merge(Self.record("A", "p", 9))
    #expect(try cache.record(of: first.keys[0].origin).outcomes[first.keys[0]] == .nanoseconds(9))
  }

  @Test("Processes that keep measurements at once lose none")
  func concurrency() async throws {
    let folder = try TemporaryFolder()
    let cache = TuningCache(folder: folder.path)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<32 {
        group.addTask { try await cache.merge(Self.record("A", "p\(number)", number + 1)) }
      }
      try await group.waitForAll()
    }
    #expect(try cache.all().count == 32)
  }

  @Test("A kind of GPU has one name, whatever its number")
  func names() {
    #expect(LibraryRunner.model(of: "cuda:0 'NVIDIA H200'") == "NVIDIA H200")
    #expect(LibraryRunner.model(of: "cuda:1 'NVIDIA H200'") == "NVIDIA H200")
    #expect(LibraryRunner.model(of: "NVIDIA H200") == "NVIDIA H200")
  }

  @Test("A damaged file is named")
  func damaged() async throws {
    let folder = try TemporaryFolder()
    let cache = TuningCache(folder: folder.path)
    try await cache.merge(Self.record("A", "p", 1))
    let name = try #require(FileSystem.names(in: folder.path).first { $0.hasSuffix(".record") })
    let path = "\(folder.path)/\(name)"
    let text = try #require(FileSystem.read(path))
    try FileSystem.write(text.replacing("sm_90a", with: "sm_x"), to: path)
    #expect { try cache.all() } throws: { error in
      let diagnostic = error as? Diagnostic
      return diagnostic?.identity == .corruptFile && diagnostic?.location?.contains(name) == true
    }
  }

  @Test("A list of candidates is read back; another file is told")
  func prepared() throws {
    let candidates: [KernelChoice.Candidate] = (1...2).map {
      .init(configuration: "c\($0) k=1", label: "c\($0), short", seconds: Double($0) * 1e-6)
    }
    let prepared = PreparedTuning(
      toolchain: "V13.0.88",
      templates: "t",
      problems: ["a", "b"].map {
        .init(library: "\($0).so", architecture: .sm80, text: "p \($0)", candidates: candidates)
      }
    )
    let text = prepared.description
    let read = try PreparedTuning(text, from: "f")
    #expect(read.description == text && read.problems.map(\.candidates.count) == [2, 2])
    for (damaged, identity) in [
      ("", Diagnostic.Identity.unsupportedFormat),
      ("aitemplate tuning record 1\n", .unsupportedFormat),
      (text.replacing("sm_80", with: "sm_x"), .corruptFile),
      (text.replacing("a.so", with: "../a.so"), .corruptFile),
      (text.replacing("\t1000", with: "\t"), .corruptFile),
    ] {
      #expect { try PreparedTuning(damaged, from: "f") } throws: {
        ($0 as? Diagnostic)?.identity == identity
      }
    }
    let folder = try TemporaryFolder()
    #expect { try TuningSession(folder: folder.path) } throws: {
      ($0 as? Diagnostic)?.identity == .unreadableFile
    }
  }
}
