import AITGraph
import AITOperators

/// Computes at compile time what depends on literals of the program alone.
///
/// ```
/// literal table: float32[2, 3] = {0.0, 1.0, 2.0, 3.0, 4.0, 5.0}
/// t = permute(table) {permutation: [1, 0]}
/// y = pointwise(x, t) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
/// ```
/// becomes
/// ```
/// literal t: float32[3, 2] = {0.0, 3.0, 1.0, 4.0, 2.0, 5.0}
/// y = pointwise(x, t) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
/// ```
///
/// Movement of elements (reshape, permute, slice, concat, pad, cast) is done whatever the size, at
/// the speed of memory. Other operators are folded up to a budget of element operations; what is
/// heavier stays, and the compiled library computes it once, when it loads. So does everything that
/// depends on a named constant, which can be set at run time. Generators are folded as operands of
/// other nodes, while they are small; a `full` or `arange` by itself is cheaper to make than to
/// store. Nothing is repeated: an expand stays a view.
///
/// Runs after views and flags have absorbed what they can, so that less is moved. Visits each node
/// once.
package struct ConstantFolding: GraphPass {
  package static let name = "constant-folding"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    var folder = Folder(context: context, operationsLeft: context.limits.foldedOperationsInAll)
    for id in graph.sortedNodes() where graph.contains(id) {
      guard let results = folder.results(of: id, in: graph) else { continue }
      let node = graph[id]
      for (output, data) in zip(node.outputs, results) {
        let literal = try graph.addLiteral(data, graph[output].name)
        graph.forward(output, to: literal, isNew: true)
      }
    }
    graph.removeUnusedLiterals()
  }

  /// Evaluates nodes within a budget.
  private struct Folder {
    let context: PassContext
    var operationsLeft: Int

    /// The results of a node, if they are to be folded.
    mutating func results(of id: NodeID, in graph: Graph) -> [TensorData]? {
      let node = graph[id]
      let types = node.outputs.map { graph[$0].type }
      guard node.fusion.isEmpty, !node.inputs.isEmpty, !(node.op is Expand),
        types.allSatisfy({ $0.shape.constants != nil })
      else { return nil }
      var operands: [TensorData] = []
      for input in node.inputs {
        guard let data = data(of: input, in: graph) else { return nil }
        operands.append(data)
      }
      let isGenerated = node.inputs.allSatisfy { graph.constant($0) == nil }
      let bytes = types.reduce(0) { $0 + ($1.sizeInBytes.constant ?? .max / 2) }
      if isGenerated && bytes > context.limits.generatedBytes { return nil }
      if types.count == 1, let moved = TensorData.moving(node.op, operands, to: types[0]) {
        return [moved]
      }
      return evaluate(node, operands, types)
    }

    private mutating func data(of value: ValueID, in graph: Graph) -> TensorData? {
      if let constant = graph.constant(value) { return constant.isNamed ? nil : constant.data }
      guard let producer = graph.producer(of: value), graph[producer].fusion.isEmpty,
        graph[producer].op.traits.contains(.isGenerator),
        let bytes = graph[value].type.sizeInBytes.constant, bytes <= context.limits.generatedBytes
      else { return nil }
      return evaluate(graph[producer], [], [graph[value].type])?[0]
    }

    /// The meaning of a node, unless it costs too much or cannot be computed, as with an index out
    /// of range: then the run says so.
    private mutating func evaluate(
      _ node: Graph.Node,
      _ operands: [TensorData],
      _ types: [TensorType]
    ) -> [TensorData]? {
      let count = node.op.operationCount(operands.map(\.type), results: types).constant ?? .max / 2
      let elements = types.reduce(operands.reduce(0) { $0 + $1.elementCount }) {
        $0 + ($1.shape.elementCount.constant ?? .max / 4)
      }
      let cost = count + elements
      guard cost <= context.limits.foldedOperations, cost <= operationsLeft,
        let results = try? context.evaluate(node, operands, types)
      else { return nil }
      operationsLeft -= cost
      return results
    }
  }
}
