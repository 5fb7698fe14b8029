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
    discussion: """
      Inputs that are not given are random, and so are constants without values. Where the outputs \
      differ, the first node that does is found and named, and the exit code is 2.
      """
  )

  @Argument(help: "The file of the graph, as text.")
  var graph: String

  @OptionGroup var inputs: InputFlags
  @OptionGroup var options: CompileOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The greatest normalised error of an output, |a - b| / |b|; if not given, that of its type.",
      valueName: "error"
    )
  )
  var tolerance: Double?

  func validate() throws {
    guard let tolerance else { return }
    guard tolerance.isFinite, tolerance >= 0 else {
      throw ValidationError("--tolerance \(tolerance): expected a number from 0 up")
    }
  }

  func run() async throws {
    var model = try options.graph.read(graph)
    try model.bindMissingConstants(seed: inputs.seed)
    let tensors = try inputs.tensors(for: model)
    let progress = ProgressLine(isQuiet: options.build.quiet)
    let compiler = try options.compiler(progress)
    let verification = Verification(
      compiler: compiler,
      workDirectory: options.build.workDirectory,
      threads: inputs.threads,
      bound: tolerance
    )
    let report = try await report(of: verification, model, tensors, progress)
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

  /// Ends the progress line before anything else is printed.
  private func report(
    of verification: Verification,
    _ model: Graph,
    _ tensors: [String: TensorData],
    _ progress: ProgressLine
  ) async throws -> Verification.Report {
    defer { progress.end() }
    return try await verification.run(model, tensors)
  }
}
