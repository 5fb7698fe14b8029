import AITGraph
import AITOperators

/// Removes nodes that return their operand, and work in expressions that changes nothing.
///
/// ```
/// a = slice(x) {starts: [0, 0], sizes: [2, 3]} : float32[2, 3]
/// b = pointwise(a) {body: (x0: float32) { t1 = 1.0: float32; t2 = multiply(x0, t1); return t2 }}
/// y = matmul(b, w)
/// ```
/// becomes
/// ```
/// y = matmul(x, w)
/// ```
///
/// Identities: views that describe their operand as it is, padding by nothing, a concat of one, a
/// reduction over no axes or over axes of extent 1, and pointwise results that are an operand. The
/// rules on expressions are those of `ScalarExpression.simplified`; none of them changes a NaN, an
/// infinity or a −0, so a sum over one element becomes `x + 0`, not `x`.
///
/// Runs after `ScalarInlining`, which shows the literals. Repeats until nothing is
/// removed.
package struct IdentityRemoval: GraphPass {
  package static let name = "identity-removal"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    try graph.untilSettled { graph throws(Diagnostic) in
      for id in graph.sortedNodes() where graph.contains(id) {
        let node = graph[id]
        if !node.fusion.isEmpty {
          try simplifyFusion(of: id, in: &graph)
          continue
        }
        let operand = node.inputs.first.map { graph[$0].type }
        switch node.op {
        case let view as any ViewOperator:
          if let operand, view.isTrivial(on: operand) {
            graph.forward(node.outputs[0], to: node.inputs[0])
          }
        case let pad as Pad:
          if (pad.low + pad.high).allSatisfy({ $0 == 0 }) {
            graph.forward(node.outputs[0], to: node.inputs[0])
          }
        case is Concat:
          if node.inputs.count == 1 { graph.forward(node.outputs[0], to: node.inputs[0]) }
        case let reduce as Reduce:
          if let operand { try removeReduction(reduce, of: operand, id, in: &graph) }
        case let pointwise as Pointwise: try simplify(pointwise, id, in: &graph)
        default: break
        }
      }
    }
  }

  // MARK: - Reductions

  /// A reduction over one element of each is that element, up to its type and the sign of a zero.
  private func removeReduction(
    _ reduce: Reduce,
    of operand: TensorType,
    _ id: NodeID,
    in graph: inout Graph
  ) throws(Diagnostic) {
    guard reduce.axes.allSatisfy({ operand.shape[$0] == 1 }) else { return }
    let node = graph[id]
    let result = graph[node.outputs[0]].type
    let input = operand.dtype
    var value = node.inputs[0]
    switch reduce.kind {
    case .variance, .norm: return
    case .maximum, .minimum: break
    case .product, .sum, .mean, .logSumExp, .any, .all:
      let body = ScalarExpression(inputs: [input]) { e, inputs in
        // A sum begins at 0, and 0 + −0 is 0.
        let startsAtZero = input.isFloatingPoint && reduce.kind != .product
        let sum =
          startsAtZero && result.dtype == input
          ? e.call(.add, inputs[0], e.constant(0, input)) : inputs[0]
        return [e.cast(sum, to: result.dtype)]
      }
      if !body.isIdentity {
        value = try graph.addNode(
          Pointwise(body),
          [value],
          name: node.name,
          source: node.source
        )[0]
      }
    }
    value = try graph.addView(Reshape(result.shape), of: value, like: id)
    graph.forward(node.outputs[0], to: value, isNew: value != node.inputs[0])
  }

  // MARK: - Expressions

  private func simplify(_ pointwise: Pointwise, _ id: NodeID, in graph: inout Graph)
    throws(Diagnostic)
  {
    let node = graph[id]
    let shape = graph[node.outputs[0]].type.shape
    var body = FusedBody(pointwise.body.simplified(), node.inputs.map(FusedBody.Operand.value))
      .trimmed(in: graph, shape: shape)

    // Results that are operands, or that are computed twice.
    var kept: [Int] = []
    var first: [Int: Int] = [:]
    for (index, instruction) in body.expression.results.enumerated() {
      if case .input(let input) = body.expression.instructions[instruction] {
        let value = try graph.addView(Expand(shape), of: body.values[input], like: id)
        graph.replaceUses(of: node.outputs[index], with: value)
      } else if let same = first[instruction] {
        graph.replaceUses(of: node.outputs[index], with: node.outputs[same])
      } else {
        first[instruction] = index
        kept.append(index)
      }
    }
    if kept.isEmpty {
      graph.eraseIfUnused(id)
      return
    }
    if kept.count < node.outputs.count {
      body = body.selecting(kept).trimmed(in: graph, shape: shape)
    }
    guard body.expression != pointwise.body || body.values != node.inputs else { return }
    try graph.substitute(
      Pointwise(body.expression),
      body.values,
      named: id,
      for: kept.map { node.outputs[$0] }
    )
  }

  private func simplifyFusion(of id: NodeID, in graph: inout Graph) throws(Diagnostic) {
    let node = graph[id]
    var fusion = node.fusion
    var inputs = node.inputs
    if let epilogue = fusion.epilogue {
      let first = inputs.count - fusion.epilogueInputCount
      let body = FusedBody(epilogue: epilogue.simplified(), of: fusion, inputs[first...])
        .trimmed(in: graph)
      inputs.replaceSubrange(first..., with: body.values)
      fusion.epilogue = body.expression.isIdentity ? nil : body.expression
    }
    if let prologue = fusion.prologue {
      let sources = Array(inputs.prefix(prologue.inputTypes.count))
      let shape = try Shape.broadcasting(sources.map { graph[$0].type.shape })
      let body = FusedBody(prologue.simplified(), sources.map(FusedBody.Operand.value))
        .trimmed(in: graph, shape: shape)
      inputs.replaceSubrange(0..<sources.count, with: body.values)
      fusion.prologue = body.expression.isIdentity ? nil : body.expression
      if fusion.prologue == nil, fusion.exposesPrologue, let exposed = node.outputs.last {
        fusion.exposesPrologue = false
        graph.replaceUses(of: exposed, with: inputs[0])
      }
    }
    guard fusion != node.fusion || inputs != node.inputs else { return }
    let kept = node.outputs.dropLast(fusion.exposesPrologue == node.fusion.exposesPrologue ? 0 : 1)
    try graph.substitute(node.op, inputs, fusion: fusion, named: id, for: Array(kept))
  }
}
