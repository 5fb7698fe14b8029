#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A scalar during reference evaluation: exact for integers, Double for all floating-point types.
package enum ScalarValue: Hashable, Sendable {
  case float(Double)
  case integer(Int64)
  case bool(Bool)

  /// The value as a Double; truth is 1.
  package var double: Double {
    switch self {
    case .float(let value): value
    case .integer(let value): Double(value)
    case .bool(let value): value ? 1 : 0
    }
  }

  /// The value as an integer, truncated as PyTorch's casts do; out of range gives the nearest end.
  package var integer: Int64 {
    switch self {
    case .float(let value):
      if value.isNaN { 0 } else if value >= 0x1p63 { Int64.max } else if value <= -0x1p63 {
        Int64.min
      } else {
        Int64(value)
      }
    case .integer(let value): value
    case .bool(let value): value ? 1 : 0
    }
  }

  /// The value as a truth value: anything but 0 is true.
  package var bool: Bool {
    switch self {
    case .float(let value): value != 0
    case .integer(let value): value != 0
    case .bool(let value): value
    }
  }

  /// Returns the value converted to a type, integers wrapped to its width.
  ///
  /// Half-precision types are rounded to; `float32` is too. `.float64` is kept.
  package func converted(to dtype: DType) -> ScalarValue {
    switch dtype {
    case .bool: .bool(bool)
    case .uint8: .integer(Int64(UInt8(truncatingIfNeeded: integer)))
    case .int8: .integer(Int64(Int8(truncatingIfNeeded: integer)))
    case .int16: .integer(Int64(Int16(truncatingIfNeeded: integer)))
    case .int32: .integer(Int64(Int32(truncatingIfNeeded: integer)))
    case .int64: .integer(integer)
    case .float16: .float(HalfPrecision.float16(HalfPrecision.float16Bits(double)))
    case .bfloat16: .float(HalfPrecision.bfloat16(HalfPrecision.bfloat16Bits(double)))
    case .float32: .float(Double(Float(double)))
    case .float64: .float(double)
    }
  }
}

extension ScalarValue {
  /// Wraps an integer to the width of a type; truth values, the result of a comparison, stay.
  fileprivate func wrapped(to dtype: DType) -> ScalarValue {
    if case .bool = self { self } else { converted(to: dtype) }
  }
}

extension ScalarFunction {
  /// The value of the function, by PyTorch's semantics of the operator of the same name.
  ///
  /// Floating-point operands are computed in Double whatever their type; integers wrap to `dtype`,
  /// and integer division by zero is 0, where PyTorch raises.
  package func evaluate(_ operands: [ScalarValue], dtype: DType) -> ScalarValue {
    if self == .select { return operands[0].bool ? operands[1] : operands[2] }
    switch dtype.category {
    case .floatingPoint: return evaluateFloat(operands.map(\.double))
    case .integer: return evaluateInteger(operands.map(\.integer)).wrapped(to: dtype)
    case .boolean: return evaluateBool(operands.map(\.bool))
    }
  }

