// The only ways to change a graph; each keeps the lists of users right.

extension Graph {
  // MARK: - Adding

  /// Adds an input; returns its identity.
  package mutating func addInput(_ name: String, _ type: TensorType) throws(Diagnostic) -> ValueID {
    try type.checkSize()
    let id = addValue(name, type, .input)
    inputs.append(id)
    return id
  }

  /// Adds a constant; returns its identity.
  ///
  /// `data`, if given, has the type's element type and shape.
  package mutating func addConstant(
    _ name: String,
    _ type: TensorType,
    data: TensorData? = nil,
    originalName: String? = nil,
    isNamed: Bool = true
  ) throws(Diagnostic) -> ValueID {
    try type.checkSize()
    guard let extents = type.shape.constants else {
      throw Diagnostic(
        .shapeMismatch,
        "constant '\(name)' has the symbolic shape \(type.shape)",
        hint: "constants have known extents; make it an input"
      )
    }
    if let data, data.dtype != type.dtype || data.shape != extents {
      throw Diagnostic(
        .weightMismatch,
        "constant '\(name)' is declared \(type) but its data is \(data.type)"
      )
    }
    let constant = Constant(originalName: originalName ?? name, data: data, isNamed: isNamed)
    let id = addValue(name, type, .constant(constant))
    constants.append(id)
    return id
  }

  /// Adds a literal of the program; returns its identity.
  package mutating func addLiteral(_ data: TensorData, _ name: String = "literal")
    throws(Diagnostic) -> ValueID
  {
    try addConstant(name, data.type, data: data, isNamed: false)
  }

  /// Adds a node with the types inferred; returns its results.
  @discardableResult
  package mutating func addNode(
    _ op: any Operator,
    _ operands: [ValueID],
    name: String? = nil,
    fusion: Fusion = Fusion(),
    source: String? = nil
  ) throws(Diagnostic) -> [ValueID] {
    let base = name ?? type(of: op).name
    let types: [TensorType]
    do {
      types = try Self.inferTypes(op, operands.map { self[$0].type }, fusion)
      for type in types { try type.checkSize() }
    } catch {
      throw error.located(at: "\(source.map { "\($0): " } ?? "")node '\(base)'")
    }
    let id = NodeID(index: nodeSlots.count)
    editCount += 1
    var results: [ValueID] = []
    for (index, type) in types.enumerated() {
      let valueName = types.count == 1 ? base : "\(base)_\(index)"
      results.append(addValue(valueName, type, .node(id, result: index)))
    }
    nodeSlots.append(
      Node(
        name: uniqueNodeName(base),
        op: op,
        inputs: operands,
        outputs: results,
        fusion: fusion,
        source: source
      )
    )
    for operand in operands { users[operand.index].append(id) }
    return results
  }

  /// Names a value as an output of the graph.
  package mutating func addOutput(_ name: String, _ value: ValueID) throws(Diagnostic) {
    let identifier = Identifier.make(name)
    guard !outputs.contains(where: { $0.name == identifier }) else {
      throw Diagnostic(
        .duplicateName,
        "two outputs are named '\(identifier)'",
        hint: "give each output its name"
      )
    }
    outputs.append(Output(name: identifier, value: value))
    editCount += 1
  }

  private mutating func addValue(_ name: String, _ type: TensorType, _ origin: Origin) -> ValueID {
    let id = ValueID(index: values.count)
    editCount += 1
    values.append(Value(name: uniqueValueName(name), type: type, origin: origin))
    users.append([])
    return id
  }

  // MARK: - Changing

  /// Makes every reader of a value, outputs included, read another of the same type.
  package mutating func replaceUses(of old: ValueID, with new: ValueID) {
    guard old != new else { return }
    editCount += 1
    for id in Set(users[old.index]) {
      nodeSlots[id.index]?.inputs.replaceAll(old, with: new)
    }
    users[new.index] += users[old.index]
    users[old.index] = []
    for index in outputs.indices where outputs[index].value == old { outputs[index].value = new }
  }

  /// Makes one input of a node another value.
  package mutating func setInput(_ position: Int, of node: NodeID, to value: ValueID) {
    guard let old = nodeSlots[node.index]?.inputs[position] else { return }
    editCount += 1
    if let use = users[old.index].firstIndex(of: node) { users[old.index].remove(at: use) }
    nodeSlots[node.index]?.inputs[position] = value
    users[value.index].append(node)
  }

