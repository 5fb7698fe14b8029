import AITGraph

/// What a tensor stands for: a node of the lazily built program.
///
/// Tensors share it; nothing but its names changes once it is made.
final class Expression {
  /// Where the values come from.
  enum Kind {
    case input(name: String)
    /// A literal, or a constant that the library offers by name.
    case constant(TensorData, name: String?)
    case parameter(Parameter)
    /// A constant that belongs to no module and whose elements are not known.
    case weight(name: String)
    /// A piece of a graph whose inputs are the operands and whose outputs are the results.
    case fragment(Graph)
    case failure(Diagnostic)
  }

  let kind: Kind
  private(set) var operands: [Tensor]
  let types: [TensorType]
  let callSite: CallSite?
  /// The dotted path of the module whose call made it; empty outside of any.
  let path: String
  /// Whether it is what its module is there for, and so bears the module's name alone.
  var representsModule = false
  /// What an input or weight is, if that was said after its making.
  var resolvedSource: (name: String, isInput: Bool)?
  /// Names that the user gave the results.
  var givenNames: [Int: String] = [:]

  init(
    _ kind: Kind,
    operands: [Tensor] = [],
    _ types: [TensorType],
    _ callSite: CallSite?
  ) {
    self.kind = kind
    self.operands = operands
    self.types = types
    self.callSite = callSite
    path = Scope.current?.module.path ?? ""
  }

  deinit {
    // One after the other: a program may be deeper than the thread's stack.
    var pending = takeOperands()
    while var expression = pending.popLast() {
      if isKnownUniquelyReferenced(&expression) { pending += expression.takeOperands() }
    }
  }

  private func takeOperands() -> [Expression] {
    defer { operands = [] }
    return operands.map(\.expression)
  }
}

extension Tensor {
  /// Says anew what an input or weight is called, and which of the two it is.
  ///
  /// For programs whose tensors get their names after what is computed from them.
  package func resolveSource(name: String, isInput: Bool) {
    expression.resolvedSource = (name, isInput)
  }

  /// Returns the tensor as what the module is there for whose call made it: its node bears the
  /// module's name alone.
  func representingModule() -> Tensor {
    expression.representsModule = true
    return self
  }

  /// Returns the results of verbs applied to tensors.
  ///
  /// The verbs run at once, on a graph of their own with the operands as inputs: so the types are
  /// known and mistakes found at the call. The graph is pasted into the program's when that is
  /// built. The first failure among the operands, or of the verbs, becomes all of the results.
  static func make(
    _ operands: [Tensor],
    resultCount: Int,
    _ callSite: CallSite?,
    _ build: (inout Graph, [ValueID]) throws(Diagnostic) -> [ValueID]
  ) -> [Tensor] {
    if let diagnostic = operands.lazy.compactMap(\.diagnostic).first {
      return Array(repeating: Tensor(failure: diagnostic, callSite), count: resultCount)
    }
    let callSite = callSite ?? Scope.current?.callSite ?? nearest(operands)
    do {
      var graph = Graph(name: "fragment")
      var inputs: [ValueID] = []
      for (index, operand) in operands.enumerated() {
        inputs.append(try graph.addInput("operand_\(index)", operand.type))
      }
      let results = try build(&graph, inputs)
      for (index, result) in results.enumerated() {
        try graph.addOutput("result_\(index)", result)
      }
      let expression = Expression(
        .fragment(graph),
        operands: operands,
        results.map { graph[$0].type },
        callSite
      )
      return results.indices.map { Tensor(expression, $0) }
    } catch {
      let failure = Tensor(failure: located(error, callSite), callSite)
      return Array(repeating: failure, count: resultCount)
    }
  }

  /// Returns the one result of verbs applied to tensors.
  static func make(
    _ operands: [Tensor],
    _ callSite: CallSite?,
    _ build: (inout Graph, [ValueID]) throws(Diagnostic) -> ValueID
  ) -> Tensor {
    make(operands, resultCount: 1, callSite) { (graph, inputs) throws(Diagnostic) in
      [try build(&graph, inputs)]
    }[0]
  }

  /// Returns the results of verbs applied to tensors, for what is no function of `Tensor`.
  ///
  /// See ``make(_:resultCount:_:_:)``; the first failure is thrown.
  package static func building(
    _ operands: [Tensor],
    resultCount: Int,
    _ build: (inout Graph, [ValueID]) throws(Diagnostic) -> [ValueID]
  ) throws(Diagnostic) -> [Tensor] {
    let callSite = CallSite.resolved(#fileID, #line)
    let results = make(operands, resultCount: resultCount, callSite, build)
    if let diagnostic = results.lazy.compactMap(\.diagnostic).first { throw diagnostic }
    return results
  }

  /// Returns a tensor that carries a problem.
  static func failing(_ diagnostic: Diagnostic, _ callSite: CallSite?) -> Tensor {
    Tensor(failure: located(diagnostic, callSite), callSite)
  }

  private init(failure: Diagnostic, _ callSite: CallSite?) {
    self.init(Expression(.failure(failure), [TensorType(.float32, [])], callSite), 0)
  }

  /// Where the first operand that knows was made: operators such as `+` learn no line of their own.
  private static func nearest(_ operands: [Tensor]) -> CallSite? {
    operands.lazy.compactMap(\.expression.callSite).first
  }

  private static func located(_ diagnostic: Diagnostic, _ callSite: CallSite?) -> Diagnostic {
    var copy = diagnostic
    var places: [String] = []
    if let callSite { places.append(callSite.description) }
    if let path = Scope.current?.module.path, !path.isEmpty { places.append(path) }
    if let location = diagnostic.location { places.append(location) }
    copy.location = places.isEmpty ? nil : places.joined(separator: ": ")
    return copy
  }
}
