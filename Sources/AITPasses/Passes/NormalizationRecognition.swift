import AITGraph
import AITOperators

/// Finds layer and root-mean-square normalisation where programs spell them out.
///
/// ```
/// s = pointwise(x) {body: (x0: float32) { t1 = square(x0); return t1 }}
/// m = reduce(s) {kind: "mean", axes: [1], keep_dimensions: true}
/// r = pointwise(m) {body: (x0: float32) { t1 = 1e-06: float32; t2 = add(x0, t1); t3 = rsqrt(t2);
///     return t3 }}
/// y = pointwise(x, r, w) {body: (x0: float32, x1: float32, x2: float32) { t3 = multiply(x0, x1);
///     t4 = multiply(t3, x2); return t4 }}
/// ```
/// becomes
/// ```
/// y = rms_norm(x, w) {epsilon: 1e-06}
/// ```
///
/// With `x − mean(x)` in the place of x it is a layer normalisation. The mean square may be a mean
/// of squares or a variance; the root may be `rsqrt`, a power, or a quotient by `sqrt`. Factors and
/// summands that follow and have the shape of the normalised axes become the weight and the bias;
/// so they do behind an operator that has none yet and that nothing else reads.
///
/// Runs after common terms are merged and before `PointwiseFusion`. Visits each instruction once.
package struct NormalizationRecognition: GraphPass {
  package static let name = "normalization-recognition"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    try graph.rewriteTerms { graph, id, index throws(Diagnostic) in
      if let found = try core(in: &graph, id, index) { return found }
      return try affine(in: &graph, id, index)
    }
  }

  // MARK: - The normalised value

  private func core(in graph: inout Graph, _ id: NodeID, _ index: Int) throws(Diagnostic)
    -> (value: ValueID, name: String)?
  {
    let root = Term.instruction(id, index)
    for (x, shifted) in rootMeanSquareParts(of: root, in: graph) {
      guard graph.type(of: x) == graph.type(of: root), graph.type(of: x).dtype.isFloatingPoint,
        let (epsilon, square) = epsilon(shifted, in: graph),
        let found = normalization(x, square, epsilon, in: graph)
      else { continue }
      let operand = try graph.materialize(found.operand)
      let result = try graph.addNode(found.op, [operand], source: graph[id].source)[0]
      return (result, "\(graph[id].name)_\(Swift.type(of: found.op).name)")
    }
    return nil
  }

  /// The pairs of x and s for which a term may be `x / √s`.
  private func rootMeanSquareParts(of root: Term, in graph: Graph) -> [(Term, Term)] {
    if let operands = graph.operands(of: root, .multiply) {
      return [(operands[0], operands[1]), (operands[1], operands[0])].compactMap { x, root in
        graph.reciprocalRootOperand(of: root).map { (x, $0) }
      }
    }
    guard let operands = graph.operands(of: root, .divide),
      let inner = graph.rootOperand(of: operands[1])
    else { return [] }
    return [(operands[0], inner)]
  }

  /// The ε and v of `v + ε`.
  private func epsilon(_ term: Term, in graph: Graph) -> (Double, Term)? {
    guard let operands = graph.operands(of: term, .add) else { return nil }
    for (value, literal) in [(operands[0], operands[1]), (operands[1], operands[0])] {
      if let epsilon = graph.literal(literal), epsilon >= 0, epsilon.isFinite {
        return (epsilon, value)
      }
    }
    return nil
  }

  /// The operator that divides x by the root of a mean square, and its operand.
  private func normalization(_ x: Term, _ square: Term, _ epsilon: Double, in graph: Graph)
    -> (op: any Operator, operand: Term)?
  {
    let rank = graph.type(of: x).rank
    if let centered = centeredOperand(x, in: graph) {
      let axes: [Int]?
      if let (mean, squared) = graph.reduction(of: square, .mean) {
        let inner = graph.squareOperand(of: squared)
        axes = inner.map { graph.areSame($0, x) } ?? false ? mean.axes : nil
      } else if let (variance, operand) = graph.reduction(of: square, .variance),
        variance.correction == 0
      {
        let isSame = graph.areSame(operand, centered.operand) || graph.areSame(operand, x)
        axes = isSame ? variance.axes : nil
      } else {
        axes = nil
      }
      if let axes, axes == centered.axes, let count = trailingCount(axes, rank) {
        let op = LayerNorm(axisCount: count, epsilon: epsilon, hasWeight: false, hasBias: false)
        return (op, centered.operand)
      }
    }
    guard let (mean, squared) = graph.reduction(of: square, .mean),
      let inner = graph.squareOperand(of: squared), graph.areSame(inner, x),
      let count = trailingCount(mean.axes, rank)
    else { return nil }
    return (RMSNorm(axisCount: count, epsilon: epsilon, hasWeight: false), x)
  }

  /// The x of `x − mean(x)`, and the axes of the mean.
  private func centeredOperand(_ term: Term, in graph: Graph) -> (operand: Term, axes: [Int])? {
    guard let operands = graph.operands(of: term, .subtract),
      let (mean, operand) = graph.reduction(of: operands[1], .mean),
      graph.areSame(operand, operands[0])
    else { return nil }
    return (operands[0], mean.axes)
  }

  /// The number of axes, if they are the last ones.
  private func trailingCount(_ axes: [Int], _ rank: Int) -> Int? {
    !axes.isEmpty && axes == Array((rank - axes.count)..<rank) ? axes.count : nil
  }

  // MARK: - Weight and bias

  private func affine(in graph: inout Graph, _ id: NodeID, _ index: Int) throws(Diagnostic)
    -> (value: ValueID, name: String)?
  {
    let root = Term.instruction(id, index)
    let isProduct = graph.operands(of: root, .multiply) != nil
    guard let operands = graph.operands(of: root, isProduct ? .multiply : .add) else { return nil }
    for (normal, parameter) in [(operands[0], operands[1]), (operands[1], operands[0])] {
      guard case .value(let value) = normal, graph.isReadOnce(value, by: id),
        let producer = graph.producer(of: value), graph[producer].fusion.isEmpty,
        let op = adding(isWeight: isProduct, to: graph[producer].op)
      else { continue }
      let type = graph[value].type
      let expected = TensorType(
        type.dtype,
        Shape(Array(type.shape.dimensions.suffix(op.axisCount)))
      )
      guard graph.type(of: parameter) == expected, graph.type(of: root) == type else { continue }
      let operand = try graph.materialize(parameter)
      let inputs = graph[producer].inputs + [operand]
      let name = graph[value].name
      let result = try graph.addNode(op.op, inputs, source: graph[producer].source)[0]
      return (result, name)
    }
    return nil
  }

  /// The operator with a weight, or with a bias, that it lacks.
  private func adding(isWeight: Bool, to op: any Operator) -> (op: any Operator, axisCount: Int)? {
    if let norm = op as? LayerNorm, !norm.hasBias, !(isWeight && norm.hasWeight) {
      let next = LayerNorm(
        axisCount: norm.axisCount,
        epsilon: norm.epsilon,
        hasWeight: isWeight || norm.hasWeight,
        hasBias: !isWeight
      )
      return (next, norm.axisCount)
    }
    if let norm = op as? RMSNorm, isWeight, !norm.hasWeight {
      let next = RMSNorm(axisCount: norm.axisCount, epsilon: norm.epsilon, hasWeight: true)
      return (next, norm.axisCount)
    }
    return nil
  }
}
