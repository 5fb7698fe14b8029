import AITFrontend
import AITGraph
import AITOperators

/// A number of the program that is known when a run begins: an extent, or what is computed of extents.
///
/// Beside tensors it is what a number of Python's is: it raises the category of their type, never the
/// precision, and is not rounded to half precision before arithmetic. Source: the wrapped numbers of
/// `torch.result_type`, and the type in which PyTorch computes half precision (`opmath_t`).
struct RuntimeNumber: TensorOperand {
  /// Of rank 0: int64, float64 for a fraction, bool for a comparison.
  let value: Tensor
  /// The extents whose quotient it is, where the divisor is known.
  let quotient: (dividend: Dimension, divisor: Int)?

  init(_ value: Tensor) {
    self.value = value
    quotient = nil
  }

  /// An extent as a number.
  init(_ extent: Dimension) { self.init(AtenOperator.number(extent, .int64)) }

  /// The quotient of two extents.
  init(_ dividend: Dimension, over divisor: Dimension) {
    value = combine(.divide, [Self.fraction(dividend), Self.fraction(divisor)])
    quotient = divisor.constant.flatMap { $0 > 0 ? (dividend, $0) : nil }
  }

  var tensorOperand: AnyTensorOperand { value.tensorOperand }

  var isFraction: Bool { value.dtype.isFloatingPoint }

  /// The whole part as an extent, where it is one.
  ///
  /// The quotient of integers of less than 53 bits is never rounded up to the next one.
  var wholePart: Dimension? {
    guard let quotient, quotient.dividend.lowerBound >= 0 else { return nil }
    return quotient.dividend / Dimension(quotient.divisor)
  }

  static func fraction(_ extent: Dimension) -> Tensor { AtenOperator.number(extent, .float64) }

  // MARK: - Beside tensors

  /// Functions whose numbers PyTorch takes as they are; for others it rounds them to the tensors' type.
  private static let takesExactNumbers: Set<ScalarFunction> = [
    .add, .subtract, .multiply, .divide, .floorDivide,
  ]

  /// A function of operands of which some are such numbers.
  static func combined(_ function: ScalarFunction, _ operands: [any TensorOperand]) -> Tensor {
    let type = meetingType(function == .select ? Array(operands.dropFirst()) : operands)
    let isWide = type.isHalfPrecision && takesExactNumbers.contains(function)
    let converted = operands.map { operand -> any TensorOperand in
      switch operand {
      case let number as RuntimeNumber: number.value.cast(to: isWide ? .float32 : type)
      case let tensor as Tensor where isWide: tensor.cast(to: .float32)
      default: operand
      }
    }
    let result = combine(function, converted)
    return isWide && result.dtype == .float32 ? result.cast(to: type) : result
  }

  /// The type in which tensors and numbers meet.
  static func meetingType(_ operands: [any TensorOperand]) -> DType {
    TypePromotion.resultType(operands.map(participant))
  }

  private static func participant(_ operand: any TensorOperand) -> TypePromotion.Participant {
    switch operand {
    case let tensor as Tensor: .tensor(tensor.type)
    case let number as RuntimeNumber where number.value.dtype == .bool: .scalar(.bool(false))
    case let number as RuntimeNumber: .scalar(number.isFraction ? .float(0) : .integer(0))
    case let value as Int: .scalar(.integer(Int64(value)))
    case let value as Bool: .scalar(.bool(value))
    default: .scalar(.float(0))
    }
  }
}

extension DType {
  /// Whether it is float16 or bfloat16.
  var isHalfPrecision: Bool { isFloatingPoint && sizeInBytes == 2 }
}
