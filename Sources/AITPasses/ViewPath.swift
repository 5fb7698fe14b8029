import AITGraph
import AITOperators

/// Views one behind the other, each of which is all that reads the one before.
struct ViewPath {
  /// What the first view reads.
  let source: ValueID
  /// What the last view makes; the source itself if there is no view.
  private(set) var value: ValueID
  /// The views, from the source on.
  private(set) var views: [any ViewOperator] = []
  /// The nodes of the views.
  private(set) var nodes: [NodeID] = []
  /// The shapes before each view and after the last.
  private var shapes: [Shape]

  /// Follows the views of a value up to the first reader of another kind.
  init(from source: ValueID, in graph: Graph) {
    self.source = source
    value = source
    shapes = [graph[source].type.shape]
    while graph.hasOneUse(value), let reader = graph.consumers(of: value).first,
      let view = graph[reader].op as? any ViewOperator,
      view is Reshape || view is Permute || view is Slice
    {
      views.append(view)
      nodes.append(reader)
      value = graph[reader].outputs[0]
      shapes.append(graph[value].type.shape)
    }
  }

  /// A value and the views under which it meets the source as it met the end of the path.
  struct Operand {
    let value: ValueID
    fileprivate(set) var views: [any ViewOperator] = []
    fileprivate(set) var shape: Shape

    /// Adds the views; returns the last one's result.
    func add(to graph: inout Graph, like node: NodeID) throws(Diagnostic) -> ValueID {
      var result = value
      for view in views { result = try graph.addView(view, of: result, like: node) }
      return result
    }

    /// Adds a view to a shape, unless it has it already.
    fileprivate mutating func reshape(to target: Shape) {
      guard target != shape else { return }
      views.append(Reshape(target))
      shape = target
    }
  }

  /// Returns the operand that meets the source where the given one meets the end of the path,
  /// element by element; nil if there is none, or none without a copy.
  func lift(_ value: ValueID, in graph: Graph) -> Operand? {
    var operand = Operand(value: value, shape: graph[value].type.shape)
    let isStrided = isStridedView(value, in: graph)
    for (index, view) in views.enumerated().reversed() {
      let (inner, outer) = (shapes[index], shapes[index + 1])
      if operand.shape.isOneElement {
        if operand.shape.rank > inner.rank { operand.reshape(to: []) }
        continue
      }
      switch view {
      case is Reshape:
        guard lift(&operand, from: outer, to: inner, isStrided: isStrided) else { return nil }
      case let permute as Permute:
        guard lift(&operand, through: permute) else { return nil }
      default: return nil
      }
    }
    return operand
  }

  /// Whether a value may be a view that does not lie in row-major order.
  private func isStridedView(_ value: ValueID, in graph: Graph) -> Bool {
    guard let producer = graph.producer(of: value),
      let view = graph[producer].op as? any ViewOperator
    else { return false }
    return !(view is Reshape || view is Identity)
      || isStridedView(graph[producer].inputs[0], in: graph)
  }

  private func lift(
    _ operand: inout Operand,
    from outer: Shape,
    to inner: Shape,
    isStrided: Bool
  ) -> Bool {
    if operand.shape == outer {
      if isStrided { return false }
      operand.reshape(to: inner)
      return true
    }
    // A vector along trailing axes that the reshape keeps.
    let common = zip(outer.dimensions.reversed(), inner.dimensions.reversed())
      .prefix { $0 == $1 }.count
    let leading = operand.shape.rank - common
    guard leading <= 0 || operand.shape.dimensions.prefix(leading).allSatisfy({ $0 == 1 }) else {
      return false
    }
    if leading > 0 { operand.reshape(to: Shape(Array(operand.shape.dimensions.suffix(common)))) }
    return true
  }

  private func lift(_ operand: inout Operand, through permute: Permute) -> Bool {
    let rank = permute.permutation.count
    let fixed = permute.permutation.enumerated().reversed().prefix { $0.offset == $0.element }.count
    if operand.shape.rank <= fixed { return true }
    // Rows of elements side by side are read as such; a transposed tensor would be read in single
    // elements.
    guard fixed > 0 else { return false }
    let missing = rank - operand.shape.rank
    operand.reshape(
      to: Shape([Dimension](repeating: 1, count: missing) + operand.shape.dimensions)
    )
    var inverse = [Int](repeating: 0, count: rank)
    for (position, axis) in permute.permutation.enumerated() { inverse[axis] = position }
    operand.shape = Shape(inverse.map { operand.shape[$0] })
    operand.views.append(Permute(inverse))
    return true
  }
}
