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

  /// Reads a numeral: an integer if it is one of 64 bits, a Double otherwise.
  init?(numeral text: String) {
    if let value = Int64(text) {
      self = .integer(value)
    } else if let value = Double(text) {
      self = .float(value)
    } else {
      return nil
    }
  }

  /// The value as a Double; truth is 1.
  package var double: Double {
    switch self {
    case .float(let value): value
    case .integer(let value): Double(value)
    case .bool(let value): value ? 1 : 0
    }
  }

  /// The value as a Float, rounded once.
  package var float: Float {
    if case .integer(let value) = self { Float(value) } else { Float(double) }
  }

  /// The value as an integer of 64 bits; a fraction is cut.
  ///
  /// What 64 bits cannot hold, and NaN, becomes the least integer: see `converted(to:)`.
  package var integer: Int64 {
    switch self {
    case .float(let value): value >= -0x1p63 && value < 0x1p63 ? Int64(value) : .min
    case .integer(let value): value
    case .bool(let value): value ? 1 : 0
    }
  }

  /// The value as an integer that the narrower types take their low bits from.
  private var integer32: Int64 {
    guard case .float(let value) = self else { return integer }
    return value > -0x1p31 - 1 && value < 0x1p31 ? Int64(value) : Int64(Int32.min)
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
  /// Half-precision types are rounded to; `float32` is too. `.float64` is kept. A floating-point
  /// number becomes an integer as on x86, and so in PyTorch there, on every target: it is truncated
  /// to int32 (to int64 for `.int64`), where NaN and what does not fit become the least integer; the
  /// narrower types take the low bits of that: 300.0 is 44 as `.uint8`, and infinity is 0.
  package func converted(to dtype: DType) -> ScalarValue {
    switch dtype {
    case .bool: .bool(bool)
    case .uint8: .integer(Int64(UInt8(truncatingIfNeeded: integer32)))
    case .int8: .integer(Int64(Int8(truncatingIfNeeded: integer32)))
    case .int16: .integer(Int64(Int16(truncatingIfNeeded: integer32)))
    case .int32: .integer(Int64(Int32(truncatingIfNeeded: integer32)))
    case .int64: .integer(integer)
    case .float16: .float(HalfPrecision.float16(HalfPrecision.float16Bits(double)))
    case .bfloat16: .float(HalfPrecision.bfloat16(HalfPrecision.bfloat16Bits(double)))
    case .float32: .float(Double(float))
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
    switch floatMeaning {
    case .unary(let function): .float(function(x[0]))
    case .binary(let function): .float(function(x[0], x[1]))
    case .test(let function): .bool(function(x[0]))
    case .comparison(let function): .bool(function(x[0], x[1]))
    }
  }

  private func evaluateInteger(_ x: [Int64]) -> ScalarValue {
    switch integerMeaning {
    case .unary(let function): .integer(function(x[0]))
    case .binary(let function): .integer(function(x[0], x[1]))
    case .test(let function): .bool(function(x[0]))
    case .comparison(let function): .bool(function(x[0], x[1]))
    }
  }

  /// A function of Doubles.
  enum FloatMeaning {
    case unary((Double) -> Double)
    case binary((Double, Double) -> Double)
    case test((Double) -> Bool)
    case comparison((Double, Double) -> Bool)
  }

  /// A function of integers, its result not yet wrapped to a width.
  enum IntegerMeaning {
    case unary((Int64) -> Int64)
    case binary((Int64, Int64) -> Int64)
    case test((Int64) -> Bool)
    case comparison((Int64, Int64) -> Bool)
  }

  /// The meaning on floating-point types, all computed in Double.
  var floatMeaning: FloatMeaning {
    switch self {
    case .add: .binary { $0 + $1 }
    case .subtract: .binary { $0 - $1 }
    case .multiply: .binary { $0 * $1 }
    case .divide: .binary { $0 / $1 }
    case .maximum: .binary { $0.isNaN || $1.isNaN ? .nan : Swift.max($0, $1) }
    case .minimum: .binary { $0.isNaN || $1.isNaN ? .nan : Swift.min($0, $1) }
    case .floorDivide: .binary(Self.floorDivide)
    case .remainder: .binary(Self.remainder)
    case .fmod: .binary(cFmod)
    case .negate: .unary { -$0 }
    case .abs: .unary { $0.magnitude }
    case .sign: .unary { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
    case .square: .unary { $0 * $0 }
    case .power: .binary { pow($0, $1) }
    case .reciprocal: .unary { 1 / $0 }
    case .floor: .unary { $0.rounded(.down) }
    case .ceil: .unary { $0.rounded(.up) }
    case .round: .unary { $0.rounded(.toNearestOrEven) }
    case .trunc: .unary { $0.rounded(.towardZero) }
    case .exp: .unary(cExp)
    case .exp2: .unary { pow(2, $0) }
    case .expm1: .unary(cExpm1)
    case .log: .unary(cLog)
    case .log2: .unary(cLog2)
    case .log10: .unary(cLog10)
    case .log1p: .unary(cLog1p)
    case .sqrt: .unary { $0.squareRoot() }
    case .rsqrt: .unary { 1 / $0.squareRoot() }
    case .sin: .unary(cSin)
    case .cos: .unary(cCos)
    case .tan: .unary(cTan)
    case .asin: .unary(cAsin)
    case .acos: .unary(cAcos)
    case .atan: .unary(cAtan)
    case .atan2: .binary(cAtan2)
    case .sinh: .unary(cSinh)
    case .cosh: .unary(cCosh)
    case .tanh: .unary(cTanh)
    case .erf: .unary(cErf)
    case .erfc: .unary(cErfc)
    case .sigmoid: .unary { 1 / (1 + cExp(-$0)) }
    case .gelu: .unary { $0 * 0.5 * cErfc(-$0 * 0.5.squareRoot()) }
    case .equal: .comparison { $0 == $1 }
    case .notEqual: .comparison { $0 != $1 }
    case .less: .comparison { $0 < $1 }
    case .lessEqual: .comparison { $0 <= $1 }
    case .greater: .comparison { $0 > $1 }
    case .greaterEqual: .comparison { $0 >= $1 }
    case .isNaN: .test { $0.isNaN }
    case .isInfinite: .test { $0.isInfinite }
    case .isFinite: .test { $0.isFinite }
    default: preconditionFailure("\(rawValue) has no floating-point meaning; resultType refuses it")
    }
  }

  /// The meaning on integers.
  ///
  /// Overflow wraps; where PyTorch raises, the result is 0.
  var integerMeaning: IntegerMeaning {
    switch self {
    case .add: .binary { $0 &+ $1 }
    case .subtract: .binary { $0 &- $1 }
    case .multiply: .binary { $0 &* $1 }
    case .maximum: .binary { Swift.max($0, $1) }
    case .minimum: .binary { Swift.min($0, $1) }
    case .floorDivide: .binary(Self.floorDivide)
    case .remainder: .binary { $1 == 0 ? 0 : $0 &- Self.floorDivide($0, $1) &* $1 }
    case .fmod: .binary { $1 == 0 || $1 == -1 ? 0 : $0 % $1 }
    case .negate: .unary { 0 &- $0 }
    case .abs: .unary { $0 < 0 ? 0 &- $0 : $0 }
    case .sign: .unary { $0.signum() }
    case .square: .unary { $0 &* $0 }
    case .power: .binary(Self.power)
    case .floor, .ceil, .round, .trunc: .unary { $0 }
    case .equal: .comparison { $0 == $1 }
    case .notEqual: .comparison { $0 != $1 }
    case .less: .comparison { $0 < $1 }
    case .lessEqual: .comparison { $0 <= $1 }
    case .greater: .comparison { $0 > $1 }
    case .greaterEqual: .comparison { $0 >= $1 }
    case .isNaN, .isInfinite: .test { _ in false }
    case .isFinite: .test { _ in true }
    case .and: .binary { $0 & $1 }
    case .or: .binary { $0 | $1 }
    case .xor: .binary { $0 ^ $1 }
    case .not: .unary { ~$0 }
    // Shifts by the width or more, or by a negative count, leave nothing, as in PyTorch.
    case .shiftLeft: .binary { $1 < 0 || $1 > 63 ? 0 : $0 << $1 }
    case .shiftRight: .binary { $1 < 0 || $1 > 63 ? ($0 < 0 ? -1 : 0) : $0 >> $1 }
    default: preconditionFailure("\(rawValue) has no integer meaning; resultType refuses it")
    }
  }

  /// The value on truth values.
  func evaluateBool(_ x: [Bool]) -> ScalarValue {
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
