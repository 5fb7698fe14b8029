import AITGraph
import AITKernels
import AITLoader
import AITOperators
import AITReference
import AITemplate

/// Checks every operator on a target against the reference: the examples of the catalogue, compiled
/// and run.
///
/// One table serves the tests and `ait conformance`.
package struct Conformance: Sendable {
  /// What came of one example.
  package struct Outcome: Sendable, CustomStringConvertible {
    /// The operator's name.
    package let operatorName: String
    /// The example, as a call.
    package let example: String
    /// What is wrong; nil if all results are as they should be.
    package let problem: String?
    /// The largest normalised error of its results.
    package let error: Double
    /// Whether the problem is that the target has no kernel for it.
    package var isGap = false

    package var isPassed: Bool { problem == nil }

    package var description: String {
      "\(isPassed ? "ok  " : isGap ? "GAP " : "FAIL") \(example)\(problem.map { ": \($0)" } ?? "")"
    }
  }

  private let compiler: Compiler
  private let workDirectory: String
  private let threads: Int
  private let seed: UInt64
  private let skipsGaps: Bool

  /// With `skipsGaps`, examples that the target has no kernel for are told as gaps, not thrown.
  package init(
    target: Target,
    workDirectory: String,
    options: CompilerOptions = CompilerOptions(),
    threads: Int = 0,
    seed: UInt64 = 1,
    skipsGaps: Bool = false
  ) {
    self.skipsGaps = skipsGaps
    var options = options
    // Every operator is to be its own kernel, as it is.
    options.optimizes = false
    options.includesSelfTest = false
    compiler = Compiler(target: target, options: options)
    self.workDirectory = workDirectory
    self.threads = threads
    self.seed = seed
  }

  /// The names of all operators.
  package static var operatorNames: [String] { OperatorCatalog.all.map { $0.name } }

  /// Runs all examples of an operator by name.
  package func run(operatorNamed name: String) async throws(Diagnostic) -> [Outcome] {
    guard let type = OperatorCatalog.all.first(where: { $0.name == name }) else {
      let near = Identifier.nearest(to: name, among: Self.operatorNames)
      throw Diagnostic(
        .unknownOperator,
        "'\(name)' is not an operator",
        hint: near.isEmpty
          ? "`ait operators` lists them" : "did you mean \(near.joined(separator: ", "))?"
      )
    }
    return try await run(type)
  }

  /// Runs all examples of an operator, compiled into one library.
  package func run(_ type: any Operator.Type) async throws(Diagnostic) -> [Outcome] {
    try await run(type.examples, named: type.name)
  }

  /// Runs examples, compiled into one library.
  ///
  /// Each runs at the least and at a middling size of every symbol; outputs are poisoned and
  /// guarded.
  package func run(_ examples: [OperatorExample], named name: String) async throws(Diagnostic)
    -> [Outcome]
  {
    let gaps = try skipsGaps ? examples.map(gap) : examples.map { _ in nil }
    let supported = zip(examples, gaps).filter { $0.1 == nil }.map(\.0)
    var outcomes = try await supported.isEmpty ? [] : check(supported, named: name)
    for (index, gap) in gaps.enumerated() {
      guard let gap else { continue }
      outcomes.insert(
        Outcome(
          operatorName: name,
          example: examples[index].description,
          problem: gap,
          error: 0,
          isGap: true
        ),
        at: index
      )
    }
    return outcomes
  }

  /// Why the target cannot run an example; nil if it can.
  private func gap(_ example: OperatorExample) throws(Diagnostic) -> String? {
    var graph = Graph(name: "gap")
    _ = try Entry(example, 0, in: &graph)
    do throws(Diagnostic) { _ = try compiler.plan(graph) } catch {
      guard error.identity == .unsupportedOperator else { throw error }
      return error.message
    }
    return nil
  }

  private func check(_ examples: [OperatorExample], named name: String) async throws(Diagnostic)
    -> [Outcome]
  {
    var graph = Graph(name: name)
    var entries: [Entry] = []
    for (index, example) in examples.enumerated() {
      entries.append(try Entry(example, index, in: &graph))
    }
    let result = try await compiler.compile(graph, in: workDirectory, for: "conformance")
    let module = try CompiledModule(contentsOf: result.library, threads: threads)
    var outcomes = entries.map { _ in (problem: String?.none, error: 0.0) }
    for size in [SymbolSize.least, .middling] {
      var generator = RandomGenerator(seed: seed)
      var inputs: [TensorData] = []
      for entry in entries { inputs += entry.makeInputs(size, &generator) }
      let found = try GuardedRun.run(module, inputs, threads: threads)
      var next = 0
      var firstInput = 0
      for (index, entry) in entries.enumerated() {
        let own = Array(inputs[firstInput..<(firstInput + entry.inputCount)])
        firstInput += entry.inputCount
        let results = Array(found.results[next..<(next + entry.resultCount)])
        next += entry.resultCount
        let (problem, error) = try entry.compare(own, results)
        outcomes[index].error = max(outcomes[index].error, error)
        outcomes[index].problem = outcomes[index].problem ?? problem ?? found.problem
      }
    }
    return zip(entries, outcomes).map { entry, outcome in
      Outcome(
        operatorName: name,
        example: entry.example.description,
        problem: outcome.problem,
        error: outcome.error
      )
    }
  }
}

