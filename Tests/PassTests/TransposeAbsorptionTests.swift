import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct TransposeAbsorptionTests {
  @Test func makesTranspositionsFlags() throws {
    try expect(
      TransposeAbsorption(),
      on: """
        symbol n: 1...8
        input q: float32[2, 4, n, 16]
        input x: float32[2, n, 4, 16]
        constant w: float32[5, 16]
        k = permute(x) {permutation: [0, 2, 3, 1]}
        s = matmul(q, k)
        t = permute(s) {permutation: [0, 1, 3, 2]}
        v = permute(w) {permutation: [1, 0]}
        y = matmul(q, v)
        output T = t
        output Y = y
        """,
      becomes: """
        symbol n: 1...8
        input q: float32[2, 4, n, 16]
        input x: float32[2, n, 4, 16]
        constant w: float32[5, 16]
        x_permute = permute(x) {permutation: [0, 2, 1, 3]} : float32[2, 4, n, 16]
        y = matmul(q, w) {transpose_b: true} : float32[2, 4, n, 5]
        t = matmul(x_permute, q) {transpose_b: true} : float32[2, 4, n, n] @s
        output T = t
        output Y = y
        """
    )
  }

  @Test func leavesReadersTheirFlags() throws {
    try expect(
      TransposeAbsorption(),
      on: """
        input x: float32[3, 4]
        input y: float32[4, 5]
        m = matmul(x, y)
        t = permute(m) {permutation: [1, 0]}
        z = matmul(t, x)
        output Z = z
        """,
      becomes: """
        input x: float32[3, 4]
        input y: float32[4, 5]
        m = matmul(x, y) : float32[3, 5]
        z = matmul(m, x) {transpose_a: true} : float32[5, 4]
        output Z = z
        """
    )
  }
}
