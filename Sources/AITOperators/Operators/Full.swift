import AITGraph

/// Makes a tensor of one value. Source: `torch.full`.
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
