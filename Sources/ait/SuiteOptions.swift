import AITBuild
import AITGraph
import AITKernels
import AITLoader
import AITemplate
import ArgumentParser
import FoundationEssentials

/// `ait bench --suite`.
struct SuiteOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Time a suite of libraries: matmul or rows.", valueName: "name"))
  var suite: String?

  @Option(
    help: ArgumentHelp(
      "Compile the suite into this folder and end; no GPU is needed.",
      valueName: "folder"
    )
  )
  var prepare: String?

  @Option(
    help: ArgumentHelp("Run the suite that lies in this folder, compiled.", valueName: "folder")
  )
  var from: String?

  @Option(
    help: ArgumentHelp(
      "Those cases alone whose group or name holds one of these texts, separated by commas.",
      valueName: "texts"
    )
  )
  var only: String?

  func validate() throws {
    if suite == nil, prepare != nil || from != nil || only != nil {
      throw ValidationError("--prepare, --from and --only are for a suite: name one with --suite")
    }
    if prepare != nil && from != nil {
      throw ValidationError("--prepare compiles and --from runs: give one of them")
    }
  }

  func run(
    _ name: String,
    _ options: CompileOptions,
    device: String?,
    seconds: Double,
    usesGraph: Bool,
    asJSON: Bool
  ) async throws {
    guard let suite = Suite(rawValue: name) else {
      throw Diagnostic(
        .invalidOption,
        "--suite \(name): there is no such suite",
        hint: "there are \(Suite.allCases.map(\.rawValue).joined(separator: " and "))"
      )
    }
    let cases = try chosen(suite.cases)
    let target = try options.target.parsed()
    let folder = SuiteFolder(
      path: prepare ?? from ?? "\(options.build.workDirectory)/suite-\(suite)"
    )
    var problems: [(name: String, problem: Diagnostic)] = []
    if from == nil {
      let isQuiet = options.build.quiet
      problems = try await folder.prepare(
        cases,
        of: suite,
        for: target,
        options: options.build.compilerOptions(),
        in: options.build.workDirectory
      ) { if !isQuiet { Terminal.printError("compiled \($0)") } }
    }
    if prepare != nil {
      print("\(cases.count - problems.count) libraries in \(folder.path)")
    } else {
      let wanted = Set(cases.map(\.name))
      let made = try folder.read().cases.filter { wanted.contains($0.name) }
      problems += try measure(made, folder, device, seconds, usesGraph, asJSON)
    }
    for (name, problem) in problems { Terminal.printError("\(name): \(problem)") }
    if let first = problems.first {
      throw Diagnostic(
        first.problem.identity,
        "\(problems.count) of \(cases.count) cases failed, the first '\(first.name)'",
        at: folder.path,
        hint: "the reason of each stands above"
      )
    }
  }

  private func chosen(_ cases: [SuiteCase]) throws(Diagnostic) -> [SuiteCase] {
    guard let texts = only?.split(separator: ",") else { return cases }
    let result = cases.filter { each in
      texts.contains { each.group == $0 || each.name.contains($0) }
    }
    if !result.isEmpty { return result }
    let groups = Set(cases.map(\.group)).sorted().joined(separator: ", ")
    throw Diagnostic(
      .invalidOption,
      "--only \(only ?? ""): no case has such a group or name",
      hint: "the groups are \(groups)"
    )
  }

  /// Prints the times as they come; as JSON, one object a line.
  private func measure(
    _ cases: [SuiteCase],
    _ folder: SuiteFolder,
    _ device: String?,
    _ seconds: Double,
    _ usesGraph: Bool,
    _ asJSON: Bool
  ) throws -> [(name: String, problem: Diagnostic)] {
    var problems: [(name: String, problem: Diagnostic)] = []
    var copyRate: Double?
    for each in cases where !Task.isCancelled {
      do throws(Diagnostic) {
        let module = try CompiledModule(contentsOf: folder.library(each), device: device)
        if copyRate == nil {
          copyRate = module.deviceName == nil ? 0 : try GPUPeak(module).copyRate
          printHead(module, copyRate ?? 0, asJSON)
        }
        let time = try SuiteTime(
          each,
          module,
          seconds: seconds,
          usesGraph: usesGraph,
          copyRate: copyRate ?? 0
        )
        print(asJSON ? time.json : time.line)
      } catch { problems.append((each.name, error)) }
    }
    return problems
  }

  private func printHead(_ module: CompiledModule, _ copyRate: Double, _ asJSON: Bool) {
    let device = module.deviceName ?? "cpu"
    let rate = Format.fixed(copyRate / 1e9, 1)
    if asJSON {
      print(
        "{\"device\": \"\(device)\", \"copy_gigabyte_per_second\": \(copyRate / 1e9), "
          + "\"caches\": \"copies in turn, beyond the caches\"}"
      )
    } else {
      print("\(device); copies go at \(rate) GB/s; operands in turn, beyond the level-2 cache")
    }
  }
}

extension SuiteTime {
  fileprivate var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  fileprivate var line: String {
    let rate =
      tflop_per_second > 0
      ? "\(Format.fixed(tflop_per_second, 1)) TFLOP/s"
      : "\(Format.fixed(100 * share_of_copy, 1)) % of a copy"
    return "\(name)  \(Format.fixed(microseconds, 2)) us  \(rate)"
      + "  \(Format.fixed(gigabyte_per_second, 1)) GB/s"
  }
}
