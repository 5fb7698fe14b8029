import AITFrontend
import AITGraph

/// Walks an exported program's nodes and builds tensors.
struct ProgramImporter {
  private let file: ProgramFile
  private let bounds: [String: ClosedRange<Int>]
  private var values: [String: AtenValue] = [:]
  /// For each tensor that shares another's memory, the name of that one.
  private var bases: [String: String] = [:]
  private var inputs: [Tensor] = []
  private var constants: [String: TensorData] = [:]

  init(_ file: ProgramFile, bounds: [String: ClosedRange<Int>]) {
    self.file = file
    self.bounds = bounds
  }

  mutating func graph(named name: String) throws(Diagnostic) -> Graph {
    let program = file.program.module
    try addInputs(program)
    for node in program.graph.nodes { try add(node) }
    var outputs: [Tensor] = []
    var names: Set<String> = []
    for (argument, spec) in zip(program.graph.outputs, program.signature.outputs) {
      guard case .user = spec else {
        if case .mutation(let what) = spec { try refuseMutation(what) }
        continue
      }
      switch argument {
      case .tensor(let tensorName):
        guard case .tensor(let tensor) = try value(argument) else { continue }
        let unique = Identifier.unique(Identifier.make(tensorName), among: names)
        names.insert(unique)
        outputs.append(tensor.named(unique))
      case .none: continue
      default:
        throw Diagnostic(
          .unsupportedFormat,
          "an output that is no tensor",
          at: file.path,
          hint: "return tensors alone"
        )
      }
    }
    return try Graph(name: Identifier.make(name), inputs: inputs, outputs: outputs)
  }

  private func refuseMutation(_ what: String) throws(Diagnostic) {
    throw Diagnostic(
      .unsupportedFormat,
      "the program changes '\(what)'",
      at: file.path,
      hint: "export a module in eval mode that changes neither its buffers nor its inputs"
    )
  }

  // MARK: - Inputs

  private mutating func addInputs(_ module: ModuleSchema) throws(Diagnostic) {
    guard module.graph.inputs.count == module.signature.inputs.count else {
      throw Diagnostic(
        .corruptFile,
        "\(module.graph.inputs.count) inputs with \(module.signature.inputs.count) descriptions",
        at: file.path
      )
    }
    for (argument, spec) in zip(module.graph.inputs, module.signature.inputs) {
      guard case .tensor(let name) = argument else {
        if case .none = argument { continue }
        throw Diagnostic(
          .unsupportedFormat,
          "an input that is no tensor",
          at: file.path,
          hint: "export with tensors as inputs; numbers become part of the program"
        )
      }
      guard let meta = module.graph.tensors[name] else {
        throw Diagnostic(.corruptFile, "the input '\(name)' has no type", at: file.path)
      }
      switch spec {
      case .user:
        let place = "\(file.path): \(name)"
        var extents: [Dimension] = []
        for size in meta.sizes { extents.append(try dimension(size, at: place)) }
        let input = Tensor.input(name, Shape(extents), try meta.elementType(at: place))
        if let diagnostic = input.diagnostic { throw diagnostic }
        inputs.append(input)
        values[name] = .tensor(input)
      case .constant(let key):
        guard let data = file.weights[key] else {
          throw Diagnostic(.corruptFile, "the weight '\(key)' is not in the file", at: file.path)
        }
        values[name] = .tensor(.constant(data, name: key))
      case .unsupported(let what):
        throw Diagnostic(.unsupportedFormat, "an input that is \(what)", at: file.path)
      }
    }
  }

  private func dimension(_ size: SizeSchema, at place: String) throws(Diagnostic) -> Dimension {
    switch size {
    case .number(let number):
      guard number >= 0 else {
        throw Diagnostic(.corruptFile, "an extent of \(number)", at: place)
      }
      return Dimension(number)
    case .expression(let text, _):
      do {
        return try SymbolicExpression.read(text) { range(of: $0) }
      } catch {
        throw error.located(at: place)
      }
    }
  }

  private func range(of symbol: String) -> ClosedRange<Int> {
    if let given = bounds[symbol] { return given }
    let range = file.program.ranges[symbol]
    let least = max(range?.least ?? 0, 0)
    let greatest = min(range?.greatest ?? .max, ExportedProgram.defaultBound)
    return least...max(least, greatest)
  }

