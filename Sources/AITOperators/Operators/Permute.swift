import AITGraph

/// Reorders axes: axis `i` of the result is axis `permutation[i]` of the operand.
///
/// Always a view. Source: `torch.permute`; transpose is a permutation of two axes.
package struct Permute: ViewOperator {
  package static let name = "permute"
  package static let summary = "axes in another order; always a view"

  /// For each axis of the result, the operand's axis, counted from 0.
  package let permutation: [Int]

  package init(_ permutation: [Int]) { self.permutation = permutation }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    permutation = try attributes.integers("permutation")
  }

  package var attributes: [Attribute] { [Attribute("permutation", .integers(permutation))] }

  /// Whether the axes stay in order.
  package var isIdentity: Bool { permutation == Array(permutation.indices) }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    guard permutation.sorted() == Array(0..<x.rank) else {
      throw Diagnostic(
        .invalidAttribute, "permute of \(x) by \(permutation)",
        hint: "name each axis from 0 to \(x.rank - 1) once")
    }
    return [TensorType(x.dtype, Shape(permutation.map { x.shape[$0] }))]
  }

  package func view(of layout: Layout, operand: TensorType, result: TensorType) -> Layout? {
    Layout(offset: layout.offset, strides: permutation.map { layout.strides[$0] })
  }
}
