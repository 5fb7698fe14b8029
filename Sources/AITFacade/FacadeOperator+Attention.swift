import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Attention by softmax.
  ///
  /// Where no key is present, the result is 0, as in PyTorch.
  static let attention: [FacadeOperator] = [
    FacadeOperator(
      "bmm_softmax_bmm",
      "softmax(scale · a · bᵀ) · b1: a [B, M, K], b [B, N, K], b1 [B, N, O]",
      attributes: [scale],
      [.tensor("a"), .tensor("b"), .tensor("b1")]
    ) { (call) throws(Diagnostic) in [try softmaxProduct(call, isCausal: false)] },
    FacadeOperator(
      "bmm_softmax_bmm_permute",
      "As bmm_softmax_bmm, the result [B / d, M, d, O] with d = shape[0]; causal queries attend to "
        + "no later key",
      attributes: [
        FacadeParameter("shape", .integers), scale, .bool("causal", false),
        FacadeParameter("layout", .string, default: .string("0213")),
      ],
      [.tensor("a"), .tensor("b"), .tensor("b1")]
    ) { (call) throws(Diagnostic) in
      try checkHeadLayout(call)
      let y = try softmaxProduct(call, isCausal: try call.bool("causal"))
      return [try splitHeads(of: y, call)]
    },
    FacadeOperator(
      "flash_attention",
      "Attention of sequences without gaps: x [T, 3, H, D] holds queries, keys and values, "
        + "cu_seqlens [batch_size + 1] where each sequence begins; the result [T, H, D]",
      attributes: [
        .integer("batch_size"), .number("dropout"), .integer("max_seq_len"),
        FacadeParameter("causal", .bool),
      ],
      [.tensor("x"), .tensor("cu_seqlens")]
    ) { (call) throws(Diagnostic) in [try packedAttention(call)] },
    FacadeOperator(
      "mem_eff_attention",
      "Attention: q [B, H, M, K], k [B, H, N, K], v [B, H, N, O], the result [B, M, H, O]; keys from "
        + "lengths_kv [B] on do not count, queries from lengths_q [B] on give 0",
      attributes: [
        FacadeParameter("causal", .bool),
        FacadeParameter("dropout", .number, default: .integer(0)),
        .bool("variable_seq_length_kv", false), .bool("variable_seq_length_q", false),
        .bool("use_grouped_fmha", false),
      ],
      [
        .tensor("q"), .tensor("k"), .tensor("v"), .optionalTensor("lengths_kv"),
        .optionalTensor("lengths_q"),
      ]
    ) { (call) throws(Diagnostic) in [try paddedAttention(call)] },
  ]

  private static let scale = FacadeParameter("scale", .number, default: .number(1))

  private static func softmaxProduct(_ call: FacadeCall, isCausal: Bool) throws(Diagnostic)
    -> Tensor
  {
    scaledDotProductAttention(
      try call.tensor("a", rank: 3...3),
      try call.tensor("b", rank: 3...3),
      try call.tensor("b1", rank: 3...3),
      scale: try call.number("scale"),
      isCausal: isCausal
    )
  }

  private static func checkDropout(_ call: FacadeCall) throws(Diagnostic) {
    guard try call.number("dropout") == 0 else {
      throw call.failure(
        .invalidArgument,
        "a dropout of \(try call.number("dropout"))",
        hint: "the dropout is 0: models are compiled for inference"
      )
    }
  }

  private static func packedAttention(_ call: FacadeCall) throws(Diagnostic) -> Tensor {
    try checkDropout(call)
    let x = try call.tensor("x", rank: 4...4)
    guard x.extent(1) == 3 else {
      throw call.failure(.shapeMismatch, "'x' is \(x.type), expected [T, 3, H, D]")
    }
    let batch = Dimension(try call.integer("batch_size"))
    let length = Dimension(try call.integer("max_seq_len"))
    let offsets = try matching(try call.tensor("cu_seqlens", rank: 1...1), axis: 0, batch + 1)
    let sequences = try JaggedLayout(offsets: [offsets], lengths: [length])
    // A total of batch · length leaves no sequence shorter.
    let isFull = x.extent(0) == batch * length
    let padded =
      isFull
      ? x.reshape([batch, length] + x.shape.dimensions[1...]) : try sequences.padded(x, with: 0)
    let parts = padded.permute([2, 0, 3, 1, 4]).unbind()
    if let diagnostic = parts[0].diagnostic { throw diagnostic }
    let isPresent = try sequences.positions().isPresent.reshape([batch, 1, 1, length])
    let y = scaledDotProductAttention(
      parts[0],
      parts[1],
      parts[2],
      mask: isFull ? nil : isPresent,
      isCausal: try call.bool("causal")
    ).permute([0, 2, 1, 3])
    return isFull
      ? y.flatten(start: 0, end: 1) : try sequences.jagged(y, totalLength: x.extent(0))
  }

  private static func paddedAttention(_ call: FacadeCall) throws(Diagnostic) -> Tensor {
    try checkDropout(call)
    let q = try call.tensor("q", rank: 4...4)
    let k = try call.tensor("k", rank: 4...4)
    var mask: Tensor?
    if try call.bool("variable_seq_length_kv") {
      let lengths = try lengths("lengths_kv", q.extent(0), call)
      mask = Tensor.arange(k.extent(2), lengths.dtype) .< lengths
    }
    var y = scaledDotProductAttention(
      q,
      k,
      try call.tensor("v", rank: 4...4),
      mask: mask,
      isCausal: try call.bool("causal")
    )
    if try call.bool("variable_seq_length_q") {
      let lengths = try lengths("lengths_q", q.extent(0), call)
      let row = Tensor.arange(q.extent(2), lengths.dtype).unsqueeze(axis: -1)
      y = Tensor.where(row .< lengths, y, 0.0)
    }
    return y.permute([0, 2, 1, 3])
  }

  /// Lengths `[B]` or `[B, 1]` beside scores `[B, H, M, N]`.
  private static func lengths(_ parameter: String, _ batch: Dimension, _ call: FacadeCall)
    throws(Diagnostic) -> Tensor
  {
    let lengths = try call.tensor(parameter, rank: 1...2)
    guard lengths.shape.elementCount == batch, lengths.dtype.category == .integer else {
      throw call.failure(
        .shapeMismatch,
        "'\(parameter)' is \(lengths.type), expected integers [\(batch)]"
      )
    }
    return lengths.reshape([batch, 1, 1, 1])
  }
}