  // MARK: - Nodes

  private mutating func add(_ node: NodeSchema) throws(Diagnostic) {
    let source = node.source
    do {
      let results = try withSource(source) { () throws(Diagnostic) in try evaluate(node) }
      try bind(results, to: node)
    } catch {
      throw error.located(at: source ?? "\(file.path): \(node.target)")
    }
  }

  private func withSource<Result>(_ source: String?, _ body: () throws(Diagnostic) -> Result)
    throws(Diagnostic) -> Result
  {
    guard let source, let colon = source.lastIndex(of: ":"),
      let line = Int(source[source.index(after: colon)...])
    else { return try body() }
    return try withCallSite(String(source[..<colon]), line, body)
  }

  private func evaluate(_ node: NodeSchema) throws(Diagnostic) -> [AtenValue] {
    guard let op = AtenOperator.named(node.target) else {
      throw Diagnostic(.unsupportedOperator, "\(node.target) cannot be compiled")
    }
    var arguments: [String: AtenValue] = [:]
    for input in node.inputs { arguments[input.name] = try value(input.argument) }
    let target =
      node.target.hasPrefix("torch.ops.") ? String(node.target.dropFirst(10)) : node.target
    let call = AtenCall(target: target, arguments: arguments, order: node.inputs.map(\.name))
    let results = try op.build(call)
    for result in results {
      if case .tensor(let tensor) = result, let diagnostic = tensor.diagnostic { throw diagnostic }
    }
    return results
  }

  private func value(_ argument: ArgumentSchema) throws(Diagnostic) -> AtenValue {
    switch argument {
    case .none, .place: return .none
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(Dimension(value))
    case .float(let value): return .float(value)
    case .string(let text): return .string(text)
    case .elementType(let number):
      guard let dtype = DType(torchNumber: number) else {
        throw Diagnostic(.unsupportedFormat, "the element type of number \(number)")
      }
      return .elementType(dtype)
    case .tensor(let name), .symbol(let name):
      guard let value = values[name] else {
        throw Diagnostic(.corruptFile, "the value '\(name)' is used before it is computed")
      }
      return value
    case .list(let elements):
      var list: [AtenValue] = []
      for element in elements { list.append(try value(element)) }
      return .list(list)
    case .unsupported(let kind):
      throw Diagnostic(.unsupportedFormat, "an argument of the kind \(kind)")
    }
  }

  // MARK: - Results

  private mutating func bind(_ results: [AtenValue], to node: NodeSchema) throws(Diagnostic) {
    if AtenOperator.isInPlace(node.target) {
      try update(node, results)
    }
    var rest = results[...]
    for output in node.outputs {
      switch output {
      case .tensor(let name), .symbol(let name):
        guard let value = rest.popFirst() else {
          throw Diagnostic(.internalInconsistency, "\(node.target) gives too few results")
        }
        values[name] = value
        noteView(name, node)
      case .list(let names):
        for case .tensor(let name) in names {
          guard let value = rest.popFirst() else {
            throw Diagnostic(.internalInconsistency, "\(node.target) gives too few results")
          }
          values[name] = value
          noteView(name, node)
        }
      default: continue
      }
    }
  }

  /// The name of the tensor that a node is about.
  private func subject(_ node: NodeSchema) -> String? {
    guard case .tensor(let name) = node.inputs.first?.argument else { return nil }
    return name
  }

  private mutating func noteView(_ name: String, _ node: NodeSchema) {
    guard AtenOperator.views.contains(AtenOperator.key(node.target)), let base = subject(node)
    else { return }
    bases[name] = bases[base] ?? base
  }

  /// Gives the tensor that is changed in place its new value.
  private mutating func update(_ node: NodeSchema, _ results: [AtenValue]) throws(Diagnostic) {
    guard let name = subject(node), let result = results.first else { return }
    guard bases[name] == nil, !bases.values.contains(name) else {
      throw Diagnostic(
        .unsupportedOperator,
        "\(node.target) changes memory that another tensor shares",
        hint: "export after run_decompositions(), which writes such changes as values"
      )
    }
    values[name] = result
  }
}
