import AITGraph

// Pointwise functions of PyTorch that are several scalar functions here. The formulas are stable
// in the type they are computed in: no intermediate overflows where the result does not.

extension Graph {
  /// The larger operand, or the one that is not NaN.
  package mutating func fmax(
    _ left: PointwiseOperand,
    _ right: PointwiseOperand,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try ignoringNaN(.maximum, left, right, name ?? "fmax")
  }

  /// The smaller operand, or the one that is not NaN.
  package mutating func fmin(
    _ left: PointwiseOperand,
    _ right: PointwiseOperand,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try ignoringNaN(.minimum, left, right, name ?? "fmin")
  }

  private mutating func ignoringNaN(
    _ function: ScalarFunction,
    _ left: PointwiseOperand,
    _ right: PointwiseOperand,
    _ name: String
  ) throws(Diagnostic) -> ValueID {
    let type = promotedType([left, right])
    guard type.isFloatingPoint else { return try pointwise(function, [left, right], name: name) }
    return try pointwise([left, right], in: type, name: name) { e, x in
      let both = e.call(function, x)
      let present = e.call(.select, e.call(.isNaN, x[1]), x[0], both)
      return e.call(.select, e.call(.isNaN, x[0]), x[1], present)
    }
  }

  /// The fractional part, with the sign of x: `x − trunc(x)`.
  package mutating func frac(_ x: ValueID, name: String? = nil) throws(Diagnostic) -> ValueID {
    try floating(x, name ?? "frac") { e, x in e.call(.subtract, x, e.call(.trunc, x)) }
  }

  /// The inverse hyperbolic sine: `sign(x) · log(|x| + √(x² + 1))`.
  package mutating func asinh(_ x: ValueID, name: String? = nil) throws(Diagnostic) -> ValueID {
    try floating(x, name ?? "asinh") { e, x in
      let type = e.types[x]
      let (one, magnitude) = (e.constant(1, type), e.call(.abs, x))
      // |x| + √(x² + 1) − 1 = |x| + |x| / (1/|x| + √(1 + 1/x²)), free of x².
      let inverse = e.call(.reciprocal, magnitude)
      let root = e.call(.sqrt, e.call(.add, one, e.call(.square, inverse)))
      let rest = e.call(.divide, magnitude, e.call(.add, inverse, root))
      let near = e.call(.log1p, e.call(.add, magnitude, rest))
      let result = Self.orLogarithm(of: magnitude, near, &e)
      let zero = e.constant(0, type)
      let signed = e.call(.select, e.call(.less, x, zero), e.call(.negate, result), result)
      // 0 keeps its sign.
      return e.call(.select, e.call(.equal, x, zero), x, signed)
    }
  }

  /// The inverse hyperbolic cosine: `log(x + √(x² − 1))`; NaN below 1.
  package mutating func acosh(_ x: ValueID, name: String? = nil) throws(Diagnostic) -> ValueID {
    try floating(x, name ?? "acosh") { e, x in
      // With t = x − 1: log1p(t + √t · √(t + 2)), exact near 1. One root of the product would be
      // a number again where both factors are negative.
      let type = e.types[x]
      let t = e.call(.subtract, x, e.constant(1, type))
      let root = e.call(.sqrt, e.call(.add, t, e.constant(2, type)))
      let near = e.call(.log1p, e.call(.add, t, e.call(.multiply, e.call(.sqrt, t), root)))
      return Self.orLogarithm(of: x, near, &e)
    }
  }

  /// `log(2x)` for x above 2^28, where it is the result to the last place and squares overflow.
  private static func orLogarithm(of x: Int, _ near: Int, _ e: inout ScalarExpression) -> Int {
    let type = e.types[x]
    let far = e.call(.add, e.call(.log, x), e.constant(0.693147180559945309, type))
    return e.call(.select, e.call(.greater, x, e.constant(0x1p28, type)), far, near)
  }

