import AITGraph
import AITOperators

/// A scalar expression together with what its inputs read: the work of a pointwise node, a prologue
/// or an epilogue while it is put together.
struct FusedBody {
  /// What an input of the expression reads.
  enum Operand: Hashable {
    /// The result of the node's operator, which an epilogue starts from.
    case result
    /// A further result, of an operator that has several.
    case furtherResult(Int)
    case value(ValueID)
  }

  /// One for each input of the expression.
  var operands: [Operand]
  var expression: ScalarExpression

  init(_ expression: ScalarExpression, _ operands: [Operand]) {
    self.expression = expression
    self.operands = operands
  }

  /// The work of a pointwise node.
  init(_ pointwise: Pointwise, _ inputs: [ValueID]) {
    self.init(pointwise.body, inputs.map(Operand.value))
  }

  /// An epilogue, with the operator's results and the node's last inputs.
  init(epilogue: ScalarExpression, of fusion: Fusion, _ extras: some Sequence<ValueID>) {
    let further = (1..<max(1, fusion.joinedResults)).map(Operand.furtherResult)
    self.init(epilogue, [.result] + further + extras.map(Operand.value))
  }

  /// The values that are read, in order.
  var values: [ValueID] {
    operands.compactMap { if case .value(let value) = $0 { value } else { nil } }
  }

  /// Returns the body with the work of another done in place: wherever this one reads a key of
  /// `computed`, it takes the other's result of that number.
  ///
  /// Its results are its own, then those of the other that are kept.
  func absorbing(_ inner: FusedBody, computing computed: [Operand: Int], keeping: [Int] = [])
    -> FusedBody
  {
    var union: [Operand] = []
    var types: [DType] = []
    var positions: [Operand: Int] = [:]
    func read(_ operand: Operand, _ type: DType) {
      guard positions[operand] == nil else { return }
      positions[operand] = union.count
      union.append(operand)
      types.append(type)
    }
    for (index, operand) in operands.enumerated() {
      if computed[operand] == nil {
        read(operand, expression.inputTypes[index])
      } else {
        zip(inner.operands, inner.expression.inputTypes).forEach(read)
      }
    }
    var merged = ScalarExpression(inputs: types)
    let made = merged.inline(inner.expression, inner.operands.map { positions[$0] ?? 0 })
    let own = merged.inline(
      expression,
      operands.map { operand in computed[operand].map { made[$0] } ?? positions[operand] ?? 0 }
    )
    merged.setResults(own + keeping.map { made[$0] })
    return FusedBody(merged.simplified(), union)
  }

  /// Returns the body with only some of its results, in the order given.
  func selecting(_ results: [Int]) -> FusedBody {
    FusedBody(expression.selectingResults(results), operands)
  }

  /// Returns the body with operands that are read twice read once, and without those that no result
  /// needs.
  ///
  /// The operator's result stays; so do operands without which the rest would no longer broadcast
  /// to the shape, if one is given.
  func trimmed(in graph: Graph, shape: Shape? = nil) -> FusedBody {
    var distinct: [Operand] = []
    var mapping = operands.map { operand in
      if let index = distinct.firstIndex(of: operand) { return index }
      distinct.append(operand)
      return distinct.count - 1
    }
    let used = Set(expression.usedInputs.map { mapping[$0] })
    var kept = Array(distinct.indices)
    for index in distinct.indices.reversed() where !used.contains(index) {
      guard case .value = distinct[index] else { continue }
      let rest = kept.filter { $0 != index }
      if let shape {
        let shapes = rest.compactMap { position -> Shape? in
          if case .value(let value) = distinct[position] { graph[value].type.shape } else { nil }
        }
        guard (try? Shape.broadcasting(shapes)) == shape else { continue }
      }
      kept = rest
    }
    guard kept.count < operands.count else { return self }
    // An input that is gone is read by nothing: any number will do for it.
    let types = kept.map { position in
      expression.inputTypes[mapping.firstIndex(of: position) ?? 0]
    }
    mapping = mapping.map { kept.firstIndex(of: $0) ?? 0 }
    let remapped = expression.pruned().remappingInputs(mapping, newTypes: types)
    return FusedBody(remapped, kept.map { distinct[$0] })
  }

  /// Whether the work of two bodies is little enough to be put together, before common terms are
  /// found: asked first, so that a long chain does not try each of its nodes on a body that is full.
  func mayJoin(_ other: FusedBody, _ limits: PassLimits) -> Bool {
    workCount + other.workCount <= limits.instructions
  }

  private var workCount: Int { expression.instructions.count - expression.inputTypes.count }

  /// Whether a kernel can do this work.
  func fits(_ limits: PassLimits) -> Bool {
    operands.count <= limits.inputs && expression.results.count <= limits.results
      && workCount <= limits.instructions
  }
}

extension FusedBody {
  /// Returns the body with some of its inputs, by position, replaced by literals.
  func inlining(_ literals: [Int: ScalarValue]) -> FusedBody {
    let kept = operands.indices.filter { literals[$0] == nil }
    var merged = ScalarExpression(inputs: kept.map { expression.inputTypes[$0] })
    var mapping: [Int] = []
    for (index, type) in expression.inputTypes.enumerated() {
      if let value = literals[index] {
        mapping.append(merged.constant(value, type))
      } else {
        mapping.append(kept.firstIndex(of: index) ?? 0)
      }
    }
    merged.setResults(merged.inline(expression, mapping))
    return FusedBody(merged.simplified(), kept.map { operands[$0] })
  }
}

extension FusedBody {
  /// Returns one body that does the work of both; the results of the other come last.
  func joined(with other: FusedBody) -> FusedBody {
    var union = operands
    var types = expression.inputTypes
    for (operand, type) in zip(other.operands, other.expression.inputTypes)
    where !union.contains(operand) {
      union.append(operand)
      types.append(type)
    }
    var merged = ScalarExpression(inputs: types)
    var results: [Int] = []
    for body in [self, other] {
      let positions = body.operands.map { union.firstIndex(of: $0) ?? 0 }
      results += merged.inline(body.expression, positions)
    }
    merged.setResults(results)
    return FusedBody(merged.simplified(), union)
  }

  /// Returns the body as an epilogue wants it: the operator's result, of the given type, is input
  /// 0.
  func startingFromResult(_ type: DType) -> FusedBody {
    let rest = operands.indices.filter { operands[$0] != .result }
    var mapping = [Int](repeating: 0, count: operands.count)
    for (position, index) in rest.enumerated() { mapping[index] = position + 1 }
    let types = [type] + rest.map { expression.inputTypes[$0] }
    return FusedBody(
      expression.remappingInputs(mapping, newTypes: types),
      [.result] + rest.map { operands[$0] }
    )
  }
}
