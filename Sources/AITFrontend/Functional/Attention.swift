import AITGraph
import AITOperators

/// Attention: `softmax(Q · Kᵀ · scale + mask) · V`; PyTorch's function of the same name.
///
/// It is composed of products, pointwise functions and a softmax, which passes may fuse again.
/// A row whose every key is masked gives NaN.
///
/// - Parameters:
///   - query: `[…, T, D]`.
///   - key: `[…, S, D]`; leading axes broadcast.
///   - value: `[…, S, E]`.
///   - mask: broadcasts to `[…, T, S]`: a bool tensor that tells which keys count, or a
///     floating-point one that is added.
///   - scale: the factor of the products; nil for `1 / √D`.
///   - isCausal: whether a query counts only the keys up to its own position, from the first on.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: `[…, T, E]`; failing with `shape-mismatch` or `dtype-mismatch` if operands do not fit,
///   with `invalid-argument` if D is symbolic and no scale given.
public func scaledDotProductAttention(
  _ query: Tensor,
  _ key: Tensor,
  _ value: Tensor,
  mask: Tensor? = nil,
  scale: Double? = nil,
  isCausal: Bool = false,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  let operands = [query, key, value] + [mask].compactMap(\.self)
  return .make(operands, .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    let (q, k) = (graph.type(of: x[0]), graph.type(of: x[1]))
    guard q.rank >= 2, k.rank >= 2, q.dtype.isFloatingPoint else {
      throw Diagnostic(
        .rankMismatch,
        "attention of a query \(q) and a key \(k)",
        hint: "both are floating-point of a rank of at least 2"
      )
    }
    let width = q.shape[q.rank - 1].constant
    guard let factor = scale ?? width.map({ 1 / Double($0).squareRoot() }) else {
      throw Diagnostic(
        .invalidArgument,
        "attention of a query \(q) of symbolic width",
        hint: "give the scale"
      )
    }
    let products = try graph.addResult(
      MatMul(transposeB: true),
      [x[0], x[1]],
      name: "attention_scores"
    )
    var scores = try graph.multiply(
      .value(products),
      .scalar(factor),
      name: "attention_scale"
    )
    if x.count > 3 { scores = try masked(scores, x[3], &graph) }
    if isCausal {
      let shape = graph.type(of: scores).shape
      scores = try masked(
        scores,
        try causal(shape[shape.rank - 2], shape[shape.rank - 1], &graph),
        &graph
      )
    }
    let weights = try graph.softmax(scores, axis: -1, name: "attention_weights")
    return try graph.matmul(weights, x[2], name: "attention")
  }
}

/// Scores without those that a bool mask rules out, or with a floating-point mask added.
private func masked(_ scores: ValueID, _ mask: ValueID, _ graph: inout Graph) throws(Diagnostic)
  -> ValueID
{
  guard graph.type(of: mask).dtype == .bool else {
    // A mask of higher precision does not raise that of the scores.
    let added = try graph.add(.value(scores), .value(mask), name: "attention_mask")
    return try graph.cast(added, to: graph.type(of: scores).dtype)
  }
  return try graph.where(mask, .value(scores), .scalar(-Double.infinity), name: "attention_mask")
}

/// `[T, S]`: whether the key's position is at most the query's.
private func causal(_ queries: Dimension, _ keys: Dimension, _ graph: inout Graph)
  throws(Diagnostic) -> ValueID
{
  let rows = try graph.arange(count: queries, .int32)
  let columns = try graph.arange(count: keys, .int32)
  let column = try graph.unsqueeze(rows, axis: 1)
  return try graph.pointwise(
    .greaterEqual,
    [.value(column), .value(columns)],
    name: "causal_mask"
  )
}
