import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Products of batches of matrices.
  ///
  /// Three letters say how A, B and the result lie, r by rows and c by columns: A is `[B, M, K]` or
  /// `[B, K, M]`, B is `[B, K, N]` or `[B, N, K]`, the result `[B, M, N]` or `[B, N, M]`. One operand
  /// may have a batch of 1 or none.
  static let batchedProducts: [FacadeOperator] =
    layouts.map { batchedProduct($0) } + layouts.map { batchedSum($0) } + fusedBatchedProducts

  private static let layouts = ["ccc", "ccr", "crc", "crr", "rcc", "rcr", "rrc", "rrr"]

  private static func shapes(_ layout: String) -> String {
    let letters = Array(layout)
    return "a [B, \(letters[0] == "r" ? "M, K" : "K, M")], "
      + "b [B, \(letters[1] == "r" ? "K, N" : "N, K")], "
      + "the result [B, \(letters[2] == "r" ? "M, N" : "N, M")]"
  }

  /// The product of the arguments a and b in a layout.
  private static func batched(_ call: FacadeCall, _ layout: String) throws(Diagnostic) -> Tensor {
    let (a, b) = (try call.tensor("a", rank: 2...3), try call.tensor("b", rank: 2...3))
    guard a.rank == 3 || b.rank == 3 else {
      throw call.failure(
        .rankMismatch,
        "operands \(a.type) and \(b.type)",
        hint: "one operand has three axes; use gemm for matrices"
      )
    }
    let letters = Array(layout)
    let (isColumnsA, isColumnsB) = (letters[0] == "c", letters[1] == "c")
    // The transposed result is the product of the transposed operands in the other order.
    return letters[2] == "r"
      ? try AITFacade.product(a, b, transposeA: isColumnsA, transposeB: isColumnsB)
      : try AITFacade.product(b, a, transposeA: !isColumnsB, transposeB: !isColumnsA)
  }

  private static func batchedProduct(_ layout: String) -> FacadeOperator {
    FacadeOperator("bmm_\(layout)", "a · b: \(shapes(layout))", [.tensor("a"), .tensor("b")]) {
      (call) throws(Diagnostic) in [try batched(call, layout)]
    }
  }

  private static func batchedSum(_ layout: String) -> FacadeOperator {
    FacadeOperator(
      "bmm_\(layout)_add",
      "a · b + c: \(shapes(layout)), to which c broadcasts",
      [.tensor("a"), .tensor("b"), .tensor("c")]
    ) { (call) throws(Diagnostic) in
      let y = try batched(call, layout)
      let sum = y + (try call.tensor("c"))
      if let diagnostic = sum.diagnostic { throw diagnostic }
      try call.check("c", sum, y.type)
      return [sum]
    }
  }

  private static let fusedBatchedProducts: [FacadeOperator] = [
    FacadeOperator(
      "bmm_rcr_n1",
      "alpha · (a · bᵀ): a [B, M, K], b [B, 1, K]",
      [
        .tensor("a"), .tensor("b"),
        FacadeParameter("alpha", .number, default: .number(1)),
      ]
    ) { (call) throws(Diagnostic) in
      guard try call.tensor("b", rank: 2...3).extent(-2) == 1 else {
        throw call.failure(
          .shapeMismatch,
          "'b' is \(try call.tensor("b").type)",
          hint: "it has one row; use bmm_rcr for more"
        )
      }
      let y = try batched(call, "rcr")
      let alpha = try call.number("alpha")
      return [alpha == 1 ? y : y * alpha]
    },
    FacadeOperator(
      "bmm_rrr_k1_tanh",
      "tanh(a · b): a [B, M, 1], b [B, 1, N]",
      [.tensor("a"), .tensor("b")]
    ) { (call) throws(Diagnostic) in [tanh(try batched(call, "rrr"))] },
    FacadeOperator(
      "bmm_rcr_softmax",
      "softmax of a · bᵀ over the last axis: a [B, M, K], b [B, N, K]",
      [.tensor("a"), .tensor("b")]
    ) { (call) throws(Diagnostic) in [softmax(try batched(call, "rcr"), axis: -1)] },
    FacadeOperator(
      "dual_bmm_rrr_div",
      "(a · b) / (a · bias): a [B, M, K], b [B, K, N], bias [B, K, N or 1]",
      [.tensor("a"), .tensor("b"), .tensor("bias")]
    ) { (call) throws(Diagnostic) in
      let left = try batched(call, "rrr")
      let quotient =
        left / (try AITFacade.product(try call.tensor("a"), try call.tensor("bias", rank: 2...3)))
      if let diagnostic = quotient.diagnostic { throw diagnostic }
      try call.check("bias", quotient, left.type)
      return [quotient]
    },
    permutedBatch("bmm_rcr_permute", "a · bᵀ: a [B, M, K], b [B, N, K]", "rcr"),
    permutedBatch("bmm_rrr_permute", "a · b: a [B, M, K], b [B, K, N]", "rrr"),
  ]

  private static func permutedBatch(_ name: String, _ formula: String, _ layout: String)
    -> FacadeOperator
  {
    FacadeOperator(
      name,
      "\(formula); the result [B / d, M, d, N] with d = shape[0]",
      attributes: [
        FacadeParameter("shape", .integers),
        FacadeParameter("layout", .string, default: .string("0213")),
      ],
      [.tensor("a"), .tensor("b")]
    ) { (call) throws(Diagnostic) in
      try checkHeadLayout(call)
      return [try splitHeads(of: try batched(call, layout), call)]
    }
  }

  /// Throws unless the layout is the only one that there is.
  static func checkHeadLayout(_ call: FacadeCall) throws(Diagnostic) {
    let layout = try call.string("layout")
    guard layout == "0213" else {
      throw call.failure(.invalidArgument, "the layout '\(layout)'", hint: "the layout is '0213'")
    }
  }

  /// Cuts the batch of `[B, M, N]` by d = shape[0], and exchanges d with M.
  static func splitHeads(of y: Tensor, _ call: FacadeCall) throws(Diagnostic) -> Tensor {
    let heads = try call.integers("shape", count: 1)[0]
    let y = try call.multiple(y, axis: 0, of: heads)
    let batch = try call.part(of: y.extent(0), heads)
    return y.reshape([batch, Dimension(heads), y.extent(1), y.extent(2)]).permute([0, 2, 1, 3])
  }
}
