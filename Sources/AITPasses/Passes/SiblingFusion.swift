import AITGraph
import AITOperators

/// Does pointwise work that reads the same tensor, and has the same shape, in one node.
///
/// ```
/// a = pointwise(x) {body: (x0: float32) { t1 = sin(x0); return t1 }}
/// b = pointwise(x) {body: (x0: float32) { t1 = cos(x0); return t1 }}
/// ```
/// becomes
/// ```
/// a, b = pointwise(x) {body: (x0: float32) { t1 = sin(x0); t2 = cos(x0); return t1, t2 }}
/// ```
///
/// Neither node may need the other, and the operand they share has the shape of their results, so
/// that a read of that size is saved.
///
/// Runs after epilogues and prologues, which take one of two siblings where they could not take
/// both. Visits each value once.
package struct SiblingFusion: GraphPass {
  package static let name = "sibling-fusion"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    try graph.untilSettled { graph throws(Diagnostic) in
      var analysis = FusionAnalysis(graph)
      var seen: Set<ValueID> = []
      for id in graph.sortedNodes() where graph.contains(id) && graph.pointwise(id) != nil {
        for value in graph[id].inputs where seen.insert(value).inserted {
          try mergeReaders(of: value, &graph, &analysis, context.limits)
        }
      }
    }
  }

  /// Merges the readers of a value as far as they go together, in order of identity.
  private func mergeReaders(
    of value: ValueID,
    _ graph: inout Graph,
    _ analysis: inout FusionAnalysis,
    _ limits: PassLimits
  ) throws(Diagnostic) {
    var siblings = graph.consumers(of: value).filter { reader in
      graph.pointwise(reader) != nil
        && graph[graph[reader].outputs[0]].type.shape == graph[value].type.shape
    }
    while siblings.count > 1 {
      var merged = siblings.removeFirst()
      for other in siblings {
        // A node with all the results it may have takes no other: many readers stay cheap.
        guard graph[merged].outputs.count < limits.results else { break }
        guard let joined = try merge(merged, other, &graph, &analysis, limits) else { continue }
        siblings.removeAll { $0 == other }
        merged = joined
      }
    }
  }

  private func merge(
    _ left: NodeID,
    _ right: NodeID,
    _ graph: inout Graph,
    _ analysis: inout FusionAnalysis,
    _ limits: PassLimits
  ) throws(Diagnostic) -> NodeID? {
    guard let first = graph.pointwise(left), let second = graph.pointwise(right),
      !analysis.reachability.depends(left, on: right),
      !analysis.reachability.depends(right, on: left),
      analysis.isInvariant(left, in: graph) == analysis.isInvariant(right, in: graph)
    else { return nil }
    let (own, other) = (
      FusedBody(first, graph[left].inputs), FusedBody(second, graph[right].inputs)
    )
    guard own.mayJoin(other, limits),
      first.body.results.count + second.body.results.count <= limits.results
    else { return nil }
    let body = own.joined(with: other)
    guard body.fits(limits) else { return nil }
    let merged = try graph.substitute(
      Pointwise(body.expression),
      body.values,
      named: left,
      for: graph[left].outputs + graph[right].outputs
    )
    analysis.merge([left, right], into: merged, in: graph)
    return merged
  }
}
