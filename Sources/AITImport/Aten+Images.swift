import AITFrontend
import AITGraph

extension AtenOperator {
  static let convolutions: [String: AtenOperator] = [
    "conv1d": .one { (call) throws(Diagnostic) in try convolved(call, 1) },
    "conv2d": .one { (call) throws(Diagnostic) in try convolved(call, 2) },
    "conv3d": .one { (call) throws(Diagnostic) in try convolved(call, 3) },
    "convolution": .one { (call) throws(Diagnostic) in
      let axes = try call.tensor("weight").rank - 2
      guard (1...3).contains(axes) else { throw call.unsupported("over \(axes) axes") }
      return try call.bool("transposed")
        ? try transposed(call, axes) : try convolved(call, axes)
    },
    "conv_transpose1d": .one { (call) throws(Diagnostic) in try transposed(call, 1) },
    "conv_transpose2d": .one { (call) throws(Diagnostic) in try transposed(call, 2) },
    "conv_transpose3d": .one { (call) throws(Diagnostic) in try transposed(call, 3) },
  ]

  private static func convolved(_ call: AtenCall, _ axes: Int) throws(Diagnostic) -> Tensor {
    let padding: ConvolutionPadding
    if case .string(let mode) = call["padding"] {
      padding = mode == "same" ? .same : .symmetric(Array(repeating: 0, count: axes))
    } else {
      padding = .symmetric(try call.perAxis("padding", axes, default: 0))
    }
    return try batched(call, axes) { (x) throws(Diagnostic) in
      convolution(
        x,
        try call.tensor("weight"),
        bias: try call.optionalTensor("bias"),
        stride: try call.perAxis("stride", axes, default: 1),
        padding: padding,
        dilation: try call.perAxis("dilation", axes, default: 1),
        groups: try call.integer("groups", default: 1)
      )
    }
  }

  private static func transposed(_ call: AtenCall, _ axes: Int) throws(Diagnostic) -> Tensor {
    try batched(call, axes) { (x) throws(Diagnostic) in
      transposedConvolution(
        x,
        try call.tensor("weight"),
        bias: try call.optionalTensor("bias"),
        stride: try call.perAxis("stride", axes, default: 1),
        padding: try call.perAxis("padding", axes, default: 0),
        outputPadding: try call.perAxis("output_padding", axes, default: 0),
        dilation: try call.perAxis("dilation", axes, default: 1),
        groups: try call.integer("groups", default: 1)
      )
    }
  }

  /// The result for `[N, C, …]`, of a tensor that may lack the batch.
  private static func batched(
    _ call: AtenCall,
    _ axes: Int,
    _ body: (Tensor) throws(Diagnostic) -> Tensor
  ) throws(Diagnostic) -> Tensor {
    let x = try call.subject()
    switch x.rank - axes {
    case 2: return try body(x)
    case 1: return try body(x.unsqueeze(axis: 0)).squeeze(axis: 0)
    default: throw call.unsupported("of \(x.type) over \(axes) axes")
    }
  }

  /// The result of what takes channels last, for `[N, C, …]` or `[C, …]`.
  private static func channelsLast(
    _ call: AtenCall,
    _ axes: Int,
    _ body: (Tensor) throws(Diagnostic) -> Tensor
  ) throws(Diagnostic) -> Tensor {
    try batched(call, axes) { (x) throws(Diagnostic) in
      let spatial = Array(2..<(axes + 2))
      let y = try body(x.permute([0] + spatial + [1]))
      return y.permute([0, axes + 1] + Array(1..<(axes + 1)))
    }
  }

  static let images: [String: AtenOperator] = [
    "max_pool1d": .one { (call) throws(Diagnostic) in try pooled(call, 1, isMaximum: true) },
    "max_pool2d": .one { (call) throws(Diagnostic) in try pooled(call, 2, isMaximum: true) },
    "max_pool3d": .one { (call) throws(Diagnostic) in try pooled(call, 3, isMaximum: true) },
    "max_pool2d_with_indices": withPositions { (call) throws(Diagnostic) in
      try pooled(call, 2, isMaximum: true)
    },
    "max_pool1d_with_indices": withPositions { (call) throws(Diagnostic) in
      try pooled(call, 1, isMaximum: true)
    },
    "max_pool3d_with_indices": withPositions { (call) throws(Diagnostic) in
      try pooled(call, 3, isMaximum: true)
    },
    "avg_pool1d": .one { (call) throws(Diagnostic) in try pooled(call, 1, isMaximum: false) },
    "avg_pool2d": .one { (call) throws(Diagnostic) in try pooled(call, 2, isMaximum: false) },
    "avg_pool3d": .one { (call) throws(Diagnostic) in try pooled(call, 3, isMaximum: false) },
    "adaptive_avg_pool1d": adaptive(1) { adaptiveAveragePool($0, $1) },
    "adaptive_avg_pool2d": adaptive(2) { adaptiveAveragePool($0, $1) },
    "_adaptive_avg_pool2d": adaptive(2) { adaptiveAveragePool($0, $1) },
    "adaptive_avg_pool3d": adaptive(3) { adaptiveAveragePool($0, $1) },
    "_adaptive_avg_pool3d": adaptive(3) { adaptiveAveragePool($0, $1) },
    "adaptive_max_pool1d": withPositions { (call) throws(Diagnostic) in
      try adaptivePooled(call, 1) { adaptiveMaxPool($0, $1) }
    },
    "adaptive_max_pool2d": withPositions { (call) throws(Diagnostic) in
      try adaptivePooled(call, 2) { adaptiveMaxPool($0, $1) }
    },
    "adaptive_max_pool3d": withPositions { (call) throws(Diagnostic) in
      try adaptivePooled(call, 3) { adaptiveMaxPool($0, $1) }
    },
    "upsample_nearest1d": resized(1, .nearest),
    "upsample_nearest2d": resized(2, .nearest),
    "upsample_nearest3d": resized(3, .nearest),
    "_upsample_nearest_exact1d": resized(1, .nearestExact),
    "_upsample_nearest_exact2d": resized(2, .nearestExact),
    "_upsample_nearest_exact3d": resized(3, .nearestExact),
    "upsample_linear1d": resized(1, .linear),
    "upsample_bilinear2d": resized(2, .linear),
    "upsample_trilinear3d": resized(3, .linear),
    "upsample_bicubic2d": resized(2, .cubic),
  ]

