/// A function of scalars that pointwise operators, prologues and epilogues are made of.
///
/// One entry serves the reference evaluator, fusion and every target: `ScalarFunction+Meaning`
/// gives its value, and each backend's prelude defines a vector function of the same name.
/// Activations composed of these are in `Activations.swift`.
package enum ScalarFunction: String, CaseIterable, Hashable, Sendable {
  // Arithmetic on numbers of one type.
  case add, subtract, multiply, divide
  case maximum, minimum  // NaN if either is
  case floorDivide = "floor_divide"
  case remainder  // sign of the divisor, as Python's %
  case fmod  // sign of the dividend, as C's
  case negate, abs, square
  case sign  // 0 for NaN
  case power, reciprocal

  // Rounding.
  case floor, ceil, round, trunc  // round: halves to even

  // Exponentials and roots.
  case exp, exp2, expm1, log, log2, log10, log1p, sqrt, rsqrt

  // Trigonometry.
  case sin, cos, tan, asin, acos, atan, atan2, sinh, cosh, tanh

  // Functions of statistics and networks that have a stable form of their own.
  case erf, erfc, sigmoid
  case gelu  // x Φ(x)

  // Comparisons: bool.
  case equal, notEqual = "not_equal", less, lessEqual = "less_equal", greater
  case greaterEqual = "greater_equal"
  case isNaN = "is_nan", isInfinite = "is_infinite", isFinite = "is_finite"

  // Logic on bool; bits of integers.
  case and, or, xor, not
  case shiftLeft = "shift_left", shiftRight = "shift_right"

  // condition, value if true, value if false.
  case select

  // Composed of the above in `Activations.swift`; kept by name so that graphs read well.
  case relu, silu, mish, softsign
  case fastGELU = "fast_gelu"  // the tanh approximation
  case hardSwish = "hard_swish", hardSigmoid = "hard_sigmoid"
  case leakyReLU = "leaky_relu"  // x, slope
  case elu, celu  // x, alpha
  case clamp  // x, least, greatest
  case softplus  // x, beta, threshold
  case nanToNum = "nan_to_num"  // x, for NaN, for +infinity, for -infinity
  case clampNaNToNum = "clamp_nan_to_num"  // x, least, greatest, for NaN

  /// The number of operands.
  package var arity: Int {
    switch self {
    case .add, .subtract, .multiply, .divide, .maximum, .minimum, .floorDivide, .remainder, .fmod,
      .power, .atan2, .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual, .and, .or,
      .xor, .shiftLeft, .shiftRight, .leakyReLU, .elu, .celu:
      2
    case .select, .clamp, .softplus: 3
    case .nanToNum, .clampNaNToNum: 4
    default: 1
    }
  }

  /// Whether operands may change places without a change of value.
  package var isCommutative: Bool {
    switch self {
    case .add, .multiply, .maximum, .minimum, .equal, .notEqual, .and, .or, .xor: true
    default: false
    }
  }

  /// Whether the function is defined on floating-point operands only.
  package var isFloatingPointOnly: Bool {
    switch self {
    case .reciprocal, .exp, .exp2, .expm1, .log, .log2, .log10, .log1p, .sqrt, .rsqrt, .sin, .cos,
      .tan, .asin, .acos, .atan, .atan2, .sinh, .cosh, .tanh, .erf, .erfc, .sigmoid, .divide,
      .gelu, .silu, .mish, .softsign, .fastGELU, .hardSwish, .hardSigmoid, .leakyReLU, .elu, .celu,
      .softplus, .nanToNum, .clampNaNToNum:
      true
    default: false
    }
  }

  /// Returns the type of the result, or nil if the operands do not fit.
  package func resultType(_ operands: [DType]) -> DType? {
    guard operands.count == arity, let first = operands.first else { return nil }
    switch self {
    case .select:
      return operands[0] == .bool && operands[1] == operands[2] ? operands[1] : nil
    case .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual:
      return operands[0] == operands[1] ? .bool : nil
    case .isNaN, .isInfinite, .isFinite: return .bool
    case .and, .or, .xor, .not:
      return operands.allSatisfy { $0 == first } && !first.isFloatingPoint ? first : nil
    case .shiftLeft, .shiftRight:
      return operands.allSatisfy { $0 == first } && first.category == .integer ? first : nil
    default:
      guard operands.allSatisfy({ $0 == first }) else { return nil }
      if isFloatingPointOnly { return first.isFloatingPoint ? first : nil }
      // Truth values add and multiply as or and and; they have no difference, sign or quotient.
      if first == .bool {
        switch self {
        case .add, .multiply, .maximum, .minimum: return first
        default: return nil
        }
      }
      return first
    }
  }

  /// Rough number of floating-point operations of one call, for cost models.
  package var operationCount: Int {
    switch self {
    case .exp, .exp2, .expm1, .log, .log2, .log10, .log1p, .sigmoid, .tanh, .erf, .erfc, .gelu,
      .fastGELU, .silu, .mish, .elu, .celu, .softplus:
      16
    case .sin, .cos, .tan, .asin, .acos, .atan, .atan2, .sinh, .cosh, .power: 24
    case .divide, .sqrt, .rsqrt, .reciprocal, .remainder, .fmod, .floorDivide: 4
    default: 1
    }
  }
}
