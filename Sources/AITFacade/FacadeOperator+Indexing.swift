import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Elements by tensors of positions; a position outside its axis fails the run.
  static let indexing: [FacadeOperator] = [
    FacadeOperator(
      "gather",
      "One element along an axis for each element of index: y[i, j] = x[index[i, j], j] for dim 0",
      [.tensor("x"), .integer("dim"), .tensor("index")]
    ) { (call) throws(Diagnostic) in
      [try call.tensor("x").gather(axis: try call.integer("dim"), try call.tensor("index"))]
    },
    FacadeOperator(
      "batch_gather",
      "Slices of x along the last axis of indices, whose other axes are the first of x: "
        + "x [B, N, D...], indices [B, M] gives [B, M, D...]",
      [.tensor("x"), .tensor("indices")]
    ) { (call) throws(Diagnostic) in [try gatheredByBatch(call)] },
    FacadeOperator(
      "index_select",
      "Slices of x along an axis: dim_idxs [I] replaces the extent of dim",
      attributes: [FacadeParameter("dim", .integer, default: .integer(0))],
      [.tensor("x"), .tensor("dim_idxs")]
    ) { (call) throws(Diagnostic) in
      let indices = try call.tensor("dim_idxs", rank: 1...1)
      return [try call.tensor("x").indexSelect(axis: try call.integer("dim"), indices)]
    },
    FacadeOperator(
      "masked_select",
      "The elements of x where mask holds",
      [.tensor("x"), .tensor("mask")]
    ) { (call) throws(Diagnostic) in
      throw call.failure(
        .unsupportedOperator,
        "a result whose size depends on elements of the mask; sizes follow from those of inputs",
        hint: "keep all elements: where(mask, x, 0), and sum the mask for their number"
      )
    },
    FacadeOperator(
      "bert_embeddings",
      "The layer normalisation of the sum of three embeddings, looked up by ids of one shape",
      [
        .tensor("input_ids"), .tensor("token_type_ids"), .tensor("position_ids"),
        .tensor("word_embeddings"), .tensor("token_type_embeddings"),
        .tensor("position_embeddings"), .tensor("gamma"), .tensor("beta"),
        FacadeParameter("eps", .number, default: .number(1e-5)),
      ]
    ) { (call) throws(Diagnostic) in
      let ids = try call.tensor("input_ids")
      let words = try call.tensor("word_embeddings", rank: 2...2)
      var sum = embedding(ids, table: words)
      for name in ["token_type", "position"] {
        let table = try call.tensor("\(name)_embeddings", rank: 2...2)
        try call.checkOneType([words, table])
        sum = sum + embedding(try call.tensor("\(name)_ids", ids.type), table: table)
      }
      return [
        layerNorm(
          sum,
          weight: try call.tensor("gamma"),
          bias: try call.tensor("beta"),
          epsilon: try call.number("eps")
        )
      ]
    },
  ]

  private static func gatheredByBatch(_ call: FacadeCall) throws(Diagnostic) -> Tensor {
    let x = try call.tensor("x")
    let indices = try call.tensor("indices", rank: 1...Swift.max(1, x.rank))
    let axis = indices.rank - 1
    guard axis > 0 else { return x.indexSelect(axis: 0, indices) }
    guard indices.shape.dimensions[..<axis] == x.shape.dimensions[..<axis] else {
      throw call.failure(
        .shapeMismatch,
        "'indices' is \(indices.type) beside 'x' \(x.type)",
        hint: "all axes of indices but the last are the first of x"
      )
    }
    let inner = x.shape.dimensions[(axis + 1)...]
    let column = indices.reshape(indices.shape.dimensions + inner.map { _ in 1 })
    return x.gather(axis: axis, column.expand(indices.shape.dimensions + inner))
  }
}
