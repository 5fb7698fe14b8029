import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct ScalarInliningTests {
  @Test func makesScalarsLiterals() throws {
    try expect(
      ScalarInlining(),
      on: """
        input x: float32[2, 3]
        literal two: float32[] = {2}
        half = full() {shape: [1, 3], dtype: float32, value: 0.5}
        y = pointwise(x, half, two) {body: (a: float32, b: float32, c: float32) {
          t = multiply(a, b); u = power(t, c); return u }}
        output Y = y
        """,
      becomes: """
        input x: float32[2, 3]
        y = pointwise(x) {body: (x0: float32) { t1 = 0.5: float32; t2 = multiply(x0, t1);
          t3 = square(t2); return t3 }} : float32[2, 3]
        output Y = y
        """
    )
  }

  @Test func keepsOperandsThatGiveTheShape() throws {
    try expect(
      ScalarInlining(),
      on: """
        input x: float32[3]
        wide = full() {shape: [2, 3], dtype: float32, value: 4.0}
        y = pointwise(x, wide) {body: (a: float32, b: float32) { t = multiply(a, b); return t }}
        output Y = y
        """,
      becomes: """
        input x: float32[3]
        wide = full() {shape: [2, 3], dtype: float32, value: 4.0} : float32[2, 3]
        y = pointwise(x, wide) {body: (x0: float32, x1: float32) { t2 = multiply(x0, x1);
          return t2 }} : float32[2, 3]
        output Y = y
        """
    )
  }

  @Test func keepsNamedConstants() throws {
    try expect(
      ScalarInlining(),
      on: """
        input x: float32[3]
        constant scale: float32[] = {4}
        y = pointwise(x, scale) {body: (a: float32, b: float32) { t = multiply(a, b); return t }}
        output Y = y
        """,
      becomes: """
        input x: float32[3]
        constant scale: float32[] = {4.0}
        y = pointwise(x, scale) {body: (x0: float32, x1: float32) { t2 = multiply(x0, x1);
          return t2 }} : float32[3]
        output Y = y
        """
    )
  }

  @Test func makesWorkOnScalarsAScalar() throws {
    try expect(
      ScalarInlining(),
      on: """
        symbol n: 1...8
        input x: float32[n]
        ones = full() {shape: [n], dtype: float32, value: 1.0}
        twos = pointwise(ones) {body: (a: float32) { t = add(a, a); return t }}
        column = reshape(twos) {shape: [n, 1]}
        y = matmul(column, column) {transpose_a: true}
        output Y = y
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n]
        column = full() {shape: [n, 1], dtype: float32, value: 2.0} : float32[n, 1]
        y = matmul(column, column) {transpose_a: true} : float32[1, 1]
        output Y = y
        """
    )
  }
}
