import AITGraph
import AITOperators

/// Does pointwise work on the result of an operator where the result is made.
///
/// ```
/// m = matmul(x, w)
/// y = pointwise(m, bias, r) {body: (x0: float16, x1: float16, x2: float16) { t3 = add(x0, x1); t4
///     = add(t3, x2); return t4 }}
/// ```
/// becomes
/// ```
/// y = matmul(x, w, bias, r) {epilogue: (x0: float16, x1: float16, x2: float16) { t3 = add(x0, x1);
///     t4 = add(t3, x2); return t4 }} @m
/// ```
///
/// Whatever the work is and however many tensors it reads: they broadcast to the result's shape,
/// and none depends on the operator. A result that others read, or that is an output of the graph,
/// is returned beside the work's own results. The work may also lie behind reshapes, permutes and
/// slices that nothing else reads: then its other operands are viewed the other way, where that
/// takes no copy, and its results through the same views. An operator on constants takes no work on
/// inputs.
///
/// Runs after `PointwiseFusion`, which leaves one node behind a result, and before
/// `PrologueFusion`. Visits operators in the reverse order of execution, since of two that could
/// end in the same work the later one has the other's result.
package struct EpilogueFusion: GraphPass {
  package static let name = "epilogue-fusion"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    try graph.untilSettled { graph throws(Diagnostic) in
      var analysis = FusionAnalysis(graph)
      for id in graph.sortedNodes().reversed() where graph.contains(id) {
        guard graph[id].op.traits.contains(.acceptsEpilogue) else { continue }
        var producer = id
        while let fused = try fuse(producer, &graph, &analysis, context.limits) { producer = fused }
      }
    }
  }

  /// Takes one pointwise node into an operator; nil if there is none to take.
  private func fuse(
    _ producer: NodeID,
    _ graph: inout Graph,
    _ analysis: inout FusionAnalysis,
    _ limits: PassLimits
  ) throws(Diagnostic) -> NodeID? {
    for result in graph.epilogueResults(of: producer) {
      let path = ViewPath(from: result, in: graph)
      for reader in graph.consumers(of: path.value) {
        if let fused = try fuse(reader, behind: path, producer, &graph, &analysis, limits) {
          return fused
        }
      }
    }
    return nil
  }

  private func fuse(
    _ reader: NodeID,
    behind path: ViewPath,
    _ producer: NodeID,
    _ graph: inout Graph,
    _ analysis: inout FusionAnalysis,
    _ limits: PassLimits
  ) throws(Diagnostic) -> NodeID? {
    guard let work = graph.pointwise(reader),
      graph[graph[reader].outputs[0]].type.shape == graph[path.value].type.shape,
      !analysis.isInvariant(producer, in: graph) || analysis.isInvariant(reader, in: graph)
    else { return nil }
    let results = graph.epilogueResults(of: producer)
    // What the reader takes from the operator, directly or through the views.
    var computed: [FusedBody.Operand: Int] = [:]
    for (index, result) in results.enumerated() {
      if path.views.isEmpty {
        computed[.value(result)] = index
      } else if result == path.source {
        computed[.value(path.value)] = index
      }
    }
    var lifted: [ValueID: ViewPath.Operand] = [:]
    for input in graph[reader].inputs where computed[.value(input)] == nil {
      guard !analysis.reachability.depends(input, on: producer, in: graph),
        let operand = path.lift(input, in: graph)
      else { return nil }
      lifted[input] = operand
    }
    let kept = results.indices.filter { index in
      graph.isOutput(results[index])
        || graph.consumers(of: results[index]).contains { $0 != reader && !path.nodes.contains($0) }
    }
    let inner = graph.epilogueBody(of: producer)
    let own = FusedBody(work, graph[reader].inputs)
    guard own.mayJoin(inner, limits) else { return nil }
    var body =
      own
      .absorbing(inner, computing: computed, keeping: kept)
    guard body.fits(limits) else { return nil }

    for index in body.operands.indices {
      guard case .value(let value) = body.operands[index], let operand = lifted[value] else {
        continue
      }
      let view = try operand.add(to: &graph, like: reader)
      if view != value { analysis.addView(view, of: value, in: graph) }
      body.operands[index] = .value(view)
    }
    body = body.startingFromResult(inner.expression.inputTypes[0]).trimmed(in: graph)
    return try replace(
      producer,
      reader,
      path,
      body,
      kept: kept.map { results[$0] },
      &graph,
      &analysis
    )
  }

  /// Puts the fused node in the place of the operator and the work.
  private func replace(
    _ producer: NodeID,
    _ reader: NodeID,
    _ path: ViewPath,
    _ body: FusedBody,
    kept: [ValueID],
    _ graph: inout Graph,
    _ analysis: inout FusionAnalysis
  ) throws(Diagnostic) -> NodeID {
    let node = graph[producer]
    let results = graph[reader].outputs
    let names = results.map { graph[$0].name }
    let own = node.inputs.dropLast(node.fusion.epilogueInputCount)
    var fusion = node.fusion
    fusion.epilogue = body.expression
    let exposed = fusion.exposesPrologue ? node.outputs.suffix(1) : []
    guard !path.views.isEmpty else {
      let fused = try graph.substitute(
        node.op,
        own + body.values,
        fusion: fusion,
        named: producer,
        for: results + kept + exposed
      )
      analysis.merge([producer, reader], into: fused, in: graph)
      return fused
    }
    let made = try graph.addNode(
      node.op,
      own + body.values,
      name: node.name,
      fusion: fusion,
      source: node.source
    )
    guard let fused = made.first.flatMap({ graph.producer(of: $0) }) else {
      throw Diagnostic(.internalInconsistency, "node '\(node.name)' has no results")
    }
    var viewed: [ValueID] = []
    for (result, old) in zip(made, results) {
      var value = result
      for view in path.views {
        value = try graph.addView(view, of: value, name: graph[old].name, like: reader)
      }
      graph.replaceUses(of: old, with: value)
      viewed.append(value)
    }
    for (old, new) in zip(kept + exposed, made.dropFirst(results.count)) {
      graph.replaceUses(of: old, with: new)
    }
    graph.eraseIfUnused(reader)
    graph.eraseIfUnused(producer)
    graph.rename(fused, to: node.name)
    if let first = made.first { graph.rename(first, to: node.name) }
    for (value, name) in zip(viewed, names) { graph.setName(of: value, to: name) }
    analysis.merge([producer, reader], into: fused, in: graph)
    for (value, result) in zip(viewed, made) { analysis.addView(value, of: result, in: graph) }
    return fused
  }
}

extension Graph {
  /// The results that come from the operator's result 0; not the exposed value of a prologue.
  func epilogueResults(of id: NodeID) -> [ValueID] {
    let node = self[id]
    return node.fusion.exposesPrologue ? Array(node.outputs.dropLast()) : node.outputs
  }

  /// The epilogue of a node; one that does nothing if there is none.
  func epilogueBody(of id: NodeID) -> FusedBody {
    let node = self[id]
    guard let epilogue = node.fusion.epilogue else {
      return FusedBody(.identity([self[node.outputs[0]].type.dtype]), [.result])
    }
    return FusedBody(
      epilogue: epilogue,
      of: node.fusion,
      node.inputs.suffix(node.fusion.epilogueInputCount)
    )
  }
}
