import AITGraph
import AITOperators

/// Computes products of one operand with several weights as one product.
///
/// ```
/// q = matmul(x, wq) {transpose_b: true} : float16[batch, 512]
/// k = matmul(x, wk) {transpose_b: true} : float16[batch, 128]
/// ```
/// becomes
/// ```
/// weights = concat(wq, wk) {axis: 0}
/// product = matmul(x, weights) {transpose_b: true} : float16[batch, 640]
/// q = slice(product) {starts: [0, 0], sizes: [batch, 512]}
/// k = slice(product) {starts: [0, 512], sizes: [batch, 128]}
/// ```
///
/// The weights are matrices that are the same in every run, bound or not: their concat is computed
/// once, when the model loads. One larger product fills the machine better and reads x once. It is
/// done where no work is lost for it:
///
/// - Products whose results are read as they are: by views, products, norms.
/// - Products that end in the same pointwise work on vectors of their columns (biases) and scalars,
///   be it an epilogue or a node: the work is done on the merged result, the vectors are joined.
/// - Products that meet in one pointwise node (a gate and what it gates), if there are few rows:
///   with many, one is the other's epilogue, which saves a pass over memory.
///
/// A product whose result is an output, or that ends in other work, stays: a copy, or a pass over
/// its result, would cost more than merging gains.
///
/// Runs after `TransposeAbsorption`, so that flags tell the layouts, and after `PointwiseFusion`,
/// so that what a product ends in is one node; before `EpilogueFusion` takes that node. Visits each
/// product once.
package struct MatMulMerging: GraphPass {
  package static let name = "matmul-merging"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    let analysis = FusionAnalysis(graph)
    var groups: [Group: [Member]] = [:]
    var order: [Group] = []
    for id in graph.sortedNodes() {
      guard let (group, member) = classify(id, graph, analysis, context.limits) else { continue }
      if groups[group] == nil { order.append(group) }
      groups[group, default: []].append(member)
    }
    for group in order {
      guard let members = groups[group], members.count > 1 else { continue }
      try merge(members, group, in: &graph)
    }
  }

  // MARK: - What can be merged

  /// What products that are merged have in common.
  private struct Group: Hashable {
    let operand: ValueID
    let op: MatMul
    let end: End
  }

  /// What becomes of a product.
  private enum End: Hashable {
    case read
    /// Pointwise work on columns and shared operands; the result is its input 0.
    case work(ScalarExpression, [Extra])
    case meeting(NodeID)
  }

  /// An operand of the work at the end.
  private enum Extra: Hashable {
    /// A vector with an element for each column, of this rank.
    case columns(rank: Int)
    case shared(ValueID)
  }

  private struct Member {
    let product: NodeID
    let weight: ValueID
    let columns: Int
    /// The node that does the work at the end, if it is not the product's epilogue.
    var tail: NodeID?
    /// The operands of the work, in the order of `End.work`.
    var extras: [ValueID] = []
  }

  private func classify(
    _ id: NodeID,
    _ graph: Graph,
    _ analysis: FusionAnalysis,
    _ limits: PassLimits
  ) -> (Group, Member)? {
    let node = graph[id]
    guard let op = node.op as? MatMul, node.outputs.count == 1 else { return nil }
    let (operand, weight, result) = (node.inputs[0], node.inputs[1], node.outputs[0])
    let type = graph[result].type
    guard graph[weight].type.rank == 2, analysis.isInvariant(weight),
      !analysis.isInvariant(operand), !graph.isOutput(result),
      let columns = type.shape[type.rank - 1].constant
    else { return nil }
    var member = Member(product: id, weight: weight, columns: columns)
    func group(_ end: End) -> (Group, Member) {
      (Group(operand: operand, op: op, end: end), member)
    }

    if !node.fusion.isEmpty {
      let body = graph.epilogueBody(of: id)
      guard let extras = extras(body, of: member, graph, analysis) else { return nil }
      member.extras = body.values
      return group(.work(body.expression, extras))
    }
    let readers = graph.consumers(of: result)
    guard readers.contains(where: { graph.pointwise($0) != nil }) else { return group(.read) }
    guard readers.count == 1, let work = graph.pointwise(readers[0]),
      graph[graph[readers[0]].outputs[0]].type.shape == type.shape
    else { return nil }
    let reader = graph[readers[0]]

    let meets = reader.inputs.contains { input in
      guard input != result, let (other, product) = graph.plainProducer(of: input, MatMul.self)
      else { return false }
      return product == op && graph[other].inputs[0] == operand
    }
    if meets {
      let rows = type.shape.elementCount.floorDivided(by: Dimension(max(columns, 1)))
      return rows.upperBound <= limits.rowsOfMeetingProducts ? group(.meeting(readers[0])) : nil
    }
    let inner = FusedBody(.identity([type.dtype]), [.result])
    let body = FusedBody(work, reader.inputs)
      .absorbing(inner, computing: [.value(result): 0])
      .startingFromResult(type.dtype)
    guard reader.outputs.count == 1, !graph.isOutput(reader.outputs[0]),
      let extras = extras(body, of: member, graph, analysis)
    else { return nil }
    member.tail = readers[0]
    member.extras = body.values
    return group(.work(body.expression, extras))
  }

  /// What the operands of the work at the end are; nil if one is neither a vector of columns nor
  /// shared.
  private func extras(
    _ body: FusedBody,
    of member: Member,
    _ graph: Graph,
    _ analysis: FusionAnalysis
  ) -> [Extra]? {
    var extras: [Extra] = []
    for value in body.values {
      let shape = graph[value].type.shape
      if shape.isOneElement {
        // A scalar that is computed in the run might be computed from one of the products.
        guard analysis.isInvariant(value) || graph.producer(of: value) == nil else { return nil }
        extras.append(.shared(value))
      } else if analysis.isInvariant(value), shape[shape.rank - 1] == Dimension(member.columns),
        shape.dimensions.dropLast().allSatisfy({ $0 == 1 })
      {
        extras.append(.columns(rank: shape.rank))
      } else {
        return nil
      }
    }
    return extras
  }

  // MARK: - Merging

  private func merge(_ members: [Member], _ group: Group, in graph: inout Graph) throws(Diagnostic)
  {
    let first = graph[members[0].product]
    let name = "\(first.name)_to_\(graph[members[members.count - 1].product].name)"
    let weights = try graph.addNode(
      Concat(axis: group.op.transposeB ? 0 : 1),
      members.map(\.weight),
      name: "\(name)_weights",
      source: first.source
    )[0]
    var fusion = Fusion()
    var extras: [ValueID] = []
    if case .work(let expression, let kinds) = group.end {
      for (index, kind) in kinds.enumerated() {
        switch kind {
        case .shared(let value): extras.append(value)
        case .columns(let rank):
          extras += try graph.addNode(
            Concat(axis: rank - 1),
            members.map { $0.extras[index] },
            name: "\(name)_columns",
            source: first.source
          )
        }
      }
      // The work may be a node or an epilogue; members of both kinds are alike.
      fusion.epilogue = expression
    }
    let product = try graph.addNode(
      group.op,
      [first.inputs[0], weights] + extras,
      name: name,
      fusion: fusion,
      source: first.source
    )[0]
    let shape = graph[product].type.shape
    let axis = shape.rank - 1
    var offset = 0
    for member in members {
      let old = graph[member.tail ?? member.product].outputs[0]
      var starts = [Dimension](repeating: 0, count: shape.rank)
      var sizes = shape.dimensions
      (starts[axis], sizes[axis]) = (Dimension(offset), Dimension(member.columns))
      let slice = Slice(starts: starts, sizes: sizes, steps: starts.map { _ in 1 })
      let part = try graph.addNode(slice, [product], name: graph[old].name, source: first.source)[0]
      graph.forward(old, to: part, isNew: true)
      offset += member.columns
    }
  }
}
