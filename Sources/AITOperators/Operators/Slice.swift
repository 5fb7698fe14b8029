import AITGraph

/// Takes every `step`-th element along each axis: `y[i] = x[start + i · step]`.
///
/// Starts and sizes are given for all axes; a negative step runs backwards from its start. Always a
/// view. Source: Python's slicing, after clamping and negative positions are resolved by the
/// builder; split and chunk are slices.
package struct Slice: ViewOperator {
  package static let name = "slice"
  package static let summary = "a range of each axis with any step; always a view"

  /// The position of the first element along each axis.
  package let starts: [Dimension]
  /// The extents of the result.
  package let sizes: [Dimension]
  /// The distance between neighbours along each axis, never 0.
  package let steps: [Int]

  package init(starts: [Dimension], sizes: [Dimension], steps: [Int]) {
    self.starts = starts
    self.sizes = sizes
    self.steps = steps
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    starts = try attributes.dimensions("starts")
    sizes = try attributes.dimensions("sizes")
    steps =
      attributes.contains("steps")
      ? try attributes.integers("steps") : Array(repeating: 1, count: sizes.count)
  }

  package var attributes: [Attribute] {
    [Attribute("starts", .dimensions(starts)), Attribute("sizes", .dimensions(sizes))]
      + (steps.allSatisfy { $0 == 1 } ? [] : [Attribute("steps", .integers(steps))])
  }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    guard starts.count == x.rank, sizes.count == x.rank, steps.count == x.rank,
      !steps.contains(0)
    else {
      throw Diagnostic(
        .invalidAttribute, "slice of \(x) by starts \(starts), sizes \(sizes), steps \(steps)",
        hint: "give one start, one size and one step other than 0 for each axis")
    }
    for axis in 0..<x.rank where sizes[axis] != 0 {
      let last = starts[axis] + (sizes[axis] - 1) * Dimension(steps[axis])
      // With symbols, bounds that cannot be decided are taken on trust of the builder.
      let isInside =
        (x.shape[axis] - 1 - last).upperBound >= 0 && last.upperBound >= 0
        && starts[axis].upperBound >= 0 && (x.shape[axis] - 1 - starts[axis]).upperBound >= 0
      guard isInside else {
        throw Diagnostic(
          .shapeMismatch,
          "slice of \(x): axis \(axis) from \(starts[axis]) with \(sizes[axis]) elements at step "
            + "\(steps[axis]) leaves the extent \(x.shape[axis])")
      }
    }
    return [TensorType(x.dtype, Shape(sizes))]
  }

  package func view(of layout: Layout, operand: TensorType, result: TensorType) -> Layout? {
    var offset = layout.offset
    for axis in starts.indices { offset = offset + starts[axis] * layout.strides[axis] }
    let strides = steps.indices.map { layout.strides[$0] * Dimension(steps[$0]) }
    return Layout(offset: offset, strides: strides)
  }
}
