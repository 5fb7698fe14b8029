import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct CommonSubexpressionEliminationTests {
  @Test func mergesEqualWork() throws {
    try expect(
      CommonSubexpressionElimination(),
      on: """
        input x: float32[3, 3]
        input y: float32[3, 3]
        literal a: float32[2] = {1, 2}
        literal b: float32[2] = {1, 2}
        p = pointwise(x, y) {body: (a: float32, b: float32) { t = add(a, b); return t }}
        q = pointwise(y, x) {body: (a: float32, b: float32) { t = add(a, b); return t }}
        r = pointwise(x, y) {body: (a: float32, b: float32) { t = subtract(a, b); return t }}
        s = pointwise(y, x) {body: (a: float32, b: float32) { t = subtract(a, b); return t }}
        m = matmul(p, q)
        n = matmul(q, p)
        c = concat(a, b) {axis: 0}
        output M = m
        output N = n
        output R = r
        output S = s
        output C = c
        """,
      becomes: """
        input x: float32[3, 3]
        input y: float32[3, 3]
        literal a: float32[2] = {1.0, 2.0}
        p = pointwise(x, y) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[3, 3]
        r = pointwise(x, y) {body: (x0: float32, x1: float32) { t2 = subtract(x0, x1); return t2 }}
          : float32[3, 3]
        s = pointwise(y, x) {body: (x0: float32, x1: float32) { t2 = subtract(x0, x1); return t2 }}
          : float32[3, 3]
        m = matmul(p, p) : float32[3, 3]
        c = concat(a, a) {axis: 0} : float32[4]
        output M = m
        output N = m
        output R = r
        output S = s
        output C = c
        """
    )
  }
}
