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
    let expanded = body.expanded()
    let inputs = operands.map { operand in
      operand.picking(
        Positions.list(shape, strides: Positions.broadcastStrides(operand.shape, to: shape)),
        shape: shape
      ).scalars
    }
    var values: [[ScalarValue]] = Array(repeating: [], count: results.count)
    for index in 0..<shape.reduce(1, *) {
      for (result, value) in expanded.evaluate(inputs.map { $0[index] }).enumerated() {
        values[result].append(value)
      }
    }
    return zip(results, values).map { TensorData($0.dtype, shape, scalars: $1) }
  }

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

extension ScalarExpression {
  /// The expression that is one call of a function on inputs of the given types.
  package static func of(_ function: ScalarFunction, _ types: DType...) -> ScalarExpression {
    ScalarExpression(inputs: types) { e, inputs in [e.call(function, inputs)] }
  }
}
