import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct IdentityRemovalTests {
  @Test func removesViewsThatChangeNothing() throws {
    try expect(
      IdentityRemoval(),
      on: """
        symbol n: 1...8
        input x: float32[n, 3]
        a = slice(x) {starts: [0, 0], sizes: [n, 3]}
        b = pad(a) {low: [0, 0], high: [0, 0]}
        c = concat(b) {axis: 1}
        d = expand(c) {shape: [n, 3]}
        e = permute(d) {permutation: [0, 1]}
        f = reshape(e) {shape: [n, 3]}
        g = identity(f)
        y = softmax(g) {axis: 1}
        output Y = y
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 3]
        y = softmax(x) {axis: 1} : float32[n, 3]
        output Y = y
        """
    )
  }

  @Test func keepsWhatChangesZerosAndNaN() throws {
    try expect(
      IdentityRemoval(),
      on: """
        input x: float32[3]
        y = pointwise(x) {body: (a: float32) { zero = 0.0: float32; t = add(a, zero);
          u = multiply(t, zero); v = subtract(u, a); return v }}
        output Y = y
        """,
      becomes: """
        input x: float32[3]
        y = pointwise(x) {body: (x0: float32) { t1 = 0.0: float32; t2 = add(x0, t1);
          t3 = multiply(t2, t1); t4 = subtract(t3, x0); return t4 }} : float32[3]
        output Y = y
        """
    )
  }

  @Test func removesWorkThatChangesNothing() throws {
    try expect(
      IdentityRemoval(),
      on: """
        input x: float32[3]
        y = pointwise(x) {body: (a: float32) { zero = 0.0: float32; one = 1.0: float32;
          least = -0.0: float32; t = subtract(a, zero); u = multiply(one, t); v = divide(u, one);
          w = add(least, v); n = negate(w); m = negate(n); wide = cast(m, float64);
          back = cast(wide, float32); e = exp(back); s = add(e, zero); return s }}
        output Y = y
        """,
      becomes: """
        input x: float32[3]
        y = pointwise(x) {body: (x0: float32) { t1 = exp(x0); return t1 }} : float32[3]
        output Y = y
        """
    )
  }

  @Test func findsCheaperWords() throws {
    try expect(
      IdentityRemoval(),
      on: """
        input x: float32[3]
        y, z = pointwise(x) {body: (a: float32) { two = 2.0: float32; three = 3.0: float32;
          eight = 8.0: float32; t = power(a, two); u = power(a, three); v = multiply(u, u);
          w = add(v, t); o = divide(w, eight); th = divide(w, three); return o, th }}
        output Y = y
        output Z = z
        """,
      becomes: """
        input x: float32[3]
        y, z = pointwise(x) {body: (x0: float32) { t1 = 3.0: float32; t2 = square(x0);
          t3 = multiply(t2, x0); t4 = square(t3); t5 = add(t4, t2); t6 = 0.125: float32;
          t7 = multiply(t5, t6); t8 = divide(t5, t1); return t7, t8 }} : float32[3], float32[3]
        output Y = y
        output Z = z
        """
    )
  }

  @Test func keepsRoundingThatTheProgramAsksFor() throws {
    try expect(
      IdentityRemoval(),
      on: """
        input x: float32[3]
        y = pointwise(x) {body: (a: float32) { half = cast(a, float16); back = cast(half, float32);
          return back }}
        output Y = y
        """,
      becomes: """
        input x: float32[3]
        y = pointwise(x) {body: (x0: float32) { t1 = cast(x0, float16); t2 = cast(t1, float32);
          return t2 }} : float32[3]
        output Y = y
        """
    )
  }

  @Test func forwardsResultsThatAreOperands() throws {
    try expect(
      IdentityRemoval(),
      on: """
        input x: float32[2, 3]
        input b: float32[3]
        y, z, w = pointwise(x, b) {body: (a: float32, c: float32) { t = add(a, c); return a, c, t }}
        s = softmax(y) {axis: 0}
        t = softmax(z) {axis: 0}
        output S = s
        output T = t
        output W = w
        """,
      becomes: """
        input x: float32[2, 3]
        input b: float32[3]
        s = softmax(x) {axis: 0} : float32[2, 3]
        b_expand = expand(b) {shape: [2, 3]} : float32[2, 3]
        t = softmax(b_expand) {axis: 0} : float32[2, 3]
        w = pointwise(x, b) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[2, 3] @y
        output S = s
        output T = t
        output W = w
        """
    )
  }

  @Test func makesReductionsOfOneElementPointwise() throws {
    try expect(
      IdentityRemoval(),
      on: """
        input x: float32[2, 1]
        input n: int32[2, 1]
        a = reduce(x) {kind: "sum", axes: [1]}
        b = reduce(x) {kind: "maximum", axes: [1], keep_dimensions: true}
        c = reduce(n) {kind: "sum", axes: [1], keep_dimensions: true}
        d = reduce(x) {kind: "variance", axes: [1], correction: 0}
        p = softmax(b) {axis: 0}
        output A = a
        output P = p
        output C = c
        output D = d
        """,
      becomes: """
        input x: float32[2, 1]
        input n: int32[2, 1]
        d = reduce(x) {kind: "variance", axes: [1], correction: 0.0} : float32[2]
        p = softmax(x) {axis: 0} : float32[2, 1]
        a_1 = pointwise(x) {body: (x0: float32) { t1 = 0.0: float32; t2 = add(x0, t1); return t2 }}
          : float32[2, 1]
        a = reshape(a_1) {shape: [2]} : float32[2]
        c = pointwise(n) {body: (x0: int32) { t1 = cast(x0, int64); return t1 }} : int64[2, 1]
        output A = a
        output P = p
        output C = c
        output D = d
        """
    )
  }
}
