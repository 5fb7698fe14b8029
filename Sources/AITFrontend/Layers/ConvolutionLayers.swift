import AITGraph

/// What convolutions of one, two and three spatial axes share; PyTorch's `_ConvNd`.
///
/// x is `[N, C, D1…Dk]` or `[C, D1…Dk]`; see
/// ``convolution(_:_:bias:stride:padding:dilation:groups:channelsLast:file:line:)``. The parameters
/// take the element type of the first x unless one is given. Lists with one number stand for all
/// spatial axes.
open class ConvolutionLayer: Module, UnaryLayer {
  /// `[O, C / groups, F1…Fk]`.
  public let weight: Parameter
  /// `[O]`, if there is one.
  public let bias: Parameter?
  /// How far windows are apart.
  public let stride: [Int]
  /// Zeros around x.
  public let padding: ConvolutionPadding
  /// How far the taps of a window are apart.
  public let dilation: [Int]
  /// How many groups of channels have filters of their own.
  public let groups: Int

  /// Creates the layer for the given number of spatial axes; O is a multiple of `groups`, and so is
  /// C.
  fileprivate init(
    _ rank: Int,
    _ inputChannels: Int,
    _ outputChannels: Int,
    _ kernel: [Int],
    _ stride: [Int],
    _ padding: ConvolutionPadding,
    _ dilation: [Int],
    _ groups: Int,
    _ bias: Bool,
    _ dtype: DType?
  ) {
    let taps = kernel.count == 1 ? Array(repeating: kernel[0], count: rank) : kernel
    weight = Parameter([outputChannels, inputChannels / max(1, groups)] + taps, dtype: dtype)
    self.bias = bias ? Parameter([outputChannels], dtype: dtype) : nil
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    super.init()
  }

  open override var detail: String {
    "\(weight.shape[1] * groups), \(weight.shape[0]), \(Array(weight.shape.dropFirst(2))), stride: "
      + "\(stride), padding: \(padding), groups: \(groups), bias: \(bias != nil)"
  }

  /// Returns the convolved images.
  open func forward(_ x: Tensor) -> Tensor {
    convolution(
      x,
      weight.tensor(matching: x),
      bias: bias?.tensor(matching: x),
      stride: stride,
      padding: padding,
      dilation: dilation,
      groups: groups
    ).representingModule()
  }
}

/// What transposed convolutions of one, two and three spatial axes share; PyTorch's
/// `_ConvTransposeNd`.
///
/// x is `[N, C, D1…Dk]` or `[C, D1…Dk]`; see
/// ``transposedConvolution(_:_:bias:stride:padding:outputPadding:dilation:groups:channelsLast:file:line:)``.
/// The parameters take the element type of the first x unless one is given. Lists with one number
/// stand for all spatial axes.
open class TransposedConvolutionLayer: Module, UnaryLayer {
  /// `[C, O / groups, F1…Fk]`.
  public let weight: Parameter
  /// `[O]`, if there is one.
  public let bias: Parameter?
  /// How far the windows that elements of x are spread over are apart.
  public let stride: [Int]
  /// Positions that are left out before and behind the result.
  public let padding: [Int]
  /// Positions that are added behind it.
  public let outputPadding: [Int]
  /// How far the taps of a window are apart.
  public let dilation: [Int]
  /// How many groups of channels have filters of their own.
  public let groups: Int

  /// Creates the layer for the given number of spatial axes; O is a multiple of `groups`, and so is
  /// C.
  fileprivate init(
    _ rank: Int,
    _ inputChannels: Int,
    _ outputChannels: Int,
    _ kernel: [Int],
    _ stride: [Int],
    _ padding: [Int],
    _ outputPadding: [Int],
    _ dilation: [Int],
    _ groups: Int,
    _ bias: Bool,
    _ dtype: DType?
  ) {
    let taps = kernel.count == 1 ? Array(repeating: kernel[0], count: rank) : kernel
    weight = Parameter([inputChannels, outputChannels / max(1, groups)] + taps, dtype: dtype)
    self.bias = bias ? Parameter([outputChannels], dtype: dtype) : nil
    self.stride = stride
    self.padding = padding
    self.outputPadding = outputPadding
    self.dilation = dilation
    self.groups = groups
    super.init()
  }

