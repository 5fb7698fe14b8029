import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Sequences of different lengths: rows one behind the other, `[T, D...]`, or padded to one length.
  static let jagged: [FacadeOperator] = [
    FacadeOperator(
      "jagged_to_padded_dense",
      "The padded form [B, S..., D...] of x [T, D...], an axis for each level, with padding_value "
        + "where there is no row. \(JaggedLayout.parameterNote)",
      attributes: [FacadeParameter("padding_value", .number, default: .integer(0))],
      [.tensor("x")] + JaggedLayout.parameters
    ) { (call) throws(Diagnostic) in
      let x = try call.tensor("x", rank: 1...Int.max)
      return [try JaggedLayout(call).padded(x, with: try call.number("padding_value"))]
    },
    FacadeOperator(
      "padded_dense_to_jagged",
      "The rows [total_length, D...] of x [B, S..., D...], an axis for each tensor of offsets_list; "
        + "0 where a sequence is longer than its axis",
      attributes: [FacadeParameter("total_length", .dimension)],
      [.tensor("x"), .tensors("offsets_list")]
    ) { (call) throws(Diagnostic) in
      let x = try call.tensor("x")
      let offsets = try call.tensors("offsets_list")
      try call.check("x", x, rank: (offsets.count + 2)...Int.max)
      let layout = try JaggedLayout(
        offsets: offsets,
        lengths: Array(x.shape.dimensions[1..<(offsets.count + 1)])
      )
      return [try layout.jagged(x, totalLength: try call.dimension("total_length"))]
    },
    FacadeOperator(
      "jagged_lengths_to_offsets",
      "Where sequences begin, and the last one ends: lengths [B] gives [B + 1], from 0",
      [.tensor("lengths")]
    ) { (call) throws(Diagnostic) in
      let lengths = try integers("lengths", call)
      let count = lengths.extent(0)
      let isBefore = Tensor.arange(count, .int64) .< Tensor.arange(count + 1).unsqueeze(axis: 1)
      return [Tensor.where(isBefore, lengths, 0).sum(axis: 1).cast(to: lengths.dtype)]
    },
    FacadeOperator(
      "jagged_lengths_to_presences",
      "Whether there is a row: lengths [B] gives [B, max_seq_len], y[i, j] = j < lengths[i]",
      [
        .tensor("lengths"), .integer("max_seq_len"),
        FacadeParameter("dtype", .dtype, default: .string("bool")),
      ]
    ) { (call) throws(Diagnostic) in
      let lengths = try integers("lengths", call)
      let count = try call.integer("max_seq_len")
      guard count > 0 else { throw call.mismatch("max_seq_len", "a positive integer") }
      let place = Tensor.arange(Dimension(count), lengths.dtype)
      return [(place .< lengths.unsqueeze(axis: 1)).cast(to: try call.dtype("dtype"))]
    },
    FacadeOperator(
      "batched_dense_vec_jagged_2d_mul",
      "The sum of each sequence's rows, weighted: vectors [B, H, N], matrices [T, H, D] of sequences "
        + "up to N, the result [B, H, D]. offsets are those of matrices, of one level",
      [.tensor("vectors"), .tensor("matrices"), .tensors("offsets")]
    ) { (call) throws(Diagnostic) in
      let vectors = try call.tensor("vectors", rank: 3...3)
      let matrices = try call.tensor("matrices", rank: 3...3)
      try call.checkOneType([vectors, matrices])
      guard vectors.extent(1) == matrices.extent(1) else {
        throw call.failure(
          .shapeMismatch,
          "'vectors' is \(vectors.type), 'matrices' \(matrices.type)",
          hint: "the second axes agree"
        )
      }
      var offsets = try call.tensors("offsets")
      guard offsets.count == 1, offsets[0].rank == 1 else {
        throw call.failure(.wrongInputCount, "\(offsets.count) jagged axes, expected 1")
      }
      offsets[0] = try matching(offsets[0], axis: 0, vectors.extent(0) + 1)
      let sequences = try JaggedLayout(offsets: offsets, lengths: [vectors.extent(2)])
      let rows = try sequences.padded(matrices, with: 0).permute([0, 2, 1, 3])
      let isPresent = try sequences.positions().isPresent.unsqueeze(axis: 1)
      let weights = Tensor.where(isPresent, vectors, 0.0).unsqueeze(axis: 2)
      return [try AITFacade.product(weights, rows).squeeze(axis: 2)]
    },
  ]

  private static func integers(_ parameter: String, _ call: FacadeCall) throws(Diagnostic)
    -> Tensor
  {
    let lengths = try call.tensor(parameter, rank: 1...1)
    guard lengths.dtype == .int32 || lengths.dtype == .int64 else {
      throw call.failure(
        .dtypeMismatch,
        "'\(parameter)' is \(lengths.type), expected int32 or int64"
      )
    }
    return lengths
  }
}
