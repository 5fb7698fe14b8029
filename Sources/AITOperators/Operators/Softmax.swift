import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Normalises exponentials along an axis: `y = exp(x − max) / Σ exp(x − max)`, or its logarithm.
///
/// Any shape and axis; floating-point types, accumulated in float32 (float64 for itself). A row of
/// −infinity throughout gives NaN, as in PyTorch. Source: `torch.softmax`, `torch.log_softmax`.
package struct Softmax: Operator {
  package static let name = "softmax"
  package static let summary = "softmax or log-softmax along an axis"

  /// Counted from 0.
  package let axis: Int
  package let isLogarithmic: Bool

  package init(axis: Int, isLogarithmic: Bool = false) {
    self.axis = axis
    self.isLogarithmic = isLogarithmic
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    axis = try attributes.integer("axis")
    isLogarithmic = try attributes.bool("log", default: false)
  }

  package var attributes: [Attribute] {
    [Attribute("axis", .integer(axis))]
      + (isLogarithmic ? [Attribute("log", .bool(true))] : [])
  }

  package var traits: OperatorTraits { [.acceptsPrologue, .acceptsEpilogue] }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    guard try x.shape.normalizedAxis(axis) == axis else {
      throw Diagnostic(.invalidAttribute, "the axis \(axis) of softmax is counted from 0")
    }
    guard x.dtype.isFloatingPoint else {
      throw Diagnostic(.dtypeMismatch, "softmax of \(x)", hint: "cast the operand to float32")
    }
    return [x]
  }
}

extension Softmax {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let x = operands[0]
    var values = x.doubles
    let stride = Positions.rowMajorStrides(x.shape)[axis]
    var kept = x.shape
    kept[axis] = min(kept[axis], 1)
    for start in Positions.list(kept, strides: Positions.rowMajorStrides(x.shape)) {
      let row = (0..<x.shape[axis]).map { start + $0 * stride }
      let largest = row.reduce(-.infinity) { max($0, values[$1]) }
      let sum = row.reduce(0) { $0 + exp(values[$1] - largest) }
      for position in row {
        let shifted = values[position] - largest
        values[position] = isLogarithmic ? shifted - log(sum) : exp(shifted) / sum
      }
    }
    return [TensorData(results[0].dtype, x.shape, values)]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    operands[0].shape.elementCount * 20
  }

  package static let examples = [
    OperatorExample(Softmax(axis: 1), [TensorType(.float32, [4, 37])]),
    OperatorExample(
      Softmax(axis: 3),
      [
        TensorType(
          .float16,
          [.symbol("batch", 1...8), 2, .symbol("seq", 1...16), .symbol("seq", 1...16)]
        )
      ]
    ),
    OperatorExample(Softmax(axis: 1), [TensorType(.bfloat16, [2, 5, 3])]),
    OperatorExample(Softmax(axis: 0, isLogarithmic: true), [TensorType(.float32, [700])]),
    OperatorExample(Softmax(axis: 1), [TensorType(.float32, [2, 0, 3])]),
    OperatorExample(Softmax(axis: 0), [TensorType(.float64, [0, 3])]),
  ]
}

extension Graph {
  /// Normalises exponentials along an axis, in the type given or that of x.
  package mutating func softmax(
    _ x: ValueID,
    axis: Int,
    dtype: DType? = nil,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try softmax(x, axis, isLogarithmic: false, dtype, name ?? "softmax")
  }

  /// The logarithm of softmax, computed without leaving the logarithmic scale.
  package mutating func logSoftmax(
    _ x: ValueID,
    axis: Int,
    dtype: DType? = nil,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try softmax(x, axis, isLogarithmic: true, dtype, name ?? "log_softmax")
  }

  private mutating func softmax(
    _ x: ValueID,
    _ axis: Int,
    isLogarithmic: Bool,
    _ dtype: DType?,
    _ name: String
  ) throws(Diagnostic) -> ValueID {
    let x = try cast(x, to: dtype ?? self[x].type.dtype)
    let shape = self[x].type.shape
    // Rank 0 has the axes 0 and -1 by PyTorch's courtesy.
    guard shape.rank > 0 else {
      let row = try reshape(x, [1])
      return try reshape(
        try softmax(row, axis, isLogarithmic: isLogarithmic, dtype, name),
        []
      )
    }
    let op = Softmax(axis: try shape.normalizedAxis(axis), isLogarithmic: isLogarithmic)
    return try addResult(op, [x], name: name)
  }
}
