import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct PermuteMotionTests {
  @Test func movesPermutesBehindWork() throws {
    try expect(
      PermuteMotion(),
      on: """
        symbol n: 1...8
        input x: float32[n, 5, 6, 4]
        input s: float32[n, 1, 1, 4]
        input b: float32[4, 1, 1]
        p = permute(x) {permutation: [0, 3, 1, 2]}
        q = permute(s) {permutation: [0, 3, 1, 2]}
        y = pointwise(p, q, b) {body: (x0: float32, x1: float32, x2: float32)
          { t3 = multiply(x0, x1); t4 = add(t3, x2); return t4 }}
        z = pointwise(y) {body: (x0: float32) { t1 = relu(x0); return t1 }}
        output Z = z
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 5, 6, 4]
        input s: float32[n, 1, 1, 4]
        input b: float32[4, 1, 1]
        q = permute(s) {permutation: [0, 3, 1, 2]} : float32[n, 4, 1, 1]
        q_reshape = reshape(q) {shape: [n, 1, 1, 4]} : float32[n, 1, 1, 4]
        b_reshape = reshape(b) {shape: [4]} : float32[4]
        y_1 = pointwise(x, q_reshape, b_reshape) {body: (x0: float32, x1: float32, x2: float32)
          { t3 = multiply(x0, x1); t4 = add(t3, x2); return t4 }} : float32[n, 5, 6, 4]
        z_1 = pointwise(y_1) {body: (x0: float32) { t1 = relu(x0); return t1 }} : float32[n, 5, 6, 4]
        z = permute(z_1) {permutation: [0, 3, 1, 2]} : float32[n, 4, 5, 6]
        output Z = z
        """
    )
  }

  @Test func movesPermutesBehindWhatTreatsAxesAlike() throws {
    try expect(
      PermuteMotion(),
      on: """
        symbol n: 1...8
        input x: float32[n, 5, 6, 4]
        input s: float32[n, 5, 6, 3]
        p = permute(x) {permutation: [0, 3, 1, 2]}
        q = permute(s) {permutation: [0, 3, 1, 2]}
        whole = concat(p, q) {axis: 1}
        part = slice(whole) {starts: [0, 2, 1, 0], sizes: [n, 5, 4, 6]}
        wide = pad(part) {low: [0, 1, 2, 3], high: [0, 4, 5, 6], value: 1.0}
        output Y = wide
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 5, 6, 4]
        input s: float32[n, 5, 6, 3]
        whole_1 = concat(x, s) {axis: 3} : float32[n, 5, 6, 7]
        part_1 = slice(whole_1) {starts: [0, 1, 0, 2], sizes: [n, 4, 6, 5]} : float32[n, 4, 6, 5]
        wide_1 = pad(part_1) {low: [0, 2, 3, 1], high: [0, 5, 6, 4], value: 1.0} : float32[n, 11, 15, 10]
        wide = permute(wide_1) {permutation: [0, 3, 1, 2]} : float32[n, 10, 11, 15]
        output Y = wide
        """
    )
  }

  /// Parts of which one lies as the whole, or is permuted in another way.
  @Test func leavesConcatenationsOfOthers() throws {
    let before = """
      input x: float32[2, 5, 5, 4]
      input r: float32[2, 4, 5, 5]
      p = permute(x) {permutation: [0, 3, 1, 2]} : float32[2, 4, 5, 5]
      a = concat(p, r) {axis: 1} : float32[2, 8, 5, 5]
      q = permute(x) {permutation: [0, 3, 2, 1]} : float32[2, 4, 5, 5]
      b = concat(p, q) {axis: 1} : float32[2, 8, 5, 5]
      output A = a
      output B = b
      """
    try expect(PermuteMotion(), on: before, becomes: before)
  }

  /// A permute that keeps the last axis, an operand that lies as the result, and constants.
  @Test func leavesTheRest() throws {
    let before = """
      input x: float32[3, 5, 4]
      input r: float32[4, 3, 5]
      constant c: float32[3, 5, 4]
      p = permute(x) {permutation: [1, 0, 2]}
      a = pointwise(p) {body: (x0: float32) { t1 = exp(x0); return t1 }}
      q = permute(x) {permutation: [2, 0, 1]}
      b = pointwise(q, r) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
      d = permute(c) {permutation: [2, 0, 1]}
      e = pointwise(d) {body: (x0: float32) { t1 = exp(x0); return t1 }}
      output A = a
      output B = b
      output E = e
      """
    try expect(PermuteMotion(), on: before, becomes: before)
  }
}
