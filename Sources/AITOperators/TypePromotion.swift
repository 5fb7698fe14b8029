import AITGraph

/// The type in which operands of different types meet, by PyTorch's rules.
///
/// Tensors that have axes decide. A tensor of rank 0 counts only if its category is higher than
/// theirs, a number of the program only if its category is higher than that of all tensors; a
/// fraction then counts as float32, a whole number as int64. Source: `torch.result_type`.
package enum TypePromotion {
  /// What takes part in an operation.
  package enum Participant: Hashable, Sendable {
    case tensor(TensorType)
    case scalar(ScalarValue)
  }

  /// Returns the type in which the participants meet; bool if there are none.
  package static func resultType(_ participants: [Participant]) -> DType {
    var withAxes: DType?
    var rankZero: DType?
    var numbers: DType?
    for participant in participants {
      switch participant {
      case .tensor(let type) where type.rank > 0: meet(&withAxes, type.dtype)
      case .tensor(let type): meet(&rankZero, type.dtype)
      case .scalar(let value): meet(&numbers, defaultType(of: value))
      }
    }
    return combine(withAxes, combine(rankZero, numbers)) ?? .bool
  }

  /// The type of a tensor made of a number alone.
  package static func defaultType(of value: ScalarValue) -> DType {
    switch value {
    case .float: .float32
    case .integer: .int64
    case .bool: .bool
    }
  }

  private static func meet(_ known: inout DType?, _ type: DType) {
    known = known.map { .promoting($0, type) } ?? type
  }

  /// The lower class raises the category of the higher one, but not its precision.
  private static func combine(_ higher: DType?, _ lower: DType?) -> DType? {
    guard let higher, let lower else { return higher ?? lower }
    return higher.category < lower.category ? .promoting(higher, lower) : higher
  }
}