  open override var detail: String {
    "\(weight.shape[0]), \(weight.shape[1] * groups), \(Array(weight.shape.dropFirst(2))), stride: "
      + "\(stride), padding: \(padding), groups: \(groups), bias: \(bias != nil)"
  }

  /// Returns the spread images.
  open func forward(_ x: Tensor) -> Tensor {
    transposedConvolution(
      x,
      weight.tensor(matching: x),
      bias: bias?.tensor(matching: x),
      stride: stride,
      padding: padding,
      outputPadding: outputPadding,
      dilation: dilation,
      groups: groups
    ).representingModule()
  }
}

/// Slides filters over images of one spatial axis, x `[N, C, L]`; PyTorch's `Conv1d`.
open class Conv1d: ConvolutionLayer {
  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - inputChannels: C.
  ///   - outputChannels: O, the number of filters.
  ///   - kernel: the taps of a window along each axis, or along all.
  ///   - stride: how far windows are apart.
  ///   - padding: zeros around x.
  ///   - dilation: how far the taps of a window are apart.
  ///   - groups: how many groups of channels have filters of their own.
  ///   - bias: whether there is a bias.
  ///   - dtype: the element type of the parameters; nil for that of the first x.
  public init(
    _ inputChannels: Int,
    _ outputChannels: Int,
    kernel: [Int],
    stride: [Int] = [1],
    padding: ConvolutionPadding = 0,
    dilation: [Int] = [1],
    groups: Int = 1,
    bias: Bool = true,
    dtype: DType? = nil
  ) {
    super.init(
      1,
      inputChannels,
      outputChannels,
      kernel,
      stride,
      padding,
      dilation,
      groups,
      bias,
      dtype
    )
  }
}

/// Slides filters over images of two spatial axes, x `[N, C, H, W]`; PyTorch's `Conv2d`.
open class Conv2d: ConvolutionLayer {
  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - inputChannels: C.
  ///   - outputChannels: O, the number of filters.
  ///   - kernel: the taps of a window along each axis, or along all.
  ///   - stride: how far windows are apart.
  ///   - padding: zeros around x.
  ///   - dilation: how far the taps of a window are apart.
  ///   - groups: how many groups of channels have filters of their own.
  ///   - bias: whether there is a bias.
  ///   - dtype: the element type of the parameters; nil for that of the first x.
  public init(
    _ inputChannels: Int,
    _ outputChannels: Int,
    kernel: [Int],
    stride: [Int] = [1],
    padding: ConvolutionPadding = 0,
    dilation: [Int] = [1],
    groups: Int = 1,
    bias: Bool = true,
    dtype: DType? = nil
  ) {
    super.init(
      2,
      inputChannels,
      outputChannels,
      kernel,
      stride,
      padding,
      dilation,
      groups,
      bias,
      dtype
    )
  }
}

/// Slides filters over images of three spatial axes, x `[N, C, D, H, W]`; PyTorch's `Conv3d`.
open class Conv3d: ConvolutionLayer {
  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - inputChannels: C.
  ///   - outputChannels: O, the number of filters.
  ///   - kernel: the taps of a window along each axis, or along all.
  ///   - stride: how far windows are apart.
  ///   - padding: zeros around x.
  ///   - dilation: how far the taps of a window are apart.
  ///   - groups: how many groups of channels have filters of their own.
  ///   - bias: whether there is a bias.
  ///   - dtype: the element type of the parameters; nil for that of the first x.
  public init(
    _ inputChannels: Int,
    _ outputChannels: Int,
    kernel: [Int],
    stride: [Int] = [1],
    padding: ConvolutionPadding = 0,
    dilation: [Int] = [1],
    groups: Int = 1,
    bias: Bool = true,
    dtype: DType? = nil
  ) {
    super.init(
      3,
      inputChannels,
      outputChannels,
      kernel,
      stride,
      padding,
      dilation,
      groups,
      bias,
      dtype
    )
  }
}

