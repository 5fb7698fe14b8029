import AITGraph

/// Scales by the root of the mean square over the last axes: `y = x / √(mean(x²) + ε) · weight`.
///
/// x is `[…, D_1, …, D_r]` with r = `axisCount`; the weight, optional, is `[D_1, …, D_r]`. float32
/// inside (float64 for itself). Source: Zhang and Sennrich 2019; `torch.nn.functional.rms_norm`.
package struct RMSNorm: Operator {
  package static let name = "rms_norm"
  package static let summary = "root-mean-square normalisation over the last axes"

  /// The number of trailing axes that are normalised, at least 1.
  package let axisCount: Int
  package let epsilon: Double
  package let hasWeight: Bool

  package init(axisCount: Int, epsilon: Double, hasWeight: Bool) {
    self.axisCount = axisCount
    self.epsilon = epsilon
    self.hasWeight = hasWeight
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    axisCount = try attributes.integer("axis_count", default: 1)
    epsilon = try attributes.float("epsilon")
    hasWeight = try attributes.bool("weight", default: true)
  }

  package var attributes: [Attribute] {
    (axisCount == 1 ? [] : [Attribute("axis_count", .integer(axisCount))])
      + [Attribute("epsilon", .float(epsilon))]
      + (hasWeight ? [] : [Attribute("weight", .bool(false))])
  }

  package var traits: OperatorTraits { [.acceptsPrologue, .acceptsEpilogue] }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    let count = hasWeight ? 2 : 1
    try checkOperandCount(operands, count...count)
    try checkNormalization(operands[0], parameters: Array(operands.dropFirst()), axisCount: axisCount)
    return [operands[0]]
  }
}
