import AITGraph
import AITOperators

/// The values that a run of a graph gave.
package struct Evaluation: Sendable {
  /// The results by the names of the outputs.
  package let outputs: [String: TensorData]
  /// The sizes that the symbols took.
  package let symbols: [String: Int]
  /// Every value by name: inputs, constants and all results, if the run recorded them.
  package let intermediates: [String: TensorData]
}

/// Runs graphs by the reference meaning of their operators: the truth that targets are held to.
///
/// Everything is computed in Double, and integers exactly. Values are rounded to their type where a
/// node stores them and nowhere else: within fused work the operand that a prologue makes, and the
/// result that an epilogue takes, stay unrounded. So a fused graph is as exact as an unfused one, or
/// more so.
///
/// A compiled library rounds fewer values than the nodes store, since it fuses them. Where that
/// matters, as when an intermediate overflows float16, an evaluation without rounding is the other
/// end of what is right.
package struct Evaluator {
  private let graph: Graph
  private let symbols: [String: Int]
  private let roundsIntermediates: Bool
  /// By index of the value; dropped after the last use unless recorded.
  private var values: [TensorData?]

  /// Runs a graph.
  ///
  /// - Parameters:
  ///   - graph: A legal graph.
  ///   - inputs: A tensor for each input, by name.
  ///   - constants: Tensors for constants without data, by the value's or the original name.
  ///   - roundsIntermediates: Whether nodes round what they store; otherwise only casts and the
  ///     outputs of the graph do.
  ///   - recordsIntermediates: Whether to keep every value.
  /// - Returns: The outputs, and with `recordsIntermediates` every value.
  /// - Throws: `invalidArgument` if a tensor is missing or does not fit, `runFailed` if the sizes are
  ///   not as a node asks, and what the meaning of an operator throws, such as an index out of range,
  ///   with the node as its location.
  package static func run(
    _ graph: Graph,
    _ inputs: [String: TensorData],
    constants: [String: TensorData] = [:],
    roundsIntermediates: Bool = true,
    recordsIntermediates: Bool = false
  ) throws(Diagnostic) -> Evaluation {
    let symbols = try bindSymbols(of: graph, to: inputs)
    var evaluator = Evaluator(
      graph: graph,
      symbols: symbols,
      roundsIntermediates: roundsIntermediates,
      values: Array(repeating: nil, count: graph.values.count)
    )
    try evaluator.bindInputs(inputs)
    for constraint in try graph.sizeConstraints() { try constraint.check(symbols) }
    try evaluator.bindConstants(constants)
    try evaluator.runNodes(isRecording: recordsIntermediates)
    var outputs: [String: TensorData] = [:]
    for output in graph.outputs {
      outputs[output.name] = try evaluator.value(output.value)
        .converted(to: graph[output.value].type.dtype)
    }
    var intermediates: [String: TensorData] = [:]
    if recordsIntermediates {
      for (value, data) in zip(graph.values, evaluator.values) { intermediates[value.name] = data }
    }
    return Evaluation(outputs: outputs, symbols: symbols, intermediates: intermediates)
  }

  // MARK: - Binding

  /// Reads the sizes of symbols off the extents of the inputs.
  private static func bindSymbols(of graph: Graph, to inputs: [String: TensorData])
    throws(Diagnostic) -> [String: Int]
  {
    var sizes: [String: Int] = [:]
    for id in graph.inputs {
      let (name, type) = (graph[id].name, graph[id].type)
      guard let data = inputs[name], data.shape.count == type.rank else { continue }
      for (extent, size) in zip(type.shape.dimensions, data.shape) {
        guard let (scale, symbol) = extent.scaledSymbol, scale > 0 else { continue }
        let value = size / scale
        guard size.isMultiple(of: scale), symbol.bounds.contains(value) else {
          throw Diagnostic(
            .invalidArgument,
            "input '\(name)' has the extent \(size), expected \(extent)",
            hint: "\(symbol.name) runs from \(symbol.bounds.lowerBound) to "
              + "\(symbol.bounds.upperBound)"
          )
        }
        let known = sizes.updateValue(value, forKey: symbol.name)
        guard known == nil || known == value else {
          throw Diagnostic(
            .invalidArgument,
            "input '\(name)' sets \(symbol.name) to \(value), but it is \(known ?? 0) already"
          )
        }
      }
    }
    return sizes
  }

  private mutating func bindInputs(_ inputs: [String: TensorData]) throws(Diagnostic) {
    for id in graph.inputs {
      let (name, type) = (graph[id].name, graph[id].type)
      guard let data = inputs[name] else {
        throw Diagnostic(.invalidArgument, "no tensor is given for the input '\(name)'")
      }
      guard data.dtype == type.dtype, data.shape == type.shape.evaluate(symbols) else {
        throw Diagnostic(
          .invalidArgument,
          "input '\(name)' is \(type), found \(data.type)",
          hint: symbols.isEmpty ? nil : "where \(symbolText)"
        )
      }
      values[id.index] = stored(data)
    }
    let names = Set(graph.inputs.map { graph[$0].name })
    if let stranger = inputs.keys.filter({ !names.contains($0) }).min() {
      throw Diagnostic(.invalidArgument, "the graph has no input '\(stranger)'")
    }
  }

  private var symbolText: String {
    symbols.sorted { $0.key < $1.key }.map { "\($0.key) is \($0.value)" }.joined(separator: ", ")
  }

  private mutating func bindConstants(_ constants: [String: TensorData]) throws(Diagnostic) {
    for id in graph.constants {
      guard let constant = graph.constant(id) else { continue }
      let given = constants[graph[id].name] ?? constants[constant.originalName]
      guard let data = given ?? constant.data else {
        if graph.useCount(of: id) == 0 { continue }
        throw Diagnostic(
          .invalidArgument,
          "no tensor is given for the constant '\(constant.originalName)'"
        )
      }
      guard data.type == TensorType(graph[id].type.dtype, graph[id].type.shape) else {
        throw Diagnostic(
          .invalidArgument,
          "constant '\(constant.originalName)' is \(graph[id].type), found \(data.type)"
        )
      }
      values[id.index] = stored(data)
    }
  }

  private func value(_ id: ValueID) throws(Diagnostic) -> TensorData {
    guard let data = values[id.index] else {
      throw Diagnostic(.internalInconsistency, "'\(graph[id].name)' is read before it is computed")
    }
    return data
  }

  // MARK: - Nodes

  private mutating func runNodes(isRecording: Bool) throws(Diagnostic) {
    var pendingUses = graph.valueIDs.map { graph.useCount(of: $0) }
    for id in graph.sortedNodes() {
      let node = graph[id]
      var inputs: [TensorData] = []
      for input in node.inputs { inputs.append(try value(input)) }
      let results: [TensorData]
      do throws(Diagnostic) {
        results = try run(node, inputs)
      } catch { throw error.located(at: "node '\(node.name)'") }
      for (output, result) in zip(node.outputs, results) { values[output.index] = result }
      if isRecording { continue }
      for input in node.inputs {
        pendingUses[input.index] -= 1
        if pendingUses[input.index] == 0 { values[input.index] = nil }
      }
    }
  }

  private func run(_ node: Graph.Node, _ inputs: [TensorData]) throws(Diagnostic) -> [TensorData] {
    let types = node.outputs.map { graph[$0].type }
    let expected = stored(try known(types))
    let results =
      node.fusion.isEmpty
      ? try evaluate(node.op, inputs, expected) : try runFused(node, inputs, types)
    let found = results.map(\.type)
    guard found == expected else {
      throw Diagnostic(
        .internalInconsistency,
        "its meaning gave \(found), its types are \(expected)"
      )
    }
    return results
  }

  /// Runs prologue, operator and epilogue with `float64` in place of the floating-point types
  /// between them.
  private func runFused(_ node: Graph.Node, _ inputs: [TensorData], _ types: [TensorType])
    throws(Diagnostic) -> [TensorData]
  {
    let fusion = node.fusion
    let extras = inputs.suffix(fusion.epilogueInputCount)
    var operands = Array(inputs.dropLast(extras.count))
    var operandTypes = node.inputs.dropLast(extras.count).map { graph[$0].type }
    var exposed: [TensorData] = []
    if let prologue = fusion.prologue {
      let count = prologue.inputTypes.count
      let made = try Graph.inferTypes(
        Pointwise(prologue),
        Array(operandTypes.prefix(count)),
        Fusion()
      )
      let result = try evaluate(
        Pointwise(prologue),
        Array(operands.prefix(count)),
        widened(try known(made))
      )
      operands.replaceSubrange(0..<count, with: result)
      operandTypes.replaceSubrange(0..<count, with: made)
      if fusion.exposesPrologue { exposed = [result[0].converted(to: stored(made)[0].dtype)] }
    }
    let inferred = stored(try known(try node.op.inferTypes(operandTypes)))
    guard let epilogue = fusion.epilogue else {
      return try evaluate(node.op, operands.map(widened), inferred) + exposed
    }
    let product = try evaluate(node.op, operands.map(widened), widened(inferred))
    let results = stored(try known(Array(types.dropLast(exposed.count))))
    return try evaluate(Pointwise(epilogue), product + extras, results) + exposed
  }

  private func evaluate(_ op: any Operator, _ operands: [TensorData], _ results: [TensorType])
    throws(Diagnostic) -> [TensorData]
  {
    try op.evaluate(operands, results: results, symbols: symbols)
  }

  /// The types with symbols replaced by their sizes.
  private func known(_ types: [TensorType]) throws(Diagnostic) -> [TensorType] {
    var result: [TensorType] = []
    for type in types {
      guard let extents = type.shape.evaluate(symbols) else {
        throw Diagnostic(.internalInconsistency, "the extents of \(type) are not known")
      }
      result.append(TensorType(type.dtype, Shape(extents)))
    }
    return result
  }

  /// The types in which values are kept between nodes.
  private func stored(_ types: [TensorType]) -> [TensorType] {
    roundsIntermediates ? types : widened(types)
  }

  /// A value as it is kept between nodes.
  private func stored(_ data: TensorData) -> TensorData {
    roundsIntermediates ? data : widened(data)
  }

  private func widened(_ types: [TensorType]) -> [TensorType] {
    types.map { TensorType($0.dtype.isFloatingPoint ? .float64 : $0.dtype, $0.shape) }
  }

  private func widened(_ data: TensorData) -> TensorData {
    data.dtype.isFloatingPoint ? data.converted(to: .float64) : data
  }
}
