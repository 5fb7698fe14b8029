import AITGraph
import AITOperators

/// Moves factors from the operands of matrix products behind the products.
///
/// ```
/// s = pointwise(q) {body: (x0: float16) { t1 = 0.125: float16; t2 = multiply(x0, t1); return t2 }}
/// h = permute(s) {permutation: [0, 2, 1, 3]}
/// y = matmul(h, k) {transpose_b: true}
/// ```
/// becomes
/// ```
/// h = permute(q) {permutation: [0, 2, 1, 3]}
/// m = matmul(h, k) {transpose_b: true}
/// y = pointwise(m) {body: (x0: float16) { t1 = 0.125: float16; t2 = multiply(x0, t1); return t2 }}
/// ```
///
/// Behind the product the factor joins its epilogue, where it is unrounded; before it, it is a
/// kernel of its own, or makes one of several parallel projections differ from the others. Only
/// literals from 2⁻¹⁶ to 2¹⁶ move, on floating-point tensors that nothing but the product reads,
/// through views or not: far from where sums overflow or vanish.
///
/// Runs after `TransposeAbsorption` and before `PointwiseFusion`. Visits each product once.
package struct ScaleMotion: GraphPass {
  package static let name = "scale-motion"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    let analysis = FusionAnalysis(graph)
    for id in graph.sortedNodes() where graph.contains(id) {
      guard graph[id].op is MatMul, graph[id].fusion.isEmpty else { continue }
      var product = id
      for position in 0..<2 {
        while let factor = factor(of: graph[product].inputs[position], graph, analysis) {
          product = try move(factor, position, product, in: &graph)
        }
      }
    }
  }

  /// A multiplication by a literal, and the views between it and the product, last first.
  private struct Factor {
    let node: NodeID
    let views: [NodeID]
  }

  private func factor(of operand: ValueID, _ graph: Graph, _ analysis: FusionAnalysis) -> Factor? {
    var value = operand
    var views: [NodeID] = []
    while graph.hasOneUse(value), let producer = graph.producer(of: value),
      !analysis.isInvariant(producer, in: graph)
    {
      if graph[producer].op is any ViewOperator {
        views.append(producer)
        value = graph[producer].inputs[0]
        continue
      }
      guard let work = graph.pointwise(producer), graph[producer].inputs.count == 1,
        graph[value].type.shape == graph[graph[producer].inputs[0]].type.shape,
        isScale(work.body)
      else { return nil }
      return Factor(node: producer, views: views)
    }
    return nil
  }

  private func isScale(_ body: ScalarExpression) -> Bool {
    guard body.results.count == 1, body.resultTypes[0].isFloatingPoint,
      case .call(.multiply, let operands) = body.instructions[body.results[0]],
      operands[0] == 0, case .constant(let constant) = body.instructions[operands[1]]
    else { return false }
    return (0x1p-16...0x1p16).contains(constant.value.double.magnitude)
  }

  private func move(_ factor: Factor, _ position: Int, _ product: NodeID, in graph: inout Graph)
    throws(Diagnostic) -> NodeID
  {
    let (scale, node) = (graph[factor.node], graph[product])
    var value = scale.inputs[0]
    for view in factor.views.reversed() {
      let old = graph[view]
      value = try graph.addNode(
        old.op,
        [value],
        name: graph[old.outputs[0]].name,
        source: old.source
      )[0]
    }
    var operands = node.inputs
    operands[position] = value
    let unscaled = try graph.addNode(node.op, operands, name: node.name, source: node.source)[0]
    let result = try graph.addNode(scale.op, [unscaled], name: scale.name, source: scale.source)[0]
    graph.forward(node.outputs[0], to: result, isNew: true)
    guard let moved = graph.producer(of: unscaled) else { return product }
    graph.rename(moved, to: node.name)
    return moved
  }
}
