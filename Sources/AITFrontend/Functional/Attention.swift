import AITGraph
import AITOperators

/// Attention: `softmax(Q · Kᵀ · scale + mask) · V`; PyTorch's function of the same name.
///
/// A query that no key counts for, all being masked, gives zeros.
///
/// - Parameters:
///   - query: `[…, T, D]`.
///   - key: `[…, S, D]`; leading axes broadcast.
///   - value: `[…, S, E]`.
///   - mask: broadcasts to `[…, T, S]`: a bool tensor that tells which keys count, or a
///     floating-point one that is added.
///   - scale: the factor of the products; nil for `1 / √D`.
///   - isCausal: whether a query counts only the keys up to its own position, from the first on.
///   - groupsHeads: whether several heads of queries, the third axis from the end, read one of keys and
///     values: the first `H / G` of H the first of G, and so on.
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
  groupsHeads: Bool = false,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  let operands = [query, key, value] + [mask].compactMap(\.self)
  return .make(operands, .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    let (q, k, v) = (graph.type(of: x[0]), graph.type(of: x[1]), graph.type(of: x[2]))
    guard q.rank >= 2, k.rank >= 2, v.rank >= 2, q.dtype.isFloatingPoint else {
      throw Diagnostic(
        .rankMismatch,
        "attention of a query \(q), a key \(k) and a value \(v)",
        hint: "all are floating-point of a rank of at least 2"
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
    // A mask of another type does not raise that of the scores.
    var mask = x.count > 3 ? x[3] : nil
    if let given = mask, ![.bool, .float32, q.dtype].contains(graph.type(of: given).dtype) {
      mask = try graph.cast(given, to: q.dtype == .float64 ? .float64 : .float32)
    }
    let aligned = try aligning([x[0], x[1], x[2]], mask, groupsHeads, &graph)
    let result = try graph.attention(
      aligned[0],
      aligned[1],
      aligned[2],
      mask: mask,
      scale: factor,
      isCausal: isCausal
    )
    let shape = graph.type(of: result).shape
    // The axis of heads that matrices lack.
    let isMatrix = max(q.rank, k.rank, v.rank, mask.map { graph.type(of: $0).rank } ?? 0) == 2
    return isMatrix ? try graph.reshape(result, Array(shape.dimensions.suffix(2))) : result
  }
}

/// Queries, keys and values of one rank of at least 3, whose leading axes are those of the queries or 1.
private func aligning(
  _ operands: [ValueID],
  _ mask: ValueID?,
  _ groupsHeads: Bool,
  _ graph: inout Graph
) throws(Diagnostic) -> [ValueID] {
  let shapes = operands.map { graph.type(of: $0).shape }
  // Grouped heads are no broadcast: the axis is left out of it.
  let skipped = groupsHeads && shapes.allSatisfy { $0.rank >= 3 } ? 1 : 0
  func leading(_ shape: Shape) -> Shape { Shape(Array(shape.dimensions.dropLast(2 + skipped))) }
  let masking = mask.map { [leading(graph.type(of: $0).shape)] } ?? []
  var common = try Shape.broadcasting(shapes.map(leading) + masking)
  if common.rank + skipped == 0 { common = [1] }
  // Heads of keys that broadcast stay shared, where those of values do so too.
  let heads = shapes[1...].map { leading($0).dimensions.last ?? 1 }
  let isShared = heads.allSatisfy { $0 == 1 } && skipped == 0
  var aligned: [ValueID] = []
  for (index, operand) in operands.enumerated() {
    let own = leading(shapes[index]).dimensions
    let missing = Array(repeating: Dimension(1), count: common.rank - own.count)
    var extents = missing + own
    let rest = Array(shapes[index].dimensions.suffix(2 + skipped))
    var value = operand
    if !missing.isEmpty { value = try graph.reshape(value, extents + rest) }
    if index == 0 {
      extents = common.dimensions
    } else if skipped == 0, !isShared {
      extents[extents.count - 1] = common[common.rank - 1]
    }
    if extents + rest != graph.type(of: value).shape.dimensions {
      value = try graph.expand(value, extents + rest)
    }
    aligned.append(value)
  }
  return aligned
}
