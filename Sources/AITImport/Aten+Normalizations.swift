import AITFrontend
import AITGraph

extension AtenOperator {
  static let normalizations: [String: AtenOperator] = [
    "layer_norm": .one { (call) throws(Diagnostic) in try layerNormalized(call) },
    "native_layer_norm": withStatistics { (call) throws(Diagnostic) in
      try layerNormalized(call)
    },
    "rms_norm": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      return rmsNorm(
        x,
        axisCount: try call.dimensions("normalized_shape").count,
        weight: try call.optionalTensor("weight"),
        // PyTorch computes half types in float32, and takes its step.
        epsilon: try call.optionalNumber("eps")
          ?? (x.dtype == .float64 ? DType.float64 : DType.float32).epsilon
      )
    },
    "group_norm": .one { (call) throws(Diagnostic) in
      groupNorm(
        try call.subject(),
        groupCount: try call.integer("num_groups"),
        weight: try call.optionalTensor("weight"),
        bias: try call.optionalTensor("bias"),
        epsilon: try call.number("eps", default: 1e-5)
      )
    },
    "native_group_norm": withStatistics { (call) throws(Diagnostic) in
      groupNorm(
        try call.subject(),
        groupCount: try call.integer("group"),
        weight: try call.optionalTensor("weight"),
        bias: try call.optionalTensor("bias"),
        epsilon: try call.number("eps")
      )
    },
    "instance_norm": .one { (call) throws(Diagnostic) in
      guard try call.bool("use_input_stats", default: true) else {
        return try batchNormalized(call)
      }
      return instanceNorm(
        try call.subject(),
        weight: try call.optionalTensor("weight"),
        bias: try call.optionalTensor("bias"),
        epsilon: try call.number("eps")
      )
    },
    "_weight_norm": .one { (call) throws(Diagnostic) in
      let (v, axis) = (try call.tensor("v"), try call.integer("dim", default: 0))
      let kept = axis == -1 ? -1 : try v.shape.normalizedAxis(axis)
      let norm = v.norm(axes: (0..<v.rank).filter { $0 != kept }, keepsDimensions: true)
      return v * (try call.tensor("g") / norm)
    },
    "batch_norm": .one { (call) throws(Diagnostic) in
      guard try !call.bool("training") else {
        // Without statistics of its own, the batch's are meant, as for weights that are normalised.
        if !call.has("running_mean"), !call.has("running_var") { return try standardized(call) }
        throw call.unsupported("in training", hint: "export the module in eval mode")
      }
      return try batchNormalized(call)
    },
    "_native_batch_norm_legit_no_training": withStatistics { (call) throws(Diagnostic) in
      try batchNormalized(call)
    },
    "_native_batch_norm_legit": withStatistics { (call) throws(Diagnostic) in
      guard call.overload == "no_stats" else {
        guard try !call.bool("training") else {
          throw call.unsupported("in training", hint: "export the module in eval mode")
        }
        return try batchNormalized(call)
      }
      return try standardized(call)
    },
    "softmax": .one { (call) throws(Diagnostic) in
      softmax(
        try call.subject(),
        axis: try call.integer("dim"),
        dtype: try call.elementType()
      )
    },
    "_softmax": .one { (call) throws(Diagnostic) in
      softmax(
        try call.subject(),
        axis: try call.integer("dim"),
        dtype: try call.bool("half_to_float") ? .float32 : nil
      )
    },
    "_safe_softmax": .one { (call) throws(Diagnostic) in
      let (x, axis) = (try call.subject(), try call.integer("dim"))
      let y = softmax(x, axis: axis, dtype: try call.elementType())
      // A row of −∞ alone gives zeros.
      let isEmpty = (x .== -Double.infinity).all(axes: [axis], keepsDimensions: true)
      return `where`(isEmpty, 0.0, y)
    },
    "log_softmax": .one { (call) throws(Diagnostic) in
      logSoftmax(
        try call.subject(),
        axis: try call.integer("dim"),
        dtype: try call.elementType()
      )
    },
    "_log_softmax": .one { (call) throws(Diagnostic) in
      logSoftmax(
        try call.subject(),
        axis: try call.integer("dim"),
        dtype: try call.bool("half_to_float") ? .float32 : nil
      )
    },
  ]

  /// An operator whose second and third results, the statistics, are for training.
  private static func withStatistics(
    _ build: @escaping @Sendable (AtenCall) throws(Diagnostic) -> Tensor
  ) -> AtenOperator {
    AtenOperator { (call) throws(Diagnostic) in
      let statistics = AtenValue.unavailable("the statistics of \(call.target)")
      return [.tensor(try build(call)), statistics, statistics]
    }
  }

  private static func layerNormalized(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    layerNorm(
      try call.subject(),
      axisCount: try call.dimensions("normalized_shape").count,
      weight: try call.optionalTensor("weight"),
      bias: try call.optionalTensor("bias"),
      epsilon: try call.number("eps", default: 1e-5)
    )
  }

  /// Each channel less its mean and over its deviation, of the batch itself.
  private static func standardized(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    let x = try call.subject()
    guard x.rank >= 2 else { throw call.unsupported("of \(x.type)") }
    let axes = (0..<x.rank).filter { $0 != 1 }
    let wide = x.dtype == .float64 ? x : x.cast(to: .float32)
    let mean = wide.mean(axes: axes, keepsDimensions: true)
    let variance = wide.variance(axes: axes, correction: 0, keepsDimensions: true)
    var y = (wide - mean) * rsqrt(variance + (try call.number("eps", default: 1e-5)))
    let shape: [Dimension] = [x.extent(1)] + [Dimension](repeating: 1, count: x.rank - 2)
    if let weight = try call.optionalTensor("weight") { y = y * weight.reshape(shape) }
    if let bias = try call.optionalTensor("bias") { y = y + bias.reshape(shape) }
    return y.cast(to: x.dtype)
  }

  private static func batchNormalized(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    batchNorm(
      try call.subject(),
      mean: try call.tensor("running_mean"),
      variance: try call.tensor("running_var"),
      weight: try call.optionalTensor("weight"),
      bias: try call.optionalTensor("bias"),
      epsilon: try call.number("eps")
    )
  }

  static let reductions: [String: AtenOperator] = [
    "sum": reduction { $0.sum(axes: $1, keepsDimensions: $2, dtype: $3) },
    "mean": reduction { $0.mean(axes: $1, keepsDimensions: $2, dtype: $3) },
    "prod": reduction { $0.product(axes: $1, keepsDimensions: $2, dtype: $3) },
    "amax": reduction { x, axes, keeps, _ in x.max(axes: axes, keepsDimensions: keeps) },
    "amin": reduction { x, axes, keeps, _ in x.min(axes: axes, keepsDimensions: keeps) },
    "any": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      // Along no axes, which is not along all, each element for itself.
      let axes = try call.optionalIntegers("dim")
      if axes == [] { return x.cast(to: .bool) }
      return x.any(axes: axes, keepsDimensions: try call.bool("keepdim"))
    },
    "all": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let axes = try call.optionalIntegers("dim")
      if axes == [] { return x.cast(to: .bool) }
      return x.all(axes: axes, keepsDimensions: try call.bool("keepdim"))
    },
    "logsumexp": reduction { x, axes, keeps, _ in
      x.logSumExp(axes: axes, keepsDimensions: keeps)
    },
    "max": .many { (call) throws(Diagnostic) in try extreme(call, isLargest: true) },
    "min": .many { (call) throws(Diagnostic) in try extreme(call, isLargest: false) },
    "argmax": .one { (call) throws(Diagnostic) in
      try call.subject().argMax(
        axis: try call.optionalInteger("dim"),
        keepsDimensions: try call.bool("keepdim")
      )
    },
    "argmin": .one { (call) throws(Diagnostic) in
      try call.subject().argMin(
        axis: try call.optionalInteger("dim"),
        keepsDimensions: try call.bool("keepdim")
      )
    },
    "var": .one { (call) throws(Diagnostic) in
      try call.subject().variance(
        axes: try axes(call),
        correction: try correction(call),
        keepsDimensions: try call.bool("keepdim")
      )
    },
    "std": .one { (call) throws(Diagnostic) in
      try call.subject().standardDeviation(
        axes: try axes(call),
        correction: try correction(call),
        keepsDimensions: try call.bool("keepdim")
      )
    },
    "var_mean": .many { (call) throws(Diagnostic) in
      let (x, keeps) = (try call.subject(), try call.bool("keepdim"))
      let axes = try axes(call)
      return [
        x.variance(axes: axes, correction: try correction(call), keepsDimensions: keeps),
        x.mean(axes: axes, keepsDimensions: keeps),
      ]
    },
    "std_mean": .many { (call) throws(Diagnostic) in
      let (x, keeps) = (try call.subject(), try call.bool("keepdim"))
      let axes = try axes(call)
      return [
        x.standardDeviation(axes: axes, correction: try correction(call), keepsDimensions: keeps),
        x.mean(axes: axes, keepsDimensions: keeps),
      ]
    },
    "aminmax": .many { (call) throws(Diagnostic) in
      let (x, keeps) = (try call.subject(), try call.bool("keepdim"))
      let axes = try axes(call)
      return [
        x.min(axes: axes, keepsDimensions: keeps), x.max(axes: axes, keepsDimensions: keeps),
      ]
    },
    "count_nonzero": .one { (call) throws(Diagnostic) in
      try call.subject().cast(to: .bool).cast(to: .int64).sum(axes: try axes(call))
    },
    "norm": norm("p"),
    "linalg_vector_norm": norm("ord"),
  ]

  private static func reduction(
    _ reduce: @escaping @Sendable (Tensor, [Int]?, Bool, DType?) -> Tensor
  ) -> AtenOperator {
    .one { (call) throws(Diagnostic) in
      reduce(
        try call.subject(),
        try axes(call),
        try call.bool("keepdim"),
        try call.elementType()
      )
    }
  }

  /// The axes that are reduced; nil, and PyTorch's empty list, mean all.
  private static func axes(_ call: AtenCall) throws(Diagnostic) -> [Int]? {
    let axes = try call.optionalIntegers("dim")
    return axes == [] ? nil : axes
  }

  private static func correction(_ call: AtenCall) throws(Diagnostic) -> Double {
    if call.has("unbiased") { return try call.bool("unbiased") ? 1 : 0 }
    return try call.number("correction", default: 1)
  }

  private static func extreme(_ call: AtenCall, isLargest: Bool) throws(Diagnostic) -> [Tensor] {
    let x = try call.subject()
    if call.has("other") {
      let operands: [any TensorOperand] = [x, try call.operand("other")]
      return [try apply(isLargest ? .maximum : .minimum, operands)]
    }
    guard let axis = try call.optionalInteger("dim") else {
      return [isLargest ? x.max() : x.min()]
    }
    let keeps = try call.bool("keepdim")
    if x.dtype == .bool {
      // Positions are found of numbers.
      let n = x.cast(to: .int32)
      return isLargest
        ? [
          x.max(axes: [axis], keepsDimensions: keeps), n.argMax(axis: axis, keepsDimensions: keeps),
        ]
        : [
          x.min(axes: [axis], keepsDimensions: keeps), n.argMin(axis: axis, keepsDimensions: keeps),
        ]
    }
    return isLargest
      ? [
        x.max(axes: [axis], keepsDimensions: keeps),
        x.argMax(axis: axis, keepsDimensions: keeps),
      ]
      : [
        x.min(axes: [axis], keepsDimensions: keeps),
        x.argMin(axis: axis, keepsDimensions: keeps),
      ]
  }

  private static func norm(_ order: String) -> AtenOperator {
    .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let dtype = try call.elementType()
      return (dtype.map { x.cast(to: $0) } ?? x).norm(
        order: try call.number(order, default: 2),
        axes: try axes(call),
        keepsDimensions: try call.bool("keepdim")
      )
    }
  }
}
