import AITFrontend
import AITGraph

/// Walks an exported program's nodes and builds tensors.
struct ProgramImporter {
  let file: ProgramFile
  private let bounds: [String: ClosedRange<Int>]
  /// Whether symbols of two or more may be one.
  private let allowsOne: Bool
  var values: [String: AtenValue] = [:]
  /// Which tensors share memory.
  var memory = SharedMemory()
  /// Inputs, weights and buffers, which a program must not change, with the names that users know.
  private var sources: [String: String] = [:]
  private var inputs: [Tensor] = []

  init(_ file: ProgramFile, bounds: [String: ClosedRange<Int>], allowsOne: Bool) {
    self.file = file
    self.bounds = bounds
    self.allowsOne = allowsOne
  }

  mutating func graph(named name: String) throws(Diagnostic) -> Graph {
    let program = file.program.module
    try addInputs(program)
    memory.findLastUses(program.graph)
    for (index, node) in program.graph.nodes.enumerated() { try add(node, index) }
    var outputs: [Tensor] = []
    var names: Set<String> = []
    guard program.graph.outputs.count == program.signature.outputs.count else {
      throw Diagnostic(
        .corruptFile,
        "\(program.graph.outputs.count) outputs with \(program.signature.outputs.count) descriptions",
        at: file.path
      )
    }
    for (argument, spec) in zip(program.graph.outputs, program.signature.outputs) {
      guard case .user = spec else {
        if case .mutation(let what) = spec { throw mutation(of: what).located(at: file.path) }
        continue
      }
      switch argument {
      case .tensor(let tensorName):
        guard case .tensor(let tensor) = try output(argument, tensorName) else {
          throw Diagnostic(.corruptFile, "the output '\(tensorName)' is no tensor", at: file.path)
        }
        let unique = Identifier.unique(Identifier.make(tensorName), among: names)
        names.insert(unique)
        outputs.append(tensor.named(unique))
      // Their values stand in the program; whoever calls the library knows them.
      case .none, .bool, .integer, .float, .string: continue
      default:
        throw Diagnostic(
          .unsupportedFormat,
          "an output that is no tensor\(argument.name.map { ": the number '\($0)'" } ?? "")",
          at: file.path,
          hint: "return tensors: torch.tensor(number) makes one of a number that depends on sizes"
        )
      }
    }
    return try Graph(name: Identifier.make(name), inputs: inputs, outputs: outputs)
  }

  private func output(_ argument: ArgumentSchema, _ name: String) throws(Diagnostic) -> AtenValue {
    do {
      return try value(argument)
    } catch {
      throw error.located(at: "\(file.path): \(name)")
    }
  }

