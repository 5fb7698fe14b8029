import AITGraph
import AITOperators

// Functions of single elements, with the meanings of PyTorch's functions of the same names. The
// shape stays. Functions that give fractions compute integers and bool in float32, and keep the
// element type otherwise; the others keep the element type. `dtype-mismatch` where a function is
// not defined, such as the sign of bool.

extension Tensor {
  /// The magnitude of each element.
  public func abs(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.abs, .resolved(file, line))
  }

  /// -1, 0 or 1 by the sign of each element.
  public func sign(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.sign, .resolved(file, line))
  }

  /// The square of each element.
  public func square(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.square, .resolved(file, line))
  }

  /// One divided by each element.
  public func reciprocal(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.reciprocal, .resolved(file, line))
  }

  /// The greatest whole number that is not above each element.
  public func floor(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.floor, .resolved(file, line))
  }

  /// The least whole number that is not below each element.
  public func ceil(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.ceil, .resolved(file, line))
  }

  /// Each element rounded to a whole number, halves to the even one.
  public func round(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.round, .resolved(file, line))
  }

  /// Each element without its fraction.
  public func trunc(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.trunc, .resolved(file, line))
  }

  /// e to the power of each element.
  public func exp(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.exp, .resolved(file, line))
  }

  /// 2 to the power of each element.
  public func exp2(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.exp2, .resolved(file, line))
  }

  /// e to the power of each element, less 1, exact near 0.
  public func expm1(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.expm1, .resolved(file, line))
  }

  /// The natural logarithm of each element.
  public func log(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.log, .resolved(file, line))
  }

  /// The logarithm of each element to base 2.
  public func log2(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.log2, .resolved(file, line))
  }

  /// The logarithm of each element to base 10.
  public func log10(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.log10, .resolved(file, line))
  }

  /// The natural logarithm of 1 plus each element, exact near 0.
  public func log1p(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.log1p, .resolved(file, line))
  }

  /// The square root of each element.
  public func sqrt(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.sqrt, .resolved(file, line))
  }

  /// One divided by the square root of each element.
  public func rsqrt(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.rsqrt, .resolved(file, line))
  }

  /// The sine of each element.
  public func sin(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.sin, .resolved(file, line))
  }

  /// The cosine of each element.
  public func cos(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.cos, .resolved(file, line))
  }

  /// The tangent of each element.
  public func tan(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.tan, .resolved(file, line))
  }

  /// The arc sine of each element.
  public func asin(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.asin, .resolved(file, line))
  }

  /// The arc cosine of each element.
  public func acos(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.acos, .resolved(file, line))
  }

  /// The arc tangent of each element.
  public func atan(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.atan, .resolved(file, line))
  }

  /// The hyperbolic sine of each element.
  public func sinh(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.sinh, .resolved(file, line))
  }

  /// The hyperbolic cosine of each element.
  public func cosh(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.cosh, .resolved(file, line))
  }

  /// The hyperbolic tangent of each element.
  public func tanh(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.tanh, .resolved(file, line))
  }

  /// The error function of each element.
  public func erf(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.erf, .resolved(file, line))
  }

  /// 1 less the error function of each element, exact where that is near 1.
  public func erfc(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.erfc, .resolved(file, line))
  }

  /// The inverse hyperbolic sine of each element.
  public func asinh(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in try graph.asinh(x) }
  }

  /// The inverse hyperbolic cosine of each element; NaN below 1.
  public func acosh(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in try graph.acosh(x) }
  }

  /// The inverse hyperbolic tangent of each element.
  public func atanh(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in try graph.atanh(x) }
  }

  /// The fraction of each element, with its sign.
  public func frac(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in try graph.frac(x) }
  }

  // MARK: - Tests

  /// Whether each element is not a number: bool.
  public func isNaN(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.isNaN, .resolved(file, line))
  }

  /// Whether each element is infinite: bool.
  public func isInfinite(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.isInfinite, .resolved(file, line))
  }

  /// Whether each element is neither infinite nor NaN: bool.
  public func isFinite(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.isFinite, .resolved(file, line))
  }

  /// Replaces NaN by a number, and infinities by numbers or else the finite extremes of the type.
  public func nanToNum(
    nan: Double = 0,
    positiveInfinity: Double? = nil,
    negativeInfinity: Double? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.nanToNum(
        x,
        nan: nan,
        positiveInfinity: positiveInfinity,
        negativeInfinity: negativeInfinity
      )
    }
  }

  /// Limits numbers, infinities among them, to a range, and replaces NaN by a number.
  public func clampNaNToNum(
    min: Double,
    max: Double,
    nan: Double = 0,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.clampNaNToNum(x, least: min, greatest: max, nan: nan)
    }
  }
}

extension Tensor {
  /// Returns a function of each element.
  func applying(_ function: ScalarFunction, _ callSite: CallSite?) -> Tensor {
    unary(callSite) { (graph, x) throws(Diagnostic) in try graph.pointwise(function, x) }
  }

  /// Returns the result of verbs on the tensor.
  func unary(
    _ callSite: CallSite?,
    _ build: (inout Graph, ValueID) throws(Diagnostic) -> ValueID
  ) -> Tensor {
    .make([self], callSite) { (graph, inputs) throws(Diagnostic) in try build(&graph, inputs[0]) }
  }
}
