import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct PointwiseFusionTests {
  @Test func mergesChainsAndKeepsWhatOthersRead() throws {
    try expect(
      PointwiseFusion(),
      on: """
        input x: float32[2, 3]
        input y: float32[3]
        a = pointwise(x, y) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        b = pointwise(a) {body: (p: float32) { t = tanh(p); return t }}
        c = pointwise(b, a) {body: (p: float32, q: float32) { t = multiply(p, q); return t }}
        s = softmax(b) {axis: 1}
        output C = c
        output S = s
        """,
      becomes: """
        input x: float32[2, 3]
        input y: float32[3]
        c, b = pointwise(x, y) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); t3 = tanh(t2);
          t4 = multiply(t3, t2); return t4, t3 }} : float32[2, 3], float32[2, 3]
        s = softmax(b) {axis: 1} : float32[2, 3]
        output C = c
        output S = s
        """
    )
  }

  @Test func makesNoCycle() throws {
    try expect(
      PointwiseFusion(),
      on: """
        input x: float32[3, 3]
        a = pointwise(x) {body: (p: float32) { t = tanh(p); return t }}
        m = matmul(a, x)
        b = pointwise(a, m) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        output B = b
        """,
      becomes: """
        input x: float32[3, 3]
        a = pointwise(x) {body: (x0: float32) { t1 = tanh(x0); return t1 }} : float32[3, 3]
        m = matmul(a, x) : float32[3, 3]
        b = pointwise(a, m) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[3, 3]
        output B = b
        """
    )
  }

  @Test func recomputesCheapSmallWorkOnly() throws {
    try expect(
      PointwiseFusion(),
      on: """
        input x: float32[2, 3]
        input y: float32[3]
        a = pointwise(y) {body: (p: float32) { t = negate(p); return t }}
        b = pointwise(x, a) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        c = pointwise(y) {body: (p: float32) { t = exp(p); return t }}
        d = pointwise(b, c) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        output D = d
        """,
      becomes: """
        input x: float32[2, 3]
        input y: float32[3]
        c = pointwise(y) {body: (x0: float32) { t1 = exp(x0); return t1 }} : float32[3]
        d = pointwise(x, y, c) {body: (x0: float32, x1: float32, x2: float32) {
          t3 = subtract(x0, x1); t4 = add(t3, x2); return t4 }} : float32[2, 3]
        output D = d
        """
    )
  }

  @Test func keepsWorkOnConstantsApart() throws {
    try expect(
      PointwiseFusion(),
      on: """
        input x: float32[3]
        constant w: float32[3]
        a = pointwise(w) {body: (p: float32) { t = negate(p); return t }}
        b = pointwise(a) {body: (p: float32) { t = abs(p); return t }}
        c = pointwise(x, b) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        output C = c
        """,
      becomes: """
        input x: float32[3]
        constant w: float32[3]
        b = pointwise(w) {body: (x0: float32) { t1 = abs(x0); return t1 }} : float32[3]
        c = pointwise(x, b) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[3]
        output C = c
        """
    )
  }

  @Test func doesCastsInEachReader() throws {
    try expect(
      PointwiseFusion(),
      on: """
        input x: float16[2, 3]
        w = pointwise(x) {body: (p: float16) { t = cast(p, float32); return t }}
        a = pointwise(w) {body: (p: float32) { t = sin(p); return t }}
        s = softmax(w) {axis: 1}
        output A = a
        output S = s
        """,
      becomes: """
        input x: float16[2, 3]
        w = pointwise(x) {body: (x0: float16) { t1 = cast(x0, float32); return t1 }} : float32[2, 3]
        s = softmax(w) {axis: 1} : float32[2, 3]
        a = pointwise(x) {body: (x0: float16) { t1 = cast(x0, float32); t2 = sin(t1); return t2 }}
          : float32[2, 3]
        output A = a
        output S = s
        """
    )
  }

  @Test func leavesResultsToTheProductThatEndsInThem() throws {
    try expect(
      PointwiseFusion(),
      on: """
        input x: float32[3, 3]
        m = matmul(x, x)
        a = pointwise(m) {body: (p: float32) { t = tanh(p); return t }}
        s = softmax(m) {axis: 1}
        b = pointwise(a, s) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        output A = a
        output B = b
        """,
      becomes: """
        input x: float32[3, 3]
        m = matmul(x, x) : float32[3, 3]
        a = pointwise(m) {body: (x0: float32) { t1 = tanh(x0); return t1 }} : float32[3, 3]
        s = softmax(m) {axis: 1} : float32[3, 3]
        b = pointwise(a, s) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[3, 3]
        output A = a
        output B = b
        """
    )
  }
}
