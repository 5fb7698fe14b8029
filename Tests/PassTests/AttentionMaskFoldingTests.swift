import AITGraph
import AITOperators
import AITPasses
import Testing

/// Masks whose numbers are known.
@Suite struct AttentionMaskFoldingTests {
  private static let inputs = """
    input q: float32[2, 4, 3, 8]
    input k: float32[2, 4, 3, 8]
    input v: float32[2, 4, 3, 6]
    """

  /// The mask's declaration, and what attention is afterwards.
  @Test(arguments: [
    ("literal m: bool[1, 1, 3, 3] = {1, 1, 1, 1, 1, 1, 1, 1, 1}", ""),
    ("literal m: bool[3, 1] = {1, 1, 1}", ""),
    ("literal m: float32[1, 3] = {0.0, 0.0, 0.0}", ""),
    (
      "literal m: bool[1, 1, 3, 3] = {1, 0, 0, 1, 1, 0, 1, 1, 1}",
      ", causal: true"
    ),
    (
      "literal m: float32[3, 3] = {0.0, -inf, -3.0e38, 0.0, 0.0, -inf, 0.0, 0.0, 0.0}",
      ", causal: true"
    ),
  ])
  func becomesAFlag(_ mask: String, _ attribute: String) throws {
    try expect(
      AttentionMaskFolding(),
      on: """
        \(Self.inputs)
        \(mask)
        y = attention(q, k, v, m) {scale: 0.25, keeps_nan: true}
        output Y = y
        """,
      becomes: """
        \(Self.inputs)
        y = attention(q, k, v) {scale: 0.25\(attribute), keeps_nan: true}
        output Y = y
        """
    )
  }

  @Test func seesThroughAnExpand() throws {
    try expect(
      Pipeline([AttentionMaskFolding(), DeadCodeElimination()]),
      on: """
        symbol batch: 1...3
        input q: float32[batch, 2, 5, 8]
        input k: float32[batch, 2, 4, 8]
        input v: float32[batch, 2, 4, 8]
        literal m: bool[1, 1, 5, 1] = {1, 1, 1, 1, 1}
        e = expand(m) {shape: [batch, 1, 5, 4]}
        y = attention(q, k, v, e) {scale: 0.5, causal: true}
        output Y = y
        """,
      becomes: """
        symbol batch: 1...3
        input q: float32[batch, 2, 5, 8]
        input k: float32[batch, 2, 4, 8]
        input v: float32[batch, 2, 4, 8]
        y = attention(q, k, v) {scale: 0.5, causal: true}
        output Y = y
        """
    )
  }

  /// A hole, an upper triangle, a bias, positions that are not all there, a constant that can be set.
  @Test(arguments: [
    "literal m: bool[3, 3] = {1, 0, 0, 1, 0, 0, 1, 1, 1}",
    "literal m: bool[3, 3] = {1, 1, 1, 0, 1, 1, 0, 0, 1}",
    "literal m: float32[3, 3] = {0.0, -inf, -inf, 0.5, 0.0, -inf, 0.0, 0.0, 0.0}",
    "literal m: float32[3, 3] = {0.0, -9.0, -9.0, 0.0, 0.0, -9.0, 0.0, 0.0, 0.0}",
    "literal m: bool[1, 3] = {1, 0, 0}",
    "literal m: bool[3, 1] = {1, 1, 0}",
    "constant m: bool[3, 3] = {1, 1, 1, 1, 1, 1, 1, 1, 1}",
  ])
  func otherMasksStay(_ mask: String) throws {
    let graph = """
      \(Self.inputs)
      \(mask)
      y = attention(q, k, v, m) {scale: 0.25}
      output Y = y
      """
    try expect(AttentionMaskFolding(), on: graph, becomes: graph)
  }

  @Test func staysWhereTheTargetHasNoSuchKernel() throws {
    var graph = try Graph.parse(
      """
      graph test {
        \(Self.inputs)
        literal m: bool[1, 3] = {1, 1, 1}
        y = attention(q, k, v, m) {scale: 0.25}
        output Y = y
      }
      """
    )
    var context = PassContext()
    context.computesAttention = { _, types in types.count == 4 }
    try AttentionMaskFolding().run(on: &graph, in: context)
    #expect(graph.sortedNodes().map { graph[$0].inputs.count } == [4])
  }
}
