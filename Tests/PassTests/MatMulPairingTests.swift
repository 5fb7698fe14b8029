import AITGraph
import AITOperators
import AITPasses
import AITSamples
import Testing

@Suite struct MatMulPairingTests {
  /// As for a target with kernels for pairs of float16.
  static let context: PassContext = {
    var context = PassContext()
    context.limits.pairedTypes = [.float16]
    return context
  }()

  private func run(_ text: String) throws -> Graph {
    var graph = try Graph.parse("graph g {\n\(text)\n}")
    try MatMulPairing().run(on: &graph, in: Self.context)
    try graph.verify()
    return graph
  }

  @Test func joinsAGateAndWhatItGates() throws {
    let graph = try run(
      """
      symbol n: 1...8
      input x: float16[n, 16]
      input r: float16[n, 24]
      constant wg: float16[24, 16]
      constant wu: float16[24, 16]
      u = matmul(x, wu) {transpose_b: true}
      g = matmul(x, wg) {transpose_b: true}
      y = pointwise(g, r, u) {body: (p: float16, q: float16, s: float16) \
      { t = silu(p); v = multiply(t, s); w = add(v, q); return w }}
      output Y = y
      """
    )
    let node = graph[try #require(graph.nodeIDs.first)]
    #expect(graph.nodeCount == 1)
    #expect(node.op is ParallelMatMul)
    #expect(node.fusion.joinedResults == 2)
    #expect(node.inputs.map { graph[$0].name } == ["x", "wg", "wu", "r"])
    let again = try Graph.parse(graph.description)
    #expect(again.description == graph.description)
  }

  /// Products of other weights, or that something else reads, stay apart; so do other types.
  @Test(arguments: [
    ("float16", "float16[5, 16]", "", "float16[n, 1]"),
    ("float16", "float16[24, 16]", "output U = u", "float16[n, 24]"),
    ("float32", "float32[24, 16]", "", "float32[n, 24]"),
  ])
  func leavesOthers(_ type: String, _ second: String, _ output: String, _ extra: String) throws {
    let sameShape = second.contains("6, 4")
    let graph = try run(
      """
      symbol n: 1...8
      input x: \(type)[n, 16]
      constant wg: \(type)[24, 16]
      constant wu: \(second)
      g = matmul(x, wg) {transpose_b: true}
      u = matmul(x, wu) {transpose_b: true}
      \(sameShape ? "y = pointwise(g, u) {body: (p: \(type), s: \(type)) { t = multiply(p, s); return t }}"
        : "y = softmax(u) {axis: 1}")
      output Y = y
      output G = g
      \(output)
      """
    )
    #expect(!graph.nodeIDs.contains { graph[$0].op is ParallelMatMul })
  }

  /// The whole pipeline makes pairs of the samples, keeps their values, and settles.
  @Test(arguments: ["swiglu_few_rows", "swiglu_many_rows"])
  func pipelineKeepsValues(_ name: String) throws {
    var graph = try #require(SampleGraph.named(name)).graph()
    var context = PassContext(
      instruments: try PassInstruments.evaluating(graph, seed: 3, bound: { _ in 2e-4 })
    )
    context.limits.pairedTypes = [.float32]
    try Pipeline.standard.run(on: &graph, in: context)
    #expect(graph.nodeIDs.contains { graph[$0].op is ParallelMatMul })
    let records = try Pipeline.standard.run(on: &graph, in: context)
    #expect(records.allSatisfy { $0.changes == 0 })
  }
}
