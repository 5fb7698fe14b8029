import AITGraph

extension Graph {
  /// Attention as products, pointwise functions and a softmax: what `Attention` means, for targets and
  /// types that have no kernel of it.
  ///
  /// Operands are those of `Attention.inferTypes`; half-precision scores and weights are rounded.
  package mutating func decomposedAttention(
    _ op: Attention,
    _ operands: [ValueID],
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let name = name ?? "attention"
    let result = try op.inferTypes(operands.map { self[$0].type })[0]
    let groups = try headGroups(operands)
    let products = try addResult(
      MatMul(transposeB: true),
      [groups.query, groups.key],
      name: "\(name)_scores"
    )
    var scores = try multiply(.value(products), .scalar(op.scale), name: "\(name)_scale")
    var seen: ValueID?
    if let mask = groups.mask {
      scores = try masked(scores, mask, name)
      seen =
        self[mask].type.dtype == .bool
        ? mask : try pointwise(.greater, [.value(mask), .scalar(-Double.infinity)])
    }
    if op.isCausal {
      let shape = self[scores].type.shape
      let causal = try causalMask(shape[shape.rank - 2], shape[shape.rank - 1])
      scores = try masked(scores, causal, name)
      seen = try seen.map { seen throws(Diagnostic) in
        try pointwise(.and, [.value(seen), .value(causal)])
      }
    }
    let weights = try softmax(scores, axis: -1, name: "\(name)_weights")
    var attended = try matmul(weights, groups.value, name: "\(name)_product")
    if let seen, !op.keepsNaN {
      let isSeen = try any(seen, axes: [-1], keepsDimensions: true)
      attended = try `where`(isSeen, .value(attended), .scalar(0))
      attended = try cast(attended, to: result.dtype)
    }
    return try reshape(attended, result.shape.dimensions, name: name)
  }

  /// The operands with an axis of groups of heads and one of the heads of a group in the place of the heads,
  /// where several heads of queries read one of keys.
  private mutating func headGroups(_ operands: [ValueID]) throws(Diagnostic)
    -> (query: ValueID, key: ValueID, value: ValueID, mask: ValueID?)
  {
    let shapes = operands.map { self[$0].type.shape }
    let head = shapes[0].rank - 3
    let (queryHeads, keyHeads) = (shapes[0][head], shapes[1][head])
    var parts = operands
    if let size = Attention.groupSize(queryHeads, keyHeads), size != 1 {
      for (index, shape) in shapes.enumerated() {
        let axis = head - shapes[0].rank + shape.rank
        // A mask may be the same for all heads, or have no axis of heads.
        guard axis >= 0 else { continue }
        let split: [Dimension] =
          index == 0 || (index == 3 && shape[axis] != 1) ? [keyHeads, size] : [shape[axis], 1]
        let extents = shape.dimensions[..<axis] + split + shape.dimensions[(axis + 1)...]
        parts[index] = try reshape(operands[index], Array(extents))
      }
    }
    return (parts[0], parts[1], parts[2], parts.count > 3 ? parts[3] : nil)
  }

  /// Scores without those that a bool mask rules out, or with a floating-point mask added.
  private mutating func masked(_ scores: ValueID, _ mask: ValueID, _ name: String)
    throws(Diagnostic) -> ValueID
  {
    guard self[mask].type.dtype == .bool else {
      // A mask of higher precision does not raise that of the scores.
      let added = try add(.value(scores), .value(mask), name: "\(name)_mask")
      return try cast(added, to: self[scores].type.dtype)
    }
    return try `where`(mask, .value(scores), .scalar(-Double.infinity), name: "\(name)_mask")
  }

  /// `[T, S]`: whether the key's position is at most the query's.
  private mutating func causalMask(_ queries: Dimension, _ keys: Dimension) throws(Diagnostic)
    -> ValueID
  {
    let rows = try arange(count: queries, .int32)
    let columns = try arange(count: keys, .int32)
    let column = try unsqueeze(rows, axis: 1)
    return try pointwise(.greaterEqual, [.value(column), .value(columns)], name: "causal_mask")
  }
}
