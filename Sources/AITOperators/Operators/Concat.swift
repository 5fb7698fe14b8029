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
          hint: "operands agree in element type and in all extents but that of the axis"
        )
      }
    }
    var shape = first.shape
    shape[axis] = extent
    return [TensorType(first.dtype, shape)]
  }
}

extension Concat {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let shape = try extents(results[0])
    let strides = Positions.rowMajorStrides(shape)
    var result = TensorData(zeros: operands[0].dtype, shape)
    var start = 0
    for operand in operands {
      result.scatter(
        operand,
        to: Positions.list(operand.shape, strides: strides, start: start * strides[axis])
      )
      start += operand.shape[axis]
    }
    return [result]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension { 0 }

  package static let examples = [
    OperatorExample(
      Concat(axis: 1),
      [TensorType(.float32, [2, 3, 5]), TensorType(.float32, [2, 4, 5])]
    ),
    OperatorExample(
      Concat(axis: 0),
      [
        TensorType(.float16, [.symbol("batch", 1...8), 7]), TensorType(.float16, [1, 7]),
        TensorType(.float16, [.symbol("batch", 1...8), 7]),
      ]
    ),
    OperatorExample(Concat(axis: 0), [TensorType(.int64, [0]), TensorType(.int64, [3])]),
    OperatorExample(
      Concat(axis: 2),
      [TensorType(.bool, [2, 2, 1]), TensorType(.bool, [2, 2, 6])]
    ),
    OperatorExample(Concat(axis: 1), [TensorType(.bfloat16, [3, 17])]),
  ]
}

extension Graph {
  /// Joins tensors along an axis, converted to the type in which they meet.
  package mutating func concat(_ operands: [ValueID], axis: Int, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    guard let first = operands.first else {
      throw Diagnostic(.wrongInputCount, "concat of no tensors")
    }
    let dtype = operands.reduce(self[first].type.dtype) { .promoting($0, self[$1].type.dtype) }
    var converted: [ValueID] = []
    for operand in operands { converted.append(try cast(operand, to: dtype)) }
    let op = Concat(axis: try self[first].type.shape.normalizedAxis(axis))
    return try addResult(op, converted, name: name)
  }
}