  private func evaluateFloat(_ x: [Double]) -> ScalarValue {
    switch self {
    case .add: .float(x[0] + x[1])
    case .subtract: .float(x[0] - x[1])
    case .multiply: .float(x[0] * x[1])
    case .divide: .float(x[0] / x[1])
    case .maximum: .float(x[0].isNaN || x[1].isNaN ? .nan : Swift.max(x[0], x[1]))
    case .minimum: .float(x[0].isNaN || x[1].isNaN ? .nan : Swift.min(x[0], x[1]))
    case .floorDivide: .float(Self.floorDivide(x[0], x[1]))
    case .remainder: .float(Self.remainder(x[0], x[1]))
    case .fmod: .float(cFmod(x[0], x[1]))
    case .negate: .float(-x[0])
    case .abs: .float(x[0].magnitude)
    case .sign: .float(x[0].isNaN ? .nan : x[0] > 0 ? 1 : x[0] < 0 ? -1 : 0)
    case .square: .float(x[0] * x[0])
    case .power: .float(pow(x[0], x[1]))
    case .reciprocal: .float(1 / x[0])
    case .floor: .float(x[0].rounded(.down))
    case .ceil: .float(x[0].rounded(.up))
    case .round: .float(x[0].rounded(.toNearestOrEven))
    case .trunc: .float(x[0].rounded(.towardZero))
    case .exp: .float(cExp(x[0]))
    case .exp2: .float(pow(2, x[0]))
    case .expm1: .float(cExpm1(x[0]))
    case .log: .float(cLog(x[0]))
    case .log2: .float(cLog2(x[0]))
    case .log10: .float(cLog10(x[0]))
    case .log1p: .float(cLog1p(x[0]))
    case .sqrt: .float(x[0].squareRoot())
    case .rsqrt: .float(1 / x[0].squareRoot())
    case .sin: .float(cSin(x[0]))
    case .cos: .float(cCos(x[0]))
    case .tan: .float(cTan(x[0]))
    case .asin: .float(cAsin(x[0]))
    case .acos: .float(cAcos(x[0]))
    case .atan: .float(cAtan(x[0]))
    case .atan2: .float(cAtan2(x[0], x[1]))
    case .sinh: .float(cSinh(x[0]))
    case .cosh: .float(cCosh(x[0]))
    case .tanh: .float(cTanh(x[0]))
    case .erf: .float(cErf(x[0]))
    case .erfc: .float(cErfc(x[0]))
    case .sigmoid: .float(1 / (1 + cExp(-x[0])))
    case .equal: .bool(x[0] == x[1])
    case .notEqual: .bool(x[0] != x[1])
    case .less: .bool(x[0] < x[1])
    case .lessEqual: .bool(x[0] <= x[1])
    case .greater: .bool(x[0] > x[1])
    case .greaterEqual: .bool(x[0] >= x[1])
    case .isNaN: .bool(x[0].isNaN)
    case .isInfinite: .bool(x[0].isInfinite)
    case .isFinite: .bool(x[0].isFinite)
    default: preconditionFailure("\(rawValue) has no floating-point meaning; resultType refuses it")
    }
  }

  private func evaluateInteger(_ x: [Int64]) -> ScalarValue {
    switch self {
    case .add: .integer(x[0] &+ x[1])
    case .subtract: .integer(x[0] &- x[1])
    case .multiply: .integer(x[0] &* x[1])
    case .maximum: .integer(Swift.max(x[0], x[1]))
    case .minimum: .integer(Swift.min(x[0], x[1]))
    case .floorDivide: .integer(Self.floorDivide(x[0], x[1]))
    case .remainder:
      .integer(x[1] == 0 ? 0 : x[0] &- Self.floorDivide(x[0], x[1]) &* x[1])
    case .fmod: .integer(x[1] == 0 || x[1] == -1 ? 0 : x[0] % x[1])
    case .negate: .integer(0 &- x[0])
    case .abs: .integer(x[0] < 0 ? 0 &- x[0] : x[0])
    case .sign: .integer(x[0].signum())
    case .square: .integer(x[0] &* x[0])
    case .power: .integer(Self.power(x[0], x[1]))
    case .floor, .ceil, .round, .trunc: .integer(x[0])
    case .equal: .bool(x[0] == x[1])
    case .notEqual: .bool(x[0] != x[1])
    case .less: .bool(x[0] < x[1])
    case .lessEqual: .bool(x[0] <= x[1])
    case .greater: .bool(x[0] > x[1])
    case .greaterEqual: .bool(x[0] >= x[1])
    case .isNaN, .isInfinite: .bool(false)
    case .isFinite: .bool(true)
    case .and: .integer(x[0] & x[1])
    case .or: .integer(x[0] | x[1])
    case .xor: .integer(x[0] ^ x[1])
    case .not: .integer(~x[0])
    // Shifts by the width or more, or by a negative count, leave nothing, as in PyTorch.
    case .shiftLeft: .integer(x[1] < 0 || x[1] > 63 ? 0 : x[0] << x[1])
    case .shiftRight: .integer(x[1] < 0 || x[1] > 63 ? (x[0] < 0 ? -1 : 0) : x[0] >> x[1])
    default: preconditionFailure("\(rawValue) has no integer meaning; resultType refuses it")
    }
  }

