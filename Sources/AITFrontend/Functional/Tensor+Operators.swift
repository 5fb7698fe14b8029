import AITGraph

// Operators on tensors and numbers. Shapes broadcast by NumPy's rule, types promote as in PyTorch.
// An operator cannot learn its line: nodes and diagnostics name that of the nearest operand.

extension Tensor {
  // MARK: - Arithmetic

  /// The sum; of truth values, whether either is true.
  public static func + (left: Tensor, right: Tensor) -> Tensor {
    apply(.add, [left, right], nil)
  }

  /// The sum; of truth values, whether either is true.
  public static func + (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.add, [left, right], nil)
  }

  /// The sum; of truth values, whether either is true.
  public static func + (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.add, [left, right], nil)
  }

  /// The difference.
  public static func - (left: Tensor, right: Tensor) -> Tensor {
    apply(.subtract, [left, right], nil)
  }

  /// The difference.
  public static func - (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.subtract, [left, right], nil)
  }

  /// The difference.
  public static func - (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.subtract, [left, right], nil)
  }

  /// The product; of truth values, whether both are true.
  public static func * (left: Tensor, right: Tensor) -> Tensor {
    apply(.multiply, [left, right], nil)
  }

  /// The product; of truth values, whether both are true.
  public static func * (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.multiply, [left, right], nil)
  }

  /// The product; of truth values, whether both are true.
  public static func * (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.multiply, [left, right], nil)
  }

  /// The true quotient: that of integers is float32.
  public static func / (left: Tensor, right: Tensor) -> Tensor {
    apply(.divide, [left, right], nil)
  }

  /// The true quotient: that of integers is float32.
  public static func / (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.divide, [left, right], nil)
  }

  /// The true quotient: that of integers is float32.
  public static func / (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.divide, [left, right], nil)
  }

  /// The remainder with the sign of the divisor, as Python's.
  public static func % (left: Tensor, right: Tensor) -> Tensor {
    apply(.remainder, [left, right], nil)
  }

  /// The remainder with the sign of the divisor, as Python's.
  public static func % (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.remainder, [left, right], nil)
  }

  /// The remainder with the sign of the divisor, as Python's.
  public static func % (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.remainder, [left, right], nil)
  }

  /// The negative of each element.
  public static prefix func - (x: Tensor) -> Tensor { x.applying(.negate, nil) }

  /// Replaces the tensor: `x += y` is `x = x + y`.
  public static func += (left: inout Tensor, right: Tensor) { left = left + right }

  /// Replaces the tensor: `x += y` is `x = x + y`.
  public static func += (left: inout Tensor, right: some TensorScalar) { left = left + right }

  /// Replaces the tensor: `x -= y` is `x = x - y`.
  public static func -= (left: inout Tensor, right: Tensor) { left = left - right }

  /// Replaces the tensor: `x -= y` is `x = x - y`.
  public static func -= (left: inout Tensor, right: some TensorScalar) { left = left - right }

  /// Replaces the tensor: `x *= y` is `x = x * y`.
  public static func *= (left: inout Tensor, right: Tensor) { left = left * right }

  /// Replaces the tensor: `x *= y` is `x = x * y`.
  public static func *= (left: inout Tensor, right: some TensorScalar) { left = left * right }

  /// Replaces the tensor: `x /= y` is `x = x / y`.
  public static func /= (left: inout Tensor, right: Tensor) { left = left / right }

  /// Replaces the tensor: `x /= y` is `x = x / y`.
  public static func /= (left: inout Tensor, right: some TensorScalar) { left = left / right }

  // MARK: - Comparisons

  /// Whether elements are equal: bool.
  public static func .== (left: Tensor, right: Tensor) -> Tensor {
    apply(.equal, [left, right], nil)
  }

  /// Whether elements are equal: bool.
  public static func .== (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.equal, [left, right], nil)
  }

  /// Whether elements are equal: bool.
  public static func .== (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.equal, [left, right], nil)
  }

  /// Whether elements differ: bool.
  public static func .!= (left: Tensor, right: Tensor) -> Tensor {
    apply(.notEqual, [left, right], nil)
  }

  /// Whether elements differ: bool.
  public static func .!= (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.notEqual, [left, right], nil)
  }

  /// Whether elements differ: bool.
  public static func .!= (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.notEqual, [left, right], nil)
  }

  /// Whether elements on the left are less: bool.
  public static func .< (left: Tensor, right: Tensor) -> Tensor {
    apply(.less, [left, right], nil)
  }

  /// Whether elements on the left are less: bool.
  public static func .< (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.less, [left, right], nil)
  }

  /// Whether elements on the left are less: bool.
  public static func .< (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.less, [left, right], nil)
  }

  /// Whether elements on the left are less or equal: bool.
  public static func .<= (left: Tensor, right: Tensor) -> Tensor {
    apply(.lessEqual, [left, right], nil)
  }

  /// Whether elements on the left are less or equal: bool.
  public static func .<= (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.lessEqual, [left, right], nil)
  }

  /// Whether elements on the left are less or equal: bool.
  public static func .<= (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.lessEqual, [left, right], nil)
  }

  /// Whether elements on the left are greater: bool.
  public static func .> (left: Tensor, right: Tensor) -> Tensor {
    apply(.greater, [left, right], nil)
  }

  /// Whether elements on the left are greater: bool.
  public static func .> (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.greater, [left, right], nil)
  }

  /// Whether elements on the left are greater: bool.
  public static func .> (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.greater, [left, right], nil)
  }

  /// Whether elements on the left are greater or equal: bool.
  public static func .>= (left: Tensor, right: Tensor) -> Tensor {
    apply(.greaterEqual, [left, right], nil)
  }

  /// Whether elements on the left are greater or equal: bool.
  public static func .>= (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.greaterEqual, [left, right], nil)
  }

  /// Whether elements on the left are greater or equal: bool.
  public static func .>= (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.greaterEqual, [left, right], nil)
  }

  // MARK: - Bits and truth

  /// The bits set in both; of truth values, whether both are true.
  public static func & (left: Tensor, right: Tensor) -> Tensor {
    apply(.and, [left, right], nil)
  }

  /// The bits set in both; of truth values, whether both are true.
  public static func & (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.and, [left, right], nil)
  }

  /// The bits set in both; of truth values, whether both are true.
  public static func & (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.and, [left, right], nil)
  }

  /// The bits set in either; of truth values, whether either is true.
  public static func | (left: Tensor, right: Tensor) -> Tensor {
    apply(.or, [left, right], nil)
  }

  /// The bits set in either; of truth values, whether either is true.
  public static func | (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.or, [left, right], nil)
  }

  /// The bits set in either; of truth values, whether either is true.
  public static func | (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.or, [left, right], nil)
  }

  /// The bits set in one only; of truth values, whether they differ.
  public static func ^ (left: Tensor, right: Tensor) -> Tensor {
    apply(.xor, [left, right], nil)
  }

  /// The bits set in one only; of truth values, whether they differ.
  public static func ^ (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.xor, [left, right], nil)
  }

  /// The bits set in one only; of truth values, whether they differ.
  public static func ^ (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.xor, [left, right], nil)
  }

  /// The bits moved to the left.
  public static func << (left: Tensor, right: Tensor) -> Tensor {
    apply(.shiftLeft, [left, right], nil)
  }

  /// The bits moved to the left.
  public static func << (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.shiftLeft, [left, right], nil)
  }

  /// The bits moved to the left.
  public static func << (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.shiftLeft, [left, right], nil)
  }

  /// The bits moved to the right.
  public static func >> (left: Tensor, right: Tensor) -> Tensor {
    apply(.shiftRight, [left, right], nil)
  }

  /// The bits moved to the right.
  public static func >> (left: Tensor, right: some TensorScalar) -> Tensor {
    apply(.shiftRight, [left, right], nil)
  }

  /// The bits moved to the right.
  public static func >> (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.shiftRight, [left, right], nil)
  }

  /// The bits inverted; of truth values, the opposite.
  public static prefix func ~ (x: Tensor) -> Tensor { x.applying(.not, nil) }
}