  private func mutation(of what: String) -> Diagnostic {
    Diagnostic(
      .unsupportedFormat,
      "the program changes '\(what)'",
      hint: "export a module in eval mode that changes neither its buffers nor its inputs, and "
        + "returns what is new"
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
      let name: String
      switch argument {
      case .tensor(let given): name = given
      // Their values stand in the nodes.
      case .none, .bool, .integer, .float, .string: continue
      default:
        throw Diagnostic(
          .unsupportedFormat,
          "an input that is no tensor",
          at: file.path,
          hint: "export with tensors as inputs; numbers become part of the program"
        )
      }
      if case .constant(let key) = spec { sources[name] = key } else { sources[name] = name }
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
    var least = max(range?.least ?? 0, 0)
    if allowsOne, least == 2 { least = 1 }
    let greatest = min(range?.greatest ?? .max, ExportedProgram.defaultBound)
    return least...max(least, greatest)
  }

  // MARK: - Nodes

  private mutating func add(_ node: NodeSchema, _ index: Int) throws(Diagnostic) {
    let source = node.source
    do {
      let results = try withSource(source) { () throws(Diagnostic) in try evaluate(node) }
      try bind(results, to: node, index)
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
    let results = try op.build(try call(node))
    for result in results {
      if case .tensor(let tensor) = result, let diagnostic = tensor.diagnostic { throw diagnostic }
    }
    return results
  }

  /// A node with the values that its arguments have now.
  private func call(_ node: NodeSchema) throws(Diagnostic) -> AtenCall {
    var arguments: [String: AtenValue] = [:]
    for input in node.inputs { arguments[input.name] = try value(input.argument) }
    let target =
      node.target.hasPrefix("torch.ops.") ? String(node.target.dropFirst(10)) : node.target
    return AtenCall(target: target, arguments: arguments, order: node.inputs.map(\.name))
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
      guard let value = values[memory.name(of: name)] else {
        throw Diagnostic(.corruptFile, "the value '\(name)' is used before it is computed")
      }
      if case .unavailable(let what) = value {
        throw Diagnostic(.unsupportedOperator, "the program uses \(what), which is not computed")
      }
      return value
    case .list(let elements):
      var list: [AtenValue] = []
      for element in elements { list.append(try value(element)) }
      return .list(list)
    case .graph:
      throw Diagnostic(.unsupportedFormat, "a part of the program as an argument")
    case .unsupported(let kind):
      throw Diagnostic(.unsupportedFormat, "an argument of the kind \(kind)")
    }
  }

  // MARK: - Results

  private mutating func bind(_ results: [AtenValue], to node: NodeSchema, _ index: Int)
    throws(Diagnostic)
  {
    if AtenOperator.isInPlace(node.target) { return try update(node, index, results) }
    let names = node.results
    guard names.count <= results.count else {
      throw Diagnostic(
        .internalInconsistency,
        "\(node.target) gives \(results.count) results, the program has \(names.count)"
      )
    }
    for (place, (name, value)) in zip(names, results).enumerated() {
      try check(value, name)
      values[name] = value
      memory.note(name, place, of: node, file.program.module.graph.tensors)
    }
  }

  /// Throws unless a result is what the program says of it.
  private func check(_ value: AtenValue, _ name: String) throws(Diagnostic) {
    guard case .tensor(let tensor) = value, let meta = file.program.module.graph.tensors[name]
    else { return }
    let place = "\(file.path): \(name)"
    let dtype = try meta.elementType(at: place)
    var isEqual = tensor.dtype == dtype && tensor.rank == meta.sizes.count
    for (extent, size) in zip(tensor.shape.dimensions, meta.sizes) {
      if case .number(let expected) = size, let found = extent.constant, found != expected {
        isEqual = false
      }
    }
    guard isEqual else {
      throw Diagnostic(
        .internalInconsistency,
        "'\(name)' became \(tensor.type), the program has \(dtype) of rank \(meta.sizes.count)",
        hint: "this is a defect of AITemplate: please report it with the program"
      )
    }
  }

  // MARK: - Changes in place

  /// Gives the tensor that is changed in place its new value, of the type that it has, and what shares
  /// its memory as well.
  private mutating func update(_ node: NodeSchema, _ index: Int, _ results: [AtenValue])
    throws(Diagnostic)
  {
    guard case .tensor(let written) = node.inputs.first?.argument,
      case .tensor(var result) = results.first
    else { return }
    let name = memory.name(of: written)
    for case .tensor(let output) in node.outputs { memory.rename(output, name) }
    if AtenOperator.identities.contains(AtenOperator.key(node.target)) { return }
    let root = memory.root(name)
    if let what = sources[root] { throw mutation(of: what) }
    if case .tensor(let before) = values[name], before.dtype != result.dtype {
      result = result.cast(to: before.dtype)
    }
    for case .tensor(let output) in node.outputs { try check(.tensor(result), output) }
    let readers = memory.readers(of: name, after: index)
    if case .tensor(let before) = values[name], before.rank != result.rank,
      memory.view(name) != nil || !readers.isEmpty
    {
      throw Diagnostic(
        .unsupportedOperator,
        "\(node.target) changes the shape of a tensor whose memory another shares",
        hint: "export after run_decompositions(), which writes such changes as values"
      )
    }
    values[name] = .tensor(result)
    guard !readers.isEmpty else { return }
    guard readers.allSatisfy({ memory.isCertain($0, name) }) else {
      throw Diagnostic(
        .unsupportedOperator,
        "\(node.target) changes memory that another tensor may share",
        hint: "export after run_decompositions(), which writes such changes as values"
      )
    }
    try writeBack(name, readers)
    for view in memory.views(of: root) where !memory.path(name).contains(view.name) {
      guard let results = try? evaluate(view.node), view.place < results.count else { continue }
      values[view.name] = results[view.place]
    }
  }

  /// Writes a view's new value into the tensors that it is a view of.
  private mutating func writeBack(_ name: String, _ readers: [String]) throws(Diagnostic) {
    // What is a view of this one alone is computed from it.
    guard !readers.allSatisfy({ memory.path($0).contains(name) }) else { return }
    for child in memory.path(name) {
      guard let view = memory.view(child), case .tensor(let value) = values[child] else { break }
      let parent = try call(view.node).written(value, view.place)
      if let diagnostic = parent.diagnostic { throw diagnostic }
      try check(.tensor(parent), view.parent)
      values[view.parent] = .tensor(parent)
    }
  }
}
