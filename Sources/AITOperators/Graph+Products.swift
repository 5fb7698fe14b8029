import AITGraph

extension Graph {
  /// Multiplies matrices as `torch.matmul`: leading axes broadcast, and an operand of rank 1 is a
  /// row on the left or a column on the right whose axis is missing from the result.
  package mutating func matmul(_ a: ValueID, _ b: ValueID, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    try product(a, b, transposeB: false, name ?? "matmul")
  }

  /// Multiplies by a transposed weight and adds a bias: `y = x · Wᵀ + b`, x `[…, K]`, W `[N, K]`,
  /// b `[N]`.
  package mutating func linear(
    _ x: ValueID,
    _ weight: ValueID,
    bias: ValueID? = nil,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let name = name ?? "linear"
    guard self[weight].type.rank == 2 else {
      throw Diagnostic(.rankMismatch, "linear with a weight \(self[weight].type), expected [N, K]")
    }
    guard let bias else { return try product(x, weight, transposeB: true, name) }
    let result = try product(x, weight, transposeB: true, "\(name)_product")
    return try add(.value(result), .value(bias), name: name)
  }

  private mutating func product(
    _ a: ValueID,
    _ b: ValueID,
    transposeB: Bool,
    _ name: String
  ) throws(Diagnostic) -> ValueID {
    let (left, right) = (self[a].type, self[b].type)
    guard left.rank >= 1, right.rank >= 1 else {
      throw Diagnostic(
        .rankMismatch,
        "matmul of \(left) and \(right)",
        hint: "operands have at least one axis"
      )
    }
    if left.rank > 1 && right.rank > 1 {
      return try addResult(MatMul(transposeB: transposeB), [a, b], name: name)
    }
    let rowA = left.rank > 1 ? a : try unsqueeze(a, axis: 0)
    let columnB = right.rank > 1 ? b : try unsqueeze(b, axis: 1)
    let result = try addResult(
      MatMul(transposeB: transposeB),
      [rowA, columnB],
      name: "\(name)_matrix"
    )
    var extents = self[result].type.shape.dimensions
    if right.rank == 1 { extents.removeLast() }
    if left.rank == 1 { extents.remove(at: extents.count - (right.rank == 1 ? 1 : 2)) }
    return try reshape(result, extents, name: name)
  }

  /// `beta · c + alpha · (a · b)` for matrices, or batches of them; c broadcasts.
  package mutating func addmm(
    _ c: ValueID,
    _ a: ValueID,
    _ b: ValueID,
    beta: ScalarValue = .integer(1),
    alpha: ScalarValue = .integer(1),
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let name = name ?? "addmm"
    let product = try matmul(a, b, name: "\(name)_product")
    let operands: [PointwiseOperand] = [
      .value(product), .value(c), .number(alpha), .number(beta),
    ]
    let type = promotedType(operands)
    return try pointwise(operands, in: type, name: name) { e, x in
      let scaled = alpha.double == 1 ? x[0] : e.call(.multiply, x[0], x[2])
      if beta.double == 0 { return scaled }
      return e.call(.add, beta.double == 1 ? x[1] : e.call(.multiply, x[1], x[3]), scaled)
    }
  }
}
