import AITGraph
import AITOperators

/// Computes two products of one operand that meet in pointwise work as one node: a gate and what it
/// gates.
///
/// ```
/// g = matmul(x, wg) {transpose_b: true}
/// u = matmul(x, wu) {transpose_b: true}
/// y = pointwise(g, u) {body: (x0: float16, x1: float16) { t2 = silu(x0); t3 = multiply(t2, x1);
///     return t3 }}
/// ```
/// becomes
/// ```
/// y = parallel_matmul(x, wg, wu) {transpose_b: true, joined_results: 2, epilogue: (x0: float16,
///     x1: float16) { t2 = silu(x0); t3 = multiply(t2, x1); return t3 }}
/// ```
///
/// Whatever the work is, and however many other tensors it reads. The weights are constants of one
/// type, no views, with rows of whole units of 16 bytes, and nothing else reads the products; x is no
/// view but a reshape, and has three batch axes at most. Other products stay as they are: each has
/// kernels for any layout and size. Only for element types of which the target has a kernel for both
/// (`PassLimits.pairedTypes`): it reads x once, and keeps the products in registers.
///
/// Runs after `PointwiseFusion`, so that the work is one node, and before `MatMulMerging`, which
/// joins the weights of what is left. Visits each pointwise node once.
package struct MatMulPairing: GraphPass {
  package static let name = "matmul-pairing"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    guard !context.limits.pairedTypes.isEmpty else { return }
    let analysis = FusionAnalysis(graph)
    for id in graph.sortedNodes() where graph.contains(id) {
      guard let work = graph.pointwise(id), work.body.inputTypes.count <= context.limits.inputs,
        let pair = pair(id, graph, analysis, context.limits)
      else { continue }
      let node = graph[id]
      var order = pair.products
      for input in node.inputs where !order.contains(input) { order.append(input) }
      var fusion = Fusion()
      fusion.joinedResults = 2
      fusion.epilogue = work.body.remappingInputs(
        node.inputs.map { order.firstIndex(of: $0) ?? 0 },
        newTypes: order.map { graph[$0].type.dtype }
      )
      try graph.substitute(
        ParallelMatMul(transposeA: pair.op.transposeA, transposeB: pair.op.transposeB),
        [pair.operand] + pair.weights + order.dropFirst(2),
        fusion: fusion,
        named: id,
        for: node.outputs
      )
    }
  }

  /// Whether a value lies in another's memory, other than as the same elements in the same order.
  private func isView(_ value: ValueID, _ graph: Graph) -> Bool {
    guard let producer = graph.producer(of: value) else { return false }
    return graph[producer].op is any ViewOperator && !(graph[producer].op is Reshape)
  }

  /// Whether rows of a weight are whole units of 16 bytes: others are packed, for one product alone.
  private func isAligned(_ type: TensorType) -> Bool {
    type.shape.dimensions.allSatisfy { dimension in
      dimension.terms.allSatisfy { $0.coefficient * type.dtype.sizeInBytes % 16 == 0 }
    }
  }

  /// Two products that meet in a node.
  private struct Pair {
    let op: MatMul
    let operand: ValueID
    let weights: [ValueID]
    let products: [ValueID]
  }

  private func pair(
    _ id: NodeID,
    _ graph: Graph,
    _ analysis: FusionAnalysis,
    _ limits: PassLimits
  ) -> Pair? {
    let node = graph[id]
    let shape = graph[node.outputs[0]].type.shape
    var candidates: [(value: ValueID, id: NodeID, op: MatMul)] = []
    for input in node.inputs where !candidates.contains(where: { $0.value == input }) {
      guard let (product, op) = graph.plainProducer(of: input, MatMul.self),
        graph.consumers(of: input) == [id], !graph.isOutput(input),
        graph[input].type.shape == shape, limits.pairedTypes.contains(graph[input].type.dtype),
        // A view may lie in memory as no kernel for two products reads it.
        graph.producer(of: graph[product].inputs[1]) == nil,
        analysis.isInvariant(graph[product].inputs[1]),
        !analysis.isInvariant(graph[product].inputs[0]), !isView(graph[product].inputs[0], graph),
        (2...5).contains(graph[graph[product].inputs[0]].type.rank),
        graph[graph[product].inputs[1]].type.rank == 2,
        isAligned(graph[graph[product].inputs[1]].type)
      else { continue }
      candidates.append((input, product, op))
    }
    for (index, first) in candidates.enumerated() {
      let (a, b) = (graph[first.id].inputs[0], graph[first.id].inputs[1])
      for second in candidates[(index + 1)...] {
        let other = graph[second.id].inputs
        guard second.op == first.op, other[0] == a, graph[other[1]].type == graph[b].type
        else { continue }
        return Pair(
          op: first.op,
          operand: a,
          weights: [b, other[1]],
          products: [first.value, second.value]
        )
      }
    }
    return nil
  }
}
