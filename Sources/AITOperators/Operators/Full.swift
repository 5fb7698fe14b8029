import AITGraph

/// Makes a tensor of one value.
///
/// Source: `torch.full`.
package struct Full: Operator {
  package static let name = "full"
  package static let summary = "a tensor of one value"

  package let shape: Shape
  package let dtype: DType
  /// Converted to the element type; integers beyond 2^53 are made by casts.
  package let value: Double

  package init(_ shape: Shape, _ dtype: DType, value: Double) {
    self.shape = shape
    self.dtype = dtype
    self.value = value
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    shape = Shape(try attributes.dimensions("shape"))
    dtype = try attributes.dtype("dtype")
    value = try attributes.float("value")
  }

  package var attributes: [Attribute] {
    [
      Attribute("shape", .dimensions(shape.dimensions)), Attribute("dtype", .dtype(dtype)),
      Attribute("value", .float(value)),
    ]
  }

  package static func == (left: Full, right: Full) -> Bool {
    left.shape == right.shape && left.dtype == right.dtype
      && left.value.bitPattern == right.value.bitPattern
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(shape)
    hasher.combine(dtype)
    hasher.combine(value.bitPattern)
  }

  package var traits: OperatorTraits { .isGenerator }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 0...0)
    return [TensorType(dtype, shape)]
  }
}

extension Full {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let extents = try extents(results[0])
    let count = extents.reduce(1, *)
    return [TensorData(results[0].dtype, extents, Array(repeating: value, count: count))]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension { 0 }

  package static let examples = [
    OperatorExample(Full([2, 3], .float32, value: 1.5), []),
    OperatorExample(Full([], .float16, value: -.infinity), []),
    OperatorExample(Full([.symbol("batch", 1...8), 5], .int32, value: -7), []),
    OperatorExample(Full([0, 4], .bfloat16, value: 1), []),
    OperatorExample(Full([7], .bool, value: 1), []),
    OperatorExample(Full([3], .float32, value: .nan), []),
  ]
}

extension Graph {
  /// Makes a tensor of one value, converted to the element type.
  package mutating func full(
    _ shape: Shape,
    _ value: Double,
    _ dtype: DType,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try addResult(Full(shape, dtype, value: value), [], name: name)
  }

  /// Makes a tensor of one value with the shape, and unless given the type, of another.
  package mutating func full(
    like x: ValueID,
    _ value: Double,
    _ dtype: DType? = nil,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try full(self[x].type.shape, value, dtype ?? self[x].type.dtype, name: name)
  }
}
