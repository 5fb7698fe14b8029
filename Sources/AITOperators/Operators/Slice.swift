import AITGraph

/// Takes every `step`-th element along each axis: `y[i] = x[start + i · step]`.
///
/// Starts and sizes are given for all axes; a negative step runs backwards from its start. Always a
/// view. Positions that the symbols' bounds do not keep within the extents are checked when a run
/// begins; a slice without elements may lie anywhere. Source: Python's slicing, after clamping and negative positions are resolved by the
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
        .invalidAttribute,
        "slice of \(x) by starts \(starts), sizes \(sizes), steps \(steps)",
        hint: "give one start, one size and one step other than 0 for each axis"
      )
    }
    for axis in 0..<x.rank where !sizes.contains(0) {
      let last = last(axis)
      let isInside =
        (x.shape[axis] - 1 - last).upperBound >= 0 && last.upperBound >= 0
        && starts[axis].upperBound >= 0 && (x.shape[axis] - 1 - starts[axis]).upperBound >= 0
      guard isInside else {
        throw Diagnostic(
          .shapeMismatch,
          "slice of \(x): axis \(axis) from \(starts[axis]) with \(sizes[axis]) elements at step "
            + "\(steps[axis]) leaves the extent \(x.shape[axis])"
        )
      }
    }
    return [TensorType(x.dtype, Shape(sizes))]
  }

  /// The position of the last element along an axis.
  private func last(_ axis: Int) -> Dimension {
    starts[axis] + (sizes[axis] - 1) * Dimension(steps[axis])
  }

  package func sizeConstraints(_ operands: [TensorType], results: [TensorType]) -> [SizeConstraint]
  {
    starts.indices.flatMap { axis in
      let ends = steps[axis] > 0 ? (starts[axis], last(axis)) : (last(axis), starts[axis])
      let count = results[0].shape.elementCount
      return [
        SizeConstraint(
          "the lowest position of slice along axis \(axis)",
          ends.0,
          is: .atLeast,
          0,
          where: count
        ),
        SizeConstraint(
          "the highest position of slice along axis \(axis)",
          ends.1,
          is: .atMost,
          operands[0].shape[axis] - 1,
          where: count
        ),
      ]
    }
  }

  package func view(of layout: Layout, operand: TensorType, result: TensorType) -> Layout? {
    var offset = layout.offset
    for axis in starts.indices { offset = offset + starts[axis] * layout.strides[axis] }
    let strides = steps.indices.map { layout.strides[$0] * Dimension(steps[$0]) }
    return Layout(offset: offset, strides: strides)
  }
}

extension Slice {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let x = operands[0]
    let (first, shape) = (try values(starts, symbols), try extents(results[0]))
    for axis in shape.indices where !shape.contains(0) {
      let last = first[axis] + (shape[axis] - 1) * steps[axis]
      guard min(first[axis], last) >= 0, max(first[axis], last) < x.shape[axis] else {
        throw Diagnostic(
          .runFailed,
          "slice: \(first[axis]) to \(last) leaves axis \(axis) of \(x.type)"
        )
      }
    }
    let strides = Positions.rowMajorStrides(x.shape)
    let start = zip(first, strides).reduce(0) { $0 + $1.0 * $1.1 }
    let positions = Positions.list(
      shape,
      strides: zip(strides, steps).map { $0 * $1 },
      start: start
    )
    return [x.picking(positions, shape: shape)]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension { 0 }

  package static let examples = [
    OperatorExample(
      Slice(starts: [1, 0], sizes: [2, 5], steps: [1, 1]),
      [TensorType(.float32, [4, 5])]
    ),
    OperatorExample(
      Slice(starts: [0, 5], sizes: [3, 3], steps: [1, -2]),
      [TensorType(.float16, [3, 7])]
    ),
    OperatorExample(
      Slice(
        starts: [0, .symbol("seq", 1...16) - 1],
        sizes: [.symbol("batch", 1...8), 1],
        steps: [1, 1]
      ),
      [TensorType(.int64, [.symbol("batch", 1...8), .symbol("seq", 1...16)])]
    ),
    OperatorExample(
      // Within the extent for every size, which the bounds alone do not tell.
      Slice(starts: [(.symbol("seq", 1...16) - 1) % 4], sizes: [1], steps: [1]),
      [TensorType(.float32, [.symbol("seq", 1...16)])]
    ),
    OperatorExample(Slice(starts: [2], sizes: [0], steps: [1]), [TensorType(.bool, [2])]),
    OperatorExample(Slice(starts: [], sizes: [], steps: []), [TensorType(.bfloat16, [])]),
  ]
}
