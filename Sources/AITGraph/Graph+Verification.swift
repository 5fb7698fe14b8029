extension Graph {
  /// Throws unless the graph is legal: identities and users agree, there is no cycle, types are
  /// those the operators infer, names are unique identifiers, every symbol has one range.
  package func verify() throws(Diagnostic) {
    func fail(_ message: String, at location: String? = nil) -> Diagnostic {
      Diagnostic(.malformedGraph, message, at: location ?? "graph '\(name)'")
    }
    guard sortedNodes().count == nodeCount else { throw fail("the nodes form a cycle") }
    guard !outputs.isEmpty else {
      throw Diagnostic(
        .missingOutput,
        "the graph has no output",
        at: "graph '\(name)'",
        hint: "name at least one result"
      )
    }
    try verifySymbols()
    try verifyNames()

    var counted: [[Int]] = Array(repeating: [], count: values.count)
    for id in nodeIDs {
      let node = self[id]
      let place = "node '\(node.name)'"
      for input in node.inputs {
        guard values.indices.contains(input.index) else {
          throw fail("an input is unknown", at: place)
        }
        if let source = producer(of: input), !contains(source) {
          throw fail("it reads '\(self[input].name)', whose node was erased", at: place)
        }
        counted[input.index].append(id.index)
      }
      let types: [TensorType]
      do {
        types = try Self.inferTypes(node.op, node.inputs.map { self[$0].type }, node.fusion)
      } catch { throw error.located(at: place) }
      let found = node.outputs.map { self[$0].type }
      guard types == found else {
        throw fail("its results have types \(found), its operator infers \(types)", at: place)
      }
      for (index, output) in node.outputs.enumerated() {
        guard case .node(id, result: index) = self[output].origin else {
          throw fail("result \(index) does not name the node as its origin", at: place)
        }
      }
    }
    for (index, expected) in counted.enumerated() {
      guard users[index].map(\.index).sorted() == expected.sorted() else {
        throw fail("the users of '\(values[index].name)' are not those that read it")
      }
    }
    for output in outputs {
      if let source = producer(of: output.value), !contains(source) {
        throw fail("output '\(output.name)' was erased")
      }
    }
  }

  private func verifySymbols() throws(Diagnostic) {
    var bounds: [String: ClosedRange<Int>] = [:]
    for symbol in symbols {
      if let known = bounds[symbol.name], known != symbol.bounds {
        throw Diagnostic(
          .conflictingSymbol,
          "symbol '\(symbol.name)' has the bounds \(known) and \(symbol.bounds)",
          at: "graph '\(name)'",
          hint: "the same name is the same size: use one range"
        )
      }
      guard Identifier.isValid(symbol.name), symbol.bounds.lowerBound >= 0 else {
        throw Diagnostic(
          .conflictingSymbol,
          "symbol '\(symbol.name)' in \(symbol.bounds) is not an identifier with bounds of at least 0"
        )
      }
      bounds[symbol.name] = symbol.bounds
    }
    // Every symbol must be readable off the extents of the inputs when a run begins.
    let readable = Set(
      inputs.flatMap { self[$0].type.shape.dimensions }.compactMap { $0.scaledSymbol?.symbol.name }
    )
    for symbol in symbols where !readable.contains(symbol.name) {
      throw Diagnostic(
        .conflictingSymbol,
        "symbol '\(symbol.name)' is no extent of an input, nor a multiple in one",
        at: "graph '\(name)'",
        hint: "its value could not be known when the model runs"
      )
    }
  }

  private func verifyNames() throws(Diagnostic) {
    var seen: Set<String> = []
    for (index, value) in values.enumerated() {
      if case .node(let node, _) = value.origin, !contains(node) { continue }
      guard Identifier.isValid(value.name) else {
        throw Diagnostic(.malformedGraph, "value \(index) has the name '\(value.name)'")
      }
      guard seen.insert(value.name).inserted else {
        throw Diagnostic(.duplicateName, "two values are named '\(value.name)'")
      }
    }
    var nodes: Set<String> = []
    for id in nodeIDs where !nodes.insert(self[id].name).inserted {
      throw Diagnostic(.duplicateName, "two nodes are named '\(self[id].name)'")
    }
  }
}
