import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct SoftmaxRecognitionTests {
  @Test func findsSoftmax() throws {
    try expect(
      SoftmaxRecognition(),
      on: """
        input x: float32[2, 3]
        m = reduce(x) {kind: "maximum", axes: [1], keep_dimensions: true}
        e = pointwise(x, m) {body: (a: float32, b: float32) { t = subtract(a, b); u = exp(t);
          return u }}
        s = reduce(e) {kind: "sum", axes: [1], keep_dimensions: true}
        y = pointwise(e, s) {body: (a: float32, b: float32) { t = divide(a, b); u = tanh(t);
          return u }}
        output Y = y
        """,
      becomes: """
        input x: float32[2, 3]
        y_softmax = softmax(x) {axis: 1} : float32[2, 3]
        y = pointwise(y_softmax) {body: (x0: float32) { t1 = tanh(x0); return t1 }} : float32[2, 3]
        output Y = y
        """
    )
  }

  @Test func findsLogarithmicForms() throws {
    try expect(
      SoftmaxRecognition(),
      DeadCodeElimination(),
      on: """
        input x: float32[2, 3]
        m = reduce(x) {kind: "maximum", axes: [1]}
        k = reshape(m) {shape: [2, 1]}
        d = pointwise(x, k) {body: (a: float32, b: float32) { t = subtract(a, b); return t }}
        e = pointwise(d) {body: (a: float32) { t = exp(a); return t }}
        s = reduce(e) {kind: "sum", axes: [1], keep_dimensions: true}
        l = pointwise(s) {body: (a: float32) { t = log(a); return t }}
        y = pointwise(d, l) {body: (a: float32, b: float32) { t = subtract(a, b); return t }}
        z = pointwise(k, l) {body: (a: float32, b: float32) { t = add(a, b); return t }}
        output Y = y
        output Z = z
        """,
      becomes: """
        input x: float32[2, 3]
        y = softmax(x) {axis: 1, log: true} : float32[2, 3]
        z = reduce(x) {kind: "log_sum_exp", axes: [1], keep_dimensions: true} : float32[2, 1]
        output Y = y
        output Z = z
        """
    )
  }

  @Test func leavesWhatIsNoSoftmax() throws {
    let before = """
      input x: float32[2, 3]
      input v: float32[2, 3]
      m = reduce(x) {kind: "maximum", axes: [1], keep_dimensions: true}
      n = reduce(v) {kind: "maximum", axes: [1], keep_dimensions: true}
      e = pointwise(x, m) {body: (a: float32, b: float32) { t = subtract(a, b); u = exp(t);
        return u }}
      f = pointwise(x, n) {body: (a: float32, b: float32) { t = subtract(a, b); u = exp(t);
        return u }}
      g = pointwise(x) {body: (a: float32) { t = exp(a); return t }}
      s = reduce(e) {kind: "sum", axes: [0], keep_dimensions: true}
      r = reduce(f) {kind: "sum", axes: [1], keep_dimensions: true}
      h = reduce(g) {kind: "sum", axes: [1], keep_dimensions: true}
      y = pointwise(e, s) {body: (a: float32, b: float32) { t = divide(a, b); return t }}
      z = pointwise(f, r) {body: (a: float32, b: float32) { t = divide(a, b); return t }}
      w = pointwise(g, h) {body: (a: float32, b: float32) { t = divide(a, b); return t }}
      q = pointwise(e, r) {body: (a: float32, b: float32) { t = divide(a, b); return t }}
      output Y = y
      output Z = z
      output W = w
      output Q = q
      """
    try expect(SoftmaxRecognition(), on: before, becomes: before)
  }
}
