import AITGraph
import AITOperators

/// Makes tensors of one value literals of the expressions that read them.
///
/// ```
/// half = full() {shape: [], dtype: float32, value: 0.5}
/// y = pointwise(x, half) {body: (x0: float32, x1: float32) { t2 = multiply(x0, x1); return t2 }}
/// ```
/// becomes
/// ```
/// y = pointwise(x) {body: (x0: float32) { t1 = 0.5: float32; t2 = multiply(x0, t1); return t2 }}
/// ```
///
/// A tensor of one value is a `full`, a literal of one element, or a view of either; the view
/// itself becomes a `full`, and so does a pointwise node that reads nothing else. Operands without
/// which the result would have a smaller shape stay. Named constants stay: they can be set at run
/// time.
///
/// Runs before everything that looks for literals in expressions. Visits each node once.
package struct ScalarInlining: GraphPass {
  package static let name = "scalar-inlining"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    for id in graph.sortedNodes() where graph.contains(id) {
      let node = graph[id]
      if let view = node.op as? any ViewOperator {
        try replaceView(view, id, in: &graph)
      } else if let pointwise = node.op as? Pointwise {
        try inline(pointwise, id, in: &graph)
      } else if !node.fusion.isEmpty {
        try inlineFusion(id, in: &graph)
      }
    }
    graph.removeUnusedLiterals()
  }

  /// The value that all elements of a tensor have, if that is known.
  private func uniformValue(_ value: ValueID, in graph: Graph) -> ScalarValue? {
    if let constant = graph.constant(value) {
      guard !constant.isNamed, let data = constant.data, data.elementCount == 1 else { return nil }
      return data.scalar(at: 0)
    }
    guard let full = graph.plainProducer(of: value, Full.self)?.op else { return nil }
    return ScalarValue.float(full.value).converted(to: full.dtype)
  }

  /// A `full` of the shape, if the operator can hold the value.
  private func full(_ value: ScalarValue, _ type: TensorType) -> Full? {
    let stored = value.converted(to: type.dtype)
    let double = stored.double
    if case .integer(let integer) = stored, Int64(exactly: double) != integer { return nil }
    return Full(type.shape, type.dtype, value: double)
  }

  private func replaceView(_ view: any ViewOperator, _ id: NodeID, in graph: inout Graph)
    throws(Diagnostic)
  {
    let node = graph[id]
    let type = graph[node.outputs[0]].type
    // A literal under another shape of one element stays a view of it.
    guard graph.producer(of: node.inputs[0]) != nil || !type.shape.isOneElement,
      let value = uniformValue(node.inputs[0], in: graph), let full = full(value, type)
    else { return }
    try graph.replace(id, with: full, [])
  }

  private func inline(_ pointwise: Pointwise, _ id: NodeID, in graph: inout Graph)
    throws(Diagnostic)
  {
    let node = graph[id]
    var literals = uniformOperands(node.inputs, in: graph)
    guard !literals.isEmpty else { return }
    let shape = graph[node.outputs[0]].type.shape
    if literals.count == node.inputs.count {
      if try replaceByFull(pointwise, literals, id, in: &graph) { return }
    }
    let body = FusedBody(pointwise, node.inputs)
    keepShape(shape, node.inputs, &literals, in: graph)
    guard !literals.isEmpty else { return }
    let inlined = body.inlining(literals)
    try graph.replace(id, with: Pointwise(inlined.expression), inlined.values)
  }

  /// A pointwise node of values that are all known makes tensors of one value.
  private func replaceByFull(
    _ pointwise: Pointwise,
    _ literals: [Int: ScalarValue],
    _ id: NodeID,
    in graph: inout Graph
  ) throws(Diagnostic) -> Bool {
    let outputs = graph[id].outputs
    let operands = literals.sorted { $0.key < $1.key }.map(\.value)
    let values = pointwise.body.expanded().evaluate(operands)
    var fulls: [Full] = []
    for (value, output) in zip(values, outputs) {
      guard let full = full(value, graph[output].type) else { return false }
      fulls.append(full)
    }
    for (full, output) in zip(fulls, outputs) {
      let made = try graph.addNode(full, [], source: graph[id].source)[0]
      graph.forward(output, to: made, isNew: true)
    }
    return true
  }

  private func inlineFusion(_ id: NodeID, in graph: inout Graph) throws(Diagnostic) {
    let node = graph[id]
    var fusion = node.fusion
    var inputs = node.inputs
    if let epilogue = fusion.epilogue {
      let first = inputs.count - fusion.epilogueInputCount
      let extras = Array(inputs[first...])
      let literals = uniformOperands(extras, in: graph)
      if !literals.isEmpty {
        let joined = fusion.joinedResults
        let body = FusedBody(epilogue: epilogue, of: fusion, extras)
          .inlining(Dictionary(uniqueKeysWithValues: literals.map { ($0.key + joined, $0.value) }))
        fusion.epilogue = body.expression
        inputs.replaceSubrange(first..., with: body.values)
      }
    }
    if let prologue = fusion.prologue {
      let sources = Array(inputs.prefix(prologue.inputTypes.count))
      var literals = uniformOperands(sources, in: graph)
      if let shape = try? Shape.broadcasting(sources.map { graph[$0].type.shape }) {
        keepShape(shape, sources, &literals, in: graph)
      }
      if !literals.isEmpty {
        let body = FusedBody(prologue, sources.map(FusedBody.Operand.value)).inlining(literals)
        fusion.prologue = body.expression
        inputs.replaceSubrange(0..<sources.count, with: body.values)
      }
    }
    guard inputs.count < node.inputs.count else { return }
    try graph.replace(id, with: node.op, inputs, fusion: fusion)
  }

  private func uniformOperands(_ inputs: [ValueID], in graph: Graph) -> [Int: ScalarValue] {
    var literals: [Int: ScalarValue] = [:]
    for (index, input) in inputs.enumerated() {
      if let value = uniformValue(input, in: graph) { literals[index] = value }
    }
    return literals
  }

  /// Drops literals, from the first on, until the other operands broadcast to the shape.
  private func keepShape(
    _ shape: Shape,
    _ inputs: [ValueID],
    _ literals: inout [Int: ScalarValue],
    in graph: Graph
  ) {
    for index in inputs.indices where literals[index] != nil {
      let rest = inputs.indices.filter { literals[$0] == nil }
      let shapes = rest.map { graph[inputs[$0]].type.shape }
      if (try? Shape.broadcasting(shapes)) == shape { return }
      literals[index] = nil
    }
  }
}
