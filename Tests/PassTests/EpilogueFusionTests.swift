import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct EpilogueFusionTests {
  @Test func takesChainsWithAnyOperands() throws {
    try expect(
      EpilogueFusion(),
      on: """
        symbol n: 1...8
        input x: float16[n, 4]
        input r: float16[n, 5]
        constant w: float16[4, 5]
        constant b: float16[5]
        m = matmul(x, w)
        y = pointwise(m, b, r) {body: (p: float16, q: float16, s: float16) { t = add(p, q);
          u = gelu(t); v = add(u, s); return v }}
        output Y = y
        """,
      becomes: """
        symbol n: 1...8
        input x: float16[n, 4]
        input r: float16[n, 5]
        constant w: float16[4, 5]
        constant b: float16[5]
        y = matmul(x, w, b, r) {epilogue: (x0: float16, x1: float16, x2: float16) {
          t3 = add(x0, x1); t4 = gelu(t3); t5 = add(t4, x2); return t5 }} : float16[n, 5] @m
        output Y = y
        """
    )
  }

  @Test func returnsTheRawResultToo() throws {
    try expect(
      EpilogueFusion(),
      on: """
        input x: float32[3, 3]
        m = matmul(x, x)
        y = pointwise(m) {body: (p: float32) { c = 2.0: float32; t = multiply(p, c); return t }}
        z = softmax(m) {axis: 1}
        output M = m
        output Y = y
        output Z = z
        """,
      becomes: """
        input x: float32[3, 3]
        y, m = matmul(x, x) {epilogue: (x0: float32) { t1 = 2.0: float32; t2 = multiply(x0, t1);
          return t2, x0 }} : float32[3, 3], float32[3, 3] @m
        z = softmax(m) {axis: 1} : float32[3, 3]
        output M = m
        output Y = y
        output Z = z
        """
    )
  }

  @Test func reachesThroughViews() throws {
    try expect(
      EpilogueFusion(),
      on: """
        symbol n: 1...4
        symbol l: 1...8
        input x: float32[n*l, 6]
        input r: float32[n, l, 8]
        input rows: float32[n]
        input cells: float32[l, 3]
        constant w: float32[6, 8]
        constant b: float32[8]
        m = matmul(x, w)
        a = reshape(m) {shape: [n, l, 8]}
        y = pointwise(a, b, r) {body: (p: float32, q: float32, s: float32) { t = add(p, q);
          u = add(t, s); return u }}
        k = matmul(x, w) {transpose_b: false}
        c = reshape(k) {shape: [n, l, 2, 4]}
        d = permute(c) {permutation: [0, 2, 1, 3]}
        z = pointwise(d) {body: (p: float32) { c = 0.5: float32; t = multiply(p, c); return t }}
        output Y = y
        output Z = z
        output R = rows
        output C = cells
        """,
      becomes: """
        symbol l: 1...8
        symbol n: 1...4
        input x: float32[l*n, 6]
        input r: float32[n, l, 8]
        input rows: float32[n]
        input cells: float32[l, 3]
        constant w: float32[6, 8]
        constant b: float32[8]
        k = matmul(x, w) {epilogue: (x0: float32) { t1 = 0.5: float32; t2 = multiply(x0, t1);
          return t2 }} : float32[l*n, 8]
        z_reshape = reshape(k) {shape: [n, l, 2, 4]} : float32[n, l, 2, 4]
        z = permute(z_reshape) {permutation: [0, 2, 1, 3]} : float32[n, 2, l, 4]
        r_reshape = reshape(r) {shape: [l*n, 8]} : float32[l*n, 8]
        m = matmul(x, w, b, r_reshape) {epilogue: (x0: float32, x1: float32, x2: float32) {
          t3 = add(x0, x1); t4 = add(t3, x2); return t4 }} : float32[l*n, 8]
        y = reshape(m) {shape: [n, l, 8]} : float32[n, l, 8]
        output Y = y
        output Z = z
        output R = rows
        output C = cells
        """
    )
  }

  @Test func leavesWorkWhoseOperandsWouldBeCopied() throws {
    try expect(
      EpilogueFusion(),
      on: """
        symbol n: 1...4
        symbol l: 1...8
        input x: float32[n*l, 6]
        input s: float32[n, 8, l]
        input rows: float32[n, 1, 1]
        input cells: float32[n, l]
        constant w: float32[6, 8]
        m = matmul(x, w)
        a = reshape(m) {shape: [n, l, 8]}
        u = permute(s) {permutation: [0, 2, 1]}
        y = pointwise(a, u) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        k = matmul(x, w)
        b = reshape(k) {shape: [n, l, 8]}
        z = pointwise(b, rows) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        output Y = y
        output Z = z
        output C = cells
        """,
      becomes: """
        symbol l: 1...8
        symbol n: 1...4
        input x: float32[l*n, 6]
        input s: float32[n, 8, l]
        input rows: float32[n, 1, 1]
        input cells: float32[n, l]
        constant w: float32[6, 8]
        m = matmul(x, w) : float32[l*n, 8]
        a = reshape(m) {shape: [n, l, 8]} : float32[n, l, 8]
        u = permute(s) {permutation: [0, 2, 1]} : float32[n, l, 8]
        y = pointwise(a, u) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[n, l, 8]
        k = matmul(x, w) : float32[l*n, 8]
        b = reshape(k) {shape: [n, l, 8]} : float32[n, l, 8]
        z = pointwise(b, rows) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[n, l, 8]
        output Y = y
        output Z = z
        output C = cells
        """
    )
  }

  @Test func takesNoOperandThatDependsOnTheResult() throws {
    try expect(
      EpilogueFusion(),
      on: """
        input x: float32[3, 3]
        m = matmul(x, x)
        s = reduce(m) {kind: "maximum", axes: [1], keep_dimensions: true}
        y = pointwise(m, s) {body: (p: float32, q: float32) { t = subtract(p, q); return t }}
        output Y = y
        """,
      becomes: """
        input x: float32[3, 3]
        m = matmul(x, x) : float32[3, 3]
        s = reduce(m) {kind: "maximum", axes: [1], keep_dimensions: true} : float32[3, 1]
        y = pointwise(m, s) {body: (x0: float32, x1: float32) { t2 = subtract(x0, x1); return t2 }}
          : float32[3, 3]
        output Y = y
        """
    )
  }

  @Test func keepsProductsOfConstantsConstant() throws {
    try expect(
      EpilogueFusion(),
      on: """
        input x: float32[3, 3]
        constant w: float32[3, 3]
        m = matmul(w, w)
        y = pointwise(m, x) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        output Y = y
        """,
      becomes: """
        input x: float32[3, 3]
        constant w: float32[3, 3]
        m = matmul(w, w) : float32[3, 3]
        y = pointwise(m, x) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[3, 3]
        output Y = y
        """
    )
  }

  @Test func endsNormsAndReductionsToo() throws {
    try expect(
      EpilogueFusion(),
      on: """
        input x: float32[3, 4]
        input b: float32[3]
        n = rms_norm(x) {epsilon: 0.1, weight: false}
        y = pointwise(n) {body: (p: float32) { t = silu(p); return t }}
        r = reduce(x) {kind: "mean", axes: [1]}
        z = pointwise(r, b) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        output Y = y
        output Z = z
        """,
      becomes: """
        input x: float32[3, 4]
        input b: float32[3]
        z = reduce(x, b) {kind: "mean", axes: [1], epilogue: (x0: float32, x1: float32) {
          t2 = add(x0, x1); return t2 }} : float32[3] @r
        y = rms_norm(x) {epsilon: 0.1, weight: false, epilogue: (x0: float32) { t1 = silu(x0);
          return t1 }} : float32[3, 4] @n
        output Y = y
        output Z = z
        """
    )
  }
}
