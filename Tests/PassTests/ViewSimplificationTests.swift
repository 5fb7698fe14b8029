import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct ViewSimplificationTests {
  @Test func composesViews() throws {
    try expect(
      ViewSimplification(),
      on: """
        symbol n: 1...8
        input x: float32[n, 4, 6]
        a = permute(x) {permutation: [1, 2, 0]}
        b = permute(a) {permutation: [1, 2, 0]}
        c = reshape(x) {shape: [n, 24]}
        d = reshape(c) {shape: [n, 2, 12]}
        e = slice(x) {starts: [0, 1, 5], sizes: [n, 3, 3], steps: [1, 1, -2]}
        f = slice(e) {starts: [0, 2, 1], sizes: [n, 1, 2], steps: [1, 1, 1]}
        g = expand(f) {shape: [n, 4, 2]}
        h = expand(g) {shape: [3, n, 4, 2]}
        output B = b
        output D = d
        output F = f
        output H = h
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 4, 6]
        b = permute(x) {permutation: [2, 0, 1]} : float32[6, n, 4]
        d = reshape(x) {shape: [n, 2, 12]} : float32[n, 2, 12]
        f = slice(x) {starts: [0, 3, 3], sizes: [n, 1, 2], steps: [1, 1, -2]} : float32[n, 1, 2]
        h = expand(f) {shape: [3, n, 4, 2]} : float32[3, n, 4, 2]
        output B = b
        output D = d
        output F = f
        output H = h
        """
    )
  }

  /// The heads of PyTorch's attention, which joins them with the batch first.
  @Test func dividesAxesInFrontOfAPermute() throws {
    try expect(
      ViewSimplification(),
      on: """
        symbol n: 1...8
        input x: float32[1, 7, n, 12]
        a = reshape(x) {shape: [7, 3*n, 4]}
        b = permute(a) {permutation: [1, 0, 2]}
        c = reshape(b) {shape: [n, 3, 7, 4]}
        d = permute(x) {permutation: [2, 1, 0, 3]}
        e = reshape(d) {shape: [n, 7, 1, 3, 4]}
        f = permute(e) {permutation: [3, 1, 0, 2, 4]}
        output C = c
        output F = f
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[1, 7, n, 12]
        x_reshape = reshape(x) {shape: [7, n, 3, 4]} : float32[7, n, 3, 4]
        c = permute(x_reshape) {permutation: [1, 2, 0, 3]} : float32[n, 3, 7, 4]
        x_reshape_1 = reshape(x) {shape: [7, n, 1, 3, 4]} : float32[7, n, 1, 3, 4]
        f = permute(x_reshape_1) {permutation: [3, 0, 1, 2, 4]} : float32[3, 7, n, 1, 4]
        output C = c
        output F = f
        """
    )
  }

  @Test func cancelsInversePermutes() throws {
    try expect(
      ViewSimplification(),
      on: """
        input x: float32[2, 3, 4]
        input y: float32[2, 3, 4]
        a = permute(x) {permutation: [0, 2, 1]}
        b = permute(y) {permutation: [0, 2, 1]}
        s = pointwise(a, b) {body: (p: float32, q: float32) { t = add(p, q); u = exp(t); return u }}
        z = permute(s) {permutation: [0, 2, 1]}
        output Z = z
        """,
      becomes: """
        input x: float32[2, 3, 4]
        input y: float32[2, 3, 4]
        s_1 = pointwise(x, y) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); t3 = exp(t2);
          return t3 }} : float32[2, 3, 4]
        output Z = s_1
        """
    )
  }

  @Test func leavesPermutesWhereACopyWouldBeMade() throws {
    try expect(
      ViewSimplification(),
      on: """
        input x: float32[2, 3, 4]
        a = permute(x) {permutation: [0, 2, 1]}
        e = pointwise(a) {body: (p: float32) { t = exp(p); return t }}
        output Y = e
        """,
      becomes: """
        input x: float32[2, 3, 4]
        a = permute(x) {permutation: [0, 2, 1]} : float32[2, 4, 3]
        e = pointwise(a) {body: (x0: float32) { t1 = exp(x0); return t1 }} : float32[2, 4, 3]
        output Y = e
        """
    )
  }

  @Test func knowsReshapesInDisguise() throws {
    try expect(
      ViewSimplification(),
      on: """
        symbol n: 1...8
        input x: float32[n, 1, 4]
        a = permute(x) {permutation: [1, 0, 2]}
        b = expand(x) {shape: [1, n, 1, 4]}
        m = reduce(x) {kind: "mean", axes: [2]}
        r = reshape(m) {shape: [n, 1, 1]}
        output A = a
        output B = b
        output R = r
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 1, 4]
        a = reshape(x) {shape: [1, n, 4]} : float32[1, n, 4]
        b = reshape(x) {shape: [1, n, 1, 4]} : float32[1, n, 1, 4]
        r = reduce(x) {kind: "mean", axes: [2], keep_dimensions: true} : float32[n, 1, 1] @m
        output A = a
        output B = b
        output R = r
        """
    )
  }

  @Test func dropsRepetitionThatReadersDo() throws {
    try expect(
      ViewSimplification(),
      on: """
        symbol n: 1...8
        input x: float32[n, 3, 4]
        input b: float32[4]
        input w: float32[4, 5]
        i = expand(b) {shape: [n, 3, 4]}
        v = expand(w) {shape: [n, 4, 5]}
        s = pointwise(x, i) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        m = matmul(s, v)
        u = expand(b) {shape: [2, 4]}
        k = pointwise(u) {body: (p: float32) { t = exp(p); return t }}
        output M = m
        output K = k
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 3, 4]
        input b: float32[4]
        input w: float32[4, 5]
        s = pointwise(x, b) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[n, 3, 4]
        m = matmul(s, w) : float32[n, 3, 5]
        u = expand(b) {shape: [2, 4]} : float32[2, 4]
        k = pointwise(u) {body: (x0: float32) { t1 = exp(x0); return t1 }} : float32[2, 4]
        output M = m
        output K = k
        """
    )
  }

  @Test func computesBeforeRepeating() throws {
    try expect(
      ViewSimplification(),
      on: """
        symbol n: 1...8
        input mask: float32[n, 1, 1, 4]
        input x: float32[n, 2, 4, 4]
        wide = expand(mask) {shape: [n, 1, 4, 4]}
        bias = pointwise(wide) {body: (p: float32) { c = -10.0: float32; t = multiply(p, c);
          return t }}
        y = pointwise(x, bias) {body: (p: float32, q: float32) { t = add(p, q); return t }}
        output Y = y
        """,
      becomes: """
        symbol n: 1...8
        input mask: float32[n, 1, 1, 4]
        input x: float32[n, 2, 4, 4]
        bias_1 = pointwise(mask) {body: (x0: float32) { t1 = -10.0: float32; t2 = multiply(x0, t1);
          return t2 }} : float32[n, 1, 1, 4]
        y = pointwise(x, bias_1) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
          : float32[n, 2, 4, 4]
        output Y = y
        """
    )
  }
}
