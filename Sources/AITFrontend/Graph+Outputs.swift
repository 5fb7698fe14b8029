import AITGraph

extension Graph {
  /// Creates the graph that computes tensors.
  ///
  /// Nodes made in a module's call are named after its path (`encoder_layer_0_attention_query`) and
  /// say where the call stands. Parameters become constants: named after their path, underscores for
  /// dots, with the dotted path as the original name. The same program gives the same graph.
  ///
  /// - Parameters:
  ///   - name: the name of the graph; made a C identifier.
  ///   - inputs: inputs in the order that they shall have, used or not. Others that the outputs
  ///     depend on follow, in the order in which the outputs come upon them.
  ///   - outputs: what the graph computes. Those without a name become `output_0` and so on, by
  ///     their place in the list.
  /// - Throws: the first ``Diagnostic`` that a tensor carries; `duplicate-name` if two inputs or two
  ///   outputs have one name; `conflicting-symbol` if a symbol has two ranges, or appears in no
  ///   input; `missing-output` if there is no output.
  public init(name: String, inputs: [Tensor] = [], outputs: [Tensor]) throws(Diagnostic) {
    var builder = GraphBuilder(name: Identifier.make(name))
    try builder.build(inputs: inputs, outputs: outputs)
    self = builder.graph
    try verify()
  }
}

extension Expression {
  /// The name of what is given at each run.
  fileprivate var inputName: String? {
    if let resolvedSource { return resolvedSource.isInput ? resolvedSource.name : nil }
    return if case .input(let name) = kind { name } else { nil }
  }

  /// The name of a constant whose elements are not known.
  fileprivate var weightName: String? {
    if let resolvedSource { return resolvedSource.isInput ? nil : resolvedSource.name }
    return if case .weight(let name) = kind { name } else { nil }
  }
}

/// Turns expressions into a graph.
private struct GraphBuilder {
  private(set) var graph: Graph
  private var values: [ObjectIdentifier: [ValueID]] = [:]
  private var parameters: [ObjectIdentifier: ValueID] = [:]
  private var originalNames: Set<String> = []
  /// The results that are outputs of the graph: their names are for the library, not for nodes.
  private var outputPlaces: [ObjectIdentifier: Set<Int>] = [:]

  init(name: String) { graph = Graph(name: name) }

  mutating func build(inputs: [Tensor], outputs: [Tensor]) throws(Diagnostic) {
    for output in outputs {
      outputPlaces[ObjectIdentifier(output.expression), default: []].insert(output.result)
    }
    let expressions = Self.sorted(inputs + outputs)
    // Inputs and parameters keep their names, whatever nodes are called.
    for expression in expressions { try addInput(expression) }
    for expression in expressions { try addConstant(expression) }
    for expression in expressions { try addNodes(expression) }
    for (index, output) in outputs.enumerated() {
      let name = output.name ?? "output_\(index)"
      try graph.addOutput(name, value(of: output))
    }
  }

  /// The expressions that tensors depend on, operands before users, in the order in which a walk
  /// from the first tensor on comes upon them.
  private static func sorted(_ tensors: [Tensor]) -> [Expression] {
    var order: [Expression] = []
    var seen: Set<ObjectIdentifier> = []
    // The walk keeps its own stack: programs may be deeper than the thread's.
    var stack: [(expression: Expression, isFinished: Bool)] = []
    for tensor in tensors {
      stack.append((tensor.expression, false))
      while let (expression, isFinished) = stack.popLast() {
        if isFinished {
          order.append(expression)
          continue
        }
        guard seen.insert(ObjectIdentifier(expression)).inserted else { continue }
        stack.append((expression, true))
        for operand in expression.operands.reversed() {
          stack.append((operand.expression, false))
        }
      }
    }
    return order
  }

  private func value(of tensor: Tensor) throws(Diagnostic) -> ValueID {
    guard let results = values[ObjectIdentifier(tensor.expression)],
      results.indices.contains(tensor.result)
    else {
      throw Diagnostic(
        .internalInconsistency,
        "a tensor \(tensor) is used before it is computed",
        at: tensor.expression.callSite?.description
      )
    }
    return results[tensor.result]
  }

  // MARK: - Inputs and constants

