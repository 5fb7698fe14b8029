import AITGraph
import AITOperators

/// Removes masks of attention that are literals and rule out no key, or later positions alone.
///
/// ```
/// literal seen: bool[1, 1, 3, 3] = {1, 0, 0, 1, 1, 0, 1, 1, 1}
/// y = attention(q, k, v, seen) {scale: 0.125}
/// ```
/// becomes
/// ```
/// y = attention(q, k, v) {scale: 0.125, causal: true}
/// ```
///
/// Programs make such masks of positions: of a program whose sizes are fixed, nothing but the numbers is
/// left. A bool mask rules out where it is false; an added one where it is −∞, or so low (−10³⁰) that no
/// score matters, and has zeros elsewhere. Extents that the mask broadcasts count as they are, but for
/// the positions of a causal mask, which it must have all.
///
/// Named constants, which can be set at run time, stay. Nodes become kernels of less work, none are added.
///
/// Runs after `ConstantFolding`, which makes literals of masks. Visits each attention once.
package struct AttentionMaskFolding: GraphPass {
  package static let name = "attention-mask-folding"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    for id in graph.sortedNodes() where graph.contains(id) {
      let node = graph[id]
      guard let attention = node.op as? Attention, node.fusion.isEmpty, node.inputs.count == 4,
        let mask = literal(node.inputs[3], in: graph), mask.elementCount > 0
      else { continue }
      let shapes = node.inputs.prefix(2).map { graph[$0].type.shape }
      let seen = seen(mask)
      var isCausal = attention.isCausal
      if !seen.allSatisfy({ $0 == true }) {
        guard let positions = Shape(shapes.map { $0[$0.rank - 2] }).constants,
          rulesOutLaterKeys(seen, mask.shape, positions)
        else { continue }
        isCausal = true
      }
      let op = Attention(scale: attention.scale, isCausal: isCausal, keepsNaN: attention.keepsNaN)
      let operands = Array(node.inputs.dropLast())
      guard context.computesAttention(op, operands.map { graph[$0].type }) else { continue }
      let made = try graph.addNode(op, operands, name: node.name, source: node.source)[0]
      graph.forward(node.outputs[0], to: made, isNew: true)
    }
    graph.removeUnusedLiterals()
  }

  /// The elements of a literal, before they are repeated.
  private func literal(_ value: ValueID, in graph: Graph) -> TensorData? {
    if let constant = graph.constant(value) { return constant.isNamed ? nil : constant.data }
    guard let (id, _) = graph.plainProducer(of: value, Expand.self) else { return nil }
    return literal(graph[id].inputs[0], in: graph)
  }

  /// Which keys count; nil for those that neither do nor do not.
  private func seen(_ mask: TensorData) -> [Bool?] {
    if mask.dtype == .bool { return mask.integers.map { $0 != 0 } }
    return mask.doubles.map { $0 == 0 ? true : $0 <= -1e30 ? false : nil }
  }

  /// Whether every matrix of a mask is that of queries that count no later key.
  private func rulesOutLaterKeys(_ seen: [Bool?], _ shape: [Int], _ positions: [Int]) -> Bool {
    guard Array(shape.suffix(2)) == positions else { return false }
    let (queries, keys) = (positions[0], positions[1])
    return seen.indices.allSatisfy { index in
      seen[index] == (index % keys <= index / keys % queries)
    }
  }
}
