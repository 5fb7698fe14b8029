import AITGraph
import AITOperators
import AITPasses
import AITReference
import Testing

@Suite struct BatchTilingTests {
  /// The graph after the pass, checked by evaluation.
  private func tiled(_ text: String, tileBytes: Int, tiles: Int = 16) throws -> Graph {
    var graph = try Graph.parse("graph test {\n\(text)\n}")
    let instruments = try PassInstruments.evaluating(graph, seed: 7) { _ in 1e-5 }
    var context = PassContext(instruments: instruments)
    context.limits.tileBytes = tileBytes
    context.limits.tiles = tiles
    try Pipeline([], finally: [BatchTiling()]).run(on: &graph, in: context)
    return graph
  }

  private func expect(
    _ before: String,
    tileBytes: Int,
    becomes after: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let found = try tiled(before, tileBytes: tileBytes)
    let expected = try Graph.parse("graph test {\n\(after)\n}")
    #expect(found.description == expected.description, sourceLocation: sourceLocation)
  }

  /// Layers, a shortcut, a scale for each image, down to where images are small.
  private static let network = """
    input x: float32[3, 4, 6, 6]
    constant w: float32[8, 3, 3, 4]
    constant b: float32[8]
    constant m: float32[8, 8]
    constant v: float32[8, 3, 3, 8]
    p = permute(x) {permutation: [0, 2, 3, 1]}
    a = convolution(p, w, b) {stride: [1, 1], padding: [1, 1, 1, 1], epilogue:
      (x0: float32, x1: float32) { t2 = add(x0, x1); t3 = relu(t2); return t3 }}
    s = reduce(a) {kind: "mean", axes: [1, 2], keep_dimensions: true}
    g = pointwise(a, s) {body: (x0: float32, x1: float32) { t2 = multiply(x0, x1); return t2 }}
    c = matmul(g, m, a) {epilogue: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
    d = convolution(c, v) {stride: [4, 4], padding: [1, 1, 1, 1]}
    e = reduce(d) {kind: "sum", axes: [1, 2]}
    output Y = e
    """

  @Test func computesLayersForEachImage() throws {
    // The product reads and writes 3 * 8 * 36 elements of an image: 3456 bytes.
    let graph = try tiled(Self.network, tileBytes: 3500)
    #expect(
      graph.kernels == [
        "convolution", "reduce", "pointwise", "matmul", "convolution", "reduce", "pointwise",
        "matmul", "convolution", "reduce", "pointwise", "matmul", "concat", "convolution", "reduce",
      ]
    )
    let shapes = graph.sortedNodes().map { graph[graph[$0].outputs[0]].type.shape.description }
    #expect(shapes.count { $0.hasPrefix("[1,") } == 18)
  }

  @Test func partsMayDifferInExtent() throws {
    let graph = try tiled(Self.network, tileBytes: 3500, tiles: 2)
    let concat = try #require(graph.sortedNodes().first { graph[$0].op is Concat })
    #expect(graph[concat].inputs.map { graph[$0].type.shape[0] } == [1, 2])
  }

  @Test func writesNodesPartAfterPart() throws {
    try expect(
      """
      input x: float32[2, 4, 4, 4]
      constant w: float32[4, 4]
      a = matmul(x, w)
      r = reshape(a) {shape: [2, 16, 4]}
      b = pointwise(r) {body: (x0: float32) { t1 = relu(x0); return t1 }}
      y = reduce(b) {kind: "sum", axes: [0]}
      output Y = y
      """,
      tileBytes: 511,
      becomes: """
        input x: float32[2, 4, 4, 4]
        constant w: float32[4, 4]
        x_slice = slice(x) {starts: [0, 0, 0, 0], sizes: [1, 4, 4, 4]}
        a_tile0 = matmul(x_slice, w)
        r_tile0 = reshape(a_tile0) {shape: [1, 16, 4]}
        b_tile0 = pointwise(r_tile0) {body: (x0: float32) { t1 = relu(x0); return t1 }}
        x_slice_1 = slice(x) {starts: [1, 0, 0, 0], sizes: [1, 4, 4, 4]}
        a_tile1 = matmul(x_slice_1, w)
        r_tile1 = reshape(a_tile1) {shape: [1, 16, 4]}
        b_tile1 = pointwise(r_tile1) {body: (x0: float32) { t1 = relu(x0); return t1 }}
        b = concat(b_tile0, b_tile1) {axis: 0}
        y = reduce(b) {kind: "sum", axes: [0]}
        output Y = y
        """
    )
  }

  /// Sizes that are small, or known to a run alone; what is read before and behind; images that meet.
  @Test(arguments: [
    (
      "float32[2, 4, 4, 4]", 4096,
      "a = pointwise(x) {body: (x0: float32) { t1 = relu(x0); return t1 }}\noutput Y = a"
    ),
    (
      "float32[n, 4, 4, 4]", 16,
      "a = pointwise(x) {body: (x0: float32) { t1 = relu(x0); return t1 }}\noutput Y = a"
    ),
    (
      "float32[2, 4, 4, 4]", 16,
      """
      a = pointwise(x) {body: (x0: float32) { t1 = relu(x0); return t1 }}
      b = pointwise(a, x) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
      s = reduce(x) {kind: "sum", axes: [0]}
      output Y = b
      output S = s
      """
    ),
    (
      "float32[4, 4, 4]", 16,
      """
      p = permute(x) {permutation: [1, 0, 2]}
      a = matmul(p, x)
      output Y = a
      """
    ),
    (
      "float32[2, 2, 2, 4]", 16,
      """
      m = reduce(x) {kind: "mean", axes: [1]}
      a = pointwise(x, m) {body: (x0: float32, x1: float32) { t2 = subtract(x0, x1); return t2 }}
      output Y = a
      """
    ),
  ])
  func leavesTheRest(_ type: String, _ tileBytes: Int, _ program: String) throws {
    let text = "symbol n: 1...4\ninput x: \(type)\n\(program)"
    let before = try Graph.parse("graph test {\n\(text)\n}")
    #expect(try tiled(text, tileBytes: tileBytes).description == before.description)
  }

  @Test func staysOffByDefault() throws {
    let graph = try Graph.parse("graph test {\n\(Self.network)\n}")
    var result = graph
    try BatchTiling().run(on: &result, in: PassContext())
    #expect(result.description == graph.description)
  }
}
