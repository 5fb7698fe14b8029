import AITGraph

/// Counts: `y[i] = start + i · step`, a tensor of rank 1.
///
/// Computed in Double for floating-point types (float32 results are rounded once), in int64 for
/// integers. Source: `torch.arange`, whose end the builder turns into a count.
package struct Arange: Operator {
  package static let name = "arange"
  package static let summary = "numbers from a start at equal steps"

  package let start: Double
  package let step: Double
  package let count: Dimension
  package let dtype: DType

  package init(start: Double, step: Double, count: Dimension, dtype: DType) {
    self.start = start
    self.step = step
    self.count = count
    self.dtype = dtype
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    start = try attributes.float("start", default: 0)
    step = try attributes.float("step", default: 1)
    count = try attributes.dimension("count")
    dtype = try attributes.dtype("dtype")
  }

  package var attributes: [Attribute] {
    [
      Attribute("start", .float(start)), Attribute("step", .float(step)),
      Attribute("count", .dimensions([count])), Attribute("dtype", .dtype(dtype)),
    ]
  }

  package var traits: OperatorTraits { .isGenerator }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 0...0)
    guard dtype != .bool else { throw Diagnostic(.dtypeMismatch, "arange of bool") }
    return [TensorType(dtype, [count])]
  }
}
