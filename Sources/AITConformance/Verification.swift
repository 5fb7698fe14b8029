import AITGraph
import AITLoader
import AITReference
import AITemplate

/// Compares a compiled graph with the reference evaluator, and finds where they part.
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
    let library = try await compiler.compile(graph, in: workDirectory, for: Self.purpose)
      .library
    let module = try CompiledModule(contentsOf: library, threads: threads)
    let ordered = module.inputs.compactMap { inputs[$0.name] }
    let found = try GuardedRun.run(module, ordered, threads: threads)
    var report = Report(outputs: [], firstDifference: nil)
    for (output, result) in zip(module.outputs, found.results) {
      guard let truth = expected[output.name] else { continue }
      report.outputs.append(
        (output.name, compare(result, truth, nodes: graph.nodeCount))
      )
    }
    if let problem = found.problem {
      throw Diagnostic(.verificationFailed, problem, at: library)
    }
    if !report.isEqual { report.firstDifference = try await findDifference(graph, inputs) }
    return report
  }

  private func compare(_ found: TensorData, _ expected: TensorData, nodes: Int) -> Comparison {
    AITReference.compare(
      found,
      expected,
      bound: bound ?? Tolerance.bound(expected.dtype, operatorCount: nodes)
    )
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
    let library = try await compiler.withoutPasses
      .compile(exposed, in: workDirectory, for: Self.purpose).library
    let found = try CompiledModule(contentsOf: library, threads: threads).run(inputs)
    for (node, output) in order {
      guard let result = found[output], let truth = expected[output] else { continue }
      let comparison = compare(result, truth, nodes: 1)
      if !comparison.isEqual { return "'\(node)': \(comparison)" }
    }
    return nil
  }
}
