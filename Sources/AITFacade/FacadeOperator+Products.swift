import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Products of an activation `A [M, K]`, with any leading axes, and a weight of rank 2, with what
  /// AITemplate fuses behind them.
  ///
  /// The letters say how A, B and the result lie: `rcr` has B `[N, K]`, `rrr` has B `[K, N]`.
  static let products: [FacadeOperator] = plainProducts + biasProducts

  private static let plainProducts: [FacadeOperator] = [
    FacadeOperator("gemm_rcr", "a · bᵀ: a [..., M, K], b [N, K]", [.tensor("a"), .tensor("b")]) {
      (call) throws(Diagnostic) in
      [linear(try call.tensor("a"), try call.tensor("b"))]
    },
    FacadeOperator("gemm_rrr", "a · b: a [..., M, K], b [K, N]", [.tensor("a"), .tensor("b")]) {
      (call) throws(Diagnostic) in
      [matmul(try call.tensor("a"), try call.tensor("b"))]
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
    return FacadeOperator(
      "gemm_rcr_bias\(epilogue.suffix)",
      "\(epilogue.formula) with y = a · bᵀ + bias: a [..., M, K], b [N, K], bias [N]",
      [.tensor("a"), .tensor("b"), .tensor("bias")] + extras.map { .tensor($0) }
    ) { (call) throws(Diagnostic) in
      let y = linear(
        try call.tensor("a"),
        try call.tensor("b"),
        bias: try call.tensor("bias")
      )
      var others: [Tensor] = []
      for extra in extras { others.append(try call.tensor(extra)) }
      return [epilogue.apply(y, others)]
    }
  }
}