  /// The inverse hyperbolic tangent: `(log(1 + x) − log(1 − x)) / 2`.
  package mutating func atanh(_ x: ValueID, name: String? = nil) throws(Diagnostic) -> ValueID {
    try floating(x, name ?? "atanh") { e, x in
      let above = e.call(.log1p, x)
      let below = e.call(.log1p, e.call(.negate, x))
      return e.call(.multiply, e.call(.subtract, above, below), e.constant(0.5, e.types[x]))
    }
  }

  /// The logarithm of the sigmoid: `min(x, 0) − log(1 + exp(−|x|))`.
  package mutating func logSigmoid(_ x: ValueID, name: String? = nil) throws(Diagnostic) -> ValueID
  {
    try floating(x, name ?? "log_sigmoid") { e, x in
      let decay = e.call(.exp, e.call(.negate, e.call(.abs, x)))
      let least = e.call(.minimum, x, e.constant(0, e.types[x]))
      return e.call(.subtract, least, e.call(.log1p, decay))
    }
  }

  /// The self-normalising exponential unit, `λ · (x > 0 ? x : α · (exp(x) − 1))`.
  ///
  /// The constants are those of Klambauer et al. 2017.
  package mutating func selu(_ x: ValueID, name: String? = nil) throws(Diagnostic) -> ValueID {
    try floating(x, name ?? "selu") { e, x in
      let alpha = e.constant(1.6732632423543772, e.types[x])
      let scale = e.constant(1.0507009873554805, e.types[x])
      return e.call(.multiply, scale, e.call(.elu, x, alpha))
    }
  }

  /// `min(max(x, 0), 6)`.
  package mutating func relu6(_ x: ValueID, name: String? = nil) throws(Diagnostic) -> ValueID {
    try hardtanh(x, least: 0, greatest: 6, name: name ?? "relu6")
  }

  /// Limits x to a range, in its own type.
  package mutating func hardtanh(
    _ x: ValueID,
    least: Double = -1,
    greatest: Double = 1,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let type = self[x].type.dtype
    return try pointwise(
      [.value(x), .scalar(least), .scalar(greatest)],
      in: type,
      name: name ?? "hardtanh"
    ) { e, x in e.call(.clamp, x) }
  }

  /// Replaces NaN by a number and infinities by the given or the type's extreme finite ones.
  package mutating func nanToNum(
    _ x: ValueID,
    nan: Double = 0,
    positiveInfinity: Double? = nil,
    negativeInfinity: Double? = nil,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let type = self[x].type.dtype
    guard type.isFloatingPoint else { return x }
    let replacements = [
      nan, positiveInfinity ?? type.finiteRange.upperBound,
      negativeInfinity ?? type.finiteRange.lowerBound,
    ]
    return try pointwise(
      [.value(x)] + replacements.map { .scalar($0) },
      in: type,
      name: name ?? "nan_to_num"
    ) { e, x in e.call(.nanToNum, x) }
  }

  /// Limits numbers to a range and replaces NaN by a number.
  ///
  /// Source: AITemplate's `CLAMP_NAN_TO_NUM`.
  package mutating func clampNaNToNum(
    _ x: ValueID,
    least: Double,
    greatest: Double,
    nan: Double = 0,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let name = name ?? "clamp_nan_to_num"
    let type = self[x].type.dtype
    guard type.isFloatingPoint else {
      return try hardtanh(x, least: least, greatest: greatest, name: name)
    }
    return try pointwise(
      [.value(x), .scalar(least), .scalar(greatest), .scalar(nan)],
      in: type,
      name: name
    ) { e, x in e.call(.clampNaNToNum, x) }
  }

  /// Adds a pointwise node on x in its floating-point type; integers in float32.
  private mutating func floating(
    _ x: ValueID,
    _ name: String,
    _ build: (inout ScalarExpression, Int) -> Int
  ) throws(Diagnostic) -> ValueID {
    let type = self[x].type.dtype
    return try pointwise(
      [.value(x)],
      in: type.isFloatingPoint ? type : .float32,
      name: name
    ) { e, x in build(&e, x[0]) }
  }
}
