import AITGraph

/// Applies a scalar expression to every element of operands that broadcast together.
///
/// `y_j[i] = body_j(x_0[i], x_1[i], …)`; all results have the broadcast shape. Operands have the
/// element types of the body's inputs (promotion is made explicit when the body is built), results
/// those of the body's results. Broadcasting is NumPy's; an extent of 0 gives an empty result.
/// Half-precision types are computed in float32 and rounded where a result is stored.
package struct Pointwise: Operator {
  package static let name = "pointwise"
  package static let summary = "scalar expression on broadcast operands, any number of results"

  /// What is computed for each element.
  package let body: ScalarExpression

  package init(_ body: ScalarExpression) { self.body = body }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    body = try attributes.expression("body")
    guard !body.results.isEmpty else {
      throw Diagnostic(.invalidAttribute, "the body of pointwise has no result")
    }
  }

  package var attributes: [Attribute] { [Attribute("body", .expression(body))] }

  package var traits: OperatorTraits { .mayRunInPlace }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    let count = body.inputTypes.count
    try checkOperandCount(operands, count...count)
    guard operands.map(\.dtype) == body.inputTypes else {
      throw Diagnostic(
        .dtypeMismatch,
        "the body takes \(body.inputTypes.map(\.rawValue)), found "
          + "\(operands.map(\.dtype.rawValue))",
        hint: "convert operands with a cast"
      )
    }
    let shape = try Shape.broadcasting(operands.map(\.shape))
    return body.resultTypes.map { TensorType($0, shape) }
  }
}

extension Pointwise {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let shape = try extents(results[0])
    let count = shape.reduce(1, *)
    let expanded = body.expanded()
    let sources = operands.map { operand in
      let positions =
        operand.shape == shape
        ? nil
        : Positions.list(shape, strides: Positions.broadcastStrides(operand.shape, to: shape))
      return (values: ScalarColumn(operand), positions: positions)
    }
    var values = body.resultTypes.map { ScalarColumn(capacity: count, $0) }
    for start in stride(from: 0, to: count, by: Self.blockLength) {
      let block = start..<min(start + Self.blockLength, count)
      let columns = sources.map { source in
        source.positions.map { source.values.picking($0[block]) } ?? source.values.picking(block)
      }
      for (index, column) in expanded.evaluate(columns: columns, count: block.count).enumerated() {
        values[index].append(column)
      }
    }
    return zip(results, values).map { type, column in
      switch column {
      case .floats(let values): TensorData(type.dtype, shape, values)
      case .integers(let values): TensorData(type.dtype, shape, integers: values)
      }
    }
  }

  /// Elements computed at once, so that the columns of long expressions stay small.
  private static let blockLength = 4096

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    results[0].shape.elementCount * Dimension(body.operationCount)
  }

  package static let examples = [
    OperatorExample(
      Pointwise(.of(.add, .float32, .float32)),
      [TensorType(.float32, [3, 5]), TensorType(.float32, [5])]
    ),
    OperatorExample(
      Pointwise(.of(.gelu, .float16)),
      [TensorType(.float16, [.symbol("batch", 1...8), 37])]
    ),
    OperatorExample(
      Pointwise(.of(.select, .bool, .bfloat16, .bfloat16)),
      [
        TensorType(.bool, [4, 1]), TensorType(.bfloat16, [1, 6]), TensorType(.bfloat16, []),
      ]
    ),
    OperatorExample(
      Pointwise(.of(.remainder, .int32, .int32)),
      [TensorType(.int32, [7]), TensorType(.int32, [1])]
    ),
    OperatorExample(Pointwise(.of(.tanh, .float64)), [TensorType(.float64, [])]),
    OperatorExample(Pointwise(.of(.exp, .float32)), [TensorType(.float32, [2, 0, 3])]),
    OperatorExample(
      Pointwise(
        ScalarExpression(inputs: [.float16, .uint8]) { e, x in
          let scaled = e.call(.multiply, x[0], e.constant(0.125, .float16))
          let sum = e.call(.add, e.cast(scaled, to: .float32), e.cast(x[1], to: .float32))
          return [sum, e.call(.less, scaled, e.cast(x[1], to: .float16))]
        }
      ),
      [TensorType(.float16, [2, 9]), TensorType(.uint8, [2, 9])]
    ),
  ]
}

extension ScalarColumn {
  /// The elements of a tensor.
  fileprivate init(_ tensor: TensorData) {
    self = tensor.dtype.isFloatingPoint ? .floats(tensor.doubles) : .integers(tensor.integers)
  }

  /// An empty column.
  fileprivate init(capacity: Int, _ type: DType) {
    if type.isFloatingPoint {
      var values: [Double] = []
      values.reserveCapacity(capacity)
      self = .floats(values)
    } else {
      self = .integers([])
    }
  }

  /// Adds the values of a column of the same kind.
  fileprivate mutating func append(_ other: ScalarColumn) {
    switch (self, other) {
    case (.floats(var values), .floats(let more)):
      self = .floats([])  // so that the array has one owner and grows in place
      values += more
      self = .floats(values)
    case (.integers(var values), .integers(let more)):
      self = .integers([])
      values += more
      self = .integers(values)
    default: preconditionFailure("results keep their kind from block to block")
    }
  }

  /// The values at the given positions.
  fileprivate func picking(_ positions: some Sequence<Int>) -> ScalarColumn {
    switch self {
    case .floats(let values): .floats(positions.map { values[$0] })
    case .integers(let values): .integers(positions.map { values[$0] })
    }
  }

  /// The values in a range.
  fileprivate func picking(_ range: Range<Int>) -> ScalarColumn {
    switch self {
    case .floats(let values): .floats(Array(values[range]))
    case .integers(let values): .integers(Array(values[range]))
    }
  }
}

extension ScalarExpression {
  /// The expression that is one call of a function on inputs of the given types.
  package static func of(_ function: ScalarFunction, _ types: DType...) -> ScalarExpression {
    ScalarExpression(inputs: types) { e, inputs in [e.call(function, inputs)] }
  }
}
