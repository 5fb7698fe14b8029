import AITGraph
import AITOperators
import AITPasses
import AITReference
import Testing

/// Attention for targets that have no kernel of it.
@Suite struct AttentionDecompositionTests {
  /// Decomposes a program of one attention and evaluates it before and after.
  private func decomposed(_ operands: String, _ attributes: String, _ inputs: String) throws
    -> Graph
  {
    let text = """
      graph test {
        \(inputs)
        y = attention(\(operands)) {\(attributes)}
        output y = y
      }
      """
    var graph = try Graph.parse(text)
    var context = PassContext(
      instruments: try PassInstruments.evaluating(graph, seed: 3) { $0 == .float32 ? 1e-5 : 2e-2 }
    )
    try Pipeline([AttentionDecomposition()]).run(on: &graph, in: context)
    #expect(graph.kernels == ["attention"])
    context.computesAttention = { _, _ in false }
    try Pipeline([AttentionDecomposition()]).run(on: &graph, in: context)
    #expect(!graph.kernels.contains("attention"))
    return graph
  }

  @Test func spellsOutPlainAttention() throws {
    let graph = try decomposed(
      "q, k, v",
      "scale: 0.25",
      """
      symbol length: 1...9
      input q: float32[2, 3, length, 16]
      input k: float32[2, 3, 7, 16]
      input v: float32[2, 3, 7, 5]
      """
    )
    #expect(graph.kernels == ["matmul", "pointwise", "softmax", "matmul"])
  }

  @Test func spellsOutMasks() throws {
    _ = try decomposed(
      "q, k, v, mask",
      "scale: 0.25",
      """
      input q: float16[2, 3, 4, 16]
      input k: float16[1, 3, 7, 16]
      input v: float16[2, 3, 7, 5]
      input mask: float32[2, 1, 1, 7]
      """
    )
    // Some queries see no key.
    for flag in ["", ", keeps_nan: true"] {
      _ = try decomposed(
        "q, k, v, mask",
        "scale: 0.25, causal: true\(flag)",
        """
        input q: float32[3, 12, 16]
        input k: float32[3, 3, 16]
        input v: float32[3, 3, 5]
        input mask: bool[3, 12, 3]
        """
      )
    }
  }

  @Test(arguments: ["2, 6, 4, 7", "1, 1, 7", "6, 1, 1", "1, 7"])
  func spellsOutGroupedHeads(_ mask: String) throws {
    _ = try decomposed(
      "q, k, v, mask",
      "scale: 0.25, causal: true",
      """
      input q: float32[2, 6, 4, 16]
      input k: float32[2, 2, 7, 16]
      input v: float32[2, 2, 7, 5]
      input mask: float32[\(mask)]
      """
    )
  }
}
