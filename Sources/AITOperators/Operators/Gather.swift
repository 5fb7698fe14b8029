import AITGraph

/// Picks one element along an axis for each element of the index:
/// `y[i, j, k] = x[index[i, j, k], j, k]` for axis 0, and so on.
///
/// The index is int32 or int64, has x's rank, and is no larger than x along the other axes. An index
/// outside 0..<extent fails the run. Source: `torch.gather`.
package struct Gather: Operator {
  package static let name = "gather"
  package static let summary = "one element along an axis for each element of an index"

  /// Counted from 0.
  package let axis: Int

  package init(axis: Int) { self.axis = axis }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    axis = try attributes.integer("axis")
  }

  package var attributes: [Attribute] { [Attribute("axis", .integer(axis))] }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 2...2)
    let (x, index) = (operands[0], operands[1])
    guard try x.shape.normalizedAxis(axis) == axis else {
      throw Diagnostic(.invalidAttribute, "the axis \(axis) of gather is counted from 0")
    }
    try checkIndex(index)
    guard index.rank == x.rank,
      (0..<x.rank).allSatisfy({ axis in
        axis == self.axis || (x.shape[axis] - index.shape[axis]).upperBound >= 0
      })
    else {
      throw Diagnostic(
        .shapeMismatch, "gather of \(x) by \(index) along axis \(axis)",
        hint: "the index has the same rank and is no larger along the other axes")
    }
    return [TensorType(x.dtype, index.shape)]
  }
}

extension Operator {
  /// Throws unless the elements can be positions.
  func checkIndex(_ index: TensorType) throws(Diagnostic) {
    guard index.dtype == .int32 || index.dtype == .int64 else {
      throw Diagnostic(
        .dtypeMismatch, "\(Self.name) with an index \(index)", hint: "indices are int32 or int64")
    }
  }
}
