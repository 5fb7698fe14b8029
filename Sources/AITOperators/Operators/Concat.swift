import AITGraph

/// Joins tensors along an axis.
///
/// All operands have one element type and the same extents but along the axis; there is at least
/// one. Producers write their part in place where the planner can arrange it. Source: `torch.cat`,
/// without its special case for empty tensors of rank 1; stack is a concat of reshapes.
package struct Concat: Operator {
  package static let name = "concat"
  package static let summary = "tensors joined along an axis, parts written in place"

  /// Counted from 0.
  package let axis: Int

  package init(axis: Int) { self.axis = axis }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    axis = try attributes.integer("axis")
  }

  package var attributes: [Attribute] { [Attribute("axis", .integer(axis))] }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...Int.max)
    let first = operands[0]
    guard try first.shape.normalizedAxis(axis) == axis else {
      throw Diagnostic(.invalidAttribute, "the axis \(axis) of concat is counted from 0")
    }
    var extent: Dimension = 0
    for operand in operands {
      var rest = operand.shape.dimensions
      var expected = first.shape.dimensions
      guard rest.count == expected.count else {
        throw Diagnostic(.rankMismatch, "concat of \(first) and \(operand)")
      }
      extent = extent + rest[axis]
      rest.remove(at: axis)
      expected.remove(at: axis)
      guard operand.dtype == first.dtype, rest == expected else {
        throw Diagnostic(
          operand.dtype == first.dtype ? .shapeMismatch : .dtypeMismatch,
          "concat of \(first) and \(operand) along axis \(axis)",
          hint: "operands agree in element type and in all extents but that of the axis")
      }
    }
    var shape = first.shape
    shape[axis] = extent
    return [TensorType(first.dtype, shape)]
  }
}
