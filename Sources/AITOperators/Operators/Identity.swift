import AITGraph

/// Returns its operand. A pass removes it; a dropout at inference becomes one.
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

  package func view(of layout: Layout, operand: TensorType, result: TensorType) -> Layout? { layout }
}
