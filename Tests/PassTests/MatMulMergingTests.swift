import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct MatMulMergingTests {
  @Test func mergesProductsOfOneOperand() throws {
    try expect(
      MatMulMerging(),
      on: """
        symbol n: 1...8
        input x: float16[n, 4]
        constant wq: float16[6, 4]
        constant wk: float16[2, 4]
        constant bq: float16[6]
        constant bk: float16[2]
        qm = matmul(x, wq) {transpose_b: true}
        km = matmul(x, wk) {transpose_b: true}
        q = pointwise(qm, bq) {body: (p: float16, r: float16) { t = add(p, r); return t }}
        k = pointwise(km, bk) {body: (p: float16, r: float16) { t = add(p, r); return t }}
        y = softmax(q) {axis: 1}
        z = softmax(k) {axis: 1}
        output Y = y
        output Z = z
        """,
      becomes: """
        symbol n: 1...8
        input x: float16[n, 4]
        constant wq: float16[6, 4]
        constant wk: float16[2, 4]
        constant bq: float16[6]
        constant bk: float16[2]
        qm_to_km_weights = concat(wq, wk) {axis: 0} : float16[8, 4]
        qm_to_km_columns = concat(bq, bk) {axis: 0} : float16[8]
        qm_to_km = matmul(x, qm_to_km_weights, qm_to_km_columns) {transpose_b: true,
          epilogue: (x0: float16, x1: float16) { t2 = add(x0, x1); return t2 }} : float16[n, 8]
        q = slice(qm_to_km) {starts: [0, 0], sizes: [n, 6]} : float16[n, 6]
        y = softmax(q) {axis: 1} : float16[n, 6]
        k = slice(qm_to_km) {starts: [0, 6], sizes: [n, 2]} : float16[n, 2]
        z = softmax(k) {axis: 1} : float16[n, 2]
        output Y = y
        output Z = z
        """
    )
  }

  @Test func keepsOutputsAndOtherEndsApart() throws {
    try expect(
      MatMulMerging(),
      on: """
        input x: float32[3, 4]
        input r: float32[3, 6]
        constant u: float32[4, 6]
        constant v: float32[4, 6]
        constant w: float32[4, 6]
        a = matmul(x, u)
        b = matmul(x, v)
        c = matmul(x, w)
        s = pointwise(b, r) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        y = softmax(c) {axis: 1}
        output A = a
        output S = s
        output Y = y
        """,
      becomes: """
        input x: float32[3, 4]
        input r: float32[3, 6]
        constant u: float32[4, 6]
        constant v: float32[4, 6]
        constant w: float32[4, 6]
        a = matmul(x, u) : float32[3, 6]
        b = matmul(x, v) : float32[3, 6]
        c = matmul(x, w) : float32[3, 6]
        s = pointwise(b, r) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[3, 6]
        y = softmax(c) {axis: 1} : float32[3, 6]
        output A = a
        output S = s
        output Y = y
        """
    )
  }
}
