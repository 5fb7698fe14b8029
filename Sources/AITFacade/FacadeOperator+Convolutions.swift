import AITFrontend
import AITGraph
import AITOperators

extension FacadeOperator {
  /// Convolutions of images whose channels come last; weights are `[O, KH, KW, C / group]`, of
  /// transposed convolutions `[C, KH, KW, O / group]`.
  ///
  /// Strides, paddings and dilations are one number, or one for each spatial axis.
  static let convolutions: [FacadeOperator] =
    [
      convolution("conv2d", "y = x ∗ w", rank: 4, []) { (y, _) in y }
    ] + planarConvolutions + fewChannels + depthwise + spatialConvolutions + transposed

  private typealias Epilogue = @Sendable (_ y: Tensor, _ residual: Tensor?) -> Tensor

  private static func attributes(_ last: FacadeParameter) -> [FacadeParameter] {
    [
      FacadeParameter("stride", .integers), FacadeParameter("pad", .integers),
      FacadeParameter("dilate", .integers, default: .integer(1)), last,
    ]
  }
  private static let group = FacadeParameter("group", .integer, default: .integer(1))

  private static func convolution(
    _ name: String,
    _ formula: String,
    rank: Int,
    _ further: [String],
    isTransposed: Bool = false,
    isDepthwise: Bool = false,
    last: FacadeParameter = group,
    _ epilogue: @escaping Epilogue
  ) -> FacadeOperator {
    let image = rank == 4 ? "[N, H, W, C]" : "[N, D, H, W, C]"
    let taps = rank == 4 ? "KH, KW" : "KD, KH, KW"
    let weight = isTransposed ? "[C, \(taps), O / group]" : "[O, \(taps), C / group]"
    return FacadeOperator(
      name,
      "\(formula): x \(image), w \(weight)" + (further.contains("b") ? ", b [O]" : "")
        + (further.contains("r") ? ", r of the result's shape" : ""),
      attributes: attributes(last),
      (["x", "w"] + further).map { .tensor($0) }
    ) { (call) throws(Diagnostic) in
      var y = try convolved(
        call,
        rank: rank,
        isTransposed: isTransposed,
        isDepthwise: isDepthwise,
        hasGroups: last.name == "group"
      )
      if further.contains("b") { y = try biased(y, "b", call) }
      let residual = further.contains("r") ? try call.tensor("r", y.type) : nil
      return [epilogue(y, residual)]
    }
  }

  private static func convolved(
    _ call: FacadeCall,
    rank: Int,
    isTransposed: Bool,
    isDepthwise: Bool,
    hasGroups: Bool = true
  ) throws(Diagnostic) -> Tensor {
    let x = try call.tensor("x", rank: rank...rank)
    let w = try call.tensor("w", rank: rank...rank)
    let groups = hasGroups ? try call.integer("group") : 1
    guard !isDepthwise || w.extent(0) == Dimension(groups) else {
      throw call.failure(
        .shapeMismatch,
        "'w' is \(w.type) with \(groups) groups",
        hint: "each channel has a filter of its own: there are as many groups as channels"
      )
    }
    let stride = try call.integers("stride", count: rank - 2)
    let padding = try call.integers("pad", count: rank - 2)
    let dilation = try call.integers("dilate", count: rank - 2)
    guard !isTransposed else {
      return transposedConvolution(
        x,
        // [C, K…, O / G] as PyTorch has it, [C, O / G, K…].
        w.permute([0, rank - 1] + Array(1..<(rank - 1))),
        stride: stride,
        padding: padding,
        dilation: dilation,
        groups: groups,
        channelsLast: true
      )
    }
    return try built([x, w]) { (graph, x) throws(Diagnostic) in
      try graph.convolution(
        x[0],
        x[1],
        stride: stride,
        padding: padding.map { Convolution.Padding($0, $0) },
        dilation: dilation,
        groups: groups
      )
    }
  }

  private static func biased(_ y: Tensor, _ parameter: String, _ call: FacadeCall)
    throws(Diagnostic) -> Tensor
  {
    if let diagnostic = y.diagnostic { throw diagnostic }
    return y + (try call.tensor(parameter, TensorType(y.dtype, [y.extent(-1)])))
  }

