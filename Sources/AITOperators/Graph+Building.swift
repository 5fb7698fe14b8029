import AITGraph

// The verbs with which programs are built follow PyTorch's functions of the same names: negative
// axes count from the end, and what PyTorch refuses is refused. Each adds nodes and returns values.

extension Graph {
  /// Adds a node of one result; returns the result.
  package mutating func addResult(
    _ op: any Operator,
    _ operands: [ValueID],
    name: String?
  ) throws(Diagnostic) -> ValueID {
    try addNode(op, operands, name: name)[0]
  }

  /// The type of a value.
  package func type(of value: ValueID) -> TensorType { self[value].type }

  /// Reads a graph from its text, with all operators of the catalogue.
  package static func parse(_ text: String) throws(Diagnostic) -> Graph {
    try GraphParser.parse(text, operators: OperatorCatalog.all)
  }
}
