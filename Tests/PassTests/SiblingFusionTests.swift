import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct SiblingFusionTests {
  @Test func mergesReadersOfOneTensor() throws {
    try expect(
      SiblingFusion(),
      on: """
        input x: float32[2, 3]
        input b: float32[3]
        p = pointwise(x) {body: (a: float32) { t = sin(a); return t }}
        q = pointwise(x) {body: (a: float32) { t = cos(a); return t }}
        r = pointwise(p, b) {body: (a: float32, c: float32) { t = add(a, c); return t }}
        s = pointwise(q, b) {body: (a: float32, c: float32) { t = add(a, c); return t }}
        output R = r
        output S = s
        """,
      becomes: """
        input x: float32[2, 3]
        input b: float32[3]
        p, q = pointwise(x) {body: (x0: float32) { t1 = sin(x0); t2 = cos(x0); return t1, t2 }}
          : float32[2, 3], float32[2, 3]
        r = pointwise(p, b) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[2, 3]
        s = pointwise(q, b) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[2, 3]
        output R = r
        output S = s
        """
    )
  }
}
