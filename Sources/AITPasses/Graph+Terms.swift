import AITGraph
import AITOperators

/// A scalar term of a program: an instruction of a pointwise node, or a value that no such node
/// makes.
///
/// Terms see through the borders of pointwise nodes: a pattern matches whether its parts are nodes
/// of their own or have been fused.
enum Term: Hashable {
  case value(ValueID)
  case instruction(NodeID, Int)
}

extension Graph {
  /// The term that makes a value.
  func term(of value: ValueID) -> Term {
    guard let (id, pointwise) = plainProducer(of: value, Pointwise.self),
      let result = self[id].outputs.firstIndex(of: value)
    else { return .value(value) }
    return term(id, pointwise.body.results[result])
  }

  /// The term of an instruction; that of what it reads if it is an input.
  func term(_ id: NodeID, _ index: Int) -> Term {
    guard let body = pointwise(id)?.body, case .input(let input) = body.instructions[index]
    else { return .instruction(id, index) }
    return term(of: self[id].inputs[input])
  }

  /// Whether nothing but one instruction of one node reads a value.
  func isReadOnce(_ value: ValueID, by id: NodeID) -> Bool {
    guard hasOneUse(value), let body = pointwise(id)?.body,
      let input = self[id].inputs.firstIndex(of: value), !body.results.contains(input)
    else { return false }
    let reads = body.instructions.reduce(0) { count, instruction in
      switch instruction {
      case .call(_, let operands): count + operands.count { $0 == input }
      case .cast(let operand): count + (operand == input ? 1 : 0)
      case .input, .constant: count
      }
    }
    return reads == 1
  }

  private func instruction(_ term: Term) -> (
    NodeID, ScalarExpression, ScalarExpression.Instruction
  )? {
    guard case .instruction(let id, let index) = term, let body = pointwise(id)?.body
    else { return nil }
    return (id, body, body.instructions[index])
  }

  /// The operands of a term that calls a function.
  func operands(of term: Term, _ function: ScalarFunction) -> [Term]? {
    guard let (id, _, call) = instruction(term), case .call(function, let operands) = call
    else { return nil }
    return operands.map { self.term(id, $0) }
  }

  /// The number that a term is; one of float32 as it was written, not as it is rounded.
  func literal(_ term: Term) -> Double? {
    guard case .instruction(let id, let index) = term, let body = pointwise(id)?.body,
      case .constant(let constant) = body.instructions[index]
    else { return nil }
    let value = constant.value.double
    guard body.types[index].computeType == .float32 else { return value }
    return Double("\(Float(value))") ?? value
  }

  /// The element type and the extents of a term; an instruction has those of its node.
  func type(of term: Term) -> TensorType {
    switch term {
    case .value(let value): return self[value].type
    case .instruction(let id, let index):
      let shape = self[self[id].outputs[0]].type.shape
      let dtype = pointwise(id)?.body.types[index] ?? self[self[id].outputs[0]].type.dtype
      return TensorType(dtype, shape)
    }
  }

  /// Whether two terms compute the same: they are one, or call one function on the same terms.
  func areSame(_ left: Term, _ right: Term, depth: Int = 8) -> Bool {
    if left == right { return true }
    guard depth > 0, let (first, _, before) = instruction(left),
      let (second, _, after) = instruction(right), type(of: left) == type(of: right)
    else { return false }
    switch (before, after) {
    case (.constant(let one), .constant(let other)): return one == other
    case (.cast(let one), .cast(let other)):
      return areSame(term(first, one), term(second, other), depth: depth - 1)
    case (.call(let function, let one), .call(let other, let others)):
      return function == other
        && zip(one, others).allSatisfy {
          areSame(term(first, $0), term(second, $1), depth: depth - 1)
        }
    default: return false
    }
  }

  /// The square root whose reciprocal a term is: the x of `1/√x`.
  func reciprocalRootOperand(of term: Term) -> Term? {
    if let operands = operands(of: term, .rsqrt) { return operands[0] }
    if let operands = operands(of: term, .power), literal(operands[1]) == -0.5 {
      return operands[0]
    }
    return operands(of: term, .reciprocal).flatMap { rootOperand(of: $0[0]) }
  }

  /// The x of `√x`.
  func rootOperand(of term: Term) -> Term? {
    if let operands = operands(of: term, .sqrt) { return operands[0] }
    if let operands = operands(of: term, .power), literal(operands[1]) == 0.5 { return operands[0] }
    return nil
  }

