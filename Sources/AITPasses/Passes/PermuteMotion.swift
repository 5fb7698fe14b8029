import AITGraph
import AITOperators

/// Moves permutes of operands behind pointwise work, concatenations, slices and paddings.
///
/// ```
/// p = permute(x) {permutation: [0, 3, 1, 2]}
/// q = permute(s) {permutation: [0, 3, 1, 2]}
/// y = pointwise(p, q, b) {body: (x0: float32, x1: float32, x2: float32) { t3 = multiply(x0, x1); t4
///     = add(t3, x2); return t4 }}
/// ```
/// becomes
/// ```
/// c = reshape(b)
/// t = pointwise(x, s, c) {body: (x0: float32, x1: float32, x2: float32) { t3 = multiply(x0, x1); t4
///     = add(t3, x2); return t4 }}
/// y = permute(t) {permutation: [0, 3, 1, 2]}
/// ```
///
/// and
/// ```
/// p = permute(x) {permutation: [0, 3, 1, 2]}
/// q = permute(s) {permutation: [0, 3, 1, 2]}
/// y = concat(p, q) {axis: 1}
/// ```
/// becomes
/// ```
/// t = concat(x, s) {axis: 3}
/// y = permute(t) {permutation: [0, 3, 1, 2]}
/// ```
///
/// So the work runs along rows as they lie, and its result lies as its operands do: what follows,
/// such as a convolution behind the opposite permute, reads it as it would have read them. Only
/// where the permutes move the last axis, and where each operand of more than one axis has one that
/// brings its last axis back; results keep their shapes. Work on constants stays.
///
/// Runs after `ViewSimplification`, which leaves one permute in a place, and before pointwise
/// fusion. Visits nodes in order, so that a permute passes through a chain,
/// and again while permutes lie behind permutes.
package struct PermuteMotion: GraphPass {
  package static let name = "permute-motion"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    // A permute behind a permute is met once the one before it has moved.
    try graph.untilSettled { graph throws(Diagnostic) in
      let invariant = graph.invariantValues()
      for id in graph.sortedNodes() where graph.contains(id) {
        guard graph[id].fusion.isEmpty || graph.pointwise(id) != nil,
          graph[id].inputs.contains(where: { $0.index >= invariant.count || !invariant[$0.index] })
        else { continue }
        switch graph[id].op {
        case is Pointwise: try move(id, in: &graph)
        case let concat as Concat: try move(concat, id, in: &graph)
        case let slice as Slice: try move(slice, id, in: &graph)
        case let pad as Pad: try move(pad, id, in: &graph)
        default: break
        }
      }
    }
  }

  private func move(_ id: NodeID, in graph: inout Graph) throws(Diagnostic) {
    let node = graph[id]
    let shape = graph[node.outputs[0]].type.shape
    guard node.outputs.allSatisfy({ graph[$0].type.shape == shape }),
      let permute = node.inputs.compactMap({ input in
        graph[input].type.shape == shape ? rowsBreaker(input, in: graph) : nil
      }).first
    else { return }
    // Operands are lifted as those of an epilogue in front of the permute are.
    let path = ViewPath(permute, making: node.outputs[0], in: graph)
    var lifted: [ViewPath.Operand] = []
    for input in node.inputs {
      guard let operand = path.lift(input, in: graph) else { return }
      lifted.append(operand)
    }
    // Axes of extent 1 alone may have been dropped: then nothing is gained.
    guard try Shape.broadcasting(lifted.map(\.shape)) == path.sourceShape else { return }
    var operands: [ValueID] = []
    for operand in lifted {
      operands.append(try joined(try operand.add(to: &graph, like: id), in: &graph))
    }
    let made = try graph.addNode(node.op, operands, name: node.name, source: node.source)
    for (old, new) in zip(node.outputs, made) {
      graph.forward(old, to: try graph.addView(permute, of: new, like: id), isNew: true)
    }
  }

  // MARK: - What treats all axes alike

  /// Where all parts are permuted alike.
  private func move(_ concat: Concat, _ id: NodeID, in graph: inout Graph) throws(Diagnostic) {
    let node = graph[id]
    let parts = node.inputs.compactMap { permuted($0, in: graph) }
    guard parts.count == node.inputs.count, let permute = parts.first?.permute,
      parts.allSatisfy({ $0.permute == permute })
    else { return }
    let moved = Concat(axis: permute.permutation[concat.axis])
    try replace(id, by: moved, of: parts.map(\.operand), behind: permute, in: &graph)
  }

  private func move(_ slice: Slice, _ id: NodeID, in graph: inout Graph) throws(Diagnostic) {
    guard let (permute, operand) = permuted(graph[id].inputs[0], in: graph) else { return }
    let moved = Slice(
      starts: permute.inverted(slice.starts),
      sizes: permute.inverted(slice.sizes),
      steps: permute.inverted(slice.steps)
    )
    try replace(id, by: moved, of: [operand], behind: permute, in: &graph)
  }

  private func move(_ pad: Pad, _ id: NodeID, in graph: inout Graph) throws(Diagnostic) {
    guard let (permute, operand) = permuted(graph[id].inputs[0], in: graph) else { return }
    let moved = Pad(
      low: permute.inverted(pad.low),
      high: permute.inverted(pad.high),
      value: pad.value
    )
    try replace(id, by: moved, of: [operand], behind: permute, in: &graph)
  }

  /// The permute that makes a value, as `rowsBreaker`, and what it reads.
  private func permuted(_ value: ValueID, in graph: Graph) -> (permute: Permute, operand: ValueID)?
  {
    guard let permute = rowsBreaker(value, in: graph), let producer = graph.producer(of: value)
    else { return nil }
    return (permute, graph[producer].inputs[0])
  }

  /// Puts an operator in the place of a node, and the permute of its operands behind it.
  private func replace(
    _ id: NodeID,
    by op: any Operator,
    of operands: [ValueID],
    behind permute: Permute,
    in graph: inout Graph
  ) throws(Diagnostic) {
    let node = graph[id]
    let made = try graph.addNode(op, operands, name: node.name, source: node.source)[0]
    let result = try graph.addView(permute, of: made, like: id)
    graph.forward(node.outputs[0], to: result, isNew: true)
  }

  /// The permute that makes a value, if it takes elements apart that lay side by side.
  private func rowsBreaker(_ value: ValueID, in graph: Graph) -> Permute? {
    guard let (id, permute) = graph.plainProducer(of: value, Permute.self),
      permute.permutation.last != permute.permutation.count - 1
    else { return nil }
    // One that moves axes of extent 1 alone leaves all elements in their order.
    let shape = graph[graph[id].inputs[0]].type.shape
    let moved = permute.permutation.filter { shape[$0] != 1 }
    return moved == moved.sorted() ? nil : permute
  }

  /// A permute of a permute as one, or none.
  private func joined(_ value: ValueID, in graph: inout Graph) throws(Diagnostic) -> ValueID {
    guard let (outer, last) = graph.plainProducer(of: value, Permute.self),
      let (inner, first) = graph.plainProducer(of: graph[outer].inputs[0], Permute.self)
    else { return value }
    let both = Permute(last.permutation.map { first.permutation[$0] })
    let result = try graph.addView(both, of: graph[inner].inputs[0], like: outer)
    graph.eraseIfUnused(outer)
    return result
  }
}

extension Permute {
  /// What belongs to the result's axes, in the order of the operand's.
  fileprivate func inverted<Element>(_ values: [Element]) -> [Element] {
    permutation.indices.sorted { permutation[$0] < permutation[$1] }.map { values[$0] }
  }
}
