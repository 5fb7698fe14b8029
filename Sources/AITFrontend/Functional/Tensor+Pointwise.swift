import AITGraph
import AITOperators

// Functions of two and more operands, element by element. Shapes broadcast by NumPy's rule
// (`shape-mismatch` if they cannot), types promote as in PyTorch; tensors and numbers may be mixed.

/// The greater of two elements; NaN if either is.
public func maximum(
  _ left: some TensorOperand,
  _ right: some TensorOperand,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  apply(.maximum, [left, right], .resolved(file, line))
}

/// The lesser of two elements; NaN if either is.
public func minimum(
  _ left: some TensorOperand,
  _ right: some TensorOperand,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  apply(.minimum, [left, right], .resolved(file, line))
}

/// The greater of two elements, or the one that is not NaN.
public func fmax(
  _ left: some TensorOperand,
  _ right: some TensorOperand,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  combine([left, right], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.fmax(x[0], x[1])
  }
}

/// The lesser of two elements, or the one that is not NaN.
public func fmin(
  _ left: some TensorOperand,
  _ right: some TensorOperand,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  combine([left, right], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.fmin(x[0], x[1])
  }
}

/// A base to the power of an exponent.
///
/// `dtype-mismatch` for integers to a negative number.
public func power(
  _ base: some TensorOperand,
  _ exponent: some TensorOperand,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  apply(.power, [base, exponent], .resolved(file, line))
}

/// The angle of the point (x, y), between -π and π.
public func atan2(
  _ y: some TensorOperand,
  _ x: some TensorOperand,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  apply(.atan2, [y, x], .resolved(file, line))
}

/// The remainder with the sign of the dividend, as C's `fmod`; `%` gives that with the sign of the
/// divisor.
public func fmod(
  _ dividend: some TensorOperand,
  _ divisor: some TensorOperand,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  apply(.fmod, [dividend, divisor], .resolved(file, line))
}

/// The quotient rounded toward minus infinity, in the operands' own type.
public func floorDivide(
  _ dividend: some TensorOperand,
  _ divisor: some TensorOperand,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  apply(.floorDivide, [dividend, divisor], .resolved(file, line))
}

/// `x` where the condition holds, `y` elsewhere; PyTorch's `where`.
///
/// - Parameters:
///   - condition: a bool tensor; `dtype-mismatch` otherwise.
///   - x: what is taken where the condition holds.
///   - y: what is taken elsewhere.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: the type in which x and y meet.
public func `where`(
  _ condition: Tensor,
  _ x: some TensorOperand,
  _ y: some TensorOperand,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  combine([condition, x, y], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.pointwise(.select, x, name: "where")
  }
}

extension Tensor {
  /// `x` where the condition holds, `y` elsewhere: the function of the same name, whose call needs
  /// backticks.
  public static func `where`(
    _ condition: Tensor,
    _ x: some TensorOperand,
    _ y: some TensorOperand,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    AITFrontend.`where`(condition, x, y, file: file, line: line)
  }

  /// Each element to the power of an exponent.
  public func power(
    _ exponent: some TensorOperand,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    apply(.power, [self, exponent], .resolved(file, line))
  }

  /// Limits each element from below and above; where the limits cross, the upper one wins.
  public func clamp(
    min least: some TensorOperand,
    max greatest: some TensorOperand,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    apply(.clamp, [self, least, greatest], .resolved(file, line))
  }

  /// Limits each element from below.
  public func clamp(
    min least: some TensorOperand,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    apply(.maximum, [self, least], .resolved(file, line))
  }

  /// Limits each element from above.
  public func clamp(
    max greatest: some TensorOperand,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    apply(.minimum, [self, greatest], .resolved(file, line))
  }

  /// A value, in the tensor's own type, where the mask holds, the element elsewhere; PyTorch's
  /// `masked_fill`.
  public func maskedFill(
    _ mask: Tensor,
    _ value: some TensorOperand,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    let dtype = dtype
    return combine([mask, value, self], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.cast(try graph.pointwise(.select, x, name: "masked_fill"), to: dtype)
    }
  }

  /// The elements converted to another type, as PyTorch's `to`.
  public func cast(to dtype: DType, file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.cast(x, to: dtype)
    }
  }

  // MARK: - Truth

  /// Whether both elements are other than 0: bool.
  public func logicalAnd(
    _ other: some TensorOperand,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    combine([self, other], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.logicalAnd(x[0], x[1])
    }
  }

  /// Whether either element is other than 0: bool.
  public func logicalOr(
    _ other: some TensorOperand,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    combine([self, other], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.logicalOr(x[0], x[1])
    }
  }

  /// Whether exactly one element is other than 0: bool.
  public func logicalXor(
    _ other: some TensorOperand,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    combine([self, other], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.logicalXor(x[0], x[1])
    }
  }

  /// Whether each element is 0: bool.
  public func logicalNot(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in try graph.logicalNot(x) }
  }
}
