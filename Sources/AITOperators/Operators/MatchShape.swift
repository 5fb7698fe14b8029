import AITGraph

/// Gives the operand's extents other expressions, which a run must find to be the same numbers.
///
/// Two inputs may have symbols of their own for what is one size, such as a batch and the number of
/// offsets less one. Which of them an operator further on knows is then a matter of this node; that
/// they are equal is checked when a run begins. Always a view.
package struct MatchShape: ViewOperator {
  package static let name = "match_shape"
  package static let summary = "the operand under extents that a run finds equal; always a view"

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
    guard x.rank == shape.rank,
      zip(x.shape.dimensions, shape.dimensions).allSatisfy({ ($0 - $1).range.contains(0) })
    else {
      throw Diagnostic(
        .shapeMismatch,
        "match_shape of \(x) with \(shape)",
        hint: "the rank is the same, and the bounds of symbols allow each extent to be equal"
      )
    }
    return [TensorType(x.dtype, shape)]
  }

  package func sizeConstraints(_ operands: [TensorType], results: [TensorType]) -> [SizeConstraint]
  {
    let extents = zip(operands[0].shape.dimensions, shape.dimensions).enumerated()
    return extents.filter { $0.element.0 != $0.element.1 }.flatMap { axis, pair in
      [SizeConstraint.Relation.atLeast, .atMost].map { relation in
        SizeConstraint("the extent of axis \(axis)", pair.0, is: relation, pair.1, where: 1)
      }
    }
  }

  package func view(of layout: Layout, operand: TensorType, result: TensorType) -> Layout? {
    layout
  }
}

extension MatchShape {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] { operands }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension { 0 }

  package static let examples = [
    OperatorExample(MatchShape([2, 3]), [TensorType(.float32, [2, 3])]),
    OperatorExample(MatchShape([]), [TensorType(.int64, [])]),
    OperatorExample(
      MatchShape([Dimension.symbol("batch", 1...8), 0]),
      [TensorType(.float16, [.symbol("batch", 1...8), 0])]
    ),
  ]
}

extension Graph {
  /// Gives extents other expressions that a run must find equal; the value itself if they are.
  package mutating func matchShape(_ x: ValueID, _ extents: [Dimension], name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    guard self[x].type.shape != Shape(extents) else { return x }
    return try addResult(MatchShape(Shape(extents)), [x], name: name)
  }
}
