import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct DeadCodeEliminationTests {
  @Test func removesNodesResultsAndLiterals() throws {
    try expect(
      DeadCodeElimination(),
      on: """
        input x: float32[3]
        input w: float32[3]
        literal unread: float32[1] = {1}
        constant named: float32[1] = {1}
        y, z = pointwise(x, w) {body: (a: float32, b: float32) { t = exp(a); u = add(a, b);
          return t, u }}
        d = pointwise(z, unread) {body: (a: float32, b: float32) { t = add(a, b); return t }}
        e = softmax(d) {axis: 0}
        output Y = y
        """,
      becomes: """
        input x: float32[3]
        input w: float32[3]
        constant named: float32[1] = {1.0}
        y = pointwise(x) {body: (x0: float32) { t1 = exp(x0); return t1 }} : float32[3]
        output Y = y
        """
    )
  }

  @Test func trimsEpiloguesAndExposures() throws {
    try expect(
      DeadCodeElimination(),
      on: """
        input x: float32[3, 3]
        input r: float32[3]
        y, raw = matmul(x, x, r) {epilogue: (a: float32, b: float32) { t = tanh(a); u = add(a, b);
          return t, u }}
        z, sum = softmax(x, r) {axis: 1, prologue: (a: float32, b: float32) { t = add(a, b);
          return t }, exposes_prologue: true}
        v, only = softmax(x, r) {axis: 0, prologue: (a: float32, b: float32) { t = multiply(a, b);
          return t }, exposes_prologue: true}
        output Y = y
        output Z = z
        output O = only
        """,
      becomes: """
        input x: float32[3, 3]
        input r: float32[3]
        only = pointwise(x, r) {body: (x0: float32, x1: float32) { t2 = multiply(x0, x1);
          return t2 }} : float32[3, 3] @v
        z = softmax(x, r) {axis: 1, prologue: (x0: float32, x1: float32) { t2 = add(x0, x1);
          return t2 }} : float32[3, 3]
        y = matmul(x, x) {epilogue: (x0: float32) { t1 = tanh(x0); return t1 }} : float32[3, 3]
        output Y = y
        output Z = z
        output O = only
        """
    )
  }
}
