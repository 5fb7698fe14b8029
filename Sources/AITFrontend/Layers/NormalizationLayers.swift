import AITGraph

/// Normalises over the last axes; PyTorch's `LayerNorm`.
///
/// x is `[…, D_1, …, D_r]`, weight and bias are `[D_1, …, D_r]`. The parameters take the element type
/// of the first x unless one is given. `shape-mismatch` if x ends otherwise.
open class LayerNorm: Module, UnaryLayer {
  /// `[D_1, …, D_r]`, if there is one.
  public let weight: Parameter?
  /// `[D_1, …, D_r]`, if there is one.
  public let bias: Parameter?
  /// The extents that are normalised together.
  public let normalizedShape: [Int]
  /// What is added to the variance.
  public let epsilon: Double

  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - normalizedShape: the extents of the last axes, which are normalised together.
  ///   - epsilon: what is added to the variance.
  ///   - affine: whether there are a weight and a bias; PyTorch's `elementwise_affine`.
  ///   - bias: whether there is a bias if there is a weight.
  ///   - dtype: the element type of the parameters; nil for that of the first x.
  public init(
    _ normalizedShape: [Int],
    epsilon: Double = 1e-5,
    affine: Bool = true,
    bias: Bool = true,
    dtype: DType? = nil
  ) {
    weight = affine ? Parameter(normalizedShape, dtype: dtype) : nil
    self.bias = affine && bias ? Parameter(normalizedShape, dtype: dtype) : nil
    self.normalizedShape = normalizedShape
    self.epsilon = epsilon
    super.init()
  }

  /// Creates the layer for one axis of the given extent.
  public convenience init(
    _ width: Int,
    epsilon: Double = 1e-5,
    affine: Bool = true,
    bias: Bool = true,
    dtype: DType? = nil
  ) {
    self.init([width], epsilon: epsilon, affine: affine, bias: bias, dtype: dtype)
  }

  open override var detail: String {
    "\(normalizedShape), epsilon: \(epsilon), affine: \(weight != nil)"
  }

  /// Returns the normalised tensor.
  open func forward(_ x: Tensor) -> Tensor {
    let widths = x.shape.dimensions.suffix(normalizedShape.count)
    guard x.diagnostic != nil || Array(widths) == normalizedShape.map({ Dimension($0) }) else {
      return .mismatch("layer_norm over \(normalizedShape) of \(x.type)")
    }
    return layerNorm(
      x,
      axisCount: normalizedShape.count,
      weight: weight?.tensor(matching: x),
      bias: bias?.tensor(matching: x),
      epsilon: epsilon
    ).representingModule()
  }
}

/// Scales by the root of the mean square over the last axes; PyTorch's `RMSNorm`.
///
/// x is `[…, D_1, …, D_r]`, the weight `[D_1, …, D_r]`; it takes the element type of the first x
/// unless one is given. `shape-mismatch` if x ends otherwise.
open class RMSNorm: Module, UnaryLayer {
  /// `[D_1, …, D_r]`, if there is one.
  public let weight: Parameter?
  /// The extents that are normalised together.
  public let normalizedShape: [Int]
  /// What is added to the mean square; nil for the epsilon of the element type.
  public let epsilon: Double?

  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - normalizedShape: the extents of the last axes, which are normalised together.
  ///   - epsilon: what is added to the mean square; nil for the epsilon of the element type.
  ///   - affine: whether there is a weight; PyTorch's `elementwise_affine`.
  ///   - dtype: the element type of the weight; nil for that of the first x.
  public init(
    _ normalizedShape: [Int],
    epsilon: Double? = nil,
    affine: Bool = true,
    dtype: DType? = nil
  ) {
    weight = affine ? Parameter(normalizedShape, dtype: dtype) : nil
    self.normalizedShape = normalizedShape
    self.epsilon = epsilon
    super.init()
  }

  /// Creates the layer for one axis of the given extent.
  public convenience init(
    _ width: Int,
    epsilon: Double? = nil,
    affine: Bool = true,
    dtype: DType? = nil
  ) {
    self.init([width], epsilon: epsilon, affine: affine, dtype: dtype)
  }

  open override var detail: String {
    "\(normalizedShape), epsilon: \(epsilon.map { "\($0)" } ?? "nil"), affine: \(weight != nil)"
  }

  /// Returns the scaled tensor.
  open func forward(_ x: Tensor) -> Tensor {
    let widths = x.shape.dimensions.suffix(normalizedShape.count)
    guard x.diagnostic != nil || Array(widths) == normalizedShape.map({ Dimension($0) }) else {
      return .mismatch("rms_norm over \(normalizedShape) of \(x.type)")
    }
    return rmsNorm(
      x,
      axisCount: normalizedShape.count,
      weight: weight?.tensor(matching: x),
      epsilon: epsilon
    ).representingModule()
  }
}

/// Normalises groups of channels together with all later axes; PyTorch's `GroupNorm`.
///
/// x is `[N, C, …]`, weight and bias are `[C]` and take the element type of the first x unless one is
/// given. `shape-mismatch` if x has another number of channels.
open class GroupNorm: Module, UnaryLayer {
  /// `[C]`, if there is one.
  public let weight: Parameter?
  /// `[C]`, if there is one.
  public let bias: Parameter?
  /// The number of groups.
  public let groupCount: Int
  /// C.
  public let channelCount: Int
  /// What is added to the variance.
  public let epsilon: Double

  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - groupCount: the number of groups, which divides that of the channels.
  ///   - channelCount: C, the extent of x's second axis.
  ///   - epsilon: what is added to the variance.
  ///   - affine: whether there are a weight and a bias.
  ///   - dtype: the element type of the parameters; nil for that of the first x.
  public init(
    _ groupCount: Int,
    _ channelCount: Int,
    epsilon: Double = 1e-5,
    affine: Bool = true,
    dtype: DType? = nil
  ) {
    weight = affine ? Parameter([channelCount], dtype: dtype) : nil
    bias = affine ? Parameter([channelCount], dtype: dtype) : nil
    self.groupCount = groupCount
    self.channelCount = channelCount
    self.epsilon = epsilon
    super.init()
  }

  open override var detail: String {
    "\(groupCount), \(channelCount), epsilon: \(epsilon), affine: \(weight != nil)"
  }

  /// Returns the normalised tensor.
  open func forward(_ x: Tensor) -> Tensor {
    guard x.diagnostic != nil || (x.rank >= 2 && x.shape[1] == Dimension(channelCount)) else {
      return .mismatch("group_norm of \(channelCount) channels of \(x.type)")
    }
    return groupNorm(
      x,
      groupCount: groupCount,
      weight: weight?.tensor(matching: x),
      bias: bias?.tensor(matching: x),
      epsilon: epsilon
    ).representingModule()
  }
}

extension Tensor {
  /// Returns a tensor that says that a layer does not fit its operand.
  fileprivate static func mismatch(_ message: String) -> Tensor {
    failing(Diagnostic(.shapeMismatch, message), .resolved(#fileID, #line))
  }
}
