extension GraphSchema {
  private static let maximumDepth = 16

  /// The graph with the parts that nodes run in its place: `wrap_with_set_grad_enabled`, and
  /// `wrap_with_autocast` where it is switched off, which have no meaning for inference.
  ///
  /// Names of a part get the name of the node's first result in front.
  func inlined(depth: Int = 0) -> GraphSchema {
    guard depth < Self.maximumDepth, nodes.contains(where: { $0.part != nil }) else { return self }
    var result = self
    result.nodes = []
    var names: [String: ArgumentSchema] = [:]
    for node in nodes {
      guard let (given, operands) = node.part else {
        result.nodes.append(node.renamed(names))
        continue
      }
      let part = given.inlined(depth: depth + 1)
      let prefix = (node.results.first ?? "part") + "."
      var inner: [String: ArgumentSchema] = [:]
      for (input, operand) in zip(part.inputs, operands) {
        if let name = input.name { inner[name] = operand.renamed(names) }
      }
      for (name, meta) in part.tensors {
        result.tensors[prefix + name] = meta
      }
      for each in part.nodes {
        for output in each.results { inner[output] = .tensor(prefix + output) }
        for case .symbol(let output) in each.outputs { inner[output] = .symbol(prefix + output) }
        result.nodes.append(each.renamed(inner))
      }
      for (name, output) in zip(node.results, part.outputs) { names[name] = output.renamed(inner) }
    }
    result.outputs = outputs.map { $0.renamed(names) }
    return result
  }
}

extension NodeSchema {
  /// What a node runs that only sets a mode of PyTorch's, and the part's operands.
  fileprivate var part: (GraphSchema, [ArgumentSchema])? {
    let isMode =
      target.hasSuffix("higher_order.wrap_with_set_grad_enabled")
      || (target.hasSuffix("higher_order.wrap_with_autocast") && isDisabled)
    guard isMode else { return nil }
    for (index, input) in inputs.enumerated() {
      guard case .graph(let graph) = input.argument else { continue }
      let operands = inputs[(index + 1)...].map(\.argument)
      guard operands.count == graph.inputs.count, results.count <= graph.outputs.count else {
        return nil
      }
      return (graph, operands)
    }
    return nil
  }

  /// Whether the mode of `wrap_with_autocast(device, dtype, enabled, …)` is off.
  private var isDisabled: Bool {
    if inputs.count > 2, case .bool(false) = inputs[2].argument { true } else { false }
  }

  fileprivate func renamed(_ names: [String: ArgumentSchema]) -> NodeSchema {
    guard !names.isEmpty else { return self }
    var node = self
    node.inputs = inputs.map { input in
      var input = input
      input.argument = input.argument.renamed(names)
      return input
    }
    node.outputs = outputs.map { $0.renamed(names) }
    return node
  }
}

extension ArgumentSchema {
  /// The name of a value.
  var name: String? {
    switch self {
    case .tensor(let name), .symbol(let name): name
    default: nil
    }
  }

  fileprivate func renamed(_ names: [String: ArgumentSchema]) -> ArgumentSchema {
    switch self {
    case .tensor(let name), .symbol(let name): names[name] ?? self
    case .list(let elements): .list(elements.map { $0.renamed(names) })
    default: self
    }
  }
}
