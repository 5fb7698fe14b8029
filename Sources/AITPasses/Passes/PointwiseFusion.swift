import AITGraph
import AITOperators

/// Does pointwise work that feeds pointwise work in one node.
///
/// ```
/// a = pointwise(x, y) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
/// b = pointwise(a) {body: (x0: float32) { t1 = tanh(x0); return t1 }}
/// z = matmul(a, b)
/// ```
/// becomes
/// ```
/// b, a = pointwise(x, y) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); t3 = tanh(t2);
///     return t3, t2 }}
/// z = matmul(a, b)
/// ```
///
/// A producer of the reader's shape joins it; results that others read become results of the node.
/// A producer of a smaller shape joins if the reader is its only one and its work is cheap enough
/// to be done again for each element. Work of one operation on one operand, such as a cast, is done
/// again in each reader if all of them can take it. Nodes of different shapes are never merged
/// otherwise, nor work on constants with work on inputs, since constants are computed once, when
/// the model loads. No merge makes a cycle, and none takes a value away from the epilogue that
/// could compute it.
///
/// Runs after views are simplified, which lie between pointwise nodes, and after patterns are
/// matched. Visits readers in order of execution and merges each with its producers, nearest first.
package struct PointwiseFusion: GraphPass {
  package static let name = "pointwise-fusion"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    try graph.untilSettled { graph throws(Diagnostic) in
      var analysis = FusionAnalysis(graph)
      for id in graph.sortedNodes() where graph.contains(id) {
        var reader = id
        while let merged = try merge(into: reader, &graph, &analysis, context.limits) {
          reader = merged
        }
      }
    }
  }

  /// Merges a reader with one of its producers; nil if none can join it.
  private func merge(
    into reader: NodeID,
    _ graph: inout Graph,
    _ analysis: inout FusionAnalysis,
    _ limits: PassLimits
  ) throws(Diagnostic) -> NodeID? {
    guard let work = graph.pointwise(reader) else { return nil }
    for input in graph[reader].inputs {
      guard let (producer, inner) = graph.plainProducer(of: input, Pointwise.self),
        let kept = keptResults(of: producer, inner, reader, graph, analysis, limits)
      else { continue }
      let (node, source) = (graph[reader], graph[producer])
      let computed = Dictionary(
        uniqueKeysWithValues: source.outputs.enumerated().map {
          (FusedBody.Operand.value($0.element), $0.offset)
        }
      )
      let (own, other) = (FusedBody(work, node.inputs), FusedBody(inner, source.inputs))
      guard own.mayJoin(other, limits) else { continue }
      let body =
        own
        .absorbing(other, computing: computed, keeping: kept)
        .trimmed(in: graph, shape: graph[node.outputs[0]].type.shape)
      guard body.fits(limits) else { continue }
      let merged = try graph.substitute(
        Pointwise(body.expression),
        body.values,
        named: reader,
        for: node.outputs + kept.map { source.outputs[$0] }
      )
      let isCopied = graph.contains(producer)
      analysis.merge(isCopied ? [reader] : [producer, reader], into: merged, in: graph)
      return merged
    }
    return nil
  }

  /// The results of a producer that the merged node keeps for others; nil if they cannot be merged.
  private func keptResults(
    of producer: NodeID,
    _ inner: Pointwise,
    _ reader: NodeID,
    _ graph: Graph,
    _ analysis: FusionAnalysis,
    _ limits: PassLimits
  ) -> [Int]? {
    guard analysis.isInvariant(producer, in: graph) == analysis.isInvariant(reader, in: graph)
    else { return nil }
    let source = graph[producer]
    let shape = graph[source.outputs[0]].type.shape
    let isSameShape = shape == graph[graph[reader].outputs[0]].type.shape
    let kept = source.outputs.indices.filter { index in
      graph.isOutput(source.outputs[index])
        || graph.consumers(of: source.outputs[index]).contains { $0 != reader }
    }
    if kept.isEmpty {
      return isSameShape || inner.body.operationCount <= limits.recomputedOperations ? [] : nil
    }
    if graph.isCheaperToRecompute(producer), readersTakeCopies(of: source.outputs[0], in: graph) {
      return []
    }
    guard isSameShape else { return nil }
    for input in graph[reader].inputs where !source.outputs.contains(input) {
      if analysis.reachability.depends(input, on: producer, in: graph) { return nil }
      // Where the producer could end a product that the reader's other operands need, it should.
      for operand in source.inputs {
        guard let maker = graph.producer(of: operand),
          graph[maker].op.traits.contains(.acceptsEpilogue),
          graph[operand].type.shape == shape
        else { continue }
        if analysis.reachability.depends(input, on: maker, in: graph), input != operand {
          return nil
        }
      }
    }
    return kept
  }

  /// Whether each reader of a value can do the work that makes it.
  private func readersTakeCopies(of value: ValueID, in graph: Graph) -> Bool {
    !graph.isOutput(value)
      && graph.consumers(of: value).allSatisfy { reader in
        let node = graph[reader]
        guard node.fusion.isEmpty else { return false }
        return node.op is Pointwise
          || (node.op.traits.contains(.acceptsPrologue) && node.inputs[0] == value
            && !node.inputs.dropFirst().contains(value))
      }
  }
}
