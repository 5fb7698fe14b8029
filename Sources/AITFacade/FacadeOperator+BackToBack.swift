import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Two products with a function of single elements between them:
  /// `causal(alpha1 · f(alpha0 · q · kᵀ + bias)) · v`.
  ///
  /// With alpha1_divide_by_seq_len, alpha1 is divided by the number of queries, the greatest there is
  /// in a batch. A causal type makes scores 0, and not −infinity: UPPER_RIGHT_EMPTY those of later
  /// keys, LOWER_LEFT_EMPTY those of earlier ones.
  static let backToBack: [FacadeOperator] = [
    FacadeOperator(
      "classic_b2b_bmm",
      "\(formula): q [B, M, K], k [B, N, K], v [B, N, O], bias [B, M, N]; or with heads, "
        + "q [B, M, H, K] and so on, bias [B, H, M, N]",
      attributes: attributes,
      [.tensor("q"), .tensor("k"), .tensor("v"), .tensor("bias")]
    ) { (call) throws(Diagnostic) in
      let q = try call.tensor("q", rank: 3...4)
      return [try dense(call, rank: q.rank)]
    },
    FacadeOperator(
      "fmha_style_b2b_bmm",
      "\(formula): q [B, M, H, K], k [B, N, H, K], v [B, N, H, O], bias [B, H, M, N]",
      attributes: attributes,
      [.tensor("q"), .tensor("k"), .tensor("v"), .optionalTensor("bias")]
    ) { (call) throws(Diagnostic) in [try dense(call, rank: 4)] },
    grouped("grouped_classic_b2b_bmm", bias: .tensor("bias")),
    grouped("grouped_fmha_style_b2b_bmm", bias: .optionalTensor("bias")),
  ]

  private static let formula = "causal(alpha1 · f(alpha0 · q · kᵀ + bias)) · v"

  private static let attributes: [FacadeParameter] = [
    FacadeParameter("causal_type", .any), FacadeParameter("epilogue_math_name", .string),
    .number("alpha0"), .number("alpha1"), .bool("alpha1_divide_by_seq_len", false),
  ]

  private static func grouped(_ name: String, bias: FacadeParameter) -> FacadeOperator {
    FacadeOperator(
      name,
      "\(formula) of sequences: q and k [T, H, K], v [T, H, O], bias [B, H, S, S] with S the "
        + "greatest length. \(JaggedLayout.parameterNote)",
      attributes: attributes,
      [.tensor("q"), .tensor("k"), .tensor("v"), bias] + JaggedLayout.parameters
    ) { (call) throws(Diagnostic) in
      let sequences = try JaggedLayout(call, levelCount: 1)
      var parts: [Tensor] = []
      for name in ["q", "k", "v"] {
        let part = try call.tensor(name, rank: 3...3)
        // Padding is 0, so that keys which are not there add nothing.
        parts.append(try sequences.padded(part, with: 0).permute([0, 2, 1, 3]))
      }
      var bias = try call.optionalTensor("bias")
      // The bias's batch and that of the offsets are one size, by symbols of their own.
      if let given = bias, given.rank == 4, given.extent(0) != 1 {
        bias = try matching(given, axis: 0, sequences.batch)
      }
      let y = try composed(parts, bias, call).permute([0, 2, 1, 3])
      return [try sequences.jagged(y, totalLength: try call.tensor("q").extent(0))]
    }
  }

  /// The operator on tensors of rank 3, or 4 with heads behind the sequence.
  private static func dense(_ call: FacadeCall, rank: Int) throws(Diagnostic) -> Tensor {
    var parts: [Tensor] = []
    for name in ["q", "k", "v"] {
      let part = try call.tensor(name, rank: rank...rank)
      parts.append(rank == 3 ? part : part.permute([0, 2, 1, 3]))
    }
    let y = try composed(parts, try call.optionalTensor("bias"), call)
    return rank == 3 ? y : y.permute([0, 2, 1, 3])
  }

  /// The operator on q `[…, M, K]`, k `[…, N, K]`, v `[…, N, O]`.
  private static func composed(_ parts: [Tensor], _ bias: Tensor?, _ call: FacadeCall)
    throws(Diagnostic) -> Tensor
  {
    let (q, k, v) = (parts[0], parts[1], parts[2])
    var scores = try AITFacade.product(q, k, transposeB: true)
    let type = scores.type
    let factors = (try call.number("alpha0"), try call.number("alpha1"))
    if factors.0 != 1 { scores = scores * factors.0 }
    if let bias {
      scores = scores + bias
      if let diagnostic = scores.diagnostic { throw diagnostic }
      try call.check("bias", scores, type)
    }
    scores = try function(call)(scores)
    let (queries, keys) = (type.shape[type.rank - 2], type.shape[type.rank - 1])
    if factors.1 != 1 { scores = scores * factors.1 }
    if try call.bool("alpha1_divide_by_seq_len") {
      switch number(queries, .float32) {
      case let count as Tensor: scores = scores / count
      default: scores = scores * (1 / Double(queries.constant ?? 1))
      }
    }
    if let isCausal = try causalMask(queries, keys, call) {
      scores = Tensor.where(isCausal, scores, 0.0)
    }
    return try AITFacade.product(scores, v)
  }

  private static func function(_ call: FacadeCall) throws(Diagnostic)
    -> @Sendable (Tensor) -> Tensor
  {
    let name = try call.string("epilogue_math_name")
    guard let function = functions[name] else {
      throw call.failure(
        .invalidArgument,
        "the function '\(name)'",
        hint: "one of \(functions.keys.sorted().joined(separator: ", "))"
      )
    }
    return function
  }

  /// By CUTLASS's names.
  private static let functions: [String: @Sendable (Tensor) -> Tensor] = [
    "Identity": { $0 }, "ReLu": { relu($0) }, "Sigmoid": { sigmoid($0) }, "Tanh": { tanh($0) },
    "SiLu": { silu($0) }, "HardSwish": { hardSwish($0) }, "Gelu": { gelu($0) },
    "FastGelu": { gelu($0, approximate: .tanh) }, "ELUp1": { elu($0) + 1 },
  ]

  /// Where scores stay; nil if they all do.
  private static func causalMask(_ queries: Dimension, _ keys: Dimension, _ call: FacadeCall)
    throws(Diagnostic) -> Tensor?
  {
    let names = ["NO_CAUSAL", "UPPER_RIGHT_EMPTY", "LOWER_LEFT_EMPTY"]
    let kind: Int? =
      switch call["causal_type"] {
      case .string(let name): names.firstIndex(of: name)
      case .integer(let value) where names.indices.contains(value): value
      default: nil
      }
    guard let kind else { throw call.mismatch("causal_type", "one of \(names), or its place") }
    guard kind > 0 else { return nil }
    guard queries == keys else {
      throw call.failure(
        .shapeMismatch,
        "\(names[kind]) with \(queries) queries and \(keys) keys",
        hint: "there are as many of each"
      )
    }
    let row = Tensor.arange(queries, .int32).unsqueeze(axis: 1)
    let column = Tensor.arange(keys, .int32)
    return kind == 1 ? column .<= row : column .>= row
  }
}
