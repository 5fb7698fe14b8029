import AITGraph

/// What was measured of kernels on GPUs: a value that a choice may rest on.
///
/// As text it is a line that says what it is, then one line for each measurement, in order, its
/// fields parted by tabs: lines of several records can be joined, sorted and compared.
package struct TuningRecord: Hashable, Sendable {
  /// Where and with what a measurement was made.
  package struct Origin: Hashable, Sendable, Comparable {
    /// The GPU's name and the driver's version, as the driver says them.
    package let gpu: String
    package let driver: String
    /// The version of the compiler of device code.
    package let toolchain: String
    /// A hash of the kernel templates: with others, a kernel is another.
    package let templates: String

    package init(gpu: String, driver: String, toolchain: String, templates: String) {
      self.gpu = gpu
      self.driver = driver
      self.toolchain = toolchain
      self.templates = templates
    }

    fileprivate var fields: [String] { [gpu, driver, toolchain, templates] }

    package static func < (first: Origin, second: Origin) -> Bool {
      first.fields.lexicographicallyPrecedes(second.fields)
    }
  }

  /// What a measurement is of.
  package struct Key: Hashable, Sendable, Comparable {
    package let origin: Origin
    package let architecture: Target.CUDA
    /// Sizes, types, layouts and epilogue, as text of the backend's.
    package let problem: String
    /// The kernel and its configuration, as text of the backend's.
    package let configuration: String

    package init(
      origin: Origin,
      architecture: Target.CUDA,
      problem: String,
      configuration: String
    ) {
      self.origin = origin
      self.architecture = architecture
      self.problem = problem
      self.configuration = configuration
    }

    fileprivate var fields: [String] {
      origin.fields + [architecture.rawValue, problem, configuration]
    }

    package static func < (first: Key, second: Key) -> Bool {
      first.fields.lexicographicallyPrecedes(second.fields)
    }
  }

  /// What came of a measurement.
  package enum Outcome: Hashable, Sendable {
    /// The time of a launch.
    case nanoseconds(Int)
    /// The results were wrong.
    case rejected
  }

  package private(set) var outcomes: [Key: Outcome] = [:]

  package init() {}

  package var isEmpty: Bool { outcomes.isEmpty }
  package var count: Int { outcomes.count }
  package var keys: [Key] { outcomes.keys.sorted() }

  /// Adds a measurement, in place of an older one of the same.
  package mutating func add(_ key: Key, _ outcome: Outcome) { outcomes[key] = outcome }

  /// Adds the measurements of another record, in place of older ones of the same.
  package mutating func merge(_ other: TuningRecord) {
    outcomes.merge(other.outcomes) { $1 }
  }

  /// The part of the record that a condition holds for.
  package func filter(_ holds: (Key) -> Bool) -> TuningRecord {
    var result = TuningRecord()
    result.outcomes = outcomes.filter { holds($0.key) }
    return result
  }

  /// The measurements of a problem that a library for an architecture rests on.
  ///
  /// They were made with these templates, all on one GPU. Of several GPUs it is the one with most measurements in the record,
  /// of several drivers and toolchains the last in order.
  package func measurements(
    of problem: String,
    for architecture: Target.CUDA,
    templates: String
  ) -> (origin: Origin, outcomes: [(configuration: String, outcome: Outcome)])? {
    let those = outcomes.keys.filter {
      $0.architecture == architecture && $0.origin.templates == templates
    }
    var counts: [String: Int] = [:]
    for key in those { counts[key.origin.gpu, default: 0] += 1 }
    let gpus = counts.keys.sorted { (counts[$0] ?? 0, $1) > (counts[$1] ?? 0, $0) }
    for gpu in gpus {
      let found = those.filter { $0.origin.gpu == gpu && $0.problem == problem }
      guard let origin = found.map(\.origin).max() else { continue }
      let list = found.filter { $0.origin == origin }.sorted()
        .compactMap { key in outcomes[key].map { (key.configuration, $0) } }
      return (origin, list)
    }
    return nil
  }
}

// MARK: - Text

extension TuningRecord: CustomStringConvertible {
  private static let head = "aitemplate tuning record 1"
  private static let columns =
    "# gpu, driver, toolchain, templates, architecture, problem, configuration, nanoseconds"

  /// The text that `init(_:from:)` reads; the same for equal records.
  package var description: String {
    let lines = outcomes.keys.sorted().map { key in
      let time =
        switch outcomes[key] {
        case .nanoseconds(let time): "\(time)"
        case .rejected, nil: "rejected"
        }
      return (key.fields + [time]).map(Self.plain).joined(separator: "\t")
    }
    return ([Self.head, Self.columns] + lines).joined(separator: "\n") + "\n"
  }

  /// A field without what parts fields and lines.
  private static func plain(_ field: String) -> String {
    String(field.map { $0 == "\t" || $0.isNewline ? " " : $0 })
  }

  /// Reads a record.
  ///
  /// - Throws: `unsupportedFormat` for another kind of file, `corruptFile` with the line that is none.
  package init(_ text: String, from path: String) throws(Diagnostic) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first.map(String.init) == Self.head else {
      throw Diagnostic(
        .unsupportedFormat,
        "this is no tuning record: it begins with '\(lines.first?.prefix(40) ?? "")', expected "
          + "'\(Self.head)'",
        at: path,
        hint: "`ait tune export FILE` and `ait tune measure` write tuning records"
      )
    }
    for (index, line) in lines.enumerated().dropFirst() where !line.isEmpty && line.first != "#" {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 8, fields.allSatisfy({ !$0.isEmpty }),
        let architecture = Target.CUDA(rawValue: fields[4]),
        let outcome = Self.outcome(fields[7])
      else {
        throw Diagnostic(
          .corruptFile,
          "line \(index + 1) is no measurement: '\(line.prefix(60))'",
          at: "\(path):\(index + 1)",
          hint: "restore the file, or remove the line: what is missing is measured again"
        )
      }
      let origin = Origin(
        gpu: fields[0],
        driver: fields[1],
        toolchain: fields[2],
        templates: fields[3]
      )
      let key = Key(
        origin: origin,
        architecture: architecture,
        problem: fields[5],
        configuration: fields[6]
      )
      add(key, outcome)
    }
  }

  private static func outcome(_ text: String) -> Outcome? {
    if text == "rejected" { return .rejected }
    guard let time = Int(text), time > 0 else { return nil }
    return .nanoseconds(time)
  }
}