  private static func pooled(_ call: AtenCall, _ axes: Int, isMaximum: Bool) throws(Diagnostic)
    -> Tensor
  {
    let size = try call.perAxis("kernel_size", axes, default: 1)
    let strides = try call.integers("stride", default: [])
    let windows = PoolWindows(
      size,
      stride: strides.isEmpty ? nil : try call.perAxis("stride", axes, default: 1),
      padding: try call.perAxis("padding", axes, default: 0),
      dilation: isMaximum ? try call.perAxis("dilation", axes, default: 1) : nil,
      roundsUp: try call.bool("ceil_mode")
    )
    if isMaximum {
      return try channelsLast(call, axes) { (x) throws(Diagnostic) in
        exactly(x) { maxPool($0, windows) }
      }
    }
    if call.has("divisor_override") {
      let divisor = try call.integer("divisor_override")
      guard divisor != 0, try !call.bool("ceil_mode") else {
        throw call.unsupported("with such a divisor")
      }
      // The sum: the mean of all places of a window, times their number.
      let count = size.reduce(1.0) { $0 * Double($1) }
      return try channelsLast(call, axes) { (x) throws(Diagnostic) in
        averagePool(x, windows, countsPadding: true) * (count / Double(divisor))
      }
    }
    let counts = try call.bool("count_include_pad", default: true)
    return try channelsLast(call, axes) { (x) throws(Diagnostic) in
      averagePool(x, windows, countsPadding: counts)
    }
  }

  /// What chooses elements, of integers too: by way of the floating-point type that holds them.
  private static func exactly(_ x: Tensor, _ choice: (Tensor) -> Tensor) -> Tensor {
    if x.dtype.isFloatingPoint { return choice(x) }
    let wide: DType = x.dtype.sizeInBytes < 4 ? .float32 : .float64
    return choice(x.cast(to: wide)).cast(to: x.dtype)
  }

  /// An operator whose second result, the positions of the maxima, is not computed.
  private static func withPositions(
    _ build: @escaping @Sendable (AtenCall) throws(Diagnostic) -> Tensor
  ) -> AtenOperator {
    AtenOperator { (call) throws(Diagnostic) in
      [.tensor(try build(call)), .unavailable("the positions of \(call.target)")]
    }
  }

  private static func adaptive(
    _ axes: Int,
    _ pool: @escaping @Sendable (Tensor, [Int]) -> Tensor
  ) -> AtenOperator {
    .one { (call) throws(Diagnostic) in try adaptivePooled(call, axes, pool) }
  }

  private static func adaptivePooled(
    _ call: AtenCall,
    _ axes: Int,
    _ pool: (Tensor, [Int]) -> Tensor
  ) throws(Diagnostic) -> Tensor {
    let counts = try call.perAxis("output_size", axes, default: 1)
    // One window is a reduction, which is quicker.
    if counts.allSatisfy({ $0 == 1 }), call.target.contains("avg") {
      return try batched(call, axes) { (x) throws(Diagnostic) in
        x.mean(axes: Array(2..<(axes + 2)), keepsDimensions: true)
      }
    }
    return try channelsLast(call, axes) { (x) throws(Diagnostic) in pool(x, counts) }
  }

  private static func resized(_ axes: Int, _ mode: Interpolation) -> AtenOperator {
    .one { (call) throws(Diagnostic) in
      let alignsCorners = try call.bool("align_corners")
      let isNearest = mode == .nearest || mode == .nearestExact
      if axes == 2, !isNearest, try call.subject().dtype == .uint8 {
        return try resampledBytes(call, isCubic: mode == .cubic)
      }
      if call.has("scale_factors") || call.has("scale_factor") {
        let name = call.has("scale_factors") ? "scale_factors" : "scale_factor"
        guard case .list(let elements) = call[name] else {
          throw call.mismatch(name, "numbers")
        }
        var scales: [Double] = []
        for element in elements {
          guard case .float(let scale) = element else { throw call.mismatch(name, "numbers") }
          scales.append(scale)
        }
        return try channelsLast(call, axes) { (x) throws(Diagnostic) in
          let resize = { (x: Tensor) in
            interpolate(x, by: scales, mode, alignsCorners: alignsCorners)
          }
          return isNearest ? exactly(x, resize) : resize(x)
        }
      }
      for name in ["scales", "scales_d", "scales_h", "scales_w"] where call.has(name) {
        throw call.unsupported("to a size with scales of its own", hint: "give one of them")
      }
      let extents = try call.dimensions(call.has("output_size") ? "output_size" : "size")
      return try channelsLast(call, axes) { (x) throws(Diagnostic) in
        let resize = { (x: Tensor) in
          interpolate(x, to: extents, mode, alignsCorners: alignsCorners)
        }
        return isNearest ? exactly(x, resize) : resize(x)
      }
    }
  }
}
