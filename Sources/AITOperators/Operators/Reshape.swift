import AITGraph

/// Gives the elements, in row-major order, other extents of the same product.
///
/// A view of a row-major operand. Flatten, squeeze, unsqueeze and the meeting of a symbol with its
/// multiple are reshapes too. Source: `torch.reshape`, after −1 is resolved.
package struct Reshape: ViewOperator {
  package static let name = "reshape"
  package static let summary = "other extents for the same elements; a view where the layout allows"

  /// The extents of the result.
  package let shape: Shape

  package init(_ shape: Shape) { self.shape = shape }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    shape = Shape(try attributes.dimensions("shape"))
  }

  package var attributes: [Attribute] { [Attribute("shape", .dimensions(shape.dimensions))] }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    guard operands[0].shape.elementCount == shape.elementCount else {
      throw Diagnostic(
        .shapeMismatch,
        "reshape of \(operands[0]) to \(shape): \(operands[0].shape.elementCount) elements are not "
          + "\(shape.elementCount)"
      )
    }
    return [TensorType(operands[0].dtype, shape)]
  }

  package func view(of layout: Layout, operand: TensorType, result: TensorType) -> Layout? {
    if layout.isRowMajor(operand.shape) {
      return Layout(offset: layout.offset, strides: Layout(rowMajor: result.shape).strides)
    }
    return strided(layout, operand.shape, result.shape)
  }

  /// Walks both shapes from the last axis; axes are regrouped only within runs of the operand that
  /// lie as one would row-major.
  private func strided(_ layout: Layout, _ old: Shape, _ new: Shape) -> Layout? {
    var strides: [Dimension] = Array(repeating: 0, count: new.rank)
    var newAxis = new.rank - 1
    var axis = old.rank - 1
    while axis >= 0 {
      if old[axis] == 1 {
        axis -= 1
        continue
      }
      // A run of axes [start...axis] in which each stride is the extent times the next stride.
      let innermost = layout.strides[axis]
      var run = old[axis]
      var start = axis
      while start > 0, old[start - 1] == 1 || layout.strides[start - 1] == run * innermost {
        start -= 1
        run = run * old[start]
      }
      var covered: Dimension = 1
      while newAxis >= 0, covered != run {
        strides[newAxis] = covered * innermost
        covered = covered * new[newAxis]
        guard run.exactQuotient(by: covered) != nil else { return nil }
        newAxis -= 1
      }
      guard covered == run else { return nil }
      axis = start - 1
    }
    // What is left of the new axes has extent 1.
    guard newAxis < 0 || (0...newAxis).allSatisfy({ new[$0] == 1 }) else { return nil }
    return Layout(offset: layout.offset, strides: strides)
  }
}

extension Reshape {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    [operands[0].reshaped(try extents(results[0]))]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension { 0 }

  package static let examples = [
    OperatorExample(Reshape([6, 4]), [TensorType(.float32, [2, 3, 4])]),
    OperatorExample(
      Reshape([.symbol("batch", 1...8), .symbol("seq", 1...16), 3, 4]),
      [TensorType(.float16, [.symbol("batch", 1...8), .symbol("seq", 1...16), 12])]
    ),
    OperatorExample(
      Reshape([2 * .symbol("batch", 1...8) * .symbol("seq", 1...16)]),
      [TensorType(.int64, [.symbol("batch", 1...8), 2, .symbol("seq", 1...16)])]
    ),
    OperatorExample(Reshape([1, 1]), [TensorType(.bool, [])]),
    OperatorExample(Reshape([0, 7]), [TensorType(.bfloat16, [3, 0])]),
  ]
}
