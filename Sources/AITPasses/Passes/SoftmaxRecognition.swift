import AITGraph
import AITOperators

/// Finds softmax, log-softmax and logsumexp where programs spell them out.
///
/// ```
/// m = reduce(x) {kind: "maximum", axes: [1], keep_dimensions: true}
/// e = pointwise(x, m) {body: (x0: float32, x1: float32) { t2 = subtract(x0, x1); t3 = exp(t2);
///     return t3 }}
/// s = reduce(e) {kind: "sum", axes: [1], keep_dimensions: true}
/// y = pointwise(e, s) {body: (x0: float32, x1: float32) { t2 = divide(x0, x1); return t2 }}
/// ```
/// becomes
/// ```
/// y = softmax(x) {axis: 1}
/// ```
///
/// Likewise `(x − m) − log s` becomes log-softmax, and `m + log s` a reduction `log_sum_exp`. Only
/// the forms that subtract the maximum are taken: without it, large operands overflow, and the
/// program would change. (A row of one infinity gives NaN in the spelt-out logsumexp, and that
/// infinity in the operator.)
///
/// Runs after common terms are merged and before `PointwiseFusion`. Visits each instruction once.
package struct SoftmaxRecognition: GraphPass {
  package static let name = "softmax-recognition"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    try graph.rewriteTerms { graph, id, index throws(Diagnostic) in
      if let found = try softmax(in: &graph, id, index) { return found }
      return try logSumExp(in: &graph, id, index)
    }
  }

  private func softmax(in graph: inout Graph, _ id: NodeID, _ index: Int) throws(Diagnostic)
    -> (value: ValueID, name: String)?
  {
    let root = Term.instruction(id, index)
    let found: (shifted: Term, sum: Reduce, isLogarithmic: Bool)
    if let (power, total) = quotient(root, in: graph),
      let (sum, summed) = graph.reduction(of: total, .sum), graph.areSame(summed, power),
      let shifted = graph.operands(of: power, .exp)?[0]
    {
      found = (shifted, sum, false)
    } else if let operands = graph.operands(of: root, .subtract),
      let total = graph.operands(of: operands[1], .log)?[0],
      let (sum, summed) = graph.reduction(of: total, .sum),
      let shifted = graph.operands(of: summed, .exp)?[0], graph.areSame(shifted, operands[0])
    {
      found = (shifted, sum, true)
    } else {
      return nil
    }
    guard found.sum.axes.count == 1,
      let (operand, maximum) = shiftedOperand(found.shifted, in: graph),
      maximum.axes == found.sum.axes, graph.type(of: operand) == graph.type(of: root)
    else { return nil }
    let x = try graph.materialize(operand)
    let op = Softmax(axis: found.sum.axes[0], isLogarithmic: found.isLogarithmic)
    let result = try graph.addNode(op, [x], source: graph[id].source)[0]
    return (result, "\(graph[id].name)_softmax")
  }

  private func logSumExp(in graph: inout Graph, _ id: NodeID, _ index: Int) throws(Diagnostic)
    -> (value: ValueID, name: String)?
  {
    let root = Term.instruction(id, index)
    guard let operands = graph.operands(of: root, .add) else { return nil }
    for (logarithm, shift) in [(operands[0], operands[1]), (operands[1], operands[0])] {
      guard let total = graph.operands(of: logarithm, .log)?[0],
        let (sum, summed) = graph.reduction(of: total, .sum, keepingAxes: false)
          ?? graph.reduction(of: total, .sum),
        let shifted = graph.operands(of: summed, .exp)?[0],
        let (operand, maximum) = shiftedOperand(shifted, in: graph), maximum.axes == sum.axes,
        let (other, shifting) = graph.reduction(of: shift, .maximum, keepingAxes: false)
          ?? graph.reduction(of: shift, .maximum),
        other.axes == sum.axes, graph.areSame(shifting, operand)
      else { continue }
      let type = graph.type(of: operand)
      let kept = type.shape.replacing(sum.axes, with: 1)
      let keepsDimensions = graph.type(of: root).shape == kept
      let op = Reduce(.logSumExp, axes: sum.axes, keepsDimensions: keepsDimensions)
      guard try op.inferTypes([type])[0] == graph.type(of: root) else { continue }
      let x = try graph.materialize(operand)
      let result = try graph.addNode(op, [x], source: graph[id].source)[0]
      return (result, "\(graph[id].name)_log_sum_exp")
    }
    return nil
  }

  /// The a and b of `a / b` or `a · (1/b)`.
  private func quotient(_ term: Term, in graph: Graph) -> (Term, Term)? {
    if let operands = graph.operands(of: term, .divide) { return (operands[0], operands[1]) }
    guard let operands = graph.operands(of: term, .multiply) else { return nil }
    for (factor, inverse) in [(operands[0], operands[1]), (operands[1], operands[0])] {
      if let divisor = graph.operands(of: inverse, .reciprocal) { return (factor, divisor[0]) }
    }
    return nil
  }

  /// The x of `x − max(x)` and the reduction.
  private func shiftedOperand(_ term: Term, in graph: Graph) -> (Term, Reduce)? {
    guard let operands = graph.operands(of: term, .subtract),
      let (maximum, operand) = graph.reduction(of: operands[1], .maximum),
      graph.areSame(operand, operands[0])
    else { return nil }
    return (operands[0], maximum)
  }
}
