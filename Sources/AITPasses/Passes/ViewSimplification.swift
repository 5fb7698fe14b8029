import AITGraph
import AITOperators

/// Composes views of views, lets those that undo each other cancel, and drops repetition that
/// readers do themselves.
///
/// ```
/// a = permute(x) {permutation: [0, 2, 1]} : float32[2, 4, 3]
/// b = pointwise(a) {body: (x0: float32) { t1 = exp(x0); return t1 }}
/// c = permute(b) {permutation: [0, 2, 1]} : float32[2, 3, 4]
/// ```
/// becomes
/// ```
/// c = pointwise(x) {body: (x0: float32) { t1 = exp(x0); return t1 }} : float32[2, 3, 4]
/// ```
///
/// A permute that moves only axes of extent 1, and an expand that only adds such axes, are
/// reshapes. A reshape that divides axes of a permute divides them before it where a reshape stands in
/// front of the permute, or a permute behind the reshape: two of the three are one then. Views move below pointwise work that reads all its operands through the same view:
/// reshapes where a reshape follows or pointwise work precedes, permutes where a permute or a
/// matrix product follows, since elsewhere a row-major copy might have to be made; expands where
/// the readers are pointwise. An expand is dropped where pointwise work or the batch of a product
/// would repeat the operand itself.
///
/// Runs after duplicates are merged. Repeats until nothing composes; each step removes a view or
/// moves one toward the outputs.
package struct ViewSimplification: GraphPass {
  package static let name = "view-simplification"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    try graph.untilSettled { graph throws(Diagnostic) in
      for id in graph.sortedNodes() where graph.contains(id) {
        switch graph[id].op {
        case let view as any ViewOperator: try simplify(view, id, in: &graph)
        case let pointwise as Pointwise:
          try dropExpands(id, in: &graph)
          try sinkViews(pointwise, id, in: &graph)
          if graph.contains(id) { try sinkExpands(pointwise, id, in: &graph) }
        case let matMul as MatMul: try dropBatchExpands(matMul, id, in: &graph)
        default: break
        }
      }
    }
  }

  // MARK: - Views of views

  private func simplify(_ view: any ViewOperator, _ id: NodeID, in graph: inout Graph)
    throws(Diagnostic)
  {
    let node = graph[id]
    let operand = node.inputs[0]
    let type = graph[operand].type
    if view.isTrivial(on: type) {
      graph.forward(node.outputs[0], to: operand)
      return
    }
    if let plain = plainForm(view, of: type.shape) {
      try graph.replace(id, with: plain, [operand])
      return
    }
    guard let inner = graph.producer(of: operand), let first = graph[inner].op as? any ViewOperator
    else {
      try keepReducedAxes(view, id, in: &graph)
      return
    }
    let source = graph[inner].inputs[0]
    let inmost = graph.plainProducer(of: source, Reshape.self)?.id
    if let reshape = view as? Reshape, let permute = first as? Permute,
      inmost != nil || readers(of: node, in: graph, are: { $0 is Permute }),
      let (divided, moved) = divideFirst(reshape, permute, of: graph[source].type.shape)
    {
      let parts = try graph.addView(
        divided,
        of: inmost.map { graph[$0].inputs[0] } ?? source,
        like: id
      )
      try graph.replace(id, with: moved, [parts])
      return
    }
    guard let composed = compose(first, view, on: graph[source].type.shape),
      let types = try? composed.inferTypes([graph[source].type]),
      types[0] == graph[node.outputs[0]].type
    else { return }
    if composed.isTrivial(on: graph[source].type) {
      graph.forward(node.outputs[0], to: source)
    } else {
      try graph.replace(id, with: composed, [source])
    }
  }

  /// A reshape that does the same, where there is one.
  private func plainForm(_ view: any ViewOperator, of shape: Shape) -> Reshape? {
    switch view {
    case let permute as Permute:
      let moved = permute.permutation.filter { shape[$0] != 1 }
      guard moved == moved.sorted() else { return nil }
      return Reshape(Shape(permute.permutation.map { shape[$0] }))
    case let expand as Expand:
      return expand.shape.elementCount == shape.elementCount ? Reshape(expand.shape) : nil
    default: return nil
    }
  }

  /// One view that does what two do, the first on a tensor of the given shape.
  private func compose(
    _ first: any ViewOperator,
    _ second: any ViewOperator,
    on shape: Shape
  ) -> (any ViewOperator)? {
    switch (first, second) {
    case (is Reshape, let second as Reshape): return second
    case (let first as Permute, let second as Permute):
      return Permute(second.permutation.map { first.permutation[$0] })
    case (is Expand, let second as Expand): return second
    case (let first as Slice, let second as Slice):
      let axes = first.starts.indices
      return Slice(
        starts: axes.map { first.starts[$0] + second.starts[$0] * Dimension(first.steps[$0]) },
        sizes: second.sizes,
        steps: axes.map { first.steps[$0] * second.steps[$0] }
      )
    case (let first as Reshape, let second as Expand):
      // Axes of extent 1 in front are the expand's own to add.
      return isOnlyPadded(shape, first.shape) ? second : nil
    default: return nil
    }
  }

  /// A reshape and a permute that do what a permute of a tensor of a given shape and a reshape do that
  /// divides its axes; nil if the reshape joins some.
  private func divideFirst(_ reshape: Reshape, _ permute: Permute, of shape: Shape)
    -> (Reshape, Permute)?
  {
    let permuted = Shape(permute.permutation.map { shape[$0] })
    guard let groups = RowMotion.groups(reshape.shape, joinedTo: permuted) else { return nil }
    var divided: [Dimension] = []
    var first = [Int](repeating: 0, count: shape.rank)
    for axis in 0..<shape.rank {
      guard let position = permute.permutation.firstIndex(of: axis) else { return nil }
      first[position] = divided.count
      divided += groups[position].map { reshape.shape[$0] }
    }
    let moved = groups.indices.flatMap { position in
      groups[position].indices.map { first[position] + $0 }
    }
    return (Reshape(Shape(divided)), Permute(moved))
  }

  /// Whether a shape is another with axes of extent 1 in front.
  private func isOnlyPadded(_ shape: Shape, _ padded: Shape) -> Bool {
    guard padded.rank >= shape.rank else { return false }
    let added = padded.rank - shape.rank
    return padded.dimensions.prefix(added).allSatisfy { $0 == 1 }
      && Array(padded.dimensions.suffix(shape.rank)) == shape.dimensions
  }

  /// A reshape that gives a reduction its axes back, or takes them, is the reduction's own
  /// attribute.
  private func keepReducedAxes(_ view: any ViewOperator, _ id: NodeID, in graph: inout Graph)
    throws(Diagnostic)
  {
    let node = graph[id]
    guard let reshape = view as? Reshape, graph.hasOneUse(node.inputs[0]),
      let (reduced, reduce) = graph.plainProducer(of: node.inputs[0], Reduce.self)
    else { return }
    let source = graph[reduced].inputs[0]
    let other = Reduce(
      reduce.kind,
      axes: reduce.axes,
      keepsDimensions: !reduce.keepsDimensions,
      correction: reduce.correction,
      order: reduce.order
    )
    let types = try other.inferTypes([graph[source].type])
    guard types[0].shape == reshape.shape else { return }
    try graph.substitute(other, [source], named: reduced, for: node.outputs)
  }

  // MARK: - Views above pointwise work

  /// Moves a view that all operands are read through below the work.
  private func sinkViews(_ pointwise: Pointwise, _ id: NodeID, in graph: inout Graph)
    throws(Diagnostic)
  {
    let node = graph[id]
    let shape = graph[node.outputs[0]].type.shape
    var view: (any ViewOperator)?
    var sourceShape: Shape?
    var operands: [ValueID] = []
    var isFusedAbove = true
    for input in node.inputs {
      if let producer = graph.producer(of: input), let op = graph[producer].op as? any ViewOperator,
        op is Reshape || op is Permute, graph[input].type.shape == shape
      {
        let source = graph[producer].inputs[0]
        guard view.map({ $0.isEqual(to: op) }) ?? true,
          sourceShape.map({ $0 == graph[source].type.shape }) ?? true
        else { return }
        (view, sourceShape) = (op, graph[source].type.shape)
        operands.append(source)
        isFusedAbove =
          isFusedAbove && graph.hasOneUse(input)
          && graph.plainProducer(of: source, Pointwise.self) != nil
      } else if graph.isOneElement(input) {
        operands.append(input)
      } else {
        return
      }
    }
    guard let view, let sourceShape else { return }
    let meets = readers(of: node, in: graph) { (reader: any Operator) -> Bool in
      view is Permute ? reader is Permute || reader is MatMul : reader is Reshape
    }
    guard meets || (isFusedAbove && view is Reshape) else { return }
    for index in operands.indices where graph[operands[index]].type.rank > sourceShape.rank {
      operands[index] = try graph.addView(Reshape([]), of: operands[index], like: id)
    }
    try sink(view, below: id, Pointwise(pointwise.body), operands, in: &graph)
  }

  /// Computes on what is repeated before it is repeated, where readers repeat it themselves.
  private func sinkExpands(_ pointwise: Pointwise, _ id: NodeID, in graph: inout Graph)
    throws(Diagnostic)
  {
    let node = graph[id]
    let shape = graph[node.outputs[0]].type.shape
    let operands = node.inputs.map { input in
      graph.plainProducer(of: input, Expand.self).map { graph[$0.id].inputs[0] } ?? input
    }
    guard operands != node.inputs, readers(of: node, in: graph, are: { $0 is Pointwise }),
      let small = try? Shape.broadcasting(operands.map { graph[$0].type.shape }), small != shape,
      small.isBroadcastable(to: shape)
    else { return }
    try sink(Expand(shape), below: id, Pointwise(pointwise.body), operands, in: &graph)
  }

  /// Whether nodes of the given kind, and nothing else, read the results of a node.
  private func readers(
    of node: Graph.Node,
    in graph: Graph,
    are isExpected: (any Operator) -> Bool
  ) -> Bool {
    node.outputs.allSatisfy { output in
      let readers = graph.consumers(of: output)
      return !graph.isOutput(output) && !readers.isEmpty
        && readers.allSatisfy { isExpected(graph[$0].op) }
    }
  }

  /// Replaces work by the same on other operands with a view of each result.
  private func sink(
    _ view: any ViewOperator,
    below id: NodeID,
    _ work: Pointwise,
    _ operands: [ValueID],
    in graph: inout Graph
  ) throws(Diagnostic) {
    let node = graph[id]
    let names = node.outputs.map { graph[$0].name }
    let made = try graph.addNode(work, operands, name: node.name, source: node.source)
    var views: [ValueID] = []
    for result in made {
      views += try graph.addNode(view, [result], name: node.name, source: node.source)
    }
    for (output, viewed) in zip(node.outputs, views) { graph.replaceUses(of: output, with: viewed) }
    graph.eraseIfUnused(id)
    guard !graph.contains(id) else { return }
    for (viewed, name) in zip(views, names) { graph.setName(of: viewed, to: name) }
    if let first = made.first, let added = graph.producer(of: first) {
      graph.rename(added, to: node.name)
    }
  }

  // MARK: - Repetition

  /// Reads operands as they are, where the work repeats them itself.
  private func dropExpands(_ id: NodeID, in graph: inout Graph) throws(Diagnostic) {
    let node = graph[id]
    let shape = graph[node.outputs[0]].type.shape
    for (position, input) in node.inputs.enumerated() {
      guard let (producer, _) = graph.plainProducer(of: input, Expand.self) else { continue }
      var shapes = graph[id].inputs.map { graph[$0].type.shape }
      shapes[position] = graph[graph[producer].inputs[0]].type.shape
      guard (try? Shape.broadcasting(shapes)) == shape else { continue }
      graph.setInput(position, of: id, to: graph[producer].inputs[0])
      graph.eraseIfUnused(producer)
    }
  }

  private func dropBatchExpands(_ matMul: MatMul, _ id: NodeID, in graph: inout Graph)
    throws(Diagnostic)
  {
    for position in 0..<2 {
      let operands = Array(graph[id].inputs.prefix(2))
      guard let (producer, _) = graph.plainProducer(of: operands[position], Expand.self)
      else { continue }
      var types = operands.map { graph[$0].type }
      let result = try matMul.inferTypes(types)
      let source = graph[producer].inputs[0]
      types[position] = graph[source].type
      guard graph[source].type.rank >= 2,
        let inferred = try? matMul.inferTypes(types), inferred == result
      else { continue }
      graph.setInput(position, of: id, to: source)
      graph.eraseIfUnused(producer)
    }
  }
}
