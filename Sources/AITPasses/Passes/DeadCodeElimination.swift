import AITGraph
import AITOperators

/// Removes nodes, results and literals that nothing reads.
///
/// ```
/// y, z = pointwise(x, w) {body: (x0: float32, x1: float32) { t2 = exp(x0); t3 = add(x0, x1);
///     return t2, t3 }}
/// output Y = y
/// ```
/// becomes
/// ```
/// y = pointwise(x) {body: (x0: float32) { t1 = exp(x0); return t1 }}
/// output Y = y
/// ```
///
/// Results of pointwise nodes and of epilogues go one by one, and a prologue's value that nobody
/// reads is no longer exposed; where only that value is read, the node becomes pointwise. Other
/// nodes go when none of their results is read. Inputs of the graph and named constants stay. Needs
/// nothing before it; visits each node once, readers first.
package struct DeadCodeElimination: GraphPass {
  package static let name = "dead-code-elimination"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    for id in graph.sortedNodes().reversed() where graph.contains(id) {
      let node = graph[id]
      let isUsed = node.outputs.map { graph.useCount(of: $0) > 0 }
      if isUsed.allSatisfy({ !$0 }) {
        graph.erase(id)
      } else if isUsed.contains(false) {
        try removeResults(of: id, isUsed, in: &graph)
      }
    }
    graph.removeUnusedLiterals()
  }

  /// Removes those results that can go while others stay.
  private func removeResults(of id: NodeID, _ isUsed: [Bool], in graph: inout Graph)
    throws(Diagnostic)
  {
    let node = graph[id]
    let used = node.outputs.indices.filter { isUsed[$0] }
    if let pointwise = node.op as? Pointwise {
      let shape = graph[node.outputs[0]].type.shape
      let body = FusedBody(pointwise, node.inputs).selecting(used).trimmed(in: graph, shape: shape)
      try graph.substitute(
        Pointwise(body.expression),
        body.values,
        named: id,
        for: used.map { node.outputs[$0] }
      )
      return
    }
    var fusion = node.fusion
    var inputs = node.inputs
    if let prologue = fusion.prologue, fusion.exposesPrologue, used == [node.outputs.count - 1] {
      // The operator is not needed, only what it was to read.
      let sources = Array(inputs.prefix(prologue.inputTypes.count))
      try graph.substitute(
        Pointwise(prologue),
        sources,
        named: id,
        for: used.map { node.outputs[$0] }
      )
      return
    }
    var kept = used
    if fusion.exposesPrologue, isUsed.last == false { fusion.exposesPrologue = false }
    if let epilogue = fusion.epilogue {
      let results = used.filter { $0 < epilogue.results.count }
      let first = inputs.count - fusion.epilogueInputCount
      let body = FusedBody(epilogue: epilogue, of: fusion, inputs[first...]).selecting(results)
        .trimmed(in: graph)
      fusion.epilogue = body.expression
      inputs.replaceSubrange(first..., with: body.values)
      kept = results + (fusion.exposesPrologue ? [node.outputs.count - 1] : [])
    } else {
      kept = node.outputs.indices.dropLast(fusion == node.fusion ? 0 : 1)
    }
    guard kept.count < node.outputs.count else { return }
    try graph.substitute(
      node.op,
      inputs,
      fusion: fusion,
      named: id,
      for: kept.map { node.outputs[$0] }
    )
  }
}
