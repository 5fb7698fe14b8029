import AITGraph
import AITOperators

// Softmax and normalisations. Statistics of half-precision types are computed in float32.

extension Tensor {
  /// Exponentials divided by their sum along an axis; PyTorch's `softmax`.
  ///
  /// Any shape; floating-point types, or a type given to convert to first. `axis-out-of-range` if
  /// there is no such axis, `dtype-mismatch` for integers without a type. A row of −infinity
  /// throughout gives NaN.
  public func softmax(
    axis: Int,
    dtype: DType? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.softmax(x, axis: axis, dtype: dtype)
    }
  }

  /// The logarithm of softmax, computed without leaving the logarithmic scale.
  public func logSoftmax(
    axis: Int,
    dtype: DType? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.logSoftmax(x, axis: axis, dtype: dtype)
    }
  }
}

/// Exponentials divided by their sum along an axis; see ``Tensor/softmax(axis:dtype:file:line:)``.
public func softmax(
  _ x: Tensor,
  axis: Int,
  dtype: DType? = nil,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  x.softmax(axis: axis, dtype: dtype, file: file, line: line)
}

/// The logarithm of softmax, computed without leaving the logarithmic scale.
public func logSoftmax(
  _ x: Tensor,
  axis: Int,
  dtype: DType? = nil,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  x.logSoftmax(axis: axis, dtype: dtype, file: file, line: line)
}

/// Normalises over the last axes: `(x − mean) / √(variance + ε) · weight + bias`; PyTorch's
/// `layer_norm`.
///
/// - Parameters:
///   - x: `[…, D_1, …, D_r]`, floating-point.
///   - axisCount: r, the number of axes at the end that are normalised together.
///   - weight: `[D_1, …, D_r]` of the type of x, if any.
///   - bias: `[D_1, …, D_r]` of the type of x, if any.
///   - epsilon: what is added to the variance.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: the type of x; failing with `shape-mismatch` or `dtype-mismatch` if a parameter does
///   not fit.
public func layerNorm(
  _ x: Tensor,
  axisCount: Int = 1,
  weight: Tensor? = nil,
  bias: Tensor? = nil,
  epsilon: Double = 1e-5,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  normalize(x, [weight, bias], .resolved(file, line)) {
    (graph, x, parameters) throws(Diagnostic) in
    try graph.layerNorm(
      x,
      axisCount: axisCount,
      weight: parameters[0],
      bias: parameters[1],
      epsilon: epsilon
    )
  }
}

/// Scales by the root of the mean square over the last axes: `x / √(mean(x²) + ε) · weight`;
/// PyTorch's `rms_norm`.
///
/// x is `[…, D_1, …, D_r]` with r = `axisCount`, the weight `[D_1, …, D_r]` of its type. Without an
/// epsilon it is that of the element type. Fails as ``layerNorm(_:axisCount:weight:bias:epsilon:file:line:)``.
public func rmsNorm(
  _ x: Tensor,
  axisCount: Int = 1,
  weight: Tensor? = nil,
  epsilon: Double? = nil,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  normalize(x, [weight], .resolved(file, line)) { (graph, x, parameters) throws(Diagnostic) in
    try graph.rmsNorm(x, axisCount: axisCount, weight: parameters[0], epsilon: epsilon)
  }
}

/// Normalises groups of channels together with all later axes; PyTorch's `group_norm`.
///
/// x is `[N, C, …]`; weight and bias are `[C]` of its type. `shape-mismatch` unless C is known and
/// a multiple of the number of groups.
public func groupNorm(
  _ x: Tensor,
  groupCount: Int,
  weight: Tensor? = nil,
  bias: Tensor? = nil,
  epsilon: Double = 1e-5,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  normalize(x, [weight, bias], .resolved(file, line)) {
    (graph, x, parameters) throws(Diagnostic) in
    try graph.groupNorm(
      x,
      groupCount: groupCount,
      weight: parameters[0],
      bias: parameters[1],
      epsilon: epsilon
    )
  }
}

/// Normalises each channel of each sample of `[N, C, …]`; PyTorch's `instance_norm`.
public func instanceNorm(
  _ x: Tensor,
  weight: Tensor? = nil,
  bias: Tensor? = nil,
  epsilon: Double = 1e-5,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  normalize(x, [weight, bias], .resolved(file, line)) {
    (graph, x, parameters) throws(Diagnostic) in
    try graph.instanceNorm(x, weight: parameters[0], bias: parameters[1], epsilon: epsilon)
  }
}

/// Normalises channels by statistics known beforehand, as PyTorch's `batch_norm` at inference.
///
/// x is `[N, C, …]`; the statistics, weight and bias are `[C]`.
public func batchNorm(
  _ x: Tensor,
  mean: Tensor,
  variance: Tensor,
  weight: Tensor? = nil,
  bias: Tensor? = nil,
  epsilon: Double = 1e-5,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  normalize(x, [weight, bias, mean, variance], .resolved(file, line)) {
    (graph, x, parameters) throws(Diagnostic) in
    guard let mean = parameters[2], let variance = parameters[3] else { return x }
    return try graph.batchNorm(
      x,
      mean: mean,
      variance: variance,
      weight: parameters[0],
      bias: parameters[1],
      epsilon: epsilon
    )
  }
}

/// Returns the result of a verb on a tensor and parameters that may be missing.
private func normalize(
  _ x: Tensor,
  _ parameters: [Tensor?],
  _ callSite: CallSite?,
  _ build: (inout Graph, ValueID, [ValueID?]) throws(Diagnostic) -> ValueID
) -> Tensor {
  .make([x] + parameters.compactMap(\.self), callSite) { (graph, inputs) throws(Diagnostic) in
    var rest = inputs.dropFirst()
    let values = parameters.map { $0 == nil ? nil : rest.removeFirst() }
    return try build(&graph, inputs[0], values)
  }
}
