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
          + "\(operands.map(\.dtype.rawValue))", hint: "convert operands with a cast")
    }
    let shape = try Shape.broadcasting(operands.map(\.shape))
    return body.resultTypes.map { TensorType($0, shape) }
  }
}
