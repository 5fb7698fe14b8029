import AITGraph

extension Operator {
  /// The operand whose elements are positions along an axis of operand 0, and that axis; nil for
  /// operators that have none.
  package var indexOperand: (operand: Int, axis: Int)? {
    switch self {
    case let gather as Gather: (1, gather.axis)
    case let select as IndexSelect: (1, select.axis)
    case let scatter as Scatter: (1, scatter.axis)
    // The image that a box is in.
    case is RoIAlign: (2, 0)
    default: nil
    }
  }
}
