import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct PrologueFusionTests {
  @Test func absorbsTheWorkThatMakesAnOperand() throws {
    try expect(
      PrologueFusion(),
      on: """
        symbol n: 1...8
        input x: float16[2, n, n]
        input mask: float16[n]
        s = pointwise(x, mask) {body: (p: float16, q: float16) { c = 0.125: float16;
          t = multiply(p, c); u = add(t, q); return u }}
        y = softmax(s) {axis: 2}
        output Y = y
        """,
      becomes: """
        symbol n: 1...8
        input x: float16[2, n, n]
        input mask: float16[n]
        y = softmax(x, mask) {axis: 2, prologue: (x0: float16, x1: float16) { t2 = 0.125: float16;
          t3 = multiply(x0, t2); t4 = add(t3, x1); return t4 }} : float16[2, n, n]
        output Y = y
        """
    )
  }

  @Test func showsTheSumThatOthersRead() throws {
    try expect(
      PrologueFusion(),
      on: """
        input x: float16[3, 4]
        input r: float16[3, 4]
        constant w: float16[4]
        s = pointwise(x, r) {body: (p: float16, q: float16) { t = add(p, q); return t }}
        y = rms_norm(s, w) {epsilon: 0.1}
        z = pointwise(s, y) {body: (p: float16, q: float16) { t = add(p, q); return t }}
        output Z = z
        """,
      becomes: """
        input x: float16[3, 4]
        input r: float16[3, 4]
        constant w: float16[4]
        y, s = rms_norm(x, r, w) {epsilon: 0.1, prologue: (x0: float16, x1: float16) {
          t2 = add(x0, x1); return t2 }, exposes_prologue: true} : float16[3, 4], float16[3, 4]
        z = pointwise(s, y) {body: (x0: float16, x1: float16) { t2 = add(x0, x1); return t2 }}
          : float16[3, 4]
        output Z = z
        """
    )
  }

  @Test func doesCastsInEachReader() throws {
    try expect(
      PrologueFusion(),
      on: """
        input x: float16[3, 4]
        w = pointwise(x) {body: (p: float16) { t = cast(p, float32); return t }}
        y = softmax(w) {axis: 1}
        z = softmax(w) {axis: 0}
        output Y = y
        output Z = z
        """,
      becomes: """
        input x: float16[3, 4]
        y = softmax(x) {axis: 1, prologue: (x0: float16) { t1 = cast(x0, float32); return t1 }}
          : float32[3, 4]
        z = softmax(x) {axis: 0, prologue: (x0: float16) { t1 = cast(x0, float32); return t1 }}
          : float32[3, 4]
        output Y = y
        output Z = z
        """
    )
  }

  @Test func findsPositionsAmongRoundedValues() throws {
    try expect(
      PrologueFusion(),
      on: """
        input x: float16[3, 4]
        w = pointwise(x) {body: (p: float16) { t = sin(p); return t }}
        y = arg_reduce(w) {maximum: true, axis: 1}
        output Y = y
        """,
      becomes: """
        input x: float16[3, 4]
        w = pointwise(x) {body: (x0: float16) { t1 = sin(x0); return t1 }} : float16[3, 4]
        y = arg_reduce(w) {maximum: true, axis: 1} : int64[3]
        output Y = y
        """
    )
  }

  @Test func takesNothingThatTheOperatorNeedsElsewhere() throws {
    try expect(
      PrologueFusion(),
      on: """
        input x: float32[4]
        s = pointwise(x) {body: (p: float32) { t = sin(p); u = exp(t); return u }}
        y = layer_norm(s, s) {epsilon: 0.1, bias: false}
        output Y = y
        """,
      becomes: """
        input x: float32[4]
        s = pointwise(x) {body: (x0: float32) { t1 = sin(x0); t2 = exp(t1); return t2 }}
          : float32[4]
        y = layer_norm(s, s) {epsilon: 0.1, bias: false} : float32[4]
        output Y = y
        """
    )
  }
}
