import AITGraph
import AITOperators

/// Finds attention where programs spell it out.
///
/// ```
/// s = matmul(q, k) {transpose_b: true}
/// t = pointwise(s, mask) {body: (x0: float32, x1: float32) { t2 = 0.125: float32; t3 = multiply(x0,
///     t2); t4 = add(t3, x1); return t4 }}
/// w = softmax(t) {axis: 3}
/// y = matmul(w, v)
/// ```
/// becomes
/// ```
/// y = attention(q, k, v, mask) {scale: 0.125, keeps_nan: true}
/// ```
///
/// The scale is a product or quotient by literals, before the mask or none; the mask is a sum with a tensor
/// that broadcasts to the scores, or a choice between the scores and a number: −∞, or one so low (−10³⁰)
/// that it stands for all scores it is added to. Of a bool mask that is the opposite of another tensor,
/// that tensor is inverted. A mask that compares positions is found to be causal. Keys and values that are
/// repeated for heads of queries, by an expand and a reshape, are read where they lie. Heads may be
/// joined with the batch, and an axis of repeated heads may stand before them. Weights may be 0 where all
/// scores of a query are −∞, which PyTorch calls a safe softmax: attention without `keeps_nan`.
///
/// Scores and weights that anything else reads stay as they are, as do graphs whose target has no kernel
/// of attention. What is written between the products in half precision is not rounded any more.
///
/// Runs after `SoftmaxRecognition`, `TransposeAbsorption` and `ScaleMotion`, before pointwise work is fused
/// into products. Visits each product once.
package struct AttentionRecognition: GraphPass {
  package static let name = "attention-recognition"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    for id in graph.sortedNodes() where graph.contains(id) {
      guard let found = match(id, in: graph) else { continue }
      try rewrite(found, in: &graph, context)
    }
  }

  // MARK: - The pattern

  /// What was found; values as they lie in the graph.
  private struct Match {
    let product: NodeID
    let query: ValueID
    let key: ValueID
    /// Whether the key is `[…, D, S]`.
    let isKeyTransposed: Bool
    let value: ValueID
    let scale: Double
    let mask: Mask?
    /// The extents of the scores where the mask meets them.
    let scores: Shape
    /// Whether a query that no key counts for gives NaN and not 0.
    let keepsNaN: Bool
  }

  /// How scores are masked.
  private enum Mask {
    case added(Term)
    /// Scores count where a bool term holds, or where it does not; others are a number.
    case chosen(Term, isInverted: Bool, number: Double)

    var term: Term {
      switch self {
      case .added(let term): term
      case .chosen(let term, _, _): term
      }
    }
  }

  private func match(_ id: NodeID, in graph: Graph) -> Match? {
    guard let product = graph[id].op as? MatMul, !product.transposeA, !product.transposeB,
      graph[id].fusion.isEmpty
    else { return nil }
    let multiplied = unshaped(graph.term(of: graph[id].inputs[0]), in: graph)
    let emptied = emptied(multiplied, in: graph)
    guard case .value(let weights) = emptied?.weights ?? multiplied,
      let (normalizing, softmax) = graph.plainProducer(of: weights, Softmax.self),
      !softmax.isLogarithmic, softmax.axis == graph[weights].type.rank - 1, softmax.axis >= 1
    else { return nil }
    let scored = graph[normalizing].inputs[0]
    if let emptied, !isEmptyRow(emptied.condition, of: scored, emptied.isEmpty, in: graph) {
      return nil
    }
    var term = unshaped(graph.term(of: scored), in: graph)
    var shape = graph[scored].type.shape
    var mask: Mask?
    if let (rest, found) = masked(term, in: graph) {
      shape = graph.type(of: term).shape
      (term, mask) = (rest, found)
    }
    var scale = 1.0
    while let (rest, factor) = scaled(term, in: graph) {
      term = unshaped(rest, in: graph)
      scale *= factor
    }
    guard case .value(let scores) = unshaped(term, in: graph), scale.isFinite,
      let (first, matMul) = graph.plainProducer(of: scores, MatMul.self), !matMul.transposeA,
      graph[scores].type.shape.elementCount == shape.elementCount,
      isPrivate(
        from: scores,
        to: graph[id].inputs[0],
        in: graph,
        checked: emptied.map { _ in scored }
      )
    else { return nil }
    return Match(
      product: id,
      query: graph[first].inputs[0],
      key: graph[first].inputs[1],
      isKeyTransposed: !matMul.transposeB,
      value: graph[id].inputs[1],
      scale: scale,
      mask: mask,
      scores: shape,
      keepsNaN: emptied == nil
    )
  }

  /// The weights of a choice between them and 0, and what it depends on.
  private func emptied(_ term: Term, in graph: Graph) -> (
    weights: Term, condition: Term, isEmpty: Bool
  )? {
    guard let operands = graph.operands(of: term, .select) else { return nil }
    for (index, isEmpty) in [(2, true), (1, false)] where graph.literal(operands[3 - index]) == 0 {
      return (operands[index], operands[0], isEmpty)
    }
    return nil
  }

  /// Whether a term tells of each row whether all its scores are −∞, or whether some are not.
  private func isEmptyRow(
    _ condition: Term,
    of scored: ValueID,
    _ isEmpty: Bool,
    in graph: Graph
  ) -> Bool {
    if let operands = graph.operands(of: condition, .not) {
      return isEmptyRow(operands[0], of: scored, !isEmpty, in: graph)
    }
    func reduces(_ term: Term, _ kind: Reduce.Kind) -> Term? {
      guard let (op, operand) = graph.reduction(of: term, kind),
        op.axes == [graph[scored].type.rank - 1]
      else { return nil }
      return operand
    }
    func isLowest(_ term: Term, _ isEqual: Bool) -> Bool {
      if let operands = graph.operands(of: term, .not) { return isLowest(operands[0], !isEqual) }
      guard let operands = graph.operands(of: term, isEqual ? .equal : .notEqual) else {
        return false
      }
      return graph.literal(operands[1]) == -.infinity
        && graph.areSame(operands[0], graph.term(of: scored))
    }
    if !isEmpty { return reduces(condition, .any).map { isLowest($0, false) } ?? false }
    if let operand = reduces(condition, .all) { return isLowest(operand, true) }
    guard let operands = graph.operands(of: condition, .equal),
      graph.literal(operands[1]) == -.infinity, let operand = reduces(operands[0], .maximum)
    else { return false }
    return graph.areSame(operand, graph.term(of: scored))
  }

  /// A term before reshapes that join or split leading axes alone.
  private func unshaped(_ term: Term, in graph: Graph) -> Term {
    guard case .value(let value) = term,
      let (id, reshape) = graph.plainProducer(of: value, Reshape.self)
    else { return term }
    let source = graph[id].inputs[0]
    let matrix = graph[source].type.shape.dimensions.suffix(2)
    guard matrix.count == 2, reshape.shape.dimensions.suffix(2) == matrix else { return term }
    return unshaped(graph.term(of: source), in: graph)
  }

  /// Whether nothing else reads the values between the scores and what they are multiplied as, but for the
  /// check of empty rows.
  private func isPrivate(
    from scores: ValueID,
    to weights: ValueID,
    in graph: Graph,
    checked: ValueID?
  ) -> Bool {
    var value = weights
    while graph.hasOneUse(value) || (value == checked && graph.useCount(of: value) == 2) {
      if value == scores { return true }
      guard let id = graph.producer(of: value), graph[id].outputs.count == 1,
        let next = graph[id].inputs.first(where: { leads($0, from: scores, in: graph) })
      else { return false }
      value = next
    }
    return false
  }

  /// Whether a value is another, or made of it by pointwise work, reshapes and a softmax.
  private func leads(_ value: ValueID, from other: ValueID, in graph: Graph, depth: Int = 8) -> Bool
  {
    if value == other { return true }
    guard depth > 0, let id = graph.producer(of: value), graph[id].fusion.isEmpty,
      graph[id].op is Pointwise || graph[id].op is Reshape || graph[id].op is Softmax
    else { return false }
    return graph[id].inputs.contains { leads($0, from: other, in: graph, depth: depth - 1) }
  }

  private func scaled(_ term: Term, in graph: Graph) -> (Term, Double)? {
    if let operands = graph.operands(of: term, .multiply) {
      for (factor, rest) in [(operands[0], operands[1]), (operands[1], operands[0])] {
        if let factor = graph.literal(factor), factor.isFinite { return (rest, factor) }
      }
    }
    if let operands = graph.operands(of: term, .divide),
      let divisor = graph.literal(operands[1]), divisor.isFinite, divisor != 0
    {
      return (operands[0], 1 / divisor)
    }
    return nil
  }

  private func masked(_ term: Term, in graph: Graph) -> (Term, Mask)? {
    if let operands = graph.operands(of: term, .add) {
      for (scores, mask) in [(operands[0], operands[1]), (operands[1], operands[0])]
      where isScores(scores, in: graph) && !isScores(mask, in: graph) && graph.literal(mask) == nil
      {
        return (unshaped(scores, in: graph), .added(mask))
      }
    }
    guard let operands = graph.operands(of: term, .select), graph.literal(operands[0]) == nil else {
      return nil
    }
    for (index, isInverted) in [(1, false), (2, true)] {
      if isScores(operands[index], in: graph),
        let number = graph.literal(operands[3 - index]), number <= -1e30
      {
        let scores = unshaped(operands[index], in: graph)
        return (scores, .chosen(operands[0], isInverted: isInverted, number: number))
      }
    }
    return nil
  }

  /// Whether a term is a product of matrices, but for scales.
  private func isScores(_ term: Term, in graph: Graph) -> Bool {
    var term = unshaped(term, in: graph)
    while let (rest, _) = scaled(term, in: graph) { term = unshaped(rest, in: graph) }
    guard case .value(let value) = term else { return false }
    return graph.plainProducer(of: value, MatMul.self) != nil
  }

  // MARK: - The rewriting

  private func rewrite(_ match: Match, in graph: inout Graph, _ context: PassContext)
    throws(Diagnostic)
  {
    let node = graph[match.product]
    let result = graph[node.outputs[0]].type
    // Heads that are shared are read where they lie.
    var (key, value) = (match.key, match.value)
    let shared = sharedHeads(match, in: graph)
    if let shared { (key, value) = (shared.key, shared.value) }
    let isShared = shared != nil
    guard
      let query = operand(match.query, of: match, isTransposed: false, isShared, in: graph),
      let key = operand(key, of: match, isTransposed: match.isKeyTransposed, isShared, in: graph),
      let value = operand(value, of: match, isTransposed: false, isShared, in: graph)
    else { return }
    let isCausal = isCausal(match, in: graph)
    let op = Attention(scale: match.scale, isCausal: isCausal, keepsNaN: match.keepsNaN)
    var types = [query.type, key.type, value.type]
    if let mask = match.mask, !isCausal {
      let type = alone(mask.term, in: graph)
      if case .added = mask, !type.dtype.isFloatingPoint { return }
      let isKept = type.dtype == .bool || type.dtype == result.dtype
      types.append(isKept ? type : TensorType(.float32, type.shape))
    }
    // Whether it is attention is known from the types, before anything is added.
    guard let attended = (try? op.inferTypes(types))?[0], attended.dtype == result.dtype,
      attended.shape.elementCount == result.shape.elementCount,
      attended.shape.dimensions.suffix(2) == result.shape.dimensions.suffix(2),
      attended.shape.dimensions.dropLast(2) == query.type.shape.dimensions.dropLast(2),
      context.computesAttention(op, types)
    else { return }
    var operands: [ValueID] = []
    for each in [query, key, value] {
      var made = each.value
      for view in each.views { made = try graph.addView(view, of: made, like: match.product) }
      operands.append(made)
    }
    if let mask = match.mask, !isCausal {
      operands.append(try added(mask, result.dtype, in: &graph))
    }
    var made = try graph.addNode(op, operands, name: node.name, source: node.source)[0]
    made = try graph.addView(Reshape(result.shape), of: made, like: match.product)
    graph.forward(node.outputs[0], to: made, isNew: true)
  }

  /// An operand and the views that make it what attention reads.
  private struct Prepared {
    var value: ValueID
    var type: TensorType
    var views: [any ViewOperator] = []

    mutating func add(_ view: any ViewOperator, _ shape: Shape) {
      views.append(view)
      type = TensorType(type.dtype, shape)
    }
  }

  /// An operand with the leading axes of the scores, of which there is at least one.
  private func operand(
    _ value: ValueID,
    of match: Match,
    isTransposed: Bool,
    _ isShared: Bool,
    in graph: Graph
  ) -> Prepared? {
    var prepared = Prepared(value: value, type: graph[value].type)
    let rank = prepared.type.rank
    guard rank >= 2, match.scores.rank >= 2 else { return nil }
    if isTransposed {
      var order = Array(0..<rank)
      order.swapAt(rank - 1, rank - 2)
      prepared.add(Permute(order), Shape(order.map { prepared.type.shape[$0] }))
    }
    let matrix = Array(prepared.type.shape.dimensions.suffix(2))
    let own = Array(prepared.type.shape.dimensions.dropLast(2))
    let leading = Array(match.scores.dimensions.dropLast(2))
    if own.count != leading.count || (own != leading && value == match.query) {
      // Joined with the batch, or not: all of it, in the same order.
      guard Shape(own).elementCount == Shape(leading).elementCount else { return nil }
      prepared.add(Reshape(Shape(leading + matrix)), Shape(leading + matrix))
    } else if !isShared, !zip(own, leading).allSatisfy({ $0 == $1 || $0 == 1 }) {
      // Scores that are reshaped hide which axis the product broadcasts.
      return nil
    }
    if leading.isEmpty { prepared.add(Reshape(Shape([1] + matrix)), Shape([1] + matrix)) }
    return prepared
  }

  /// The type of a mask that is computed without the scores.
  private func alone(_ term: Term, in graph: Graph) -> TensorType {
    guard case .instruction(let id, let index) = term, let body = graph.pointwise(id)?.body,
      !body.results.contains(index), let fused = lone(id, index, in: graph),
      let type = try? Pointwise(fused.expression).inferTypes(fused.values.map { graph[$0].type })
    else { return graph.type(of: term) }
    return type[0]
  }

  /// An instruction as pointwise work on what it reads alone.
  private func lone(_ id: NodeID, _ index: Int, in graph: Graph) -> FusedBody? {
    guard var body = graph.pointwise(id)?.body else { return nil }
    body.setResults([index])
    return FusedBody(body.pruned(), graph[id].inputs.map(FusedBody.Operand.value)).trimmed(
      in: graph
    )
  }

  /// The mask as attention takes it.
  private func added(_ mask: Mask, _ dtype: DType, in graph: inout Graph) throws(Diagnostic)
    -> ValueID
  {
    var value: ValueID
    if case .instruction(let id, let index) = mask.term, let body = graph.pointwise(id)?.body,
      !body.results.contains(index), let fused = lone(id, index, in: graph)
    {
      value = try graph.addNode(
        Pointwise(fused.expression),
        fused.values,
        name: "\(graph[id].name)_mask",
        source: graph[id].source
      )[0]
    } else {
      value = try graph.materialize(mask.term)
    }
    switch mask {
    case .added:
      let type = graph[value].type.dtype
      return type == dtype ? value : try graph.cast(value, to: .float32)
    case .chosen(_, let isInverted, let number):
      if number == -.infinity {
        return isInverted ? try graph.pointwise(.not, [.value(value)]) : value
      }
      // A finite number leaves a row without keys the mean of all values: it is added.
      let (kept, low) = (PointwiseOperand.scalar(0.0), PointwiseOperand.scalar(number))
      value = try graph.where(value, isInverted ? low : kept, isInverted ? kept : low)
      return try graph.cast(value, to: .float32)
    }
  }

  /// Keys and values before they are repeated for the heads of queries, if both are in the same way.
  private func sharedHeads(_ match: Match, in graph: Graph) -> (key: ValueID, value: ValueID)? {
    guard !match.isKeyTransposed, let key = repeated(match.key, in: graph),
      let value = repeated(match.value, in: graph), key.times == value.times
    else { return nil }
    return (key.source, value.source)
  }

  /// The `[…, G, S, D]` of `[…, G · R, S, D]` that repeats each head R times in a row.
  private func repeated(_ value: ValueID, in graph: Graph) -> (source: ValueID, times: Dimension)? {
    guard let (joining, _) = graph.plainProducer(of: value, Reshape.self),
      let (expanding, _) = graph.plainProducer(of: graph[joining].inputs[0], Expand.self),
      let (splitting, _) = graph.plainProducer(of: graph[expanding].inputs[0], Reshape.self)
    else { return nil }
    let (source, wide) = (graph[splitting].inputs[0], graph[graph[joining].inputs[0]].type.shape)
    let (joined, shape) = (graph[value].type.shape, graph[source].type.shape)
    let head = joined.rank - 3
    guard head >= 0, shape.rank == joined.rank, wide.rank == joined.rank + 1 else { return nil }
    let times = wide[head + 1]
    var expected = shape
    expected[head] = shape[head] * times
    var unit = shape.dimensions
    unit.insert(1, at: head + 1)
    var whole = shape.dimensions
    whole.insert(times, at: head + 1)
    guard joined == expected, wide.dimensions == whole,
      graph[graph[expanding].inputs[0]].type.shape.dimensions == unit
    else { return nil }
    return (source, times)
  }

  // MARK: - Causality

  /// Whether the mask rules out the keys of later positions, and nothing else.
  private func isCausal(_ match: Match, in graph: Graph) -> Bool {
    let rank = match.scores.rank
    let (rows, columns) = (match.scores[rank - 2], match.scores[rank - 1])
    switch match.mask {
    case nil: return false
    case .added(let term):
      if isTriangle(term, rows, columns, in: graph, own: { $0 == 0 }, later: { $0 <= -1e30 }) {
        return true
      }
      guard let operands = graph.operands(of: term, .select) else { return false }
      for (index, isInverted) in [(1, false), (2, true)] {
        if graph.literal(operands[index]) == 0, let low = graph.literal(operands[3 - index]),
          low <= -1e30
        {
          return isCausal(operands[0], isInverted, rows, columns, in: graph)
        }
      }
      return false
    case .chosen(let condition, let isInverted, _):
      return isCausal(condition, isInverted, rows, columns, in: graph)
    }
  }

  /// Whether a condition holds for keys up to the query's own position, or, inverted, for later ones.
  private func isCausal(
    _ condition: Term,
    _ isInverted: Bool,
    _ rows: Dimension,
    _ columns: Dimension,
    in graph: Graph
  ) -> Bool {
    if let operands = graph.operands(of: condition, .not) {
      return isCausal(operands[0], !isInverted, rows, columns, in: graph)
    }
    let kept = isInverted ? 0.0 : 1.0
    if isTriangle(condition, rows, columns, in: graph, own: { $0 == kept }, later: { $0 != kept }) {
      return true
    }
    // A query counts its own position at least, so any low number rules out.
    let comparisons: [(ScalarFunction, isRowFirst: Bool)] =
      isInverted
      ? [(.less, true), (.greater, false)] : [(.greaterEqual, true), (.lessEqual, false)]
    return comparisons.contains { function, isRowFirst in
      guard let operands = graph.operands(of: condition, function) else { return false }
      var (first, second) = (operands[0], operands[1])
      if graph.literal(second) == 0, let parts = graph.operands(of: first, .subtract) {
        // Their distance beside 0.
        (first, second) = (parts[0], parts[1])
      }
      let (row, column) = isRowFirst ? (first, second) : (second, first)
      return counts(row, from: 2, rows, in: graph) && counts(column, from: 1, columns, in: graph)
    }
  }

  /// Whether a term counts 0, 1, … along an axis, and is the same along all others.
  private func counts(_ term: Term, from last: Int, _ extent: Dimension, in graph: Graph) -> Bool {
    guard case .value(var value) = term else { return false }
    let shape = graph[value].type.shape
    let axis = shape.rank - last
    guard axis >= 0, shape[axis] == extent,
      shape.dimensions.indices.allSatisfy({ $0 == axis || shape[$0] == 1 })
    else { return false }
    while let (id, _) = graph.plainProducer(of: value, Reshape.self) { value = graph[id].inputs[0] }
    guard let (_, counting) = graph.plainProducer(of: value, Arange.self) else { return false }
    return counting.start.double == 0 && counting.step.double == 1
  }

  /// Whether a term is a literal matrix whose elements are of one kind up to the diagonal, and of
  /// another behind it.
  private func isTriangle(
    _ term: Term,
    _ rows: Dimension,
    _ columns: Dimension,
    in graph: Graph,
    own: (Double) -> Bool,
    later: (Double) -> Bool
  ) -> Bool {
    guard case .value(let value) = term, let constant = graph.constant(value), !constant.isNamed,
      let data = constant.data, data.shape.count >= 2,
      data.shape.dropLast(2).allSatisfy({ $0 == 1 }),
      let rows = rows.constant, let columns = columns.constant,
      Array(data.shape.suffix(2)) == [rows, columns], rows * columns <= 1 << 22
    else { return false }
    let elements = data.dtype == .bool ? data.integers.map(Double.init) : data.doubles
    for row in 0..<rows {
      for column in 0..<columns {
        let element = elements[row * columns + column]
        guard column <= row ? own(element) : later(element) else { return false }
      }
    }
    return true
  }
}