/// Spreads images of one spatial axis by filters, x `[N, C, L]`; PyTorch's `ConvTranspose1d`.
open class ConvTranspose1d: TransposedConvolutionLayer {
  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - inputChannels: C.
  ///   - outputChannels: O.
  ///   - kernel: the taps of a window along each axis, or along all.
  ///   - stride: how far the windows that elements of x are spread over are apart.
  ///   - padding: positions that are left out before and behind the result.
  ///   - outputPadding: positions that are added behind it.
  ///   - dilation: how far the taps of a window are apart.
  ///   - groups: how many groups of channels have filters of their own.
  ///   - bias: whether there is a bias.
  ///   - dtype: the element type of the parameters; nil for that of the first x.
  public init(
    _ inputChannels: Int,
    _ outputChannels: Int,
    kernel: [Int],
    stride: [Int] = [1],
    padding: [Int] = [0],
    outputPadding: [Int] = [0],
    dilation: [Int] = [1],
    groups: Int = 1,
    bias: Bool = true,
    dtype: DType? = nil
  ) {
    super.init(
      1,
      inputChannels,
      outputChannels,
      kernel,
      stride,
      padding,
      outputPadding,
      dilation,
      groups,
      bias,
      dtype
    )
  }
}

/// Spreads images of two spatial axes by filters, x `[N, C, H, W]`; PyTorch's `ConvTranspose2d`.
open class ConvTranspose2d: TransposedConvolutionLayer {
  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - inputChannels: C.
  ///   - outputChannels: O.
  ///   - kernel: the taps of a window along each axis, or along all.
  ///   - stride: how far the windows that elements of x are spread over are apart.
  ///   - padding: positions that are left out before and behind the result.
  ///   - outputPadding: positions that are added behind it.
  ///   - dilation: how far the taps of a window are apart.
  ///   - groups: how many groups of channels have filters of their own.
  ///   - bias: whether there is a bias.
  ///   - dtype: the element type of the parameters; nil for that of the first x.
  public init(
    _ inputChannels: Int,
    _ outputChannels: Int,
    kernel: [Int],
    stride: [Int] = [1],
    padding: [Int] = [0],
    outputPadding: [Int] = [0],
    dilation: [Int] = [1],
    groups: Int = 1,
    bias: Bool = true,
    dtype: DType? = nil
  ) {
    super.init(
      2,
      inputChannels,
      outputChannels,
      kernel,
      stride,
      padding,
      outputPadding,
      dilation,
      groups,
      bias,
      dtype
    )
  }
}

/// Spreads images of three spatial axes by filters, x `[N, C, D, H, W]`; PyTorch's `ConvTranspose3d`.
open class ConvTranspose3d: TransposedConvolutionLayer {
  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - inputChannels: C.
  ///   - outputChannels: O.
  ///   - kernel: the taps of a window along each axis, or along all.
  ///   - stride: how far the windows that elements of x are spread over are apart.
  ///   - padding: positions that are left out before and behind the result.
  ///   - outputPadding: positions that are added behind it.
  ///   - dilation: how far the taps of a window are apart.
  ///   - groups: how many groups of channels have filters of their own.
  ///   - bias: whether there is a bias.
  ///   - dtype: the element type of the parameters; nil for that of the first x.
  public init(
    _ inputChannels: Int,
    _ outputChannels: Int,
    kernel: [Int],
    stride: [Int] = [1],
    padding: [Int] = [0],
    outputPadding: [Int] = [0],
    dilation: [Int] = [1],
    groups: Int = 1,
    bias: Bool = true,
    dtype: DType? = nil
  ) {
    super.init(
      3,
      inputChannels,
      outputChannels,
      kernel,
      stride,
      padding,
      outputPadding,
      dilation,
      groups,
      bias,
      dtype
    )
  }
}