  /// The x of `x²`.
  func squareOperand(of term: Term) -> Term? {
    if let operands = operands(of: term, .square) { return operands[0] }
    if let operands = operands(of: term, .power), literal(operands[1]) == 2 { return operands[0] }
    if let operands = operands(of: term, .multiply), areSame(operands[0], operands[1]) {
      return operands[0]
    }
    return nil
  }

  /// The reduction that a term is, and what it reduces.
  ///
  /// With `keepingAxes`, one whose axes stay in the shape, by its own doing or by a reshape's.
  func reduction(of term: Term, _ kind: Reduce.Kind, keepingAxes: Bool = true)
    -> (op: Reduce, operand: Term)?
  {
    guard case .value(let value) = term else { return nil }
    if let (id, op) = plainProducer(of: value, Reduce.self) {
      guard op.kind == kind, op.keepsDimensions || !keepingAxes else { return nil }
      return (op, self.term(of: self[id].inputs[0]))
    }
    guard keepingAxes, let (view, reshape) = plainProducer(of: value, Reshape.self),
      let (id, op) = plainProducer(of: self[view].inputs[0], Reduce.self), op.kind == kind,
      !op.keepsDimensions,
      self[self[id].inputs[0]].type.shape.replacing(op.axes, with: 1) == reshape.shape
    else { return nil }
    return (op, self.term(of: self[id].inputs[0]))
  }

  /// A value of a term, computed by a node of its own if no node returns it.
  mutating func materialize(_ term: Term) throws(Diagnostic) -> ValueID {
    guard case .instruction(let id, let index) = term, let body = pointwise(id)?.body else {
      guard case .value(let value) = term else {
        throw Diagnostic(.internalInconsistency, "a term of a node that is not pointwise")
      }
      return value
    }
    if let result = body.results.firstIndex(of: index) { return self[id].outputs[result] }
    var selected = body
    selected.setResults([index])
    let alone = FusedBody(selected.pruned(), self[id].inputs.map(FusedBody.Operand.value))
      .trimmed(in: self, shape: self[self[id].outputs[0]].type.shape)
    return try addNode(
      Pointwise(alone.expression),
      alone.values,
      name: self[id].name,
      source: self[id].source
    )[0]
  }

  /// Makes every instruction of the pointwise nodes for which `match` finds a value read that
  /// value, under the name given with it.
  mutating func rewriteTerms(
    _ match: (inout Graph, NodeID, Int) throws(Diagnostic) -> (value: ValueID, name: String)?
  ) throws(Diagnostic) {
    for id in sortedNodes() where contains(id) {
      var current: NodeID? = id
      while let node = current, let body = pointwise(node)?.body, self[node].fusion.isEmpty {
        current = nil
        for index in body.instructions.indices {
          guard case .call = body.instructions[index], let found = try match(&self, node, index)
          else { continue }
          current = try replaceInstruction(index, of: node, by: found.value, name: found.name)
          break
        }
      }
    }
  }

  /// Makes a pointwise node read a value in the place of an instruction; returns the new node, if
  /// one is left.
  private mutating func replaceInstruction(
    _ replaced: Int,
    of id: NodeID,
    by value: ValueID,
    name: String
  ) throws(Diagnostic) -> NodeID? {
    guard let body = pointwise(id)?.body else { return nil }
    let node = self[id]
    let shape = self[node.outputs[0]].type.shape
    if body.results == [replaced], self[value].type.shape == shape {
      forward(node.outputs[0], to: value, isNew: true)
      return nil
    }
    var copy = ScalarExpression(inputs: body.inputTypes + [body.types[replaced]])
    var mapping: [Int] = []
    for (index, instruction) in body.instructions.enumerated() {
      switch instruction {
      case _ where index == replaced: mapping.append(body.inputTypes.count)
      case .input(let input): mapping.append(input)
      case .constant(let constant):
        mapping.append(copy.constant(constant.value, body.types[index]))
      case .call(let function, let operands):
        mapping.append(copy.call(function, operands.map { mapping[$0] }))
      case .cast(let operand):
        mapping.append(copy.cast(mapping[operand], to: body.types[index]))
      }
    }
    copy.setResults(body.results.map { mapping[$0] })
    let rewritten = FusedBody(copy.pruned(), (node.inputs + [value]).map(FusedBody.Operand.value))
      .trimmed(in: self, shape: shape)
    let result = try substitute(
      Pointwise(rewritten.expression),
      rewritten.values,
      named: id,
      for: node.outputs
    )
    setName(of: value, to: name)
    return result
  }
}
