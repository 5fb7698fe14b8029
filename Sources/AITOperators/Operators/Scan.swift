import AITGraph

/// Combines each element along an axis with all before it.
///
/// `y[i] = x[0] ∘ … ∘ x[i]`; with `isExclusive` without x[i] itself, the first then being what
/// combines to nothing: 0, 1, or the least or greatest number of the type (infinities of
/// floating-point types); with `isReversed` from the end. Sums and products of integers and bool give
/// int64 and wrap; half-precision types accumulate in float32. NaN propagates. Source: `torch.cumsum`,
/// `torch.cumprod`, the values of `torch.cummax` and `torch.cummin`; ONNX `CumSum` for the flags.
package struct Scan: Operator {
  package static let name = "scan"
  package static let summary = "cumulative sum, product, maximum or minimum along an axis"

  /// What elements meet by.
  package enum Kind: String, CaseIterable, Hashable, Sendable {
    case sum, product, maximum, minimum
  }

  package let kind: Kind
  /// Counted from 0.
  package let axis: Int
  package let isExclusive: Bool
  package let isReversed: Bool

  package init(_ kind: Kind, axis: Int, isExclusive: Bool = false, isReversed: Bool = false) {
    self.kind = kind
    self.axis = axis
    self.isExclusive = isExclusive
    self.isReversed = isReversed
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    let text = try attributes.string("kind")
    guard let kind = Kind(rawValue: text) else {
      throw Diagnostic(
        .invalidAttribute,
        "'\(text)' is not a scan",
        hint: "one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    self.init(
      kind,
      axis: try attributes.integer("axis"),
      isExclusive: try attributes.bool("exclusive", default: false),
      isReversed: try attributes.bool("reversed", default: false)
    )
  }

  package var attributes: [Attribute] {
    [Attribute("kind", .string(kind.rawValue)), Attribute("axis", .integer(axis))]
      + (isExclusive ? [Attribute("exclusive", .bool(true))] : [])
      + (isReversed ? [Attribute("reversed", .bool(true))] : [])
  }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    guard try x.shape.normalizedAxis(axis) == axis else {
      throw Diagnostic(.invalidAttribute, "the axis \(axis) of scan is counted from 0")
    }
    let isWidened = (kind == .sum || kind == .product) && !x.dtype.isFloatingPoint
    return [TensorType(isWidened ? .int64 : x.dtype, x.shape)]
  }
}

extension Scan {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let x = operands[0]
    let strides = Positions.rowMajorStrides(x.shape)
    var rowShape = x.shape
    rowShape[axis] = min(rowShape[axis], 1)
    let rows = Positions.list(rowShape, strides: strides).map { start in
      let row = (0..<x.shape[axis]).map { start + $0 * strides[axis] }
      return isReversed ? row.reversed() : row
    }
    let dtype = results[0].dtype
    if dtype.isFloatingPoint {
      let identity: Double =
        switch kind {
        case .sum: 0
        case .product: 1
        case .maximum: -.infinity
        case .minimum: .infinity
        }
      let scanned = scan(x.doubles, rows, identity) { state, next in
        switch kind {
        case .sum: state + next
        case .product: state * next
        case .maximum: state.isNaN || state > next ? state : next
        case .minimum: state.isNaN || state < next ? state : next
        }
      }
      return [TensorData(dtype, x.shape, scanned)]
    }
    let range = dtype.integers
    let identity: Int64 =
      switch kind {
      case .sum: 0
      case .product: 1
      case .maximum: range.lowerBound
      case .minimum: range.upperBound
      }
    let scanned = scan(x.integers, rows, identity) { state, next in
      switch kind {
      case .sum: state &+ next
      case .product: state &* next
      case .maximum: max(state, next)
      case .minimum: min(state, next)
      }
    }
    return [TensorData(dtype, x.shape, integers: scanned)]
  }

  private func scan<Number>(
    _ values: [Number],
    _ rows: [[Int]],
    _ identity: Number,
    _ combine: (Number, Number) -> Number
  ) -> [Number] {
    var result = values
    for row in rows {
      var state = identity
      for position in row {
        let next = combine(state, values[position])
        result[position] = isExclusive ? state : next
        state = next
      }
    }
    return result
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    operands[0].shape.elementCount
  }

  package static let examples = [
    OperatorExample(Scan(.sum, axis: 1), [TensorType(.float32, [3, 37])]),
    OperatorExample(
      Scan(.sum, axis: 1, isExclusive: true),
      [TensorType(.float16, [.symbol("batch", 1...8), .symbol("seq", 0...40), 19])]
    ),
    OperatorExample(Scan(.sum, axis: 0, isReversed: true), [TensorType(.int32, [11, 5])]),
    OperatorExample(
      Scan(.sum, axis: 0, isExclusive: true, isReversed: true),
      [TensorType(.bool, [.symbol("seq", 1...40)])]
    ),
    OperatorExample(Scan(.product, axis: 2), [TensorType(.bfloat16, [2, 3, 4])]),
    OperatorExample(Scan(.product, axis: 0), [TensorType(.uint8, [6, 3])]),
    OperatorExample(Scan(.maximum, axis: 0), [TensorType(.float32, [7, 33])]),
    OperatorExample(Scan(.maximum, axis: 1, isExclusive: true), [TensorType(.int8, [2, 9])]),
    OperatorExample(Scan(.minimum, axis: 1), [TensorType(.float64, [4, 6])]),
    OperatorExample(
      Scan(.minimum, axis: 0, isExclusive: true, isReversed: true),
      [TensorType(.int64, [5, 2])]
    ),
    OperatorExample(Scan(.sum, axis: 1), [TensorType(.float32, [2, 0, 3])]),
  ]
}

extension Graph {
  /// Combines each element along an axis with all before it: `torch.cumsum` and its like.
  package mutating func scan(
    _ x: ValueID,
    _ kind: Scan.Kind,
    axis: Int,
    isExclusive: Bool = false,
    isReversed: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let axis = try self[x].type.shape.normalizedAxis(axis)
    let op = Scan(kind, axis: axis, isExclusive: isExclusive, isReversed: isReversed)
    return try addResult(op, [x], name: name ?? "scan")
  }
}
