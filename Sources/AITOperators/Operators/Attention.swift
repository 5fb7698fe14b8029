import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Attends: `Y[…, h, m, e] = Σ_n softmax_n(scale · Σ_d Q[…, h, m, d] · K[…, g, n, d] + mask) · V[…, g, n, e]`.
///
/// Q is `[…, H, T, D]`, K `[…, G, S, D]`, V `[…, G, S, E]`, the result `[…, H, T, E]`. H is a multiple
/// of G, and head h reads the keys and values `g = h / (H / G)`. Leading axes of K and V are those of Q
/// or 1. The mask, if there is one, broadcasts to `[…, H, T, S]`: a bool tensor tells which keys count, a
/// floating-point one is added. With `causal` a query counts no key of a later position than its own, both
/// counted from the first (so where T and S differ, the masks are aligned top left).
///
/// Floating-point types, one for Q, K, V and the result; a floating-point mask has the same or is
/// float32. Scores, weights and sums are float32 (float64 for itself). A query that no key counts for, all scores
/// being −∞, gives 0, as in PyTorch; with `keepsNaN` it gives NaN, as a softmax between two products does.
/// `S = 0` gives 0 in both cases. What V holds at a key that does not count should be finite.
/// Source: `torch.nn.functional.scaled_dot_product_attention`.
package struct Attention: Operator {
  package static let name = "attention"
  package static let summary = "softmax of scaled products of queries and keys, times values"

  /// The factor of the products.
  package let scale: Double
  /// Whether a query counts no key of a later position.
  package let isCausal: Bool
  /// Whether a query that no key counts for gives NaN and not 0.
  package let keepsNaN: Bool

  package init(scale: Double, isCausal: Bool = false, keepsNaN: Bool = false) {
    self.scale = scale
    self.isCausal = isCausal
    self.keepsNaN = keepsNaN
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    scale = try attributes.float("scale")
    isCausal = try attributes.bool("causal", default: false)
    keepsNaN = try attributes.bool("keeps_nan", default: false)
  }

  package var attributes: [Attribute] {
    [Attribute("scale", .float(scale))]
      + (isCausal ? [Attribute("causal", .bool(true))] : [])
      + (keepsNaN ? [Attribute("keeps_nan", .bool(true))] : [])
  }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 3...4)
    let (q, k, v) = (operands[0], operands[1], operands[2])
    guard q.dtype == k.dtype, q.dtype == v.dtype, q.dtype.isFloatingPoint else {
      throw Diagnostic(
        .dtypeMismatch,
        "attention of \(q), \(k) and \(v)",
        hint: "all three have one floating-point type: convert them with a cast"
      )
    }
    guard q.rank >= 3, k.rank == q.rank, v.rank == q.rank else {
      throw Diagnostic(
        .rankMismatch,
        "attention of \(q), \(k) and \(v)",
        hint: "all three have one rank of at least 3: […, heads, positions, width]"
      )
    }
    guard scale.isFinite else {
      throw Diagnostic(.invalidAttribute, "attention with the scale \(scale)")
    }
    let head = q.rank - 3
    let isFitting = (0..<head).allSatisfy { axis in
      [k, v].allSatisfy { $0.shape[axis] == q.shape[axis] || $0.shape[axis] == 1 }
    }
    guard isFitting, k.shape[head] == v.shape[head], k.shape[head + 1] == v.shape[head + 1],
      q.shape[head + 2] == k.shape[head + 2],
      Self.groupSize(q.shape[head], k.shape[head]) != nil
    else {
      throw Diagnostic(
        .shapeMismatch,
        "attention of a query \(q), a key \(k) and a value \(v)",
        hint: "they are […, H, T, D], […, G, S, D] and […, G, S, E], H a multiple of G"
      )
    }
    let scores = Shape(Array(q.shape.dimensions[...(head + 1)]) + [k.shape[head + 1]])
    if operands.count == 4 { try check(mask: operands[3], scores, q.dtype) }
    return [TensorType(q.dtype, Shape(Array(scores.dimensions.dropLast()) + [v.shape[head + 2]]))]
  }

  /// How many heads of queries read one of keys; nil if they do not share out.
  package static func groupSize(_ queryHeads: Dimension, _ keyHeads: Dimension) -> Dimension? {
    if queryHeads == keyHeads { return 1 }
    guard keyHeads.lowerBound > 0 else { return nil }
    let size = queryHeads / keyHeads
    return size * keyHeads == queryHeads ? size : nil
  }

  private func check(mask: TensorType, _ scores: Shape, _ dtype: DType) throws(Diagnostic) {
    guard mask.dtype == .bool || mask.dtype == dtype || mask.dtype == .float32 else {
      throw Diagnostic(
        .dtypeMismatch,
        "attention in \(dtype.rawValue) with a mask \(mask)",
        hint: "a mask is bool, \(dtype.rawValue) or float32"
      )
    }
    let first = scores.rank - mask.rank
    guard first >= 0,
      (0..<mask.rank).allSatisfy({
        mask.shape[$0] == 1 || mask.shape[$0] == scores[first + $0]
      })
    else {
      throw Diagnostic(
        .shapeMismatch,
        "attention with a mask \(mask) for scores \(scores)",
        hint: "each extent of a mask is 1 or that of the scores"
      )
    }
  }
}

