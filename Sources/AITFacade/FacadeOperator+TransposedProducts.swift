import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Products of activations that lie with their axes exchanged.
  static let transposedProducts: [FacadeOperator] = [
    transposedProduct("perm021fc_ccr", "a [B, K, M], b [1, N, K]", hasBias: false, fromFirst),
    transposedProduct("perm021fc_ccr_bias", "a [B, K, M], b [1, N, K]", hasBias: true, fromFirst),
    FacadeOperator(
      "perm021fc_ccr_bias_permute",
      "As perm021fc_ccr_bias, the result [B, N, M]: a [B, K, M], b [1, N, K], bias [N]",
      attributes: [FacadeParameter("layout", .string, default: .string("021"))],
      [.tensor("a"), .tensor("b"), .tensor("bias")]
    ) { (call) throws(Diagnostic) in
      let layout = try call.string("layout")
      guard layout == "021" else {
        throw call.failure(.invalidArgument, "the layout '\(layout)'", hint: "the layout is '021'")
      }
      return [try biased(try fromFirst(call), call).transpose(-2, -1)]
    },
    transposedProduct("perm021fc_crc", "a [1, K, N], b [B, K, M]", hasBias: false, fromSecond),
    transposedProduct("perm021fc_crc_bias", "a [1, K, N], b [B, K, M]", hasBias: true, fromSecond),
    middleProduct("perm102_bmm_rcr", isTransposed: true, hasBias: false),
    middleProduct("perm102_bmm_rcr_bias", isTransposed: true, hasBias: true),
    middleProduct("perm102_bmm_rrr", isTransposed: false, hasBias: false),
    middleProduct("perm102_bmm_rrr_bias", isTransposed: false, hasBias: true),
  ]

  private static func transposedProduct(
    _ name: String,
    _ shapes: String,
    hasBias: Bool,
    _ product: @escaping @Sendable (FacadeCall) throws(Diagnostic) -> Tensor
  ) -> FacadeOperator {
    FacadeOperator(
      name,
      "The activation transposed, times the weight\(hasBias ? ", plus bias" : ""): \(shapes)"
        + "\(hasBias ? ", bias [N]" : ""), the result [B, M, N]",
      [.tensor("a"), .tensor("b")] + (hasBias ? [.tensor("bias")] : [])
    ) { (call) throws(Diagnostic) in
      let y = try product(call)
      return [hasBias ? try biased(y, call) : y]
    }
  }

  /// `aᵀ · bᵀ`: a is the activation.
  private static func fromFirst(_ call: FacadeCall) throws(Diagnostic) -> Tensor {
    try AITFacade.product(
      try call.tensor("a", rank: 3...3),
      try call.tensor("b", rank: 2...3),
      transposeA: true,
      transposeB: true
    )
  }

  /// `bᵀ · a`: b is the activation.
  private static func fromSecond(_ call: FacadeCall) throws(Diagnostic) -> Tensor {
    try AITFacade.product(
      try call.tensor("b", rank: 3...3),
      try call.tensor("a", rank: 2...3),
      transposeA: true
    )
  }

  private static func biased(_ y: Tensor, _ call: FacadeCall) throws(Diagnostic) -> Tensor {
    y + (try call.tensor("bias", TensorType(y.dtype, [y.extent(-1)])))
  }

  /// A product for each position of the middle axis of `[M, B, K]`; the bias is `[B, N]`.
  private static func middleProduct(_ name: String, isTransposed: Bool, hasBias: Bool)
    -> FacadeOperator
  {
    FacadeOperator(
      name,
      "A product for each position of the middle axis: a [M, B, K], "
        + "b [B, \(isTransposed ? "N, K" : "K, N")]\(hasBias ? ", bias [B, N]" : ""), "
        + "the result [M, B, N]",
      [.tensor("a"), .tensor("b")] + (hasBias ? [.tensor("bias")] : [])
    ) { (call) throws(Diagnostic) in
      let y = try AITFacade.product(
        try call.tensor("a", rank: 3...3).permute([1, 0, 2]),
        try call.tensor("b", rank: 3...3),
        transposeB: isTransposed
      ).permute([1, 0, 2])
      guard hasBias else { return [y] }
      return [y + (try call.tensor("bias", TensorType(y.dtype, [y.extent(1), y.extent(2)])))]
    }
  }
}
