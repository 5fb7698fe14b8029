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
    try checkNormalization(
      operands[0],
      parameters: Array(operands.dropFirst()),
      axisCount: axisCount
    )
    try checkEpsilon(epsilon)
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
        "\(Self.name) of \(x) with a parameter \(parameter), expected \(expected)"
      )
    }
  }

  /// Throws unless a number can be added under the root.
  func checkEpsilon(_ epsilon: Double) throws(Diagnostic) {
    guard epsilon.isFinite, epsilon >= 0 else {
      throw Diagnostic(
        .invalidAttribute,
        "\(Self.name) with the epsilon \(epsilon)",
        hint: "epsilon is a finite number of at least 0, such as 1e-5"
      )
    }
  }
}

extension LayerNorm {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let x = operands[0]
    let size = x.shape.suffix(axisCount).reduce(1, *)
    let weight = hasWeight ? operands[1].doubles : nil
    let bias = hasBias ? operands[operands.count - 1].doubles : nil
    var values = x.doubles
    for row in 0..<(size == 0 ? 0 : values.count / size) {
      let range = (row * size)..<((row + 1) * size)
      let mean = values[range].reduce(0, +) / Double(size)
      let variance = values[range].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size)
      let scale = 1 / (variance + epsilon).squareRoot()
      for column in 0..<size {
        let normal = (values[row * size + column] - mean) * scale
        values[row * size + column] = normal * (weight?[column] ?? 1) + (bias?[column] ?? 0)
      }
    }
    return [TensorData(results[0].dtype, x.shape, values)]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    operands[0].shape.elementCount * 8
  }

  package static let examples = [
    OperatorExample(
      LayerNorm(axisCount: 1, epsilon: 1e-5, hasWeight: true, hasBias: true),
      [TensorType(.float32, [4, 32]), TensorType(.float32, [32]), TensorType(.float32, [32])]
    ),
    OperatorExample(
      LayerNorm(axisCount: 1, epsilon: 1e-5, hasWeight: true, hasBias: true),
      [
        TensorType(.float16, [.symbol("batch", 1...8), .symbol("seq", 1...16), 37]),
        TensorType(.float16, [37]), TensorType(.float16, [37]),
      ]
    ),
    OperatorExample(
      LayerNorm(axisCount: 2, epsilon: 0.1, hasWeight: true, hasBias: false),
      [TensorType(.bfloat16, [2, 3, 5]), TensorType(.bfloat16, [3, 5])]
    ),
    OperatorExample(
      LayerNorm(axisCount: 1, epsilon: 1e-5, hasWeight: false, hasBias: false),
      [TensorType(.float32, [7])]
    ),
    OperatorExample(
      LayerNorm(axisCount: 1, epsilon: 1e-5, hasWeight: false, hasBias: false),
      [TensorType(.float32, [0, 8])]
    ),
  ]
}

extension Graph {
  /// Normalises over the last `axisCount` axes; weight and bias have the shape of those axes.
  package mutating func layerNorm(
    _ x: ValueID,
    axisCount: Int = 1,
    weight: ValueID? = nil,
    bias: ValueID? = nil,
    epsilon: Double = 1e-5,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let op = LayerNorm(
      axisCount: axisCount,
      epsilon: epsilon,
      hasWeight: weight != nil,
      hasBias: bias != nil
    )
    return try addResult(op, [x] + [weight, bias].compactMap(\.self), name: name)
  }
}
