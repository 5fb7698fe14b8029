import AITBuild
import AITGraph
import AITProfile
import AITemplate
import ArgumentParser

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// `ait tune`: kernels of a GPU measured on it.
struct Tune: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure kernels on a GPU, so that compilation chooses the fastest.",
    discussion: """
      `ait compile --tune` does it all where the GPU is. Apart: `ait tune prepare` builds the \
      candidates of graphs, which needs no GPU; `ait tune measure` measures them on a machine that \
      has one, without a compiler, and writes a record; `ait compile --tuning-record` uses it \
      anywhere. `export` and `import` do the same for all that this user has measured.
      """,
    subcommands: [Prepare.self, Measure.self, Export.self, Import.self]
  )
}

extension Tune {
  /// `ait tune prepare`: libraries of candidates.
  struct Prepare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Build the candidates of graphs' products into a folder."
    )

    @Argument(help: "The folder, which can be copied to the machine with the GPU.")
    var folder: String

    @Argument(help: "Files of graphs, as text.")
    var graphs: [String]

    @Option(help: ArgumentHelp("Candidates of each problem, 1 to 24.", valueName: "count"))
    var candidates = Compiler.candidateCount

    @OptionGroup var options: CompileOptions

    func validate() throws {
      try OptionRange.check("--candidates", candidates, in: 1...24)
    }

    func run() async throws {
      let compiler = try options.compiler(ProgressLine(isQuiet: true))
      var known: Set<String> = []
      var problems: [KernelProblem] = []
      for graph in graphs {
        problems += try compiler.kernelProblems(try options.graph.read(graph)).filter {
          known.insert("\($0.architecture.rawValue) \($0.text)").inserted
        }
      }
      guard !problems.isEmpty else {
        throw Diagnostic(
          .invalidOption,
          "there is nothing to choose for \(try options.target.parsed())",
          at: graphs.joined(separator: ", "),
          hint: "kernels are chosen for products of float16 and bfloat16 on a GPU: name its "
            + "architecture, such as --target cuda:sm_90a"
        )
      }
      let prepared = try await compiler.prepareTuning(problems, candidates: candidates, in: folder)
      let count = prepared.problems.reduce(0) { $0 + $1.candidates.count }
      print("\(prepared.problems.count) problems, \(count) candidates: \(folder)")
    }
  }

  /// `ait tune measure`: a table and a record.
  struct Measure: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Measure what was prepared in a folder, on this machine's GPU.",
      discussion: """
        Prints each problem's candidates by their time, beside the time that the model expects of \
        them. Candidates whose results are wrong are rejected, however fast.
        """
    )

    @Argument(help: "The folder that `ait tune prepare` filled.")
    var folder: String

    @Option(help: ArgumentHelp("The time for all, in seconds.", valueName: "count"))
    var seconds = 180

    @Option(
      help: ArgumentHelp(
        "Where the record is written; if not given, FOLDER/tuning.record.",
        valueName: "file"
      )
    )
    var output: String?

    @Flag(help: "Do not keep the measurements in the cache.")
    var noCache = false

    func validate() throws {
      try OptionRange.check("--seconds", seconds, in: 1...86400)
    }

    func run() async throws {
      let file = output ?? "\(folder)/tuning.record"
      try FileSystem.checkDestination(file)
      let session = try TuningSession(folder: folder)
      let found = try session.measure(seconds: Double(seconds)) { number, count in
        if Terminal.isInteractive { Terminal.write("\r\u{1B}[K\(number) of \(count)") }
      }
      if Terminal.isInteractive { Terminal.write("\r\u{1B}[K") }
      print(Format.table(found.report.rows))
      for problem in found.report.unmeasured {
        Terminal.printError("no time was left for \(problem.text)")
      }
      if !found.report.foreign.isEmpty {
        let names = Set(found.report.foreign.map(\.architecture.rawValue)).sorted()
        Terminal.printError(
          "\(found.report.foreign.count) problems are of \(names.joined(separator: ", ")), which this "
            + "GPU is not"
        )
      }
      if !noCache, let folder = TuningCache.standardFolder {
        try await TuningCache(folder: folder).merge(found.record)
      }
      try FileSystem.write(found.record.description, to: file)
      print(file)
      if let failure = found.report.failure { throw failure }
    }
  }

  /// `ait tune export`: the cache as one file.
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write all measurements of this user to a file."
    )

    @Argument(help: "The file of the record.")
    var file: String

    func run() throws {
      let cache = try TuningCache.standard()
      let record = try cache.all()
      try FileSystem.write(record.description, to: file)
      print("\(record.count) measurements: \(file)")
    }
  }

  /// `ait tune import`: a file into the cache.
  struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take the measurements of a file into this user's."
    )

    @Argument(help: "The file of the record.")
    var file: String

    func run() async throws {
      let text = String(decoding: try FileSystem.readBytes(file), as: UTF8.self)
      let record = try TuningRecord(text, from: file)
      try await TuningCache.standard().merge(record)
      print("\(record.count) measurements")
    }
  }
}

/// The options of `ait compile` on measured kernels.
struct TuningOptions: ParsableArguments {
  /// The time that is spent where no number is given.
  private static let standardSeconds = 60

  @Option(
    defaultAsFlag: Self.standardSeconds,
    help: ArgumentHelp(
      """
      Measure kernels on this machine's GPU before they are chosen, for so many seconds; 60 if no \
      number is given.
      """,
      valueName: "seconds"
    )
  )
  var tune: Int?

  @Option(
    help: ArgumentHelp(
      "Choose kernels by measurements of this file, which `ait tune` makes.",
      valueName: "file"
    )
  )
  var tuningRecord: String?

  func validate() throws {
    if let tune { try OptionRange.check("--tune", tune, in: 1...86400) }
  }

  /// Adds what the options say to a compiler's options.
  func apply(to options: inout CompilerOptions) {
    options.tuningSeconds = tune
    options.tuningRecord = tuningRecord
  }
}

extension TuningCache {
  /// The user's cache.
  fileprivate static func standard() throws(Diagnostic) -> TuningCache {
    guard let folder = standardFolder else {
      throw Diagnostic(
        .unwritableFile,
        "there is no folder for measurements",
        hint: "set XDG_CACHE_HOME or HOME"
      )
    }
    return TuningCache(folder: folder)
  }
}
