import AITGraph

/// Finds the largest or smallest elements along an axis, in order, and their positions.
///
/// The results are x with `count` elements along the axis, and their positions as int64. NaN counts as
/// the largest number; of equal elements, the one at the lower position comes first. With as many
/// elements as there are it is a stable sort. All element types. Source: `torch.topk`, `torch.sort`,
/// which leave the order of equal elements open, `torch.sort` with `stable`, which does not.
package struct TopK: Operator {
  package static let name = "top_k"
  package static let summary = "largest or smallest elements along an axis, sorted, with positions"

  package let count: Dimension
  /// Counted from 0.
  package let axis: Int
  package let isLargest: Bool

  package init(_ count: Dimension, axis: Int, isLargest: Bool = true) {
    self.count = count
    self.axis = axis
    self.isLargest = isLargest
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    count = try attributes.dimension("count")
    axis = try attributes.integer("axis")
    isLargest = try attributes.bool("largest", default: true)
  }

  package var attributes: [Attribute] {
    [Attribute("count", .dimensions([count])), Attribute("axis", .integer(axis))]
      + (isLargest ? [] : [Attribute("largest", .bool(false))])
  }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    guard try x.shape.normalizedAxis(axis) == axis else {
      throw Diagnostic(.invalidAttribute, "the axis \(axis) of top_k is counted from 0")
    }
    guard count.lowerBound >= 0, (x.shape[axis] - count).upperBound >= 0 else {
      throw Diagnostic(
        .invalidAttribute,
        "top_k of \(count) elements along axis \(axis) of \(x)",
        hint: "there are 0 to \(x.shape[axis]) of them"
      )
    }
    var shape = x.shape
    shape.dimensions[axis] = count
    return [TensorType(x.dtype, shape), TensorType(.int64, shape)]
  }

  package func sizeConstraints(_ operands: [TensorType], results: [TensorType]) -> [SizeConstraint]
  {
    let others = operands[0].shape.dimensions.enumerated().filter { $0.offset != axis }
    return [
      SizeConstraint(
        "the number of elements that top_k finds",
        count,
        is: .atMost,
        operands[0].shape[axis],
        where: others.map(\.element).reduce(1, *)
      )
    ]
  }
}

extension TopK {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let x = operands[0]
    let shape = try extents(results[0])
    let (stride, count) = (Positions.rowMajorStrides(x.shape)[axis], shape[axis])
    var (rowShape, resultRows) = (x.shape, shape)
    rowShape[axis] = min(rowShape[axis], 1)
    resultRows[axis] = 1
    let starts = Positions.list(rowShape, strides: Positions.rowMajorStrides(x.shape))
    let resultStrides = Positions.rowMajorStrides(shape)
    let targets = Positions.list(resultRows, strides: resultStrides)
    let scalars = x.scalars
    var chosen = Array(repeating: 0, count: shape.reduce(1, *))
    var positions = chosen.map { Int64($0) }
    guard !chosen.isEmpty else {
      return [x.picking([], shape: shape), TensorData(.int64, shape, integers: [])]
    }
    for (start, target) in zip(starts, targets) {
      let row = (0..<x.shape[axis]).sorted { first, second in
        let (a, b) = (scalars[start + first * stride], scalars[start + second * stride])
        if Self.isBelow(a, b) { return !isLargest }
        if Self.isBelow(b, a) { return isLargest }
        return first < second
      }
      for (rank, position) in row.prefix(count).enumerated() {
        chosen[target + rank * resultStrides[axis]] = start + position * stride
        positions[target + rank * resultStrides[axis]] = Int64(position)
      }
    }
    return [x.picking(chosen, shape: shape), TensorData(.int64, shape, integers: positions)]
  }

  /// Whether an element is smaller than another, NaN the largest number.
  private static func isBelow(_ a: ScalarValue, _ b: ScalarValue) -> Bool {
    guard case .float(let left) = a, case .float(let right) = b else {
      return a.integer < b.integer
    }
    return left.isNaN ? false : right.isNaN || left < right
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    // Comparisons: about one for each element, and a heap's for those that are found.
    operands[0].shape.elementCount + results[0].shape.elementCount * 16
  }

  package static let examples = [
    OperatorExample(TopK(3, axis: 1), [TensorType(.float32, [4, 37])]),
    OperatorExample(
      TopK(5, axis: 0, isLargest: false),
      [TensorType(.float16, [.symbol("seq", 5...40), 3])]
    ),
    OperatorExample(
      TopK(.symbol("seq", 1...50), axis: 1),
      [TensorType(.int32, [.symbol("batch", 1...8), .symbol("seq", 1...50), 2])]
    ),
    OperatorExample(TopK(90, axis: 0, isLargest: false), [TensorType(.uint8, [90])]),
    OperatorExample(TopK(7, axis: 1), [TensorType(.bool, [3, 7])]),
    OperatorExample(TopK(200, axis: 1), [TensorType(.bfloat16, [2, 700])]),
    OperatorExample(TopK(20, axis: 0), [TensorType(.float64, [100, 2])]),
    OperatorExample(TopK(20, axis: 0, isLargest: false), [TensorType(.int64, [100, 2])]),
    // Longer than what a block of a GPU sorts at once: few of them are kept, then many.
    OperatorExample(TopK(30, axis: 1), [TensorType(.float16, [2, 5001])]),
    OperatorExample(TopK(2500, axis: 0, isLargest: false), [TensorType(.int32, [4999])]),
    OperatorExample(TopK(0, axis: 1), [TensorType(.float32, [2, 5])]),
    OperatorExample(TopK(2, axis: 1), [TensorType(.int16, [0, 5])]),
    OperatorExample(TopK(0, axis: 0), [TensorType(.int8, [0])]),
  ]
}

extension Graph {
  /// The `count` largest or smallest elements along an axis, in order, and their positions:
  /// `torch.topk`.
  package mutating func topK(
    _ x: ValueID,
    _ count: Dimension,
    axis: Int = -1,
    isLargest: Bool = true,
    name: String? = nil
  ) throws(Diagnostic) -> (values: ValueID, positions: ValueID) {
    let axis = try self[x].type.shape.normalizedAxis(axis)
    let op = TopK(count, axis: axis, isLargest: isLargest)
    let results = try addNode(op, [x], name: name ?? "top_k")
    return (results[0], results[1])
  }

  /// The elements along an axis in order, and where they were: `torch.sort`, stable.
  package mutating func sort(
    _ x: ValueID,
    axis: Int = -1,
    isDescending: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> (values: ValueID, positions: ValueID) {
    let axis = try self[x].type.shape.normalizedAxis(axis)
    return try topK(
      x,
      self[x].type.shape[axis],
      axis: axis,
      isLargest: isDescending,
      name: name ?? "sort"
    )
  }
}
