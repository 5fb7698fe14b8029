import AITGraph
import AITOperators

/// Moves what only reorders or divides the rows of a product's left factor behind the product.
///
/// ```
/// p = permute(x) {permutation: [1, 0, 2]} : float32[7, 4, 6]
/// y = matmul(p, w) {transpose_b: true} : float32[7, 4, 8]
/// ```
/// becomes
/// ```
/// t = matmul(x, w) {transpose_b: true} : float32[4, 7, 8]
/// y = permute(t) {permutation: [1, 0, 2]} : float32[7, 4, 8]
/// ```
///
/// The product then reads and writes rows as they lie, as one matrix, and what comes behind it, such as
/// the heads of an attention or the opposite permute, reads its result through one view. A reshape that
/// joins axes of rows is moved where a reshape divides them again; of a reshape that joins axes of a
/// permute, the permute of whole rows is split off. So the batch of PyTorch's `MultiheadAttention`, which
/// exchanges the axes of the batch and the sequence around its products, costs no copy.
///
/// Products of one matrix by all rows, without fused work. Runs after `AttentionRecognition` and before
/// fusion, in which work behind a product is joined through views. Repeats until nothing moves.
package struct RowMotion: GraphPass {
  package static let name = "row-motion"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    try graph.untilSettled { graph throws(Diagnostic) in
      for id in graph.sortedNodes() where graph.contains(id) {
        guard let product = graph[id].op as? MatMul, !product.transposeA, graph[id].fusion.isEmpty,
          graph[graph[id].inputs[1]].type.rank == 2, graph[graph[id].inputs[0]].type.rank >= 2
        else { continue }
        if try divide(id, product, in: &graph) { continue }
        try splitOff(id, in: &graph)
        try exchange(id, product, in: &graph)
      }
    }
  }

  /// Reads the rows by the axes into which a reshape behind the product divides them; returns whether
  /// there was such a reshape.
  private func divide(_ id: NodeID, _ product: MatMul, in graph: inout Graph) throws(Diagnostic)
    -> Bool
  {
    let node = graph[id]
    guard let (joint, _) = graph.plainProducer(of: node.inputs[0], Reshape.self),
      let rows = rowsBehind(node.outputs[0], in: graph)
    else { return false }
    let operand = graph[node.inputs[0]].type.shape
    let result = graph[node.outputs[0]].type.shape
    guard rows.count > operand.rank - 1 else { return false }
    let divided = try graph.addView(
      Reshape(Shape(rows + [operand[operand.rank - 1]])),
      of: graph[joint].inputs[0],
      like: id
    )
    let made = try graph.addNode(
      product,
      [divided] + node.inputs.dropFirst(),
      name: node.name,
      source: node.source
    )
    let joined = try graph.addView(Reshape(result), of: made[0], like: id)
    graph.forward(node.outputs[0], to: joined, isNew: true)
    return true
  }

  /// The axes of rows that all reshapes behind a value agree on, past work on each element with
  /// vectors along the last axis; nil if something else reads the value.
  private func rowsBehind(_ value: ValueID, in graph: Graph) -> [Dimension]? {
    let shape = graph[value].type.shape
    guard !graph.isOutput(value) else { return nil }
    var rows: [Dimension]?
    for reader in graph.consumers(of: value) {
      let found: [Dimension]?
      switch graph[reader].op {
      case let reshape as Reshape where reshape.shape.dimensions.last == shape.dimensions.last:
        found = Array(reshape.shape.dimensions.dropLast())
      case is Pointwise:
        let others = graph[reader].inputs.filter { $0 != value }
        guard others.allSatisfy({ graph[$0].type.rank <= 1 || graph.isOneElement($0) }),
          graph[reader].outputs.count == 1, graph[graph[reader].outputs[0]].type.shape == shape
        else { return nil }
        found = rowsBehind(graph[reader].outputs[0], in: graph)
      default: return nil
      }
      guard let found, rows == nil || rows == found else { return nil }
      rows = found
    }
    return rows
  }

  /// Turns a reshape that joins axes of a permute into one in the order of the permute's operand, with
  /// a permute of whole rows behind it.
  private func splitOff(_ id: NodeID, in graph: inout Graph) throws(Diagnostic) {
    let operand = graph[id].inputs[0]
    guard let (outer, reshape) = graph.plainProducer(of: operand, Reshape.self),
      let (inner, permute) = graph.plainProducer(of: graph[outer].inputs[0], Permute.self),
      let groups = Self.groups(graph[graph[inner].outputs[0]].type.shape, joinedTo: reshape.shape),
      let columns = groups.last, !columns.isEmpty
    else { return }
    let rows = groups.dropLast().indices.sorted { a, b in
      // Groups of axes of extent 1 alone have none.
      (groups[a].first.map { permute.permutation[$0] } ?? -1, a)
        < (groups[b].first.map { permute.permutation[$0] } ?? -1, b)
    }
    guard rows != Array(rows.indices) else { return }
    let order = rows + [groups.count - 1]
    let source = graph[inner].inputs[0]
    let permuted = try graph.addView(
      Permute(order.flatMap { groups[$0] }.map { permute.permutation[$0] }),
      of: source,
      like: outer
    )
    let joined = try graph.addView(
      Reshape(Shape(order.map { reshape.shape[$0] })),
      of: permuted,
      like: outer
    )
    let exchanged = try graph.addView(
      Permute(order.indices.map { axis in order.firstIndex(of: axis) ?? axis }),
      of: joined,
      like: outer
    )
    graph.setInput(0, of: id, to: exchanged)
    graph.eraseIfUnused(outer)
  }

  /// The axes of a shape that each axis of another joins, in order; nil if one divides an axis.
  static func groups(_ shape: Shape, joinedTo joined: Shape) -> [[Int]]? {
    var groups: [[Int]] = []
    var axis = 0
    for extent in joined.dimensions {
      var group: [Int] = []
      var count = Dimension(1)
      while count != extent, axis < shape.rank {
        count = count * shape[axis]
        group.append(axis)
        axis += 1
      }
      guard count == extent else { return nil }
      groups.append(group)
    }
    // What is left has one element each, and goes with the last.
    while axis < shape.rank {
      guard shape[axis] == 1, !groups.isEmpty else { return nil }
      groups[groups.count - 1].append(axis)
      axis += 1
    }
    return groups
  }

  /// Multiplies the rows in the order in which a permute meets them.
  private func exchange(_ id: NodeID, _ product: MatMul, in graph: inout Graph) throws(Diagnostic) {
    let node = graph[id]
    guard let (inner, permute) = graph.plainProducer(of: node.inputs[0], Permute.self),
      let last = permute.permutation.last, last == permute.permutation.count - 1
    else { return }
    let made = try graph.addNode(
      product,
      [graph[inner].inputs[0]] + node.inputs.dropFirst(),
      name: node.name,
      source: node.source
    )
    let exchanged = try graph.addView(permute, of: made[0], like: id)
    graph.forward(node.outputs[0], to: exchanged, isNew: true)
  }
}
