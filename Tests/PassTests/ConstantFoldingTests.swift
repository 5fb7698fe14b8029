import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct ConstantFoldingTests {
  @Test func foldsLiteralsButNotNamedConstants() throws {
    try expect(
      ConstantFolding(),
      on: """
        input x: float32[3, 2]
        literal table: float32[2, 3] = {0, 1, 2, 3, 4, 5}
        constant weight: float32[2, 3] = {0, 1, 2, 3, 4, 5}
        t = permute(table) {permutation: [1, 0]}
        u = pointwise(t) {body: (a: float32) { t = square(a); return t }}
        w = permute(weight) {permutation: [1, 0]}
        y = pointwise(x, u, w) {body: (a: float32, b: float32, c: float32) { t = add(a, b);
          u = add(t, c); return u }}
        output Y = y
        """,
      becomes: """
        input x: float32[3, 2]
        constant weight: float32[2, 3] = {0.0, 1.0, 2.0, 3.0, 4.0, 5.0}
        literal u: float32[3, 2] = {0.0, 9.0, 1.0, 16.0, 4.0, 25.0}
        w = permute(weight) {permutation: [1, 0]} : float32[3, 2]
        y = pointwise(x, u, w) {body: (x0: float32, x1: float32, x2: float32) { t3 = add(x0, x1);
          t4 = add(t3, x2); return t4 }} : float32[3, 2]
        output Y = y
        """
    )
  }

  @Test func foldsSmallGeneratorsAsOperandsOnly() throws {
    try expect(
      ConstantFolding(),
      on: """
        symbol n: 1...8
        input x: float32[n, 2, 2]
        c = arange() {count: [2], dtype: int64}
        r = reshape(c) {shape: [2, 1]}
        m = pointwise(c, r) {body: (a: int64, b: int64) { t = less_equal(a, b); return t }}
        big = arange() {count: [100000], dtype: float32}
        s = reduce(big) {kind: "sum", axes: [0]}
        free = arange() {count: [n], dtype: float32}
        y = pointwise(x, m, s) {body: (a: float32, b: bool, c: float32) { t = select(b, a, c);
          return t }}
        output Y = y
        output Z = free
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 2, 2]
        literal m: bool[2, 2] = {1, 0, 1, 1}
        big = arange() {start: 0.0, step: 1.0, count: [100000], dtype: float32} : float32[100000]
        s = reduce(big) {kind: "sum", axes: [0]} : float32[]
        free = arange() {start: 0.0, step: 1.0, count: [n], dtype: float32} : float32[n]
        y = pointwise(x, m, s) {body: (x0: float32, x1: bool, x2: float32) {
          t3 = select(x1, x0, x2); return t3 }} : float32[n, 2, 2]
        output Y = y
        output Z = free
        """
    )
  }

  @Test func leavesIndicesOutOfRangeToTheRun() throws {
    let before = """
      input x: float32[1]
      literal table: float32[2] = {1, 2}
      literal index: int64[1] = {7}
      z = index_select(table, index) {axis: 0}
      y = pointwise(x, z) {body: (a: float32, b: float32) { t = add(a, b); return t }}
      output Y = y
      """
    var graph = try Graph.parse("graph test {\n\(before)\n}")
    try ConstantFolding().run(on: &graph, in: PassContext())
    #expect(graph.nodeCount == 2)
  }

  @Test func movesLargeLiteralsAtTheSpeedOfMemory() throws {
    var graph = Graph(name: "large")
    var data = TensorData(zeros: .float32, [1000, 700])
    data.withUnsafeMutableBytes { bytes in
      for index in 0..<700_000 {
        bytes.storeBytes(of: Float(index), toByteOffset: 4 * index, as: Float.self)
      }
    }
    let table = try graph.addLiteral(data, "table")
    let turned = try graph.transpose(table, 0, 1)
    let part = try graph.slice(turned, axis: 1, SliceRange(10, 998, step: 2))
    let joined = try graph.concat([part, part], axis: 0)
    let padded = try graph.pad(joined, [1, 0], mode: .constant(-1))
    let half = try graph.cast(padded, to: .bfloat16)
    let x = try graph.addInput("x", TensorType(.bfloat16, [495, 1400]))
    try graph.addOutput("y", try graph.matmul(x, half))
    let before = graph
    try ConstantFolding().run(on: &graph, in: PassContext())
    #expect(graph.nodeCount == 1)
    let folded = try #require(graph.constants.first.flatMap { graph.constant($0)?.data })
    #expect(folded.shape == [1400, 495])
    for (row, column) in [(0, 0), (0, 1), (3, 7), (699, 494), (700, 1), (1399, 494)] {
      let expected = column == 0 ? -1 : Double((10 + 2 * (column - 1)) * 700 + row % 700)
      let found = folded.scalar(at: row * 495 + column)
      #expect(found == ScalarValue.float(expected).converted(to: .bfloat16))
    }
    #expect(before.nodeCount == 6)
  }
}
