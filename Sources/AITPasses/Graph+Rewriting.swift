import AITGraph
import AITOperators

extension Graph {
  /// The pointwise operator of a node.
  func pointwise(_ id: NodeID) -> Pointwise? { self[id].op as? Pointwise }

  /// The node that computes a value, with its operator, if that is of the given type and carries no
  /// fused work.
  func plainProducer<Op: Operator>(of value: ValueID, _ type: Op.Type) -> (id: NodeID, op: Op)? {
    guard let id = producer(of: value), let op = self[id].op as? Op, self[id].fusion.isEmpty
    else { return nil }
    return (id, op)
  }

  /// Whether one node reads a value, once, and nothing else does.
  func hasOneUse(_ value: ValueID) -> Bool { useCount(of: value) == 1 }

  /// Whether a tensor has one element in every run.
  func isOneElement(_ value: ValueID) -> Bool { self[value].type.shape.isOneElement }

  /// Adds a node that computes values in the place of others: it takes over the readers and names
  /// of `results`, position by position, and the name and source of `node`.
  ///
  /// Nodes of `results` that nothing reads any more are removed, with those before them that
  /// nothing else reads.
  @discardableResult
  mutating func substitute(
    _ op: any Operator,
    _ operands: [ValueID],
    fusion: Fusion = Fusion(),
    named node: NodeID,
    for results: [ValueID]
  ) throws(Diagnostic) -> NodeID {
    let name = self[node].name
    let source = self[node].source
    let names = results.map { self[$0].name }
    let retired = results.compactMap { producer(of: $0) }
    let added = try addNode(op, operands, name: name, fusion: fusion, source: source)
    for (before, after) in zip(results, added) { replaceUses(of: before, with: after) }
    for id in retired { eraseIfUnused(id) }
    eraseIfUnused(node)
    guard let first = added.first, let id = producer(of: first) else {
      throw Diagnostic(.internalInconsistency, "node '\(name)' has no results")
    }
    if !contains(node) { rename(id, to: name) }
    // Where the old value is still there, it keeps its name.
    let renamed = zip(zip(added, names), results).filter { pair in
      producer(of: pair.1).map { !contains($0) } ?? false
    }
    rename(renamed.map(\.0.0), to: renamed.map(\.0.1))
    return id
  }

  /// Makes readers of a value read another of the same type and removes the node that computed it.
  ///
  /// A value that was made for this takes over the name.
  mutating func forward(_ value: ValueID, to other: ValueID, isNew: Bool = false) {
    let name = self[value].name
    let old = producer(of: value)
    replaceUses(of: value, with: other)
    guard let old else { return }
    eraseIfUnused(old)
    let isOffered = inputs.contains(other) || constant(other)?.isNamed ?? false
    if isNew, !isOffered, !contains(old) { setName(of: other, to: name) }
  }

  /// Renames a value, and its node with it if it is the only result.
  mutating func setName(of value: ValueID, to name: String) {
    if self[value].name != name { rename(value, to: name) }
    guard let id = producer(of: value), self[id].outputs.count == 1, self[id].name != name
    else { return }
    rename(id, to: name)
  }

  /// Adds a view of a value; returns the value itself where the view would change nothing.
  mutating func addView(
    _ op: any ViewOperator,
    of value: ValueID,
    name: String? = nil,
    like node: NodeID? = nil
  ) throws(Diagnostic) -> ValueID {
    if op.isTrivial(on: self[value].type) { return value }
    let source = node.flatMap { self[$0].source }
    let name = "\(name ?? self[value].name)_\(Swift.type(of: op).name)"
    return try addNode(op, [value], name: name, source: source)[0]
  }

  /// For each value, by the index of its identity, whether it is the same in every run.
  ///
  /// The compiled library computes such values once, when it loads; fusion must not move them into
  /// every run.
  func invariantValues() -> [Bool] {
    var isInvariant = [Bool](repeating: false, count: values.count)
    for constant in constants { isInvariant[constant.index] = true }
    for id in sortedNodes() {
      let node = self[id]
      let isFixed =
        node.inputs.allSatisfy { isInvariant[$0.index] }
        && node.outputs.allSatisfy { self[$0].type.shape.constants != nil }
      if isFixed { for output in node.outputs { isInvariant[output.index] = true } }
    }
    return isInvariant
  }
}

extension Shape {
  /// Whether there is one element whatever the symbols are.
  var isOneElement: Bool { dimensions.allSatisfy { $0 == 1 } }

  /// Whether tensors of another shape meet those of this one without making them larger.
  func isBroadcastable(to other: Shape) -> Bool {
    (try? Shape.broadcasting([self, other])) == other
  }

  /// The shape with a 1 in the place of each of some axes.
  func replacing(_ axes: [Int], with extent: Dimension) -> Shape {
    var shape = self
    for axis in axes { shape[axis] = extent }
    return shape
  }
}

extension ViewOperator {
  /// Whether the view of an operand of this type is the operand itself.
  func isTrivial(on operand: TensorType) -> Bool {
    switch self {
    case is Identity: true
    case let permute as Permute: permute.isIdentity
    case let reshape as Reshape: reshape.shape == operand.shape
    case let expand as Expand: expand.shape == operand.shape
    case let slice as Slice:
      slice.sizes == operand.shape.dimensions
        && zip(slice.starts, zip(slice.sizes, slice.steps)).allSatisfy { start, rest in
          // Along an axis of one element, no step is ever taken.
          start == 0 && (rest.1 == 1 || rest.0 == 1)
        }
    default: false
    }
  }
}
