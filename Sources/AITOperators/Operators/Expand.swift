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
        .shapeMismatch,
        "expand of \(x) to \(shape)",
        hint: "each extent stays, or grows from 1; new axes come first"
      )
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

extension Expand {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let (x, target) = (operands[0], try extents(results[0]))
    let strides = Positions.broadcastStrides(x.shape, to: target)
    return [x.picking(Positions.list(target, strides: strides), shape: target)]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension { 0 }

  package static let examples = [
    OperatorExample(Expand([3, 4]), [TensorType(.float32, [3, 1])]),
    OperatorExample(Expand([2, 3, 5]), [TensorType(.float16, [5])]),
    OperatorExample(
      Expand([.symbol("batch", 1...8), 7, 3]),
      [TensorType(.int64, [.symbol("batch", 1...8), 1, 3])]
    ),
    OperatorExample(Expand([2, 2]), [TensorType(.bool, [])]),
    OperatorExample(Expand([0, 3]), [TensorType(.bfloat16, [1, 3])]),
  ]
}

extension Graph {
  /// Repeats axes of extent 1; an extent of -1 keeps the operand's.
  ///
  /// New axes come first.
  package mutating func expand(_ x: ValueID, _ extents: [Dimension], name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    let shape = self[x].type.shape
    let offset = extents.count - shape.rank
    let resolved = extents.enumerated().map { axis, extent in
      extent == -1 && axis >= offset && offset >= 0 ? shape[axis - offset] : extent
    }
    return try addResult(Expand(Shape(resolved)), [x], name: name)
  }
}