  private func evaluateBool(_ x: [Bool]) -> ScalarValue {
    switch self {
    case .add, .or, .maximum: .bool(x[0] || x[1])
    case .multiply, .and, .minimum: .bool(x[0] && x[1])
    case .xor, .notEqual: .bool(x[0] != x[1])
    case .equal: .bool(x[0] == x[1])
    case .not: .bool(!x[0])
    case .less: .bool(!x[0] && x[1])
    case .lessEqual: .bool(!x[0] || x[1])
    case .greater: .bool(x[0] && !x[1])
    case .greaterEqual: .bool(x[0] || !x[1])
    case .isNaN, .isInfinite: .bool(false)
    case .isFinite: .bool(true)
    default: preconditionFailure("\(rawValue) has no meaning on bool; resultType refuses it")
    }
  }

  // MARK: - Helpers

  /// As `torch.floor_divide`: the floor of the exact quotient, corrected where the rounded
  /// quotient of a near-integer would be one too high.
  private static func floorDivide(_ a: Double, _ b: Double) -> Double {
    guard b != 0 else { return a / b }
    let modulus = cFmod(a, b)
    var quotient = (a - modulus) / b
    if modulus != 0 && (b < 0) != (modulus < 0) { quotient -= 1 }
    guard quotient != 0 else { return (a / b).sign == .minus ? -0.0 : 0 }
    let floored = quotient.rounded(.down)
    return quotient - floored > 0.5 ? floored + 1 : floored
  }

  private static func remainder(_ a: Double, _ b: Double) -> Double {
    let modulus = cFmod(a, b)
    return modulus != 0 && (b < 0) != (modulus < 0) ? modulus + b : modulus
  }

  private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
    guard b != 0 else { return 0 }
    guard b != -1 else { return 0 &- a }
    let quotient = a / b
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient
  }

  /// As PyTorch: a negative exponent gives 0, but for bases 1 and -1.
  private static func power(_ base: Int64, _ exponent: Int64) -> Int64 {
    if exponent < 0 {
      if base == 1 { return 1 }
      if base == -1 { return exponent % 2 == 0 ? 1 : -1 }
      return 0
    }
    var (result, factor, rest): (Int64, Int64, Int64) = (1, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result = result &* factor }
      factor = factor &* factor
      rest >>= 1
    }
    return result
  }
}

// The enumeration's own members hide the C library's functions of the same name.
private func cExp(_ x: Double) -> Double { exp(x) }
private func cExpm1(_ x: Double) -> Double { expm1(x) }
private func cLog(_ x: Double) -> Double { log(x) }
private func cLog2(_ x: Double) -> Double { log2(x) }
private func cLog10(_ x: Double) -> Double { log10(x) }
private func cLog1p(_ x: Double) -> Double { log1p(x) }
private func cSin(_ x: Double) -> Double { sin(x) }
private func cCos(_ x: Double) -> Double { cos(x) }
private func cTan(_ x: Double) -> Double { tan(x) }
private func cAsin(_ x: Double) -> Double { asin(x) }
private func cAcos(_ x: Double) -> Double { acos(x) }
private func cAtan(_ x: Double) -> Double { atan(x) }
private func cAtan2(_ y: Double, _ x: Double) -> Double { atan2(y, x) }
private func cSinh(_ x: Double) -> Double { sinh(x) }
private func cCosh(_ x: Double) -> Double { cosh(x) }
private func cTanh(_ x: Double) -> Double { tanh(x) }
private func cErf(_ x: Double) -> Double { erf(x) }
private func cErfc(_ x: Double) -> Double { erfc(x) }
private func cFmod(_ x: Double, _ y: Double) -> Double { fmod(x, y) }
