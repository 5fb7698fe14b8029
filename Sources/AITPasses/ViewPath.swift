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

  /// The path of a permute that would make a value, had it been computed in front of it.
  init(_ permute: Permute, making value: ValueID, in graph: Graph) {
    source = value
    self.value = value
    views = [permute]
    let shape = graph[value].type.shape
    var extents = shape.dimensions
    for (axis, from) in permute.permutation.enumerated() { extents[from] = shape[axis] }
    shapes = [Shape(extents), shape]
  }

  /// The shape of what the first view reads.
  var sourceShape: Shape { shapes[0] }

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
        guard lift(&operand, through: permute, in: graph) else { return nil }
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
    if let shape = liftedPastUnits(operand.shape, from: outer, to: inner) {
      operand.reshape(to: shape)
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

  /// The shape of an operand in front of a reshape that only adds, drops or moves axes of extent 1;
  /// nil for others.
  private func liftedPastUnits(_ shape: Shape, from outer: Shape, to inner: Shape) -> Shape? {
    let (outerAxes, innerAxes) = (
      outer.dimensions.indices.filter { outer[$0] != 1 },
      inner.dimensions.indices.filter { inner[$0] != 1 }
    )
    guard outerAxes.map({ outer[$0] }) == innerAxes.map({ inner[$0] }), shape.rank <= outer.rank
    else { return nil }
    let extents =
      [Dimension](repeating: 1, count: outer.rank - shape.rank) + shape.dimensions
    var lifted = [Dimension](repeating: 1, count: inner.rank)
    for (from, to) in zip(outerAxes, innerAxes) { lifted[to] = extents[from] }
    return Shape(Array(lifted.drop { $0 == 1 }))
  }

  private func lift(_ operand: inout Operand, through permute: Permute, in graph: Graph) -> Bool {
    let rank = permute.permutation.count
    let fixed = permute.permutation.enumerated().reversed().prefix { $0.offset == $0.element }.count
    if operand.shape.rank <= fixed { return true }
    var inverse = [Int](repeating: 0, count: rank)
    for (position, axis) in permute.permutation.enumerated() { inverse[axis] = position }
    let missing = rank - operand.shape.rank
    let extents = [Dimension](repeating: 1, count: missing) + operand.shape.dimensions
    let lifted = Shape(inverse.map { extents[$0] })
    // What keeps the order of its elements, such as a bias of channels, is only seen otherwise.
    let moved = inverse.filter { extents[$0] != 1 }
    if moved == moved.sorted() {
      operand.reshape(to: Shape(Array(lifted.dimensions.drop { $0 == 1 })))
      return true
    }
    // Rows of elements side by side are read as such; a transposed tensor would be read in single
    // elements, unless it is one that is turned back.
    guard fixed > 0 || turnsBack(operand, inverse, in: graph) else { return false }
    operand.reshape(to: Shape(extents))
    operand.shape = lifted
    operand.views.append(Permute(inverse))
    return true
  }

  /// Whether an operand is a permute whose last axis a further permute puts last again.
  private func turnsBack(_ operand: Operand, _ permutation: [Int], in graph: Graph) -> Bool {
    guard operand.views.isEmpty, operand.shape.rank == permutation.count,
      let producer = graph.producer(of: operand.value),
      let first = graph[producer].op as? Permute
    else { return false }
    return first.permutation[permutation[permutation.count - 1]] == permutation.count - 1
  }
}