extension Attention {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let (q, k, v) = (operands[0], operands[1], operands[2])
    let rank = q.shape.count
    let (T, S, D) = (q.shape[rank - 2], k.shape[rank - 2], q.shape[rank - 1])
    let E = v.shape[rank - 1]
    let outer = Array(q.shape.dropLast(2))
    let (queries, keys, values) = (q.doubles, k.doubles, v.doubles)
    let mask = operands.count > 3 ? operands[3] : nil
    let added = mask.map { $0.dtype == .bool ? $0.integers.map(Double.init) : $0.doubles } ?? []
    let maskStarts = mask.map { mask in
      Positions.list(outer, strides: Array(maskStrides(mask, outer + [T, S]).dropLast(2)))
    }
    let within = mask.map { maskStrides($0, outer + [T, S]).suffix(2) } ?? []
    let starts = (starts(of: k, outer), starts(of: v, outer))
    var attended = Array(repeating: 0.0, count: outer.reduce(1, *) * T * E)
    for head in 0..<outer.reduce(1, *) {
      for row in 0..<T {
        let query = (head * T + row) * D
        var scores = (0..<S).map { column in
          let key = starts.0[head] + column * D
          return scale * (0..<D).reduce(0) { $0 + queries[query + $1] * keys[key + $1] }
        }
        if let mask, let maskStarts, let rows = within.first, let columns = within.last {
          for column in 0..<S {
            let bias = added[maskStarts[head] + row * rows + column * columns]
            if mask.dtype != .bool { scores[column] += bias }
            if mask.dtype == .bool && bias == 0 { scores[column] = -.infinity }
          }
        }
        if isCausal { for column in 0..<S where column > row { scores[column] = -.infinity } }
        let isEmpty = scores.allSatisfy { $0 == -.infinity }
        if isEmpty && (S == 0 || !keepsNaN) { continue }
        let largest = scores.reduce(-.infinity) { max($0, $1) }
        let weights = scores.map { exp($0 - largest) }
        let sum = weights.reduce(0, +)
        for column in 0..<E {
          let total = (0..<S).reduce(0) { total, key in
            weights[key] == 0
              ? total : total + weights[key] * values[starts.1[head] + key * E + column]
          }
          attended[(head * T + row) * E + column] = total / sum
        }
      }
    }
    return [TensorData(results[0].dtype, outer + [T, E], attended)]
  }

  /// Where the matrix of each head of queries begins in keys or values.
  private func starts(of operand: TensorData, _ outer: [Int]) -> [Int] {
    let own = Array(operand.shape.dropLast(2))
    let matrix = operand.shape.suffix(2).reduce(1, *)
    let group = own[own.count - 1] == 0 ? 1 : outer[outer.count - 1] / own[own.count - 1]
    // The last axis of `outer` is walked as one of groups and one within a group, which stays.
    let strides = Positions.broadcastStrides(Array(own.dropLast()), to: Array(outer.dropLast()))
    return Positions.list(
      Array(outer.dropLast()) + [group == 0 ? 0 : outer[outer.count - 1] / group, group],
      strides: strides.map { $0 * own[own.count - 1] * matrix } + [matrix, 0]
    )
  }

  private func maskStrides(_ mask: TensorData, _ scores: [Int]) -> [Int] {
    Positions.broadcastStrides(mask.shape, to: scores)
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    let (q, k, v) = (operands[0].shape, operands[1].shape, operands[2].shape)
    let scores = Shape(Array(q.dimensions.dropLast())).elementCount * k[k.rank - 2]
    return scores * (q[q.rank - 1] * 2 + v[v.rank - 1] * 2 + 20)
  }

  package static let examples = [
    OperatorExample(
      Attention(scale: 0.125),
      [
        TensorType(.float32, [2, 3, 37, 64]), TensorType(.float32, [2, 3, 45, 64]),
        TensorType(.float32, [2, 3, 45, 64]),
      ]
    ),
    // Sizes of a run; an added mask for each sequence of keys.
    OperatorExample(
      Attention(scale: 0.25),
      [
        TensorType(.float32, [.symbol("batch", 1...3), 2, .symbol("length", 1...70), 16]),
        TensorType(.float32, [.symbol("batch", 1...3), 2, .symbol("keys", 1...90), 16]),
        TensorType(.float32, [.symbol("batch", 1...3), 2, .symbol("keys", 1...90), 16]),
        TensorType(.float32, [.symbol("batch", 1...3), 1, 1, .symbol("keys", 1...90)]),
      ]
    ),
    // One query and the keys before it; four heads of queries read one of keys.
    OperatorExample(
      Attention(scale: 0.1),
      [
        TensorType(.bfloat16, [1, 8, 1, 80]),
        TensorType(.bfloat16, [1, 2, .symbol("past", 1...150), 80]),
        TensorType(.bfloat16, [1, 2, .symbol("past", 1...150), 80]),
      ]
    ),
    OperatorExample(
      Attention(scale: 0.17677669529663687, isCausal: true),
      [
        TensorType(.float16, [.symbol("heads", 1...8), 70, 32]),
        TensorType(.float16, [.symbol("heads", 1...8), 70, 32]),
        TensorType(.float16, [.symbol("heads", 1...8), 70, 24]),
      ]
    ),
    // Later keys than queries, and a mask for every score that leaves some queries without a key.
    OperatorExample(
      Attention(scale: -0.3, isCausal: true),
      [
        TensorType(.float32, [2, 4, 9, 7]), TensorType(.float32, [1, 2, 21, 7]),
        TensorType(.float32, [1, 2, 21, 33]), TensorType(.bool, [2, 4, 9, 21]),
      ]
    ),
    OperatorExample(
      Attention(scale: 1),
      [
        TensorType(.float16, [2, 6, 5, 8]), TensorType(.float16, [2, 3, 2, 8]),
        TensorType(.float16, [2, 3, 2, 8]), TensorType(.bool, [5, 1]),
      ]
    ),
    OperatorExample(
      Attention(scale: 1, keepsNaN: true),
      [
        TensorType(.float32, [1, 20, 8]), TensorType(.float32, [1, 3, 8]),
        TensorType(.float32, [1, 3, 8]), TensorType(.bool, [1, 20, 3]),
      ]
    ),
    OperatorExample(
      Attention(scale: 0.06),
      [
        TensorType(.float32, [3, 19, 256]), TensorType(.float32, [3, 67, 256]),
        TensorType(.float32, [3, 67, 256]), TensorType(.float32, [3, 19, 67]),
      ]
    ),
    OperatorExample(
      Attention(scale: 0.5, isCausal: true),
      [
        TensorType(.float64, [2, 5, 4]), TensorType(.float64, [2, 7, 4]),
        TensorType(.float64, [2, 7, 4]), TensorType(.float64, [7]),
      ]
    ),
    // Wide heads of which two share keys, and a mask that is added.
    OperatorExample(
      Attention(scale: 0.09, isCausal: true),
      [
        TensorType(.float16, [2, 4, 9, 136]), TensorType(.float16, [1, 2, 40, 136]),
        TensorType(.float16, [1, 2, 40, 24]), TensorType(.float32, [4, 9, 40]),
      ]
    ),
    // Many queries and keys, of a GPU by warp groups; and of few queries so many keys that they are divided.
    OperatorExample(
      Attention(scale: 0.125, isCausal: true),
      [
        TensorType(.float16, [2, 90, 64]), TensorType(.float16, [2, .symbol("keys", 1...300), 64]),
        TensorType(.float16, [2, .symbol("keys", 1...300), 64]),
      ]
    ),
    OperatorExample(
      Attention(scale: 0.15),
      [
        TensorType(.bfloat16, [1, 2, .symbol("length", 1...70), 40]),
        TensorType(.bfloat16, [1, 1, .symbol("keys", 1...600), 40]),
        TensorType(.bfloat16, [1, 1, .symbol("keys", 1...600), 56]),
        TensorType(.float32, [.symbol("length", 1...70), .symbol("keys", 1...600)]),
      ]
    ),
    // Neither queries, keys nor a width.
    OperatorExample(
      Attention(scale: 1),
      [
        TensorType(.float32, [2, 0, 8]), TensorType(.float32, [2, 3, 8]),
        TensorType(.float32, [2, 3, 8]),
      ]
    ),
    OperatorExample(
      Attention(scale: 1, keepsNaN: true),
      [
        TensorType(.float32, [2, 5, 8]), TensorType(.float32, [2, 0, 8]),
        TensorType(.float32, [2, 0, 8]),
      ]
    ),
    OperatorExample(
      Attention(scale: 1),
      [
        TensorType(.float32, [2, 5, 0]), TensorType(.float32, [2, 3, 0]),
        TensorType(.float32, [2, 3, 4]),
      ]
    ),
  ]
}

extension Graph {
  /// Attends with queries `[…, H, T, D]`, keys `[…, G, S, D]`, values `[…, G, S, E]` and a mask that
  /// broadcasts to `[…, H, T, S]`; see `Attention`.
  package mutating func attention(
    _ query: ValueID,
    _ key: ValueID,
    _ value: ValueID,
    mask: ValueID? = nil,
    scale: Double,
    isCausal: Bool = false,
    keepsNaN: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try addResult(
      Attention(scale: scale, isCausal: isCausal, keepsNaN: keepsNaN),
      [query, key, value] + [mask].compactMap(\.self),
      name: name ?? "attention"
    )
  }
}
