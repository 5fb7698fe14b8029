import AITGraph
import AITOperators

/// Makes the operand of a normalisation or reduction where it is read.
///
/// ```
/// s = pointwise(x, r) {body: (x0: float16, x1: float16) { t2 = add(x0, x1); return t2 }}
/// y = layer_norm(s, w, b) {epsilon: 1e-05}
/// z = matmul(s, v)
/// ```
/// becomes
/// ```
/// y, s = layer_norm(x, r, w, b) {epsilon: 1e-05, prologue: (x0: float16, x1: float16) { t2 =
///     add(x0, x1); return t2 }, exposes_prologue: true}
/// z = matmul(s, v)
/// ```
///
/// Pointwise work that only the operator reads disappears; a value that others read too becomes the
/// node's last result; cheap work on one operand, such as a cast, is done in each reader. Work of a
/// smaller shape joins an earlier prologue if it is cheap. Nothing else that the operator reads may
/// depend on the work. Work on constants stays apart from operators on inputs. The position of an
/// extreme is found among rounded values, so its operand is not made from half-precision work.
///
/// Runs after `EpilogueFusion`: work that can end a product does so. Visits each operator once.
package struct PrologueFusion: GraphPass {
  package static let name = "prologue-fusion"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    try graph.untilSettled { graph throws(Diagnostic) in
      var analysis = FusionAnalysis(graph)
      for id in graph.sortedNodes() where graph.contains(id) {
        guard graph[id].op.traits.contains(.acceptsPrologue) else { continue }
        var reader = id
        while let fused = try fuse(reader, &graph, &analysis, context.limits) { reader = fused }
      }
    }
  }

  /// How work joins an operator.
  private enum Mode {
    /// The operator is all that reads it, or it is done in each reader.
    case absorbed
    /// Its value becomes a result of the operator's node.
    case exposed
  }

  private func fuse(
    _ reader: NodeID,
    _ graph: inout Graph,
    _ analysis: inout FusionAnalysis,
    _ limits: PassLimits
  ) throws(Diagnostic) -> NodeID? {
    let node = graph[reader]
    let sources = Array(node.inputs.prefix(node.fusion.prologueInputCount ?? 1))
    let rest = node.inputs.dropFirst(sources.count)
    let prologue = node.fusion.prologue ?? .identity([graph[sources[0]].type.dtype])
    let shape = try Shape.broadcasting(sources.map { graph[$0].type.shape })
    for value in sources {
      guard let (producer, work) = graph.plainProducer(of: value, Pointwise.self),
        let mode = mode(of: value, producer, work, reader, graph, analysis, limits),
        let result = graph[producer].outputs.firstIndex(of: value)
      else { continue }
      let body = FusedBody(prologue, sources.map(FusedBody.Operand.value))
        .absorbing(
          FusedBody(work, graph[producer].inputs).selecting([result]),
          computing: [.value(value): 0]
        )
        .trimmed(in: graph, shape: shape)
      guard body.fits(limits) else { continue }
      var fusion = node.fusion
      fusion.prologue = body.expression
      var results = node.outputs
      if mode == .exposed {
        fusion.exposesPrologue = true
        results.append(value)
      }
      let fused = try graph.substitute(
        node.op,
        body.values + rest,
        fusion: fusion,
        named: reader,
        for: results
      )
      let isCopied = graph.contains(producer)
      analysis.merge(isCopied ? [reader] : [producer, reader], into: fused, in: graph)
      return fused
    }
    return nil
  }

  private func mode(
    of value: ValueID,
    _ producer: NodeID,
    _ work: Pointwise,
    _ reader: NodeID,
    _ graph: Graph,
    _ analysis: FusionAnalysis,
    _ limits: PassLimits
  ) -> Mode? {
    let node = graph[reader]
    let type = graph[value].type
    guard analysis.isInvariant(producer, in: graph) == analysis.isInvariant(reader, in: graph),
      !(node.op is ArgReduce && type.dtype.computeType != type.dtype)
    else { return nil }
    let sources = node.inputs.prefix(node.fusion.prologueInputCount ?? 1)
    let isWhole = (try? Shape.broadcasting(sources.map { graph[$0].type.shape })) == type.shape
    guard isWhole || work.body.operationCount <= limits.recomputedOperations else { return nil }
    let isRead = node.inputs.dropFirst(sources.count).contains(value)
    if graph.isCheaperToRecompute(producer), !isRead { return .absorbed }
    let others = graph[producer].outputs.filter { $0 != value && graph.useCount(of: $0) > 0 }
    guard others.isEmpty, !isRead else { return nil }
    if graph.consumers(of: value) == [reader], !graph.isOutput(value) { return .absorbed }
    // Others read it: the value of a prologue that is nothing else can be shown to them.
    guard node.fusion.prologue == nil,
      node.inputs.dropFirst().allSatisfy({ input in
        !analysis.reachability.depends(input, on: producer, in: graph)
      })
    else { return nil }
    return .exposed
  }
}
