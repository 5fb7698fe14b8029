import AITGraph

/// Returns its operand.
///
/// A pass removes it; a dropout at inference becomes one.
package struct Identity: ViewOperator {
  package static let name = "identity"
  package static let summary = "the operand itself"

  package init() {}
  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {}
  package var attributes: [Attribute] { [] }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    return operands
  }

  package func view(of layout: Layout, operand: TensorType, result: TensorType) -> Layout? {
    layout
  }
}

extension Identity {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] { operands }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension { 0 }

  package static let examples = [
    OperatorExample(Identity(), [TensorType(.float32, [2, 3])]),
    OperatorExample(Identity(), [TensorType(.int64, [])]),
    OperatorExample(Identity(), [TensorType(.float16, [.symbol("batch", 1...8), 0])]),
  ]
}

extension Graph {
  /// Adds a node that returns its operand.
  package mutating func identity(_ x: ValueID, name: String? = nil) throws(Diagnostic) -> ValueID {
    try addResult(Identity(), [x], name: name)
  }
}
