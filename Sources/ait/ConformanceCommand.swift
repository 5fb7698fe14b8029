import AITConformance
import AITGraph
import AITOperators
import ArgumentParser

/// `ait conformance`: every operator against the reference, on this machine.
struct ConformanceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conformance",
    abstract: "Compile and run every operator's examples and compare with the reference."
  )

  @Argument(help: "Operators; all if none is named.")
  var operators: [String] = []

  @Option(help: "Threads of one run; 0 takes one for each processor.")
  var threads = 0

  @Option(help: "The seed of the inputs.")
  var seed: UInt64 = 1

  @OptionGroup var flags: CompileFlags

  func run() async throws {
    let conformance = Conformance(
      target: try flags.parsedTarget(),
      workDirectory: flags.workDirectory,
      options: flags.options(nil),
      threads: threads,
      seed: seed
    )
    for name in operators where !OperatorCatalog.all.contains(where: { $0.name == name }) {
      throw Diagnostic(
        .unknownOperator,
        "'\(name)' is not an operator",
        hint: "`ait operators` lists them"
      )
    }
    var failures = 0
    var count = 0
    for type in OperatorCatalog.all where operators.isEmpty || operators.contains(type.name) {
      let outcomes = try await conformance.run(type)
      for outcome in outcomes where !outcome.isPassed || flags.verbose { print(outcome) }
      failures += outcomes.count { !$0.isPassed }
      count += outcomes.count
      if !flags.quiet {
        let worst = outcomes.map(\.error).max() ?? 0
        print("\(type.name): \(outcomes.count) examples, largest error \(worst)")
      }
    }
    print("\(count - failures) passed, \(failures) failed")
    if failures > 0 {
      throw Diagnostic(
        .verificationFailed,
        "\(failures) of \(count) examples differ from the reference",
        at: flags.target,
        hint: "`ait conformance --verbose OPERATOR` shows each example"
      )
    }
  }
}
