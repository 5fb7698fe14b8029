import AITGraph

/// Normalises exponentials along an axis: `y = exp(x − max) / Σ exp(x − max)`, or its logarithm.
///
/// Any shape and axis; floating-point types, accumulated in float32 (float64 for itself). A row of
/// −infinity throughout gives NaN, as in PyTorch. Source: `torch.softmax`, `torch.log_softmax`.
package struct Softmax: Operator {
  package static let name = "softmax"
  package static let summary = "softmax or log-softmax along an axis"

  /// Counted from 0.
  package let axis: Int
  package let isLogarithmic: Bool

  package init(axis: Int, isLogarithmic: Bool = false) {
    self.axis = axis
    self.isLogarithmic = isLogarithmic
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    axis = try attributes.integer("axis")
    isLogarithmic = try attributes.bool("log", default: false)
  }

  package var attributes: [Attribute] {
    [Attribute("axis", .integer(axis))]
      + (isLogarithmic ? [Attribute("log", .bool(true))] : [])
  }

  package var traits: OperatorTraits { [.acceptsPrologue, .acceptsEpilogue] }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    guard try x.shape.normalizedAxis(axis) == axis else {
      throw Diagnostic(.invalidAttribute, "the axis \(axis) of softmax is counted from 0")
    }
    guard x.dtype.isFloatingPoint else {
      throw Diagnostic(.dtypeMismatch, "softmax of \(x)", hint: "cast the operand to float32")
    }
    return [x]
  }
}
