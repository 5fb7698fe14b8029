import AITConformance
import AITGraph
import AITLoader
import AITReference
import AITemplate
import ArgumentParser

/// `ait verify`: a compiled model against the reference evaluator.
struct Verify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compile a graph, run it, and compare each output with the reference evaluator.",
    discussion: "Where they differ, the first node that does is found and named."
  )

  @Argument(help: "The graph, as text.")
  var graph: String

  @OptionGroup var inputs: InputFlags
  @OptionGroup var flags: CompileFlags

  @Option(help: "The greatest normalised error; by default that of the element type.")
  var tolerance: Double?

  func run() async throws {
    var model = try flags.readGraph(graph)
    try model.bindMissingConstants(seed: inputs.seed)
    let tensors = try inputs.tensors(for: model)
    let compiler = Compiler(target: try flags.parsedTarget(), options: flags.options(nil))
    let verification = Verification(
      compiler: compiler,
      workDirectory: flags.workDirectory,
      threads: inputs.threads,
      bound: tolerance
    )
    let report = try await verification.run(model, tensors)
    var rows = [["output", "error", "bound", "verdict"]]
    for output in report.outputs {
      rows.append([
        output.name, "\(output.comparison.error)", "\(output.comparison.bound)",
        output.comparison.problem ?? "equal\(output.comparison.remark.map { " \($0)" } ?? "")",
      ])
    }
    print(Format.table(rows))
    if let first = report.firstDifference { print("first node that differs: \(first)") }
    if !report.isEqual {
      throw Diagnostic(
        .verificationFailed,
        "the compiled model differs from the reference",
        at: graph,
        hint: "try --no-optimization and --check-passes to tell passes from kernels"
      )
    }
  }
}
