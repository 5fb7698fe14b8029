import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct ScaleMotionTests {
  @Test func movesFactorsBehindProducts() throws {
    try expect(
      ScaleMotion(),
      on: """
        symbol n: 1...8
        input q: float16[2, n, 3, 4]
        input k: float16[2, 3, n, 4]
        s = pointwise(q) {body: (p: float16) { c = 0.5: float16; t = multiply(p, c); return t }}
        h = permute(s) {permutation: [0, 2, 1, 3]}
        y = matmul(h, k) {transpose_b: true}
        output Y = y
        """,
      becomes: """
        symbol n: 1...8
        input q: float16[2, n, 3, 4]
        input k: float16[2, 3, n, 4]
        h_1 = permute(q) {permutation: [0, 2, 1, 3]} : float16[2, 3, n, 4]
        y_1 = matmul(h_1, k) {transpose_b: true} : float16[2, 3, n, n]
        y = pointwise(y_1) {body: (x0: float16) { t1 = 0.5: float16; t2 = multiply(x0, t1);
          return t2 }} : float16[2, 3, n, n]
        output Y = y
        """
    )
  }

  @Test func leavesFactorsThatOthersRead() throws {
    let before = """
      input q: float16[3, 3]
      s = pointwise(q) {body: (p: float16) { c = 0.5: float16; t = multiply(p, c); return t }}
      y = matmul(s, s) {transpose_b: true}
      t = pointwise(q) {body: (p: float16) { c = 0.0: float16; t = multiply(p, c); return t }}
      z = matmul(t, q)
      output Y = y
      output Z = z
      """
    try expect(ScaleMotion(), on: before, becomes: before)
  }
}
