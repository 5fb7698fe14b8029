import AITGraph

/// Surrounds a tensor with a constant.
///
/// Each axis grows by `low` elements before and `high` after; neither is negative (the builder
/// turns negative padding into a slice). Source: `torch.nn.functional.pad`, mode constant.
package struct Pad: Operator {
  package static let name = "pad"
  package static let summary = "a constant border around a tensor"

  package let low: [Dimension]
  package let high: [Dimension]
  /// The border's value, converted to the element type.
  package let value: Double

  package init(low: [Dimension], high: [Dimension], value: Double) {
    self.low = low
    self.high = high
    self.value = value
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    low = try attributes.dimensions("low")
    high = try attributes.dimensions("high")
    value = try attributes.float("value", default: 0)
  }

  package var attributes: [Attribute] {
    [
      Attribute("low", .dimensions(low)), Attribute("high", .dimensions(high)),
      Attribute("value", .float(value)),
    ]
  }

  package static func == (left: Pad, right: Pad) -> Bool {
    left.low == right.low && left.high == right.high
      && left.value.bitPattern == right.value.bitPattern
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(low)
    hasher.combine(high)
    hasher.combine(value.bitPattern)
  }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    guard low.count == x.rank, high.count == x.rank,
      (low + high).allSatisfy({ $0.lowerBound >= 0 })
    else {
      throw Diagnostic(
        .invalidAttribute,
        "pad of \(x) by \(low) before and \(high) after",
        hint: "give one amount of at least 0 for each axis"
      )
    }
    let extents = (0..<x.rank).map { low[$0] + x.shape[$0] + high[$0] }
    return [TensorType(x.dtype, Shape(extents))]
  }
}

extension Pad {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let x = operands[0]
    let shape = try extents(results[0])
    let strides = Positions.rowMajorStrides(shape)
    let start = zip(try values(low, symbols), strides).reduce(0) { $0 + $1.0 * $1.1 }
    let count = shape.reduce(1, *)
    var result = TensorData(x.dtype, shape, Array(repeating: value, count: count))
    result.scatter(x, to: Positions.list(x.shape, strides: strides, start: start))
    return [result]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension { 0 }

  package static let examples = [
    OperatorExample(
      Pad(low: [0, 1], high: [2, 0], value: 1.5),
      [TensorType(.float32, [3, 5])]
    ),
    OperatorExample(
      Pad(low: [0, 0, 1, 1], high: [0, 0, 1, 1], value: 0),
      [TensorType(.float16, [.symbol("batch", 1...8), 2, 5, 7])]
    ),
    OperatorExample(Pad(low: [2], high: [0], value: -1), [TensorType(.int32, [0])]),
    OperatorExample(Pad(low: [], high: [], value: 3), [TensorType(.bfloat16, [])]),
    OperatorExample(
      Pad(low: [0, 0], high: [0, 64 - .symbol("seq", 1...64)], value: -.infinity),
      [TensorType(.float32, [2, .symbol("seq", 1...64)])]
    ),
  ]
}
