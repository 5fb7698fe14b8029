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
    try checkNormalization(
      operands[0],
      parameters: Array(operands.dropFirst()),
      axisCount: axisCount
    )
    try checkEpsilon(epsilon)
    return [operands[0]]
  }
}

extension RMSNorm {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let x = operands[0]
    let size = x.shape.suffix(axisCount).reduce(1, *)
    let weight = hasWeight ? operands[1].doubles : nil
    var values = x.doubles
    for row in 0..<(size == 0 ? 0 : values.count / size) {
      let range = (row * size)..<((row + 1) * size)
      let meanSquare = values[range].reduce(0) { $0 + $1 * $1 } / Double(size)
      let scale = 1 / (meanSquare + epsilon).squareRoot()
      for column in 0..<size { values[row * size + column] *= scale * (weight?[column] ?? 1) }
    }
    return [TensorData(results[0].dtype, x.shape, values)]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    operands[0].shape.elementCount * 5
  }

  package static let examples = [
    OperatorExample(
      RMSNorm(axisCount: 1, epsilon: 1e-6, hasWeight: true),
      [TensorType(.float32, [4, 32]), TensorType(.float32, [32])]
    ),
    OperatorExample(
      RMSNorm(axisCount: 1, epsilon: 1e-6, hasWeight: true),
      [TensorType(.bfloat16, [.symbol("tokens", 1...64), 37]), TensorType(.bfloat16, [37])]
    ),
    OperatorExample(
      RMSNorm(axisCount: 2, epsilon: 1e-5, hasWeight: false),
      [TensorType(.float16, [2, 3, 5])]
    ),
    OperatorExample(
      RMSNorm(axisCount: 1, epsilon: 1e-5, hasWeight: false),
      [TensorType(.float32, [0, 8])]
    ),
  ]
}

extension Graph {
  /// Scales by the root of the mean square over the last `axisCount` axes.
  ///
  /// Without an epsilon it is that of the element type, as in PyTorch.
  package mutating func rmsNorm(
    _ x: ValueID,
    axisCount: Int = 1,
    weight: ValueID? = nil,
    epsilon: Double? = nil,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let op = RMSNorm(
      axisCount: axisCount,
      epsilon: epsilon ?? self[x].type.dtype.epsilon,
      hasWeight: weight != nil
    )
    return try addResult(op, [x] + [weight].compactMap(\.self), name: name)
  }
}
