import AITGraph

// Operators on tensors and numbers. Shapes broadcast by NumPy's rule, types promote as in PyTorch.
// An operator cannot learn its line: nodes and diagnostics name that of the nearest operand.

extension Tensor {
  // MARK: - Arithmetic

  /// The sum; of truth values, whether either is true.
  public static func + (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.add, [left, right], nil)
  }

  /// The sum; of truth values, whether either is true.
  public static func + (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.add, [left, right], nil)
  }

  /// The difference.
  public static func - (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.subtract, [left, right], nil)
  }

  /// The difference.
  public static func - (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.subtract, [left, right], nil)
  }

  /// The product; of truth values, whether both are true.
  public static func * (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.multiply, [left, right], nil)
  }

  /// The product; of truth values, whether both are true.
  public static func * (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.multiply, [left, right], nil)
  }

  /// The true quotient: that of integers is float32.
  public static func / (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.divide, [left, right], nil)
  }

  /// The true quotient: that of integers is float32.
  public static func / (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.divide, [left, right], nil)
  }

  /// The remainder with the sign of the divisor, as Python's.
  public static func % (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.remainder, [left, right], nil)
  }

  /// The remainder with the sign of the divisor, as Python's.
  public static func % (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.remainder, [left, right], nil)
  }

  /// The negative of each element.
  public static prefix func - (x: Tensor) -> Tensor { x.applying(.negate, nil) }

  /// Replaces the tensor: `x += y` is `x = x + y`.
  public static func += (left: inout Tensor, right: some TensorOperand) { left = left + right }

  /// Replaces the tensor: `x -= y` is `x = x - y`.
  public static func -= (left: inout Tensor, right: some TensorOperand) { left = left - right }

  /// Replaces the tensor: `x *= y` is `x = x * y`.
  public static func *= (left: inout Tensor, right: some TensorOperand) { left = left * right }

  /// Replaces the tensor: `x /= y` is `x = x / y`.
  public static func /= (left: inout Tensor, right: some TensorOperand) { left = left / right }

  // MARK: - Comparisons

  /// Whether elements are equal: bool.
  public static func .== (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.equal, [left, right], nil)
  }

  /// Whether elements are equal: bool.
  public static func .== (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.equal, [left, right], nil)
  }

  /// Whether elements differ: bool.
  public static func .!= (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.notEqual, [left, right], nil)
  }

  /// Whether elements differ: bool.
  public static func .!= (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.notEqual, [left, right], nil)
  }

  /// Whether elements on the left are less: bool.
  public static func .< (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.less, [left, right], nil)
  }

  /// Whether elements on the left are less: bool.
  public static func .< (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.less, [left, right], nil)
  }

  /// Whether elements on the left are less or equal: bool.
  public static func .<= (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.lessEqual, [left, right], nil)
  }

  /// Whether elements on the left are less or equal: bool.
  public static func .<= (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.lessEqual, [left, right], nil)
  }

  /// Whether elements on the left are greater: bool.
  public static func .> (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.greater, [left, right], nil)
  }

  /// Whether elements on the left are greater: bool.
  public static func .> (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.greater, [left, right], nil)
  }

  /// Whether elements on the left are greater or equal: bool.
  public static func .>= (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.greaterEqual, [left, right], nil)
  }

  /// Whether elements on the left are greater or equal: bool.
  public static func .>= (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.greaterEqual, [left, right], nil)
  }

  // MARK: - Bits and truth

  /// The bits set in both; of truth values, whether both are true.
  public static func & (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.and, [left, right], nil)
  }

  /// The bits set in both; of truth values, whether both are true.
  public static func & (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.and, [left, right], nil)
  }

  /// The bits set in either; of truth values, whether either is true.
  public static func | (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.or, [left, right], nil)
  }

  /// The bits set in either; of truth values, whether either is true.
  public static func | (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.or, [left, right], nil)
  }

  /// The bits set in one only; of truth values, whether they differ.
  public static func ^ (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.xor, [left, right], nil)
  }

  /// The bits set in one only; of truth values, whether they differ.
  public static func ^ (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.xor, [left, right], nil)
  }

  /// The bits moved to the left.
  public static func << (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.shiftLeft, [left, right], nil)
  }

  /// The bits moved to the left.
  public static func << (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.shiftLeft, [left, right], nil)
  }

  /// The bits moved to the right.
  public static func >> (left: Tensor, right: some TensorOperand) -> Tensor {
    apply(.shiftRight, [left, right], nil)
  }

  /// The bits moved to the right.
  public static func >> (left: some TensorScalar, right: Tensor) -> Tensor {
    apply(.shiftRight, [left, right], nil)
  }

  /// The bits inverted; of truth values, the opposite.
  public static prefix func ~ (x: Tensor) -> Tensor { x.applying(.not, nil) }
}
