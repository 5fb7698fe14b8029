import AITGraph

extension Graph {
  /// Normalises channels by statistics known beforehand:
  /// `y = (x − mean) / √(variance + ε) · weight + bias`.
  ///
  /// x is `[N, C, …]`; the statistics, the weight and the bias are `[C]`. Computed as one pointwise
  /// node in the type of x. Source: `torch.nn.functional.batch_norm` at inference.
  package mutating func batchNorm(
    _ x: ValueID,
    mean: ValueID,
    variance: ValueID,
    weight: ValueID? = nil,
    bias: ValueID? = nil,
    epsilon: Double = 1e-5,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let type = self[x].type
    guard type.rank >= 2, type.dtype.isFloatingPoint else {
      throw Diagnostic(
        .rankMismatch,
        "batch_norm of \(type)",
        hint: "the operand is floating-point [N, C, …]"
      )
    }
    let column = [type.shape[1]] + Array<Dimension>(repeating: 1, count: type.rank - 2)
    var operands: [PointwiseOperand] = [.value(x)]
    for parameter in [mean, variance, weight, bias] {
      guard let parameter else { continue }
      guard self[parameter].type.shape == [type.shape[1]] else {
        throw Diagnostic(
          .shapeMismatch,
          "batch_norm of \(type) with a parameter \(self[parameter].type)"
        )
      }
      operands.append(.value(try reshape(parameter, column)))
    }
    return try pointwise(operands, in: type.dtype, name: name ?? "batch_norm") { e, x in
      let shifted = e.call(.add, x[2], e.constant(epsilon, e.types[x[2]]))
      let normal = e.call(
        .multiply,
        e.call(.subtract, x[0], x[1]),
        e.call(.rsqrt, shifted)
      )
      let scaled = weight == nil ? normal : e.call(.multiply, normal, x[3])
      return bias == nil ? scaled : e.call(.add, scaled, x[x.count - 1])
    }
  }

  /// Normalises each channel of each sample of `[N, C, …]`: a group normalisation of C groups.
  package mutating func instanceNorm(
    _ x: ValueID,
    weight: ValueID? = nil,
    bias: ValueID? = nil,
    epsilon: Double = 1e-5,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let type = self[x].type
    guard type.rank >= 2, let channels = type.shape[1].constant else {
      throw Diagnostic(.rankMismatch, "instance_norm of \(type), expected [N, C, …] with a known C")
    }
    return try groupNorm(
      x,
      groupCount: channels,
      weight: weight,
      bias: bias,
      epsilon: epsilon,
      name: name ?? "instance_norm"
    )
  }
}
