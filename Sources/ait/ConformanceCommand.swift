import AITBuild
import AITConformance
import AITGraph
import AITKernels
import AITOperators
import ArgumentParser

/// `ait conformance`: every operator against the reference, on this machine.
struct ConformanceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conformance",
    abstract: "Compile and run every operator's examples and compare with the reference.",
    discussion: """
      Where results differ, the exit code is 2. On a GPU each operator has a process of its own, as \
      a kernel that fails takes the device from its process.
      """
  )

  @Argument(help: ArgumentHelp("Operators; all if none is named.", valueName: "operator"))
  var operators: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Threads of one run, up to 1024; 0 takes one for each processor.",
      valueName: "count"
    )
  )
  var threads = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The seed of the inputs.", valueName: "number")
  )
  var seed: UInt64 = 1

  @Flag(help: "Go on where the target has no kernel for an example.")
  var skipGaps = false

  @OptionGroup var target: TargetOption
  @OptionGroup var build: BuildOptions

  private static func concernsOneOperator(_ error: Diagnostic) -> Bool {
    [.compilerFailed, .loadFailed, .runFailed].contains(error.identity)
  }

  func validate() throws {
    try OptionRange.check("--threads", threads, in: OptionRange.threads)
  }

  func run() async throws {
    let parsed = try target.parsed()
    let conformance = Conformance(
      target: parsed,
      workDirectory: build.workDirectory,
      options: build.compilerOptions(),
      threads: threads,
      seed: seed,
      skipsGaps: skipGaps
    )
    for name in operators where !OperatorCatalog.all.contains(where: { $0.name == name }) {
      let near = Identifier.nearest(to: name, among: Conformance.operatorNames)
      throw Diagnostic(
        .invalidOption,
        "'\(name)' is not an operator",
        hint: near.isEmpty
          ? "`ait operators` lists them" : "did you mean \(near.joined(separator: ", "))?"
      )
    }
    let names = operators.isEmpty ? Conformance.operatorNames : operators
    if parsed.isGPU && !parsed.isEmulated && names.count > 1 { return try await runApart(names) }
    var failures = 0
    var gaps = 0
    var count = 0
    for type in OperatorCatalog.all where operators.isEmpty || operators.contains(type.name) {
      var outcomes: [Conformance.Outcome] = []
      do throws(Diagnostic) { outcomes = try await conformance.run(type) } catch {
        guard Self.concernsOneOperator(error) else { throw error }
        // The others are told, too.
        print("FAIL \(type.name): \(error)")
        failures += 1
        count += 1
        continue
      }
      for outcome in outcomes where !(outcome.isPassed || outcome.isGap) || build.verbose {
        print(outcome)
      }
      failures += outcomes.count { !($0.isPassed || $0.isGap) }
      gaps += outcomes.count { $0.isGap }
      count += outcomes.count
      if !build.quiet {
        let worst = outcomes.map(\.error).max() ?? 0
        let missing = outcomes.count { $0.isGap }
        print(
          "\(type.name): \(outcomes.count - missing) examples, largest error \(worst)"
            + (missing > 0 ? ", \(missing) without a kernel" : "")
        )
      }
    }
    try finish(passed: count - failures - gaps, failed: failures, gaps: gaps)
  }

  private func finish(passed: Int, failed: Int, gaps: Int) throws(Diagnostic) {
    print(
      "\(passed) passed, \(failed) failed" + (gaps > 0 ? ", \(gaps) without a kernel" : "")
    )
    guard failed > 0 else { return }
    throw Diagnostic(
      .verificationFailed,
      "\(failed) of \(passed + failed + gaps) examples differ from the reference",
      at: target.target,
      hint: "`ait conformance --verbose OPERATOR` shows each example"
    )
  }

  /// Runs each operator in a process of its own.
  private func runApart(_ names: [String]) async throws {
    let named = Set(operators)
    let processes = ConformanceProcesses(
      program: Self.program,
      arguments: CommandLine.arguments.dropFirst().filter { !named.contains($0) }
    )
    let outcomes = await processes.run(names) { if !$0.text.isEmpty { print($0.text) } }
    try finish(
      passed: outcomes.reduce(0) { $0 + $1.passed },
      failed: outcomes.reduce(0) { $0 + $1.failed },
      gaps: outcomes.reduce(0) { $0 + $1.gaps }
    )
  }

  /// This program, however it was started.
  private static var program: String {
    let link = "/proc/self/exe"
    return FileSystem.exists(link) ? FileSystem.destination(link) : CommandLine.arguments[0]
  }
}
