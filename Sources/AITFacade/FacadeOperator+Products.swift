import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Products of an activation `A [M, K]`, with any leading axes, and a weight of rank 2, with what
  /// AITemplate fuses behind them.
  ///
  /// The letters say how A, B and the result lie: `rcr` has B `[N, K]`, `rrr` has B `[K, N]`.
  static let products: [FacadeOperator] = plainProducts + biasProducts + softmaxProducts

  /// A product of a weight `[N, K]` (rcr) or `[K, N]` (rrr), and the bias if the entry has one.
  static func product(_ call: FacadeCall, isTransposed: Bool, hasBias: Bool = false)
    throws(Diagnostic) -> Tensor
  {
    let y = try AITFacade.product(
      try call.tensor("a", rank: 2...Int.max),
      try call.tensor("b", rank: 2...2),
      transposeB: isTransposed
    )
    return hasBias ? y + (try call.tensor("bias", TensorType(y.dtype, [y.extent(-1)]))) : y
  }

  private static let plainProducts: [FacadeOperator] = [
    FacadeOperator("gemm_rcr", "a · bᵀ: a [..., M, K], b [N, K]", [.tensor("a"), .tensor("b")]) {
      (call) throws(Diagnostic) in [try product(call, isTransposed: true)]
    },
    FacadeOperator("gemm_rrr", "a · b: a [..., M, K], b [K, N]", [.tensor("a"), .tensor("b")]) {
      (call) throws(Diagnostic) in [try product(call, isTransposed: false)]
    },
    FacadeOperator(
      "gemm_rrr_bias",
      "a · b + bias: a [..., M, K], b [K, N], bias [N]",
      [.tensor("a"), .tensor("b"), .tensor("bias")]
    ) { (call) throws(Diagnostic) in [try product(call, isTransposed: false, hasBias: true)] },
    FacadeOperator(
      "gemm_rrr_small_nk",
      "a · b, as gemm_rrr: a [..., M, K], b [K, N]",
      [.tensor("a"), .tensor("b")]
    ) { (call) throws(Diagnostic) in [try product(call, isTransposed: false)] },
    FacadeOperator(
      "gemm_rcr_fast_gelu",
      "gelu(a · bᵀ) by tanh: a [..., M, K], b [N, K]",
      [.tensor("a"), .tensor("b")]
    ) { (call) throws(Diagnostic) in
      [gelu(try product(call, isTransposed: true), approximate: .tanh)]
    },
    gatedProduct("dual_gemm_rcr_silu", "silu(a · bᵀ)") { silu($0) },
    gatedProduct("dual_gemm_rcr_fast_gelu", "gelu(a · bᵀ) by tanh") {
      gelu($0, approximate: .tanh)
    },
  ]

  /// Two products of one activation, multiplied; the second weight, which AITemplate calls bias, may
  /// have one row for all columns.
  private static func gatedProduct(
    _ name: String,
    _ formula: String,
    _ activation: @escaping @Sendable (Tensor) -> Tensor
  ) -> FacadeOperator {
    FacadeOperator(
      name,
      "\(formula), times a · biasᵀ: a [..., M, K], b [N, K], bias [N or 1, K]",
      [.tensor("a"), .tensor("b"), .tensor("bias")]
    ) { (call) throws(Diagnostic) in
      let left = try product(call, isTransposed: true)
      let weight = try call.tensor("bias", rank: 2...2)
      guard weight.extent(0) == 1 || weight.extent(0) == left.extent(-1) else {
        throw call.failure(
          .shapeMismatch,
          "'bias' is \(weight.type) beside a product \(left.type)",
          hint: "it has as many rows as 'b', or one"
        )
      }
      let right = try AITFacade.product(try call.tensor("a"), weight, transposeB: true)
      return [activation(left) * right]
    }
  }

  private static let softmaxProducts: [FacadeOperator] = [
    FacadeOperator(
      "gemm_rcr_softmax",
      "softmax of a · bᵀ over the last axis: a [..., M, K], b [N, K]",
      [.tensor("a"), .tensor("b")]
    ) { (call) throws(Diagnostic) in [softmax(try product(call, isTransposed: true), axis: -1)] },
    FacadeOperator(
      "gemm_rcr_bias_softmax",
      "softmax of a · bᵀ + bias over the last axis: a [..., M, K], b [N, K], bias [N]",
      [.tensor("a"), .tensor("b"), .tensor("bias")]
    ) { (call) throws(Diagnostic) in
      [softmax(try product(call, isTransposed: true, hasBias: true), axis: -1)]
    },
  ]

  /// What follows a product and its bias; d0 and d1 are tensors of the result's shape.
  private struct Epilogue: Sendable {
    let suffix: String
    let formula: String
    let extraCount: Int
    let apply: @Sendable (_ y: Tensor, _ extras: [Tensor]) -> Tensor

    init(
      _ suffix: String,
      _ formula: String,
      _ extraCount: Int = 0,
      apply: @escaping @Sendable (Tensor, [Tensor]) -> Tensor
    ) {
      self.suffix = suffix
      self.formula = formula
      self.extraCount = extraCount
      self.apply = apply
    }
  }

  private static let epilogues: [Epilogue] = [
    Epilogue("", "y") { (y, _) in y },
    Epilogue("_relu", "relu(y)") { (y, _) in relu(y) },
    Epilogue("_gelu", "gelu(y)") { (y, _) in gelu(y) },
    Epilogue("_fast_gelu", "gelu(y) by tanh") { (y, _) in gelu(y, approximate: .tanh) },
    Epilogue("_sigmoid", "sigmoid(y)") { (y, _) in sigmoid(y) },
    Epilogue("_tanh", "tanh(y)") { (y, _) in tanh(y) },
    Epilogue("_swish", "y · sigmoid(y)") { (y, _) in silu(y) },
    Epilogue("_hardswish", "hardswish(y)") { (y, _) in hardSwish(y) },
    Epilogue("_add", "y + d0", 1) { $0 + $1[0] },
    Epilogue("_add_relu", "relu(y + d0)", 1) { relu($0 + $1[0]) },
    Epilogue("_add_add", "y + d0 + d1", 2) { $0 + $1[0] + $1[1] },
    Epilogue("_add_add_relu", "relu(y + d0 + d1)", 2) { relu($0 + $1[0] + $1[1]) },
    Epilogue("_mul", "y · d0", 1) { $0 * $1[0] },
    Epilogue("_mul_add", "y · d0 + d1", 2) { $0 * $1[0] + $1[1] },
    Epilogue("_mul_tanh", "tanh(y · d0)", 1) { tanh($0 * $1[0]) },
    Epilogue("_sigmoid_mul", "sigmoid(y) · d0", 1) { sigmoid($0) * $1[0] },
    Epilogue("_sigmoid_mul_tanh", "tanh(sigmoid(y) · d0)", 1) { tanh(sigmoid($0) * $1[0]) },
  ]

  private static let biasProducts: [FacadeOperator] = epilogues.map { epilogue in
    let extras = (0..<epilogue.extraCount).map { "d\($0)" }
    // AITemplate gives every operator with d0 a d1 as well, None where there is no use for it.
    let parameters: [FacadeParameter] =
      extras.isEmpty ? [] : [.tensor("d0"), .optionalTensor("d1")]
    return FacadeOperator(
      "gemm_rcr_bias\(epilogue.suffix)",
      "\(epilogue.formula) with y = a · bᵀ + bias: a [..., M, K], b [N, K], bias [N]",
      [.tensor("a"), .tensor("b"), .tensor("bias")] + parameters
    ) { (call) throws(Diagnostic) in
      let y = try product(call, isTransposed: true, hasBias: true)
      if call.isGiven("d1") && !extras.contains("d1") {
        throw call.failure(.invalidArgument, "an argument 'd1'", hint: "leave it out")
      }
      var others: [Tensor] = []
      for extra in extras { others.append(try call.tensor(extra, y.type)) }
      return [epilogue.apply(y, others)]
    }
  }
}
