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
        .invalidAttribute,
        "permute of \(x) by \(permutation)",
        hint: "name each axis from 0 to \(x.rank - 1) once"
      )
    }
    return [TensorType(x.dtype, Shape(permutation.map { x.shape[$0] }))]
  }

  package func view(of layout: Layout, operand: TensorType, result: TensorType) -> Layout? {
    Layout(offset: layout.offset, strides: permutation.map { layout.strides[$0] })
  }
}

extension Permute {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let x = operands[0]
    let strides = Positions.rowMajorStrides(x.shape)
    let shape = permutation.map { x.shape[$0] }
    return [
      x.picking(
        Positions.list(shape, strides: permutation.map { strides[$0] }),
        shape: shape
      )
    ]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension { 0 }

  package static let examples = [
    OperatorExample(Permute([1, 0]), [TensorType(.float32, [5, 7])]),
    OperatorExample(
      Permute([0, 2, 1, 3]),
      [TensorType(.float16, [.symbol("batch", 1...8), .symbol("seq", 1...16), 3, 4])]
    ),
    OperatorExample(Permute([2, 0, 1]), [TensorType(.int64, [2, 0, 3])]),
    OperatorExample(Permute([]), [TensorType(.bool, [])]),
  ]
}

extension Graph {
  /// Reorders axes: axis `i` of the result is axis `permutation[i]` of the operand.
  package mutating func permute(_ x: ValueID, _ permutation: [Int], name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    let axes = try self[x].type.shape.normalizedAxes(permutation)
    return try addResult(Permute(axes), [x], name: name)
  }

  /// Exchanges two axes.
  package mutating func transpose(_ x: ValueID, _ first: Int, _ second: Int, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    let shape = self[x].type.shape
    var axes = Array(0..<shape.rank)
    axes.swapAt(try shape.normalizedAxis(first), try shape.normalizedAxis(second))
    return try permute(x, axes, name: name ?? "transpose")
  }
}
