import AITGraph
import AITKernels

/// The program by which candidates are measured: the problem several times, each time on operands of
/// its own, so that none is in a cache when its turn comes; and a selector, whose extent is the number
/// of the candidate that all of them take.
package enum MeasuringGraph {
  package static let selectorName = "selector"

  /// The dimension that says which candidate runs, of so many.
  package static func selector(_ count: Int) -> Dimension {
    .symbol(selectorName, 1...max(2, count))
  }

  /// Operands and results of all copies are to be so large together, in bytes: a few times any
  /// level-2 cache.
  private static let rotation = 128 << 20
  private static let copyLimit = 32

  /// How often a problem is posed.
  package static func copies(of problem: KernelProblem) -> Int {
    let size = problem.operands.reduce(0) { $0 + $1.type.sizeInBytes.upperBound }
    return min(copyLimit, max(2, (rotation + size - 1) / max(1, size)))
  }

  /// The program for a problem, under a name, with so many copies of it.
  package static func make(
    _ problem: KernelProblem,
    named name: String,
    copies: Int
  ) throws(Diagnostic) -> Graph {
    var graph = Graph(name: name)
    let count = problem.candidates.count
    _ = try graph.addInput(selectorName, TensorType(.uint8, [selector(count)]))
    for copy in 0..<copies {
      var operands: [ValueID] = []
      for (index, operand) in problem.operands.enumerated() {
        let name = "operand\(index)_\(copy)"
        operands.append(
          operand.isConstant
            ? try graph.addConstant(name, operand.type) : try graph.addInput(name, operand.type)
        )
      }
      let results = try graph.addNode(
        problem.op,
        operands,
        name: "product\(copy)",
        fusion: problem.fusion
      )
      for (index, result) in results.enumerated() {
        try graph.addOutput("result\(index)_\(copy)", result)
      }
    }
    return graph
  }
}