/// Which value symbols take.
enum SymbolSize {
  case least
  case middling

  func value(_ symbol: Symbol) -> Int {
    switch self {
    case .least: symbol.bounds.lowerBound
    // Odd, and beyond the width of a vector where the bounds allow.
    case .middling: min(symbol.bounds.upperBound, max(symbol.bounds.lowerBound, 37))
    }
  }
}

/// An example as a part of the graph that holds them all.
private struct Entry {
  let example: OperatorExample
  let operands: [TensorType]
  let resultCount: Int
  private let op: any Operator
  private let sizeSymbols: [Symbol]

  /// The inputs that the entry adds to the graph.
  var inputCount: Int { operands.count + (sizeSymbols.isEmpty ? 0 : 1) }

  /// Adds the example's node, with symbols of its own: examples may use one name for two ranges.
  init(_ example: OperatorExample, _ index: Int, in graph: inout Graph) throws(Diagnostic) {
    self.example = example
    operands = example.operands
    op = example.op
    // The text form carries the operator over with its symbols renamed.
    let renamed = try Self.renaming(example, prefix: "e\(index)_")
    var inputs: [ValueID] = []
    for (position, type) in renamed.operands.enumerated() {
      inputs.append(try graph.addInput("e\(index)_x\(position)", type))
    }
    // Symbols of attributes alone are read off an input that nothing else uses.
    let readable = renamed.operands.reduce(into: Set<Symbol>()) { $0.formUnion($1.shape.symbols) }
    let results = try graph.addNode(renamed.op, inputs, name: "e\(index)")
    let used = results.reduce(into: Set<Symbol>()) { $0.formUnion(graph[$1].type.shape.symbols) }
    sizeSymbols = used.subtracting(readable).sorted { $0.name < $1.name }
    if !sizeSymbols.isEmpty {
      _ = try graph.addInput(
        "e\(index)_sizes",
        TensorType(.bool, Shape(sizeSymbols.map { Dimension($0) }))
      )
    }
    for (position, result) in results.enumerated() {
      try graph.addOutput("e\(index)_y\(position)", result)
    }
    resultCount = results.count
  }

  private static func renaming(_ example: OperatorExample, prefix: String) throws(Diagnostic)
    -> (op: any Operator, operands: [TensorType])
  {
    func rename(_ dimension: Dimension) -> Dimension {
      dimension.substituting { Dimension(Symbol(prefix + $0.name, $0.bounds)) }
    }
    let operands = example.operands.map { type in
      TensorType(type.dtype, Shape(type.shape.dimensions.map(rename)))
    }
    let attributes = example.op.attributes.map { attribute in
      if case .dimensions(let dimensions) = attribute.value {
        Attribute(attribute.name, .dimensions(dimensions.map(rename)))
      } else {
        attribute
      }
    }
    let type = type(of: example.op)
    var reader = try AttributeReader(attributes, operatorName: type.name)
    return (try type.init(&reader), operands)
  }

  func makeInputs(_ size: SymbolSize, _ generator: inout RandomGenerator) -> [TensorData] {
    let sizes =
      sizeSymbols.isEmpty ? [] : [TensorData(zeros: .bool, sizeSymbols.map { size.value($0) })]
    return sizes.isEmpty ? tensors(size, &generator) : tensors(size, &generator) + sizes
  }

  private func tensors(_ size: SymbolSize, _ generator: inout RandomGenerator) -> [TensorData] {
    operands.map { type in
      var values: [String: Int] = [:]
      for symbol in type.shape.symbols { values[symbol.name] = size.value(symbol) }
      let extents = type.shape.evaluate(values) ?? []
      let isIndex = !type.dtype.isFloatingPoint && example.indexBound != nil
      return TensorData.random(
        type.dtype,
        extents,
        using: &generator,
        indexBound: isIndex ? example.indexBound : nil
      )
    }
  }

  func compare(_ inputs: [TensorData], _ found: [TensorData]) throws(Diagnostic) -> (
    String?, Double
  ) {
    var graph = Graph(name: "example")
    var ids: [ValueID] = []
    for (index, type) in operands.enumerated() { ids.append(try graph.addInput("x\(index)", type)) }
    if !sizeSymbols.isEmpty {
      let shape = Shape(
        sizeSymbols.map { Dimension(Symbol($0.name.droppingPrefix, $0.bounds)) }
      )
      _ = try graph.addInput("x\(operands.count)", TensorType(.bool, shape))
    }
    for (index, result) in try graph.addNode(op, ids).enumerated() {
      try graph.addOutput("y\(index)", result)
    }
    var named: [String: TensorData] = [:]
    for (index, input) in inputs.enumerated() { named["x\(index)"] = input }
    let expected = try Evaluator.run(graph, named).outputs
    var problem: String?
    var error = 0.0
    for (index, result) in found.enumerated() {
      guard let truth = expected["y\(index)"] else { continue }
      let length = inputs.map(\.elementCount).max() ?? 1
      let comparison = AITReference.compare(result, truth, reductionLength: length)
      error = max(error, comparison.error)
      if !comparison.isEqual { problem = problem ?? "\(comparison)" }
    }
    return (problem, error)
  }
}

extension String {
  /// The name without the prefix that tells examples apart.
  fileprivate var droppingPrefix: String {
    firstIndex(of: "_").map { String(self[index(after: $0)...]) } ?? self
  }
}
