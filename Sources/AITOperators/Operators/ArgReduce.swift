import AITGraph

/// Finds the position of the largest or smallest element along an axis.
///
/// The first of equal elements wins; NaN counts as the extreme. The result is int64. The axis is
/// removed, or kept with extent 1. Source: `torch.argmax`, `torch.argmin`; the builder flattens for
/// "over all elements".
package struct ArgReduce: Operator {
  package static let name = "arg_reduce"
  package static let summary = "position of the largest or smallest element along an axis"

  package let isMaximum: Bool
  /// Counted from 0.
  package let axis: Int
  package let keepsDimensions: Bool

  package init(isMaximum: Bool, axis: Int, keepsDimensions: Bool = false) {
    self.isMaximum = isMaximum
    self.axis = axis
    self.keepsDimensions = keepsDimensions
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    isMaximum = try attributes.bool("maximum")
    axis = try attributes.integer("axis")
    keepsDimensions = try attributes.bool("keep_dimensions", default: false)
  }

  package var attributes: [Attribute] {
    [Attribute("maximum", .bool(isMaximum)), Attribute("axis", .integer(axis))]
      + (keepsDimensions ? [Attribute("keep_dimensions", .bool(true))] : [])
  }

  package var traits: OperatorTraits { .acceptsPrologue }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    guard try x.shape.normalizedAxis(axis) == axis else {
      throw Diagnostic(.invalidAttribute, "the axis \(axis) of arg_reduce is counted from 0")
    }
    guard x.shape[axis] != 0, x.dtype != .bool else {
      throw Diagnostic(
        .shapeMismatch, "arg_reduce along axis \(axis) of \(x)",
        hint: "the axis has at least one element, and the elements are numbers")
    }
    var extents = x.shape.dimensions
    if keepsDimensions { extents[axis] = 1 } else { extents.remove(at: axis) }
    return [TensorType(.int64, Shape(extents))]
  }
}
