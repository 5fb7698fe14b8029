import AITGraph

/// Repeats axes of extent 1 to given extents, and adds axes in front.
///
/// Always a view: repeated axes have stride 0. Source: `torch.Tensor.expand`.
package struct Expand: ViewOperator {
  package static let name = "expand"
  package static let summary = "axes of extent 1 repeated; always a view"

  /// The extents of the result.
  package let shape: Shape

  package init(_ shape: Shape) { self.shape = shape }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    shape = Shape(try attributes.dimensions("shape"))
  }

  package var attributes: [Attribute] { [Attribute("shape", .dimensions(shape.dimensions))] }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    let offset = shape.rank - x.rank
    guard offset >= 0,
      x.shape.dimensions.enumerated().allSatisfy({ axis, extent in
        extent == shape[axis + offset] || extent == 1
      })
    else {
      throw Diagnostic(
        .shapeMismatch, "expand of \(x) to \(shape)",
        hint: "each extent stays, or grows from 1; new axes come first")
    }
    return [TensorType(x.dtype, shape)]
  }

  package func view(of layout: Layout, operand: TensorType, result: TensorType) -> Layout? {
    let offset = result.rank - operand.rank
    let strides = (0..<result.rank).map { axis -> Dimension in
      guard axis >= offset else { return 0 }
      let source = axis - offset
      return operand.shape[source] == result.shape[axis] ? layout.strides[source] : 0
    }
    return Layout(offset: layout.offset, strides: strides)
  }
}
