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
        .shapeMismatch, "group_norm of \(x) with \(groupCount) groups",
        hint: "the shape is [N, C, …] with a known C that the number of groups divides")
    }
    let expected = TensorType(x.dtype, [Dimension(channels)])
    for parameter in operands.dropFirst() where parameter != expected {
      throw Diagnostic(
        parameter.dtype == x.dtype ? .shapeMismatch : .dtypeMismatch,
        "group_norm of \(x) with a parameter \(parameter), expected \(expected)")
    }
    return [x]
  }
}
