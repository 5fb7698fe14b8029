import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Normalisations, and softmax.
  ///
  /// Where gamma or beta is None, it is 1 or 0.
  static let normalizations: [FacadeOperator] = [
    FacadeOperator(
      "layernorm",
      "Layer normalisation of x over its last axes, those of normalized_shape",
      attributes: [shapeParameter],
      [.tensor("x"), .optionalTensor("gamma"), .optionalTensor("beta"), shapeParameter, epsilon]
    ) { (call) throws(Diagnostic) in [try layerNormalized(call)] },
    FacadeOperator(
      "batch_layernorm_sigmoid_mul",
      "x · sigmoid(layernorm(x)): x [B, M, N], gamma and beta [B, N]",
      attributes: [shapeParameter],
      [.tensor("x"), .optionalTensor("gamma"), .optionalTensor("beta"), shapeParameter, epsilon]
    ) { (call) throws(Diagnostic) in
      let x = try call.tensor("x", rank: 3...3)
      try checkNormalized(x, call.isGiven("normalized_shape") ? 1 : nil, call)
      var y = layerNorm(x, epsilon: try call.number("eps"))
      let parameter = TensorType(x.dtype, [x.extent(0), x.extent(2)])
      if call.isGiven("gamma") { y = y * (try call.tensor("gamma", parameter)).unsqueeze(axis: 1) }
      if call.isGiven("beta") { y = y + (try call.tensor("beta", parameter)).unsqueeze(axis: 1) }
      return [x * sigmoid(y)]
    },
    grouped("group_layernorm", "Layer normalisation of each input") { (_, y) in y },
    grouped("group_layernorm_sigmoid_mul", "x · sigmoid(layernorm(x)) of each input") { (x, y) in
      x * sigmoid(y)
    },
    groupNormalization("group_norm", "Group normalisation of x [N, H, W, C]") { $0 },
    groupNormalization("group_norm_swish", "y · sigmoid(y), y the group normalisation of x") {
      silu($0)
    },
    FacadeOperator(
      "softmax",
      "Softmax of x along an axis",
      [.tensor("x"), FacadeParameter("dim", .integer, default: FacadeParameter.Default.none)]
    ) { (call) throws(Diagnostic) in
      guard let axis = try call.optionalInteger("dim") else {
        throw call.failure(.invalidArgument, "no axis", hint: "give 'dim'; -1 is the last axis")
      }
      return [AITFrontend.softmax(try call.tensor("x"), axis: axis)]
    },
    FacadeOperator(
      "layernorm_sigmoid_mul",
      "x · sigmoid(layernorm(x)); AITemplate's passes make it of three operators, users cannot",
      attributes: ["layer_norm", "sigmoid", "mul"].map { FacadeParameter($0, .any) },
      []
    ) { (call) throws(Diagnostic) in
      throw call.failure(
        .unsupportedOperator,
        "an operator that passes make",
        hint: "write layernorm, elementwise SIGMOID and elementwise MUL; they are fused"
      )
    },
  ]

  private static let shapeParameter = FacadeParameter(
    "normalized_shape",
    .dimensions,
    default: FacadeParameter.Default.none
  )
  private static let epsilon = FacadeParameter("eps", .number, default: .number(1e-5))

  // MARK: - Layer normalisation

  private static func layerNormalized(_ call: FacadeCall) throws(Diagnostic) -> Tensor {
    let x = try call.tensor("x")
    let (gamma, beta) = (try call.optionalTensor("gamma"), try call.optionalTensor("beta"))
    let count =
      call.isGiven("normalized_shape")
      ? try call.dimensions("normalized_shape").count : gamma?.rank ?? beta?.rank ?? 1
    try checkNormalized(x, count, call)
    return layerNorm(
      x,
      axisCount: count,
      weight: gamma,
      bias: beta,
      epsilon: try call.number("eps")
    )
  }

  /// Throws unless the argument normalized_shape, if given, is that of the last axes.
  private static func checkNormalized(_ x: Tensor, _ count: Int?, _ call: FacadeCall)
    throws(Diagnostic)
  {
    guard let count, call.isGiven("normalized_shape") else { return }
    try check(x, try call.dimensions("normalized_shape"), axisCount: count, call)
  }

  private static func check(
    _ x: Tensor,
    _ extents: [Dimension],
    axisCount: Int,
    _ call: FacadeCall
  ) throws(Diagnostic) {
    guard extents.count == axisCount, extents.count <= x.rank,
      extents == Array(x.shape.dimensions.suffix(extents.count))
    else {
      throw call.failure(
        .shapeMismatch,
        "normalized_shape \(Shape(extents)) of \(x.type)",
        hint: "it has the extents of the last axes"
      )
    }
  }

  private static func grouped(
    _ name: String,
    _ formula: String,
    _ function: @escaping @Sendable (_ x: Tensor, _ normalized: Tensor) -> Tensor
  ) -> FacadeOperator {
    FacadeOperator(
      name,
      "\(formula), with its gamma, beta and normalized_shapes[i]; the axes before are the same",
      attributes: [
        FacadeParameter("normalized_shape", .any, default: FacadeParameter.Default.none)
      ],
      [
        .tensors("inputs"), .tensors("gammas"), .tensors("betas"),
        FacadeParameter("normalized_shapes", .any, default: FacadeParameter.Default.none),
        epsilon,
      ],
      results: .list
    ) { (call) throws(Diagnostic) in
      let inputs = try call.tensors("inputs")
      let gammas = try call.optionalTensors("gammas")
      let betas = try call.optionalTensors("betas")
      let parameter = call.isGiven("normalized_shapes") ? "normalized_shapes" : "normalized_shape"
      let shapes = try call.dimensionLists(parameter)
      guard gammas.count == inputs.count, betas.count == inputs.count,
        shapes.count == inputs.count
      else {
        throw call.failure(
          .wrongInputCount,
          "\(inputs.count) inputs, \(gammas.count) gammas, \(betas.count) betas, "
            + "\(shapes.count) shapes",
          hint: "there are as many of each"
        )
      }
      let epsilon = try call.number("eps")
      var results: [Tensor] = []
      for (index, x) in inputs.enumerated() {
        try check(x, shapes[index], axisCount: shapes[index].count, call)
        let outer = x.shape.dimensions.dropLast(shapes[index].count)
        guard outer == inputs[0].shape.dimensions.dropLast(shapes[0].count) else {
          throw call.failure(
            .shapeMismatch,
            "inputs \(inputs[0].type) and \(x.type)",
            hint: "inputs agree in the axes before the normalised ones"
          )
        }
        let normalized = layerNorm(
          x,
          axisCount: shapes[index].count,
          weight: gammas[index],
          bias: betas[index],
          epsilon: epsilon
        )
        results.append(function(x, normalized))
      }
      return results
    }
  }

  // MARK: - Group normalisation

  private static func groupNormalization(
    _ name: String,
    _ formula: String,
    _ function: @escaping @Sendable (Tensor) -> Tensor
  ) -> FacadeOperator {
    FacadeOperator(
      name,
      "\(formula) in num_groups groups of channels; gamma and beta [C]",
      attributes: [.integer("num_groups"), .integer("num_channels")],
      [.tensor("x"), .optionalTensor("gamma"), .optionalTensor("beta"), shapeParameter, epsilon]
    ) { (call) throws(Diagnostic) in
      let x = try call.tensor("x", rank: 2...Int.max)
      let channels = try call.integer("num_channels")
      guard x.extent(-1) == Dimension(channels) else {
        throw call.failure(
          .shapeMismatch,
          "'x' is \(x.type), expected \(channels) channels along the last axis"
        )
      }
      // Channels come second where groups are normalised.
      let toChannelsFirst = [0, x.rank - 1] + (1..<(x.rank - 1))
      let toChannelsLast = [0] + (2..<x.rank) + [1]
      let y = groupNorm(
        x.permute(toChannelsFirst),
        groupCount: try call.integer("num_groups"),
        weight: try call.optionalTensor("gamma"),
        bias: try call.optionalTensor("beta"),
        epsilon: try call.number("eps")
      )
      return [function(y.permute(toChannelsLast))]
    }
  }
}
