import AITGraph
import AITOperators

/// Spells attention out where the target has no kernel of it.
///
/// ```
/// y = attention(q, k, v) {scale: 0.125}
/// ```
/// becomes
/// ```
/// s = matmul(q, k) {transpose_b: true}
/// t = pointwise(s) {body: (x0: float16) { t1 = 0.125: float16; t2 = multiply(x0, t1); return t2 }}
/// w = softmax(t) {axis: 2}
/// y = matmul(w, v)
/// ```
///
/// Which nodes have a kernel is the context's `computesAttention`: by default all, so that nothing is
/// done. Runs before all other passes, which fuse what it leaves. Visits each node once.
package struct AttentionDecomposition: GraphPass {
  package static let name = "attention-decomposition"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    for id in graph.sortedNodes() {
      guard let op = graph[id].op as? Attention else { continue }
      let node = graph[id]
      guard !context.computesAttention(op, node.inputs.map { graph[$0].type }) else { continue }
      let result = try graph.decomposedAttention(op, node.inputs, name: node.name)
      graph.forward(node.outputs[0], to: result, isNew: true)
    }
  }
}
