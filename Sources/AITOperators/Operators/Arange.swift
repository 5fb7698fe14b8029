import AITGraph

/// Counts: `y[i] = start + i · step`, a tensor of rank 1.
///
/// Computed in Double for floating-point types (float32 results are rounded once), in wrapping int64
/// for integers, for which start and step are truncated. Both are finite. Source: `torch.arange`,
/// whose end the builder turns into a count.
package struct Arange: Operator {
  package static let name = "arange"
  package static let summary = "numbers from a start at equal steps"

  /// An integer for integer types, so that all of 64 bits are exact; a Double otherwise, and where it
  /// is no number of 64 bits.
  package let start: ScalarValue
  /// The distance between neighbours, in the form of the start.
  package let step: ScalarValue
  package let count: Dimension
  package let dtype: DType

  package init(start: ScalarValue, step: ScalarValue, count: Dimension, dtype: DType) {
    self.start = Self.exact(start, dtype)
    self.step = Self.exact(step, dtype)
    self.count = count
    self.dtype = dtype
  }

  package init(start: Double, step: Double, count: Dimension, dtype: DType) {
    self.init(start: .float(start), step: .float(step), count: count, dtype: dtype)
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    self.init(
      start: try attributes.scalar("start", default: .integer(0)),
      step: try attributes.scalar("step", default: .integer(1)),
      count: try attributes.dimension("count"),
      dtype: try attributes.dtype("dtype")
    )
  }

  private static func exact(_ value: ScalarValue, _ dtype: DType) -> ScalarValue {
    if dtype.isFloatingPoint { return .float(value.double) }
    guard case .float(let double) = value else { return value }
    return Int64(exactly: double.rounded(.towardZero)).map { .integer($0) } ?? value
  }

  package var attributes: [Attribute] {
    [
      Attribute("start", AttributeValue(start)), Attribute("step", AttributeValue(step)),
      Attribute("count", .dimensions([count])), Attribute("dtype", .dtype(dtype)),
    ]
  }

  package var traits: OperatorTraits { [.isGenerator, .needsDenseResult] }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 0...0)
    guard dtype != .bool else { throw Diagnostic(.dtypeMismatch, "arange of bool") }
    for case .float(let number) in [start, step]
    where !number.isFinite || !dtype.isFloatingPoint {
      throw Diagnostic(
        .invalidAttribute,
        "arange of \(dtype.rawValue) with a start or step of \(number)",
        hint: "both are finite numbers, and of 64 bits for integer types"
      )
    }
    return [TensorType(dtype, [count])]
  }
}

extension Arange {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let count = try extents(results[0])[0]
    if dtype.isFloatingPoint {
      let numbers = (0..<count).map { start.double + Double($0) * step.double }
      return [TensorData(results[0].dtype, [count], numbers)]
    }
    let (first, distance) = (start.integer, step.integer)
    let numbers = (0..<count).map { first &+ Int64($0) &* distance }
    return [TensorData(dtype, [count], integers: numbers)]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    results[0].shape.elementCount
  }

  package static let examples = [
    OperatorExample(Arange(start: 0, step: 1, count: 10, dtype: .int64), []),
    OperatorExample(Arange(start: -1.5, step: 0.25, count: 33, dtype: .float32), []),
    OperatorExample(
      Arange(start: .integer(.max - 20), step: .integer(1 << 53 + 1), count: 19, dtype: .int64),
      []
    ),
    OperatorExample(Arange(start: 7, step: -3, count: 5, dtype: .int32), []),
    OperatorExample(
      Arange(start: 0, step: 1, count: .symbol("seq", 1...64), dtype: .float16),
      []
    ),
    OperatorExample(Arange(start: 0, step: 1, count: 0, dtype: .int64), []),
  ]
}

extension Graph {
  /// Counts `count` numbers from `start` at distance `step`.
  package mutating func arange(
    start: Double = 0,
    step: Double = 1,
    count: Dimension,
    _ dtype: DType,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try addResult(Arange(start: start, step: step, count: count, dtype: dtype), [], name: name)
  }

  /// Counts from `start` up to but not including `end`, as `torch.arange`.
  package mutating func arange(
    from start: Double = 0,
    to end: Double,
    by step: Double = 1,
    _ dtype: DType,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let count = ((end - start) / step).rounded(.up)
    guard step != 0, count >= 0, count < 0x1p40 else {
      throw Diagnostic(
        .invalidAttribute,
        "arange from \(start) to \(end) by \(step)",
        hint: "the step is not 0 and leads from the start towards the end"
      )
    }
    return try arange(start: start, step: step, count: Dimension(Int(count)), dtype, name: name)
  }
}
