import AITGraph

/// Finds the position of the largest or smallest element along an axis.
///
/// The first of equal elements wins; NaN counts as the extreme. The result is int64. The axis is
/// removed, or kept with extent 1; it has an element, unless the result has none. Source:
/// `torch.argmax`, `torch.argmin`; the builder flattens for "over all elements".
package struct ArgReduce: Operator {
  package static let name = "arg_reduce"
  package static let summary = "position of the largest or smallest element along an axis"

  package let isMaximum: Bool
  /// Counted from 0.
  package let axis: Int
  package let keepsDimensions: Bool

  package init(isMaximum: Bool, axis: Int, keepsDimensions: Bool = false) {
    self.isMaximum = isMaximum
    self.axis = axis
    self.keepsDimensions = keepsDimensions
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    isMaximum = try attributes.bool("maximum")
    axis = try attributes.integer("axis")
    keepsDimensions = try attributes.bool("keep_dimensions", default: false)
  }

  package var attributes: [Attribute] {
    [Attribute("maximum", .bool(isMaximum)), Attribute("axis", .integer(axis))]
      + (keepsDimensions ? [Attribute("keep_dimensions", .bool(true))] : [])
  }

  package var traits: OperatorTraits { .acceptsPrologue }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    guard try x.shape.normalizedAxis(axis) == axis else {
      throw Diagnostic(.invalidAttribute, "the axis \(axis) of arg_reduce is counted from 0")
    }
    guard x.dtype != .bool else {
      throw Diagnostic(
        .dtypeMismatch,
        "arg_reduce along axis \(axis) of \(x)",
        hint: "the elements are numbers; cast them to uint8"
      )
    }
    var extents = x.shape.dimensions
    if keepsDimensions { extents[axis] = 1 } else { extents.remove(at: axis) }
    return [TensorType(.int64, Shape(extents))]
  }

  package func sizeConstraints(_ operands: [TensorType], results: [TensorType]) -> [SizeConstraint]
  {
    [
      SizeConstraint(
        "the extent that arg_reduce searches",
        operands[0].shape[axis],
        is: .atLeast,
        1,
        where: results[0].shape.elementCount
      )
    ]
  }
}

extension ArgReduce {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let x = operands[0]
    let strides = Positions.rowMajorStrides(x.shape)
    let extent = x.shape[axis]
    var kept = x.shape
    kept[axis] = 1
    guard extent > 0 || kept.contains(0) else {
      throw Diagnostic(.runFailed, "arg_reduce along an axis without elements")
    }
    let values = x.scalars
    let found = Positions.list(kept, strides: strides).map { base in
      var best = 0
      for candidate in 1..<max(extent, 1)
      where beats(values[base + candidate * strides[axis]], values[base + best * strides[axis]]) {
        best = candidate
      }
      return Int64(best)
    }
    return [TensorData(.int64, try extents(results[0]), integers: found)]
  }

  /// Whether a later element takes the place of an earlier one.
  private func beats(_ candidate: ScalarValue, _ best: ScalarValue) -> Bool {
    guard case .float(let new) = candidate, case .float(let old) = best else {
      return isMaximum ? candidate.integer > best.integer : candidate.integer < best.integer
    }
    if old.isNaN { return false }
    return new.isNaN || (isMaximum ? new > old : new < old)
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    operands[0].shape.elementCount
  }

  package static let examples = [
    OperatorExample(ArgReduce(isMaximum: true, axis: 1), [TensorType(.float32, [3, 37])]),
    OperatorExample(
      ArgReduce(isMaximum: false, axis: 0, keepsDimensions: true),
      [TensorType(.float16, [5, 2, 3])]
    ),
    OperatorExample(
      ArgReduce(isMaximum: true, axis: 2),
      [TensorType(.bfloat16, [.symbol("batch", 1...8), 2, .symbol("seq", 1...16)])]
    ),
    OperatorExample(ArgReduce(isMaximum: false, axis: 1), [TensorType(.int32, [4, 9])]),
    OperatorExample(ArgReduce(isMaximum: true, axis: 1), [TensorType(.float32, [0, 4])]),
    OperatorExample(ArgReduce(isMaximum: false, axis: 1), [TensorType(.float32, [0, 0, 3])]),
    OperatorExample(
      ArgReduce(isMaximum: true, axis: 1),
      [TensorType(.float32, [.symbol("none", 0...4), .symbol("none", 0...4)])]
    ),
  ]
}

extension Graph {
  /// Finds the position of the largest element along an axis, or among all elements.
  package mutating func argmax(
    _ x: ValueID,
    axis: Int? = nil,
    keepsDimensions: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try argReduce(x, isMaximum: true, axis, keepsDimensions, name ?? "argmax")
  }

  /// Finds the position of the smallest element along an axis, or among all elements.
  package mutating func argmin(
    _ x: ValueID,
    axis: Int? = nil,
    keepsDimensions: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try argReduce(x, isMaximum: false, axis, keepsDimensions, name ?? "argmin")
  }

  private mutating func argReduce(
    _ x: ValueID,
    isMaximum: Bool,
    _ axis: Int?,
    _ keepsDimensions: Bool,
    _ name: String
  ) throws(Diagnostic) -> ValueID {
    let shape = self[x].type.shape
    guard let axis, shape.rank > 0 else {
      // Rank 0 has the axes 0 and -1 by PyTorch's courtesy.
      if let axis { _ = try Shape([1]).normalizedAxis(axis) }
      let flat = try reshape(x, [shape.elementCount])
      let result = try addResult(
        ArgReduce(isMaximum: isMaximum, axis: 0, keepsDimensions: false),
        [flat],
        name: name
      )
      guard keepsDimensions, shape.rank > 0 else { return result }
      return try reshape(result, Array(repeating: 1, count: shape.rank))
    }
    let op = ArgReduce(
      isMaximum: isMaximum,
      axis: try shape.normalizedAxis(axis),
      keepsDimensions: keepsDimensions
    )
    return try addResult(op, [x], name: name)
  }
}
