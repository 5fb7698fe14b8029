import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct RowMotionTests {
  @Test func exchangesRowsBehindTheProduct() throws {
    try expect(
      RowMotion(),
      on: """
        symbol n: 1...8
        input x: float32[n, 7, 6]
        constant w: float32[8, 6]
        p = permute(x) {permutation: [1, 0, 2]}
        y = matmul(p, w) {transpose_b: true}
        output Y = y
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 7, 6]
        constant w: float32[8, 6]
        y_1 = matmul(x, w) {transpose_b: true} : float32[n, 7, 8]
        y = permute(y_1) {permutation: [1, 0, 2]} : float32[7, n, 8]
        output Y = y
        """
    )
  }

  /// Rows that work behind the product and then a reshape divide.
  @Test func dividesRowsInFrontOfTheProduct() throws {
    try expect(
      RowMotion(),
      on: """
        symbol n: 1...8
        input x: float32[n, 3, 7, 4]
        constant w: float32[8, 12]
        constant b: float32[8]
        p = permute(x) {permutation: [2, 0, 1, 3]}
        r = reshape(p) {shape: [7*n, 12]}
        m = matmul(r, w) {transpose_b: true}
        a = pointwise(m, b) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
        y = reshape(a) {shape: [7, n, 8]}
        output Y = y
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 3, 7, 4]
        constant w: float32[8, 12]
        constant b: float32[8]
        x_permute = permute(x) {permutation: [0, 2, 1, 3]} : float32[n, 7, 3, 4]
        x_permute_reshape = reshape(x_permute) {shape: [n, 7, 12]} : float32[n, 7, 12]
        m_1_1 = matmul(x_permute_reshape, w) {transpose_b: true} : float32[n, 7, 8]
        m_1 = permute(m_1_1) {permutation: [1, 0, 2]} : float32[7, n, 8]
        m = reshape(m_1) {shape: [7*n, 8]} : float32[7*n, 8]
        a = pointwise(m, b) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }} : float32[7*n, 8]
        y = reshape(a) {shape: [7, n, 8]} : float32[7, n, 8]
        output Y = y
        """
    )
  }

  /// Heads side by side, joined in front of the product.
  @Test func splitsAPermuteOfWholeRowsOff() throws {
    try expect(
      RowMotion(),
      on: """
        symbol n: 1...8
        input x: float32[n, 3, 7, 4]
        constant w: float32[8, 12]
        p = permute(x) {permutation: [2, 0, 1, 3]}
        r = reshape(p) {shape: [7, n, 12]}
        y = matmul(r, w) {transpose_b: true}
        output Y = y
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 3, 7, 4]
        constant w: float32[8, 12]
        x_permute = permute(x) {permutation: [0, 2, 1, 3]} : float32[n, 7, 3, 4]
        x_permute_reshape = reshape(x_permute) {shape: [n, 7, 12]} : float32[n, 7, 12]
        y_1 = matmul(x_permute_reshape, w) {transpose_b: true} : float32[n, 7, 8]
        y = permute(y_1) {permutation: [1, 0, 2]} : float32[7, n, 8]
        output Y = y
        """
    )
  }

  /// A permute of columns, rows that nothing divides, several matrices.
  @Test func leavesTheRest() throws {
    let before = """
      input x: float32[5, 7, 6]
      constant w: float32[7, 8]
      constant v: float32[6, 8]
      constant s: float32[7, 6, 4]
      p = permute(x) {permutation: [0, 2, 1]}
      a = matmul(p, w) {}
      r = reshape(x) {shape: [35, 6]}
      b = matmul(r, v) {}
      q = permute(x) {permutation: [1, 0, 2]}
      c = matmul(q, s) {}
      output A = a
      output B = b
      output C = c
      """
    try expect(RowMotion(), on: before, becomes: before)
  }
}
