import AITGraph
import AITLoader
import AITReference
import AITemplate

/// Compares a compiled graph with the reference evaluator, and finds where they part.
///
/// The bound is that of the loosest type to which something on the way to an output was rounded;
/// for float32 where its products may be tf32, `Tolerance.tensorFloat`.
/// Where float16 or bfloat16 is among them, fused work that keeps its intermediates in float32 is
/// right although the reference, which rounds what each node stores, gives something else: an
/// intermediate of 90,000 is infinite there. An output that differs is then held against the
/// reference without rounding too; see `HalfPrecisionComparison`.
package struct Verification: Sendable {
  /// What came of it.
  package struct Report: Sendable {
    package var outputs: [(name: String, comparison: Comparison)]
    /// The first node, in order of execution, whose result differs, with the difference.
    package var firstDifference: String?

    package var isEqual: Bool { outputs.allSatisfy { $0.comparison.isEqual } }
  }

  /// What its libraries are for: theirs are folders of their own.
  private static let purpose = "verify"

  private let compiler: Compiler
  private let workDirectory: String
  private let threads: Int
  private let bound: Double?

  package init(compiler: Compiler, workDirectory: String, threads: Int = 0, bound: Double? = nil) {
    self.compiler = compiler
    self.workDirectory = workDirectory
    self.threads = threads
    self.bound = bound
  }

  /// Compiles the graph, runs it and compares every output.
  package func run(_ graph: Graph, _ inputs: [String: TensorData]) async throws(Diagnostic)
    -> Report
  {
    let expected = try Evaluator.run(graph, inputs).outputs
    let rounding = try graph.roundingTypes()
    let library = try await compiler.compile(graph, in: workDirectory, for: Self.purpose)
      .library
    let module = try CompiledModule(contentsOf: library, threads: threads)
    let ordered = module.inputs.compactMap { inputs[$0.name] }
    let found = try GuardedRun.run(module, ordered, threads: threads)
    var report = Report(outputs: [], firstDifference: nil)
    var others: [[String: TensorData]] = []
    for (output, result) in zip(module.outputs, found.results) {
      guard let truth = expected[output.name],
        let value = graph.outputs.first(where: { $0.name == output.name })?.value
      else { continue }
      let types = rounding[value] ?? []
      var comparison = compare(result, truth, types, nodes: graph.nodeCount)
      if !comparison.isEqual, types.contains(.float16) || types.contains(.bfloat16) {
        if others.isEmpty { others = try alternatives(graph, inputs) }
        let half = HalfPrecisionComparison(
          rounded: truth,
          unrounded: others.compactMap { $0[output.name] }
        )
        for candidate in half.candidates(for: result) where !comparison.isEqual {
          var other = compare(result, candidate, types, nodes: graph.nodeCount)
          other.remark = "without the rounding of intermediates"
          if other.isEqual { comparison = other }
        }
      }
      report.outputs.append((output.name, comparison))
    }
    if let problem = found.problem {
      throw Diagnostic(.verificationFailed, problem, at: library)
    }
    if !report.isEqual { report.firstDifference = try await findDifference(graph, inputs) }
    return report
  }

  /// The outputs without rounding of intermediates, and with that of the fused graph's nodes alone.
  private func alternatives(_ graph: Graph, _ inputs: [String: TensorData]) throws(Diagnostic)
    -> [[String: TensorData]]
  {
    [
      try Evaluator.run(graph, inputs, roundsIntermediates: false).outputs,
      try Evaluator.run(try compiler.optimize(graph), inputs).outputs,
    ]
  }

  private func compare(
    _ found: TensorData,
    _ expected: TensorData,
    _ types: Set<DType>,
    nodes: Int
  ) -> Comparison {
    var own = Tolerance.bound(expected.dtype, rounded: types, operatorCount: nodes)
    if compiler.numerics.allowsTF32, types.contains(.float32) {
      own = max(own, Tolerance.tensorFloat * Double(max(1, nodes)).squareRoot())
    }
    return AITReference.compare(found, expected, bound: bound ?? own)
  }

  /// Compiles the optimised graph with every value as an output.
  ///
  /// What is fused stays fused.
  private func findDifference(_ graph: Graph, _ inputs: [String: TensorData])
    async throws(Diagnostic) -> String?
  {
    var exposed = try compiler.optimize(graph)
    exposed.name = "\(graph.name)_exposed"
    var order: [(node: String, output: String)] = []
    for id in exposed.sortedNodes() {
      for value in exposed[id].outputs where !exposed.isOutput(value) {
        try exposed.addOutput("value_\(exposed[value].name)", value)
        order.append((exposed[id].name, "value_\(exposed[value].name)"))
      }
      for output in exposed.outputs where exposed[id].outputs.contains(output.value) {
        order.append((exposed[id].name, output.name))
      }
    }
    let expected = try Evaluator.run(exposed, inputs).outputs
    let rounding = try exposed.roundingTypes()
    let values = Dictionary(exposed.outputs.map { ($0.name, $0.value) }) { first, _ in first }
    let library = try await compiler.withoutPasses
      .compile(exposed, in: workDirectory, for: Self.purpose).library
    let found = try CompiledModule(contentsOf: library, threads: threads).run(inputs)
    for (node, output) in order {
      guard let result = found[output], let truth = expected[output] else { continue }
      let types = values[output].flatMap { rounding[$0] } ?? []
      let comparison = compare(result, truth, types, nodes: 1)
      if !comparison.isEqual { return "'\(node)': \(comparison)" }
    }
    return nil
  }
}