  /// Removes a node whose results nobody reads.
  package mutating func erase(_ id: NodeID) {
    let node = self[id]
    precondition(
      node.outputs.allSatisfy { useCount(of: $0) == 0 },
      "'\(node.name)' is erased while its results are read"
    )
    editCount += 1
    for input in node.inputs {
      if let use = users[input.index].firstIndex(of: id) { users[input.index].remove(at: use) }
    }
    for output in node.outputs { valueNames.remove(self[output].name) }
    nodeNames.remove(node.name)
    nodeSlots[id.index] = nil
  }

  /// Removes a node and then those before it that nothing else reads.
  ///
  /// Inputs and constants stay.
  package mutating func eraseIfUnused(_ id: NodeID) {
    guard contains(id), self[id].outputs.allSatisfy({ useCount(of: $0) == 0 }) else { return }
    let sources = Set(self[id].inputs.compactMap { producer(of: $0) })
    erase(id)
    for source in sources.sorted() { eraseIfUnused(source) }
  }

  /// Adds a node in the place of another: it takes over the name and the readers of those results
  /// that have the same position, and the old node is removed.
  @discardableResult
  package mutating func replace(
    _ id: NodeID,
    with op: any Operator,
    _ operands: [ValueID],
    fusion: Fusion = Fusion()
  ) throws(Diagnostic) -> [ValueID] {
    let old = self[id]
    let names = old.outputs.map { self[$0].name }
    let results = try addNode(op, operands, name: old.name, fusion: fusion, source: old.source)
    for (before, after) in zip(old.outputs, results) { replaceUses(of: before, with: after) }
    eraseIfUnused(id)
    if let added = results.first.flatMap({ producer(of: $0) }), !contains(id) {
      rename(added, to: old.name)
      rename(results, to: names)
    }
    return results
  }

  /// Removes constants that nothing reads and that the library need not offer by name.
  package mutating func removeUnusedLiterals() {
    let kept = constants.filter { id in
      guard let constant = constant(id) else { return false }
      return constant.isNamed || useCount(of: id) > 0
    }
    if kept.count < constants.count { editCount += 1 }
    constants = kept
  }

  /// Gives a constant its data, of the declared type.
  package mutating func bind(_ id: ValueID, to data: TensorData) throws(Diagnostic) {
    guard case .constant(var constant) = values[id.index].origin else {
      throw Diagnostic(.weightMismatch, "'\(values[id.index].name)' is not a constant")
    }
    guard data.type == values[id.index].type else {
      throw Diagnostic(
        .weightMismatch,
        "constant '\(constant.originalName)' is declared \(values[id.index].type), found \(data.type)"
      )
    }
    constant.data = data
    editCount += 1
    values[id.index].origin = .constant(constant)
  }

  // MARK: - Names

  /// Renames a value; a name that is taken gets a suffix.
  package mutating func rename(_ id: ValueID, to name: String) { rename([id], to: [name]) }

  /// Renames values, which may exchange their names; a name that is taken gets a suffix.
  package mutating func rename(_ ids: [ValueID], to names: [String]) {
    for id in ids { valueNames.remove(values[id.index].name) }
    for (id, name) in zip(ids, names) { values[id.index].name = uniqueValueName(name) }
  }

  /// Renames a node; a name that is taken gets a suffix.
  package mutating func rename(_ id: NodeID, to name: String) {
    nodeNames.remove(self[id].name)
    let unique = uniqueNodeName(name)
    nodeSlots[id.index]?.name = unique
  }

  private mutating func uniqueValueName(_ name: String) -> String {
    let unique = Identifier.unique(Identifier.make(name), among: valueNames)
    valueNames.insert(unique)
    return unique
  }

  private mutating func uniqueNodeName(_ name: String) -> String {
    let unique = Identifier.unique(Identifier.make(name), among: nodeNames)
    nodeNames.insert(unique)
    return unique
  }
}

extension [ValueID] {
  fileprivate mutating func replaceAll(_ old: ValueID, with new: ValueID) {
    for index in indices where self[index] == old { self[index] = new }
  }
}
