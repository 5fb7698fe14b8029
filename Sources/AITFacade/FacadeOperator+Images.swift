import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Windows and interpolation of images `[N, H, W, C]`.
  static let images: [FacadeOperator] = [
    pool("max_pool2d", "The largest element of each window; padding is −∞") { maxPool($0, $1) },
    pool("avg_pool2d", "The average of each window; padding counts as 0") { averagePool($0, $1) },
    FacadeOperator(
      "upsampling2d",
      "\(upsamplingSummary): x [N, H, W, C]",
      attributes: upsamplingAttributes,
      [.tensor("x")]
    ) { (call) throws(Diagnostic) in [try upsampled(call)] },
    FacadeOperator(
      "upsampling2d_add",
      "\(upsamplingSummary), plus r: x [N, H, W, C], r of the result's shape",
      attributes: upsamplingAttributes,
      [.tensor("x"), .tensor("r")]
    ) { (call) throws(Diagnostic) in
      let y = try upsampled(call)
      if let diagnostic = y.diagnostic { throw diagnostic }
      return [y + (try call.tensor("r", y.type))]
    },
  ]

  private static func pool(
    _ name: String,
    _ formula: String,
    _ function: @escaping @Sendable (Tensor, PoolWindows) -> Tensor
  ) -> FacadeOperator {
    FacadeOperator(
      name,
      "\(formula): x [N, H, W, C]; one number is for rows and columns",
      attributes: [
        FacadeParameter("kernel_size", .integers), FacadeParameter("stride", .integers),
        FacadeParameter("pad", .integers),
      ],
      [.tensor("x")]
    ) { (call) throws(Diagnostic) in
      let windows = PoolWindows(
        try call.integers("kernel_size", count: 2),
        stride: try call.integers("stride", count: 2),
        padding: try call.integers("pad", count: 2)
      )
      return [function(try call.tensor("x", rank: 4...4), windows)]
    }
  }

  private static let upsamplingSummary =
    "Rows and columns interpolated to ⌊scale_factor · extent⌋ of them, by 'nearest', 'bilinear' or "
    + "'bicubic'"
  private static let upsamplingAttributes: [FacadeParameter] = [
    .number("scale_factor"), FacadeParameter("mode", .string),
  ]

  private static func upsampled(_ call: FacadeCall) throws(Diagnostic) -> Tensor {
    let modes: [String: Interpolation] = [
      "nearest": .nearest, "linear": .linear, "bilinear": .linear, "bicubic": .cubic,
    ]
    let name = try call.string("mode")
    guard let mode = modes[name] else {
      throw call.failure(
        .invalidArgument,
        "the mode '\(name)'",
        hint: "one of \(modes.keys.sorted().joined(separator: ", "))"
      )
    }
    let scale = try call.number("scale_factor")
    return interpolate(try call.tensor("x", rank: 4...4), by: [scale, scale], mode)
  }
}