  private mutating func addInput(_ expression: Expression) throws(Diagnostic) {
    guard let name = expression.inputName else { return }
    let identifier = Identifier.make(name)
    let value = try graph.addInput(identifier, expression.types[0])
    guard graph[value].name == identifier else {
      throw Diagnostic(
        .duplicateName,
        "two inputs are named '\(identifier)'",
        at: expression.callSite?.description,
        hint: "create an input once and use the tensor wherever it is needed"
      )
    }
    values[ObjectIdentifier(expression)] = [value]
  }

  private mutating func addConstant(_ expression: Expression) throws(Diagnostic) {
    let identity = ObjectIdentifier(expression)
    switch expression.kind {
    case .failure(let diagnostic): throw diagnostic
    case .constant(let data, name: let name?):
      let value = try addNamedConstant(name, data.type, data)
      values[identity] = [value]
    case .weight, .input:
      guard let name = expression.weightName else { break }
      values[identity] = [try addNamedConstant(name, expression.types[0], nil)]
    case .parameter(let parameter):
      let type = expression.types[0]
      if let known = parameters[ObjectIdentifier(parameter)] {
        guard graph[known].type == type else {
          throw Diagnostic(
            .dtypeMismatch,
            "the parameter '\(graph[known].name)' is used as \(graph[known].type) and as \(type)",
            at: expression.callSite?.description,
            hint: "convert the module to one type before its first call"
          )
        }
        values[identity] = [known]
      } else {
        let data = parameter.data?.converted(to: type.dtype)
        let value = try addNamedConstant(expression.givenNames[0] ?? "parameter", type, data)
        parameters[ObjectIdentifier(parameter)] = value
        values[identity] = [value]
      }
    case .fragment, .constant: break
    }
  }

  private mutating func addNamedConstant(_ name: String, _ type: TensorType, _ data: TensorData?)
    throws(Diagnostic) -> ValueID
  {
    // Two trees of modules in one program may use a path twice.
    let original = Identifier.unique(name, among: originalNames)
    originalNames.insert(original)
    return try graph.addConstant(
      Identifier.make(original),
      type,
      data: data,
      originalName: original
    )
  }

  // MARK: - Nodes

  private mutating func addNodes(_ expression: Expression) throws(Diagnostic) {
    let identity = ObjectIdentifier(expression)
    switch expression.kind {
    case .constant(let data, name: nil):
      values[identity] = [try graph.addLiteral(data, expression.givenNames[0] ?? "literal")]
    case .fragment(let fragment):
      var mapping: [ValueID: ValueID] = [:]
      for (input, operand) in zip(fragment.inputs, expression.operands) {
        mapping[input] = try value(of: operand)
      }
      for literal in fragment.constants {
        guard let data = fragment.constant(literal)?.data else { continue }
        mapping[literal] = try graph.addLiteral(data, fragment[literal].name)
      }
      for id in fragment.sortedNodes() {
        let node = fragment[id]
        let results = try graph.addNode(
          node.op,
          node.inputs.compactMap { mapping[$0] },
          name: nodeName(id, in: fragment, of: expression),
          fusion: node.fusion,
          source: expression.callSite?.description
        )
        for (before, after) in zip(node.outputs, results) { mapping[before] = after }
      }
      values[identity] = fragment.outputs.compactMap { mapping[$0.value] }
    case .input, .constant, .parameter, .weight, .failure: break
    }
  }

  /// The path of the module, then the user's name for the result, or the operator's.
  ///
  /// What a module is there for bears the path alone.
  private func nodeName(_ id: NodeID, in fragment: Graph, of expression: Expression) -> String {
    let results = fragment.outputs.indices.filter {
      fragment.producer(of: fragment.outputs[$0].value) == id
    }
    let exported = outputPlaces[ObjectIdentifier(expression)] ?? []
    let given = results.lazy.filter { !exported.contains($0) }
      .compactMap { expression.givenNames[$0] }.first
    let path = expression.path.isEmpty ? "" : Identifier.make(expression.path)
    if let given { return path.isEmpty ? given : "\(path)_\(given)" }
    if path.isEmpty { return fragment[id].name }
    if expression.representsModule && results.contains(0) { return path }
    return "\(path)_\(fragment[id].name)"
  }
}
