import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct ActivationRecognitionTests {
  @Test func findsActivations() throws {
    try expect(
      ActivationRecognition(),
      on: """
        input x: float32[4]
        a, b, c, d, e, f, g = pointwise(x) {body: (p: float32) { zero = 0.0: float32;
          half = 0.5: float32; one = 1.0: float32; three = 3.0: float32; six = 6.0: float32;
          root = 1.4142135: float32; k = 0.7978845608: float32; q = 0.044715: float32;
          s = sigmoid(p); silu = multiply(s, p); relu = maximum(zero, p); r = divide(p, root);
          e = erf(r); o = add(one, e); h = multiply(half, p); gelu = multiply(h, o);
          c = power(p, three); d = multiply(q, c); i = add(d, p); j = multiply(i, k); t = tanh(j);
          u = add(t, one); fast = multiply(u, h); n = negate(p); v = exp(n); w = add(one, v);
          g = reciprocal(w); a3 = add(p, three); lo = maximum(a3, zero); hi = minimum(lo, six);
          sw = multiply(p, hi); swish = divide(sw, six); up = greater(p, zero);
          sl = multiply(p, half); leaky = select(up, p, sl);
          return silu, relu, gelu, fast, g, swish, leaky }}
        output A = a
        output B = b
        output C = c
        output D = d
        output E = e
        output F = f
        output G = g
        """,
      becomes: """
        input x: float32[4]
        a, b, c, d, e, f, g = pointwise(x) {body: (x0: float32) { t1 = 0.5: float32;
          t2 = sigmoid(x0); t3 = silu(x0); t4 = relu(x0); t5 = gelu(x0); t6 = fast_gelu(x0);
          t7 = hard_swish(x0); t8 = leaky_relu(x0, t1); return t3, t4, t5, t6, t2, t7, t8 }}
          : float32[4], float32[4], float32[4], float32[4], float32[4], float32[4], float32[4]
        output A = a
        output B = b
        output C = c
        output D = d
        output E = e
        output F = f
        output G = g
        """
    )
  }

  @Test func leavesOtherProducts() throws {
    let before = """
      input x: float32[4]
      input z: float32[4]
      y, g = pointwise(x, z) {body: (a: float32, b: float32) { t2 = sigmoid(a);
        t3 = multiply(b, t2); t4 = 0.5: float32; t5 = multiply(a, t4); t6 = 0.7: float32;
        t7 = multiply(a, t6); t8 = erf(t7); t9 = 1.0: float32; t10 = add(t8, t9);
        t11 = multiply(t5, t10); return t3, t11 }}
      output Y = y
      output G = g
      """
    try expect(ActivationRecognition(), on: before, becomes: before)
  }
}
