import AITGraph
import AITOperators

/// Makes transpositions around matrix products the products' own flags.
///
/// ```
/// k = permute(x) {permutation: [0, 2, 3, 1]} : float32[2, 4, 8, 16]
/// y = matmul(q, k)
/// z = permute(y) {permutation: [0, 1, 3, 2]}
/// ```
/// becomes
/// ```
/// k = permute(x) {permutation: [0, 2, 1, 3]} : float32[2, 4, 16, 8]
/// z = matmul(k, q) {transpose_b: true}
/// ```
///
/// A permute of an operand loses its exchange of the last two axes where that leaves the operand's
/// own last axis in the last place, whose elements lie side by side; what else it permutes stays a
/// strided view. A product that is only read transposed computes `Bᵀ · Aᵀ`, unless products read
/// it, which take the transposition into their own flags.
///
/// Runs after `ViewSimplification`, which leaves one permute in a place. Repeats
/// while a permute lies behind a permute.
package struct TransposeAbsorption: GraphPass {
  package static let name = "transpose-absorption"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    try graph.untilSettled { graph throws(Diagnostic) in
      for id in graph.sortedNodes() where graph.contains(id) {
        if let matMul = graph[id].op as? MatMul { try absorbOperands(matMul, id, in: &graph) }
      }
      // Results after operands: a reader's flag is better than an exchange of operands.
      for id in graph.sortedNodes() where graph.contains(id) {
        if let matMul = graph[id].op as? MatMul { try absorbResult(matMul, id, in: &graph) }
      }
    }
  }

  private func absorbOperands(_ matMul: MatMul, _ id: NodeID, in graph: inout Graph)
    throws(Diagnostic)
  {
    let node = graph[id]
    var operands = Array(node.inputs.prefix(2))
    var flags = [matMul.transposeA, matMul.transposeB]
    for index in 0..<2 {
      guard let (producer, permute) = graph.plainProducer(of: operands[index], Permute.self)
      else { continue }
      let rank = permute.permutation.count
      let source = graph[producer].inputs[0]
      // The operand's last axis stands before the last: exchange the two, and say so.
      guard rank >= 2, permute.permutation[rank - 2] == rank - 1 else { continue }
      var rest = permute.permutation
      rest.swapAt(rank - 1, rank - 2)
      flags[index].toggle()
      operands[index] = try graph.addView(Permute(rest), of: source, like: producer)
    }
    guard flags != [matMul.transposeA, matMul.transposeB] else { return }
    let op = MatMul(transposeA: flags[0], transposeB: flags[1])
    try graph.replace(id, with: op, operands + node.inputs.dropFirst(2), fusion: node.fusion)
  }

  private func absorbResult(_ matMul: MatMul, _ id: NodeID, in graph: inout Graph)
    throws(Diagnostic)
  {
    let node = graph[id]
    // With a vector, the result's last two axes are not those of a matrix.
    guard node.fusion.isEmpty, graph.hasOneUse(node.outputs[0]),
      node.inputs.allSatisfy({ graph[$0].type.rank >= 2 }),
      let reader = graph.consumers(of: node.outputs[0]).first,
      let permute = graph[reader].op as? Permute, isExchange(permute.permutation),
      !graph.consumers(of: graph[reader].outputs[0]).contains(where: { graph[$0].op is MatMul })
    else { return }
    let op = MatMul(transposeA: !matMul.transposeB, transposeB: !matMul.transposeA)
    try graph.substitute(
      op,
      [node.inputs[1], node.inputs[0]],
      named: id,
      for: graph[reader].outputs
    )
  }

  /// Whether a permutation exchanges the last two axes and nothing else.
  private func isExchange(_ permutation: [Int]) -> Bool {
    let rank = permutation.count
    guard rank >= 2 else { return false }
    var exchange = Array(0..<rank)
    exchange.swapAt(rank - 1, rank - 2)
    return permutation == exchange
  }
}