  private static let planarConvolutions: [FacadeOperator] = [
    convolution("conv2d_bias", "y = x ∗ w + b", rank: 4, ["b"]) { (y, _) in y },
    convolution("conv2d_bias_relu", "relu(x ∗ w + b)", rank: 4, ["b"]) { (y, _) in relu(y) },
    convolution("conv2d_bias_sigmoid", "sigmoid(x ∗ w + b)", rank: 4, ["b"]) { (y, _) in
      sigmoid(y)
    },
    convolution("conv2d_bias_hardswish", "hardswish(x ∗ w + b)", rank: 4, ["b"]) { (y, _) in
      hardSwish(y)
    },
    convolution("conv2d_bias_add", "x ∗ w + b + r", rank: 4, ["b", "r"]) { (y, residual) in
      sum(y, residual)
    },
    convolution("conv2d_bias_add_relu", "relu(x ∗ w + b + r)", rank: 4, ["b", "r"]) {
      (y, residual) in relu(sum(y, residual))
    },
    convolution("conv2d_bias_add_hardswish", "hardswish(x ∗ w + b + r)", rank: 4, ["b", "r"]) {
      (y, residual) in hardSwish(sum(y, residual))
    },
  ]

  private static func sum(_ y: Tensor, _ residual: Tensor?) -> Tensor {
    residual.map { y + $0 } ?? y
  }

  /// AITemplate pads few channels for its kernels; ours take any number.
  private static let fewChannels: [FacadeOperator] = [
    fewChannels("conv2d_bias_few_channels", "x ∗ w + b") { (y, _) in y },
    fewChannels("conv2d_bias_relu_few_channels", "relu(x ∗ w + b)") { (y, _) in relu(y) },
    fewChannels("conv2d_bias_hardswish_few_channels", "hardswish(x ∗ w + b)") { (y, _) in
      hardSwish(y)
    },
  ]

  private static func fewChannels(
    _ name: String,
    _ formula: String,
    _ epilogue: @escaping Epilogue
  ) -> FacadeOperator {
    convolution(
      name,
      "\(formula), whether auto_padding or not",
      rank: 4,
      ["b"],
      last: .bool("auto_padding", true),
      epilogue
    )
  }

  private static let depthwise: [FacadeOperator] = [
    convolution(
      "conv2d_depthwise",
      "x ∗ w, each channel by itself",
      rank: 4,
      [],
      isDepthwise: true
    ) { (y, _) in y },
    convolution(
      "conv2d_depthwise_bias",
      "x ∗ w + b, each channel by itself",
      rank: 4,
      ["b"],
      isDepthwise: true
    ) { (y, _) in y },
    FacadeOperator(
      "depthwise_conv3d",
      "x ∗ w, each channel by itself, plus the bias [O] that the constructor announces: "
        + "x [N, D, H, W, C], w [O, KD, KH, KW, 1]",
      attributes: attributes(group) + [.bool("bias", false)],
      [.tensor("x"), .tensor("w"), .optionalTensor("bias")]
    ) { (call) throws(Diagnostic) in
      let y = try convolved(call, rank: 5, isTransposed: false, isDepthwise: true)
      // The constructor's truth value and the call's tensor share a name.
      switch call["bias"] {
      case .none, .bool(false): return [y]
      default: return [try biased(y, "bias", call)]
      }
    },
  ]

  private static let spatialConvolutions: [FacadeOperator] = [
    convolution("conv3d", "x ∗ w", rank: 5, []) { (y, _) in y },
    convolution("conv3d_bias", "x ∗ w + b", rank: 5, ["b"]) { (y, _) in y },
  ]

  private static let transposed: [FacadeOperator] = [
    convolution("transposed_conv2d", "x spread by w", rank: 4, [], isTransposed: true) { (y, _) in
      y
    },
    convolution(
      "transposed_conv2d_bias",
      "x spread by w, plus b",
      rank: 4,
      ["b"],
      isTransposed: true
    ) { (y, _) in y },
    convolution(
      "transposed_conv2d_bias_relu",
      "relu of x spread by w, plus b",
      rank: 4,
      ["b"],
      isTransposed: true
    ) { (y, _) in relu(y) },
  ]
}
