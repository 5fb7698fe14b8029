import AITGraph

/// Takes whole slices along an axis: the axis of x is replaced by the shape of the index.
///
/// x `[A…, E, B…]`, index `[I…]` of int32 or int64 gives `[A…, I…, B…]`. An index outside
/// 0..<E fails the run. Source: `torch.index_select` for an index of rank 1;
/// `torch.nn.functional.embedding` is axis 0 with any index.
package struct IndexSelect: Operator {
  package static let name = "index_select"
  package static let summary = "slices along an axis by an index of any rank; embedding"

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
      throw Diagnostic(.invalidAttribute, "the axis \(axis) of index_select is counted from 0")
    }
    try checkIndex(index)
    let extents =
      Array(x.shape.dimensions[..<axis]) + index.shape.dimensions
      + Array(x.shape.dimensions[(axis + 1)...])
    return [TensorType(x.dtype, Shape(extents))]
  }
}
