import AITFrontend
import AITGraph
import AITOperators

// What several families of entries are composed of.

/// Returns the one result of verbs applied to tensors.
func built(
  _ operands: [Tensor],
  _ build: (inout Graph, [ValueID]) throws(Diagnostic) -> ValueID
) throws(Diagnostic) -> Tensor {
  try Tensor.building(operands, resultCount: 1) { (graph, x) throws(Diagnostic) in
    [try build(&graph, x)]
  }[0]
}

/// Returns the product of the last two axes, `[…, M, K]` and `[…, K, N]`, each as it is or with them
/// exchanged; leading axes broadcast.
func product(
  _ a: Tensor,
  _ b: Tensor,
  transposeA: Bool = false,
  transposeB: Bool = false
) throws(Diagnostic) -> Tensor {
  try built([a, b]) { (graph, x) throws(Diagnostic) in
    try graph.addResult(MatMul(transposeA: transposeA, transposeB: transposeB), x, name: "product")
  }
}

/// Returns a tensor with an extent that is known by another expression; a run checks that it is
/// equal.
func matching(_ x: Tensor, axis: Int, _ extent: Dimension) throws(Diagnostic) -> Tensor {
  var extents = x.shape.dimensions
  extents[axis] = extent
  guard extents != x.shape.dimensions else { return x }
  return try built([x]) { (graph, x) throws(Diagnostic) in try graph.matchShape(x[0], extents) }
}

/// Returns a tensor with a shape that its own may be equal to: where extents differ, both are
/// symbolic, and a run checks them; nil if that cannot be.
func matching(_ x: Tensor, _ shape: Shape) throws(Diagnostic) -> Tensor? {
  guard x.rank == shape.rank else { return nil }
  for (extent, expected) in zip(x.shape.dimensions, shape.dimensions) where extent != expected {
    guard !extent.isConstant, !expected.isConstant, (extent - expected).range.contains(0) else {
      return nil
    }
  }
  return try built([x]) { (graph, x) throws(Diagnostic) in
    try graph.matchShape(x[0], shape.dimensions)
  }
}

/// Returns an extent as an operand: a number if it is known, else a tensor of rank 0 that a run
/// fills in.
func number(_ extent: Dimension, _ dtype: DType) -> any TensorOperand {
  guard let value = extent.constant else { return Tensor.ones([extent], dtype).sum(dtype: dtype) }
  return value
}

extension FacadeCall {
  /// Throws `rank-mismatch` unless the rank is one of those expected.
  func check(_ parameter: String, _ tensor: Tensor, rank: ClosedRange<Int>) throws(Diagnostic) {
    guard rank.contains(tensor.rank) else {
      let expected =
        rank.count == 1
        ? "\(rank.lowerBound)"
        : rank.upperBound == .max
          ? "at least \(rank.lowerBound)" : "\(rank.lowerBound) to \(rank.upperBound)"
      throw failure(
        .rankMismatch,
        "'\(parameter)' is \(tensor.type), expected a rank of \(expected)"
      )
    }
  }

  /// A tensor argument of one of the expected ranks.
  func tensor(_ parameter: String, rank: ClosedRange<Int>) throws(Diagnostic) -> Tensor {
    let tensor = try tensor(parameter)
    try check(parameter, tensor, rank: rank)
    return tensor
  }

  /// A tensor argument of an expected type, for what is joined with a result of that type.
  ///
  /// Where it has other symbols for extents, a run checks that they are the same numbers.
  func tensor(_ parameter: String, _ expected: TensorType) throws(Diagnostic) -> Tensor {
    let tensor = try tensor(parameter)
    if let matched = try matching(tensor, expected.shape), matched.type == expected {
      return matched
    }
    try check(parameter, tensor, expected)
    return tensor
  }

  /// Throws `dtype-mismatch` or `shape-mismatch` unless a tensor has an expected type.
  func check(_ parameter: String, _ tensor: Tensor, _ expected: TensorType) throws(Diagnostic) {
    guard tensor.type != expected else { return }
    throw failure(
      tensor.dtype == expected.dtype ? .shapeMismatch : .dtypeMismatch,
      "'\(parameter)' is \(tensor.type), expected \(expected)",
      hint: tensor.dtype == expected.dtype ? nil : "AITemplate converts no types; cast it"
    )
  }

  /// Throws `dtype-mismatch` unless tensors have one element type.
  func checkOneType(_ tensors: [Tensor]) throws(Diagnostic) {
    guard let first = tensors.first, tensors.contains(where: { $0.dtype != first.dtype }) else {
      return
    }
    throw failure(
      .dtypeMismatch,
      "operands \(tensors.map(\.type.description).joined(separator: ", "))",
      hint: "AITemplate converts no types; cast them to one"
    )
  }

  /// Returns a tensor whose extent along an axis is written as a multiple of a number; a run checks
  /// what symbols leave open.
  func multiple(_ x: Tensor, axis: Int, of divisor: Int) throws(Diagnostic) -> Tensor {
    let extent = x.extent(axis)
    guard divisor > 1, !extent.isConstant, extent.exactQuotient(by: Dimension(divisor)) == nil
    else { return x }
    let part = extent.floorDivided(by: Dimension(divisor))
    return try matching(x, axis: axis, part * Dimension(divisor))
  }

  /// Returns an extent divided by a number that divides it.
  func part(of extent: Dimension, _ divisor: Int) throws(Diagnostic) -> Dimension {
    guard divisor > 0, let part = extent.exactQuotient(by: Dimension(divisor)) else {
      throw failure(
        .shapeMismatch,
        "an extent of \(extent) in parts of \(divisor)",
        hint: "the extent is a multiple of \(divisor)"
      )
    }
    return part
  }
}
