import AITGraph

/// Normalises groups of channels: each sample's C channels fall into `groupCount` groups, and a group
/// is normalised over its channels and all later axes.
///
/// x is `[N, C, …]`; weight and bias, each optional, are `[C]`; C is a known multiple of
/// `groupCount`. float32 inside (float64 for itself). Source: Wu and He 2018;
/// `torch.nn.functional.group_norm`.
package struct GroupNorm: Operator {
  package static let name = "group_norm"
  package static let summary = "group normalisation of [N, C, …], weight and bias optional"

  package let groupCount: Int
  package let epsilon: Double
  package let hasWeight: Bool
  package let hasBias: Bool

  package init(groupCount: Int, epsilon: Double, hasWeight: Bool, hasBias: Bool) {
    self.groupCount = groupCount
    self.epsilon = epsilon
    self.hasWeight = hasWeight
    self.hasBias = hasBias
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    groupCount = try attributes.integer("groups")
    epsilon = try attributes.float("epsilon")
    hasWeight = try attributes.bool("weight", default: true)
    hasBias = try attributes.bool("bias", default: true)
  }

  package var attributes: [Attribute] {
    [Attribute("groups", .integer(groupCount)), Attribute("epsilon", .float(epsilon))]
      + (hasWeight ? [] : [Attribute("weight", .bool(false))])
      + (hasBias ? [] : [Attribute("bias", .bool(false))])
  }

  package var traits: OperatorTraits { .acceptsEpilogue }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    let count = 1 + (hasWeight ? 1 : 0) + (hasBias ? 1 : 0)
    try checkOperandCount(operands, count...count)
    let x = operands[0]
    guard x.dtype.isFloatingPoint else {
      throw Diagnostic(.dtypeMismatch, "group_norm of \(x)", hint: "cast the operand to float32")
    }
    guard x.rank >= 2, let channels = x.shape[1].constant, groupCount >= 1,
      channels.isMultiple(of: groupCount)
    else {
      throw Diagnostic(
        .shapeMismatch,
        "group_norm of \(x) with \(groupCount) groups",
        hint: "the shape is [N, C, …] with a known C that the number of groups divides"
      )
    }
    let expected = TensorType(x.dtype, [Dimension(channels)])
    for parameter in operands.dropFirst() where parameter != expected {
      throw Diagnostic(
        parameter.dtype == x.dtype ? .shapeMismatch : .dtypeMismatch,
        "group_norm of \(x) with a parameter \(parameter), expected \(expected)"
      )
    }
    try checkEpsilon(epsilon)
    return [x]
  }
}

extension GroupNorm {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let x = operands[0]
    let spatial = x.shape.dropFirst(2).reduce(1, *)
    let channels = x.shape[1]
    let perGroup = channels / groupCount
    let weight = hasWeight ? operands[1].doubles : nil
    let bias = hasBias ? operands[operands.count - 1].doubles : nil
    var values = x.doubles
    let groupSize = perGroup * spatial
    for group in 0..<(groupSize == 0 ? 0 : values.count / groupSize) {
      let row = (group * groupSize)..<((group + 1) * groupSize)
      let mean = values[row].reduce(0, +) / Double(groupSize)
      let variance =
        values[row].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(groupSize)
      let scale = 1 / (variance + epsilon).squareRoot()
      for index in row {
        let channel = index / spatial % channels
        values[index] = (values[index] - mean) * scale * (weight?[channel] ?? 1)
        values[index] += bias?[channel] ?? 0
      }
    }
    return [TensorData(results[0].dtype, x.shape, values)]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    operands[0].shape.elementCount * 8
  }

  package static let examples = [
    OperatorExample(
      GroupNorm(groupCount: 2, epsilon: 1e-5, hasWeight: true, hasBias: true),
      [TensorType(.float32, [2, 6, 4, 5]), TensorType(.float32, [6]), TensorType(.float32, [6])]
    ),
    OperatorExample(
      GroupNorm(groupCount: 3, epsilon: 1e-5, hasWeight: false, hasBias: false),
      [TensorType(.float16, [.symbol("batch", 1...8), 6, .symbol("length", 1...16)])]
    ),
    OperatorExample(
      GroupNorm(groupCount: 1, epsilon: 1e-3, hasWeight: true, hasBias: false),
      [TensorType(.bfloat16, [3, 5]), TensorType(.bfloat16, [5])]
    ),
    OperatorExample(
      GroupNorm(groupCount: 4, epsilon: 1e-5, hasWeight: false, hasBias: true),
      [TensorType(.float32, [0, 4, 3]), TensorType(.float32, [4])]
    ),
  ]
}

extension Graph {
  /// Normalises groups of channels of `[N, C, …]`; weight and bias are `[C]`.
  package mutating func groupNorm(
    _ x: ValueID,
    groupCount: Int,
    weight: ValueID? = nil,
    bias: ValueID? = nil,
    epsilon: Double = 1e-5,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let op = GroupNorm(
      groupCount: groupCount,
      epsilon: epsilon,
      hasWeight: weight != nil,
      hasBias: bias != nil
    )
    return try addResult(op, [x] + [weight, bias].compactMap(\.self), name: name)
  }
}
