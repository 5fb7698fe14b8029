import AITGraph

/// Normalises over the last axes: `y = (x − mean) / √(variance + ε) · weight + bias`.
///
/// x is `[…, D_1, …, D_r]` with r = `axisCount`; weight and bias, each optional, are
/// `[D_1, …, D_r]`. The variance is biased and computed in two passes; float32 inside (float64 for
/// itself). Floating-point types, all operands of one type. Source: `torch.nn.functional.layer_norm`.
package struct LayerNorm: Operator {
  package static let name = "layer_norm"
  package static let summary = "layer normalisation over the last axes, weight and bias optional"

  /// The number of trailing axes that are normalised, at least 1.
  package let axisCount: Int
  package let epsilon: Double
  package let hasWeight: Bool
  package let hasBias: Bool

  package init(axisCount: Int, epsilon: Double, hasWeight: Bool, hasBias: Bool) {
    self.axisCount = axisCount
    self.epsilon = epsilon
    self.hasWeight = hasWeight
    self.hasBias = hasBias
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    axisCount = try attributes.integer("axis_count", default: 1)
    epsilon = try attributes.float("epsilon")
    hasWeight = try attributes.bool("weight", default: true)
    hasBias = try attributes.bool("bias", default: true)
  }

  package var attributes: [Attribute] {
    (axisCount == 1 ? [] : [Attribute("axis_count", .integer(axisCount))])
      + [Attribute("epsilon", .float(epsilon))]
      + (hasWeight ? [] : [Attribute("weight", .bool(false))])
      + (hasBias ? [] : [Attribute("bias", .bool(false))])
  }

  package var traits: OperatorTraits { [.acceptsPrologue, .acceptsEpilogue] }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    let count = 1 + (hasWeight ? 1 : 0) + (hasBias ? 1 : 0)
    try checkOperandCount(operands, count...count)
    try checkNormalization(operands[0], parameters: Array(operands.dropFirst()), axisCount: axisCount)
    return [operands[0]]
  }
}

extension Operator {
  /// Throws unless x is floating-point with at least `axisCount` axes and each parameter has its
  /// type and the shape of those last axes.
  func checkNormalization(_ x: TensorType, parameters: [TensorType], axisCount: Int)
    throws(Diagnostic)
  {
    guard x.dtype.isFloatingPoint else {
      throw Diagnostic(.dtypeMismatch, "\(Self.name) of \(x)", hint: "cast the operand to float32")
    }
    guard axisCount >= 1, axisCount <= x.rank else {
      throw Diagnostic(.rankMismatch, "\(Self.name) over the last \(axisCount) axes of \(x)")
    }
    let expected = TensorType(x.dtype, Shape(Array(x.shape.dimensions.suffix(axisCount))))
    for parameter in parameters where parameter != expected {
      throw Diagnostic(
        parameter.dtype == x.dtype ? .shapeMismatch : .dtypeMismatch,
        "\(Self.name) of \(x) with a parameter \(parameter), expected \(expected)")
    }
  }
}
