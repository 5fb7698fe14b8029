import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct NormalizationRecognitionTests {
  @Test func findsRootMeanSquareNorms() throws {
    try expect(
      NormalizationRecognition(),
      on: """
        input x: float32[2, 4]
        constant w: float32[4]
        s = pointwise(x) {body: (a: float32) { t = square(a); return t }}
        m = reduce(s) {kind: "mean", axes: [1], keep_dimensions: true}
        r = pointwise(m) {body: (a: float32) { e = 1e-06: float32; t = add(a, e); u = rsqrt(t);
          return u }}
        y = pointwise(x, r, w) {body: (a: float32, b: float32, c: float32) { t = multiply(a, b);
          u = multiply(t, c); v = tanh(u); return v }}
        output Y = y
        """,
      becomes: """
        input x: float32[2, 4]
        constant w: float32[4]
        y_rms_norm = rms_norm(x, w) {epsilon: 1e-06} : float32[2, 4]
        y = pointwise(y_rms_norm) {body: (x0: float32) { t1 = tanh(x0); return t1 }} : float32[2, 4]
        output Y = y
        """
    )
  }

  @Test func findsLayerNorms() throws {
    try expect(
      NormalizationRecognition(),
      on: """
        input x: float32[2, 3, 4]
        constant w: float32[3, 4]
        constant b: float32[3, 4]
        m = reduce(x) {kind: "mean", axes: [1, 2], keep_dimensions: true}
        c = pointwise(x, m) {body: (a: float32, b: float32) { t = subtract(a, b); return t }}
        v = reduce(x) {kind: "variance", axes: [1, 2], correction: 0, keep_dimensions: true}
        r = pointwise(v) {body: (a: float32) { e = 0.001: float32; t = add(a, e); u = sqrt(t);
          return u }}
        n = pointwise(c, r) {body: (a: float32, b: float32) { t = divide(a, b); return t }}
        y = pointwise(w, n) {body: (a: float32, b: float32) { t = multiply(a, b); return t }}
        z = pointwise(y, b) {body: (a: float32, b: float32) { t = add(a, b); return t }}
        output Z = z
        """,
      becomes: """
        input x: float32[2, 3, 4]
        constant w: float32[3, 4]
        constant b: float32[3, 4]
        z = layer_norm(x, w, b) {axis_count: 2, epsilon: 0.001} : float32[2, 3, 4]
        output Z = z
        """
    )
  }

  @Test func givesNormsTheirWeights() throws {
    try expect(
      NormalizationRecognition(),
      on: """
        input x: float32[2, 4]
        constant w: float32[4]
        constant v: float32[2, 4]
        n = layer_norm(x) {epsilon: 0.001, weight: false, bias: false}
        y = pointwise(n, w) {body: (a: float32, b: float32) { t = multiply(a, b); return t }}
        k = rms_norm(x) {epsilon: 0.001, weight: false}
        z = pointwise(k, w) {body: (a: float32, b: float32) { t = multiply(a, b); u = add(t, a);
          return u }}
        l = rms_norm(x) {epsilon: 0.002, weight: false}
        u = pointwise(l, v) {body: (a: float32, b: float32) { t = multiply(a, b); return t }}
        output Y = y
        output Z = z
        output U = u
        """,
      becomes: """
        input x: float32[2, 4]
        constant w: float32[4]
        constant v: float32[2, 4]
        k = rms_norm(x) {epsilon: 0.001, weight: false} : float32[2, 4]
        z = pointwise(k, w) {body: (x0: float32, x1: float32) { t2 = multiply(x0, x1);
          t3 = add(t2, x0); return t3 }} : float32[2, 4]
        l = rms_norm(x) {epsilon: 0.002, weight: false} : float32[2, 4]
        u = pointwise(l, v) {body: (x0: float32, x1: float32) { t2 = multiply(x0, x1); return t2 }}
          : float32[2, 4]
        y = layer_norm(x, w) {epsilon: 0.001, bias: false} : float32[2, 4]
        output Y = y
        output Z = z
        output U = u
        """
    )
  }

  @Test func leavesWhatIsNoNorm() throws {
    let before = """
      input x: float32[4, 4]
      input v: float32[4, 4]
      s = pointwise(x) {body: (a: float32) { t = square(a); return t }}
      m = reduce(s) {kind: "mean", axes: [0], keep_dimensions: true}
      r = pointwise(m) {body: (a: float32) { e = 1e-06: float32; t = add(a, e); u = rsqrt(t);
        return u }}
      y = pointwise(x, r) {body: (a: float32, b: float32) { t = multiply(a, b); return t }}
      n = reduce(s) {kind: "mean", axes: [1], keep_dimensions: true}
      q = pointwise(n) {body: (a: float32) { e = 1e-06: float32; t = add(a, e); u = rsqrt(t);
        return u }}
      z = pointwise(v, q) {body: (a: float32, b: float32) { t = multiply(a, b); return t }}
      output Y = y
      output Z = z
      """
    try expect(NormalizationRecognition(), on: before, becomes: before)
  }
}
