/// Writes graphs as functions in the manner of Python: one line for each node, fused work as part of
/// its formula.
///
/// ```
/// def simple_model(X: float16[batch, 512]):  # batch: 1...2048
///     dense1 = fast_gelu(matmul(X, dense1_weight.T) + dense1_bias)  # float16[batch, 2048]
///     dense2 = matmul(dense1, dense2_weight.T) + dense2_bias + X  # float16[batch, 512]
///     return {"Y": dense2}
/// ```
///
/// It is for people to read and cannot be read back; `GraphPrinter` writes text that can. Terms that
/// a formula uses more than once are named after it: `t0 * sigmoid(t0)  where t0 = a + b`. The one
/// result of a node bears the name of the node, which fusion keeps.
package struct PseudoCode {
  /// Whether types are written too.
  package var includesShapes: Bool
  private let graph: Graph
  /// The names of results that differ from those of the values.
  private let resultNames: [ValueID: String]

  package init(_ graph: Graph, includesShapes: Bool = true) {
    self.graph = graph
    self.includesShapes = includesShapes
    resultNames = Self.resultNames(graph)
  }

  private static func resultNames(_ graph: Graph) -> [ValueID: String] {
    var names: [ValueID: String] = [:]
    var taken = Set((graph.inputs + graph.constants).map { graph[$0].name })
    for id in graph.nodeIDs where graph[id].outputs.count > 1 {
      taken.formUnion(graph[id].outputs.map { graph[$0].name })
    }
    for id in graph.nodeIDs {
      guard graph[id].outputs.count == 1, let result = graph[id].outputs.first else { continue }
      let name = Identifier.unique(graph[id].name, among: taken)
      taken.insert(name)
      names[result] = name
    }
    return names
  }

  /// The text of the graph, nodes in order of execution.
  package var text: String {
    let parameters = graph.inputs.map { id in
      includesShapes ? "\(graph[id].name): \(graph[id].type)" : graph[id].name
    }
    var head = "def \(graph.name)(\(parameters.joined(separator: ", "))):"
    if includesShapes, !graph.symbols.isEmpty {
      let bounds = graph.symbols.map {
        "\($0.name): \($0.bounds.lowerBound)...\($0.bounds.upperBound)"
      }
      head += "  # \(bounds.joined(separator: ", "))"
    }
    var lines = [head]
    for id in graph.sortedNodes() { lines.append("    " + line(graph[id])) }
    let results = graph.outputs.map { "\"\($0.name)\": \(name(of: $0.value))" }
    lines.append("    return {\(results.joined(separator: ", "))}")
    return lines.joined(separator: "\n") + "\n"
  }

  /// The line of one node: results, formula and types.
  package func line(_ node: Graph.Node) -> String {
    let names = node.outputs.map { name(of: $0) }.joined(separator: ", ")
    let types = node.outputs.map { graph[$0].type.description }.joined(separator: ", ")
    return "\(names) = \(formula(node))" + (includesShapes ? "  # \(types)" : "")
  }

  /// What a node computes, as a formula of the names of its inputs.
  package func formula(_ node: Graph.Node) -> String {
    var bindings = Bindings()
    var operands = node.inputs.map { Term(name(of: $0), .atom) }
    let extras = Array(operands.suffix(node.fusion.epilogueInputCount))
    operands.removeLast(extras.count)
    var exposed: [Term] = []
    if let prologue = node.fusion.prologue {
      let count = prologue.inputTypes.count
      var made = terms(prologue, Array(operands.prefix(count)), &bindings)
      if node.fusion.exposesPrologue {
        made = [bindings.bind(made[0])]
        exposed = made
      }
      operands.replaceSubrange(0..<count, with: made)
    }
    var results = call(node.op, operands, &bindings)
    if let epilogue = node.fusion.epilogue {
      results = terms(epilogue, results + extras, &bindings)
    }
    return (results + exposed).map(\.text).joined(separator: ", ") + bindings.text
  }

  // MARK: - Operators

  private func call(_ op: any Operator, _ operands: [Term], _ bindings: inout Bindings) -> [Term] {
    var function = type(of: op).name
    var arguments = operands.map(\.text)
    for attribute in op.attributes {
      switch (attribute.name, attribute.value) {
      case ("body", .expression(let body)) where operands.count == body.inputTypes.count:
        return terms(body, operands, &bindings)
      case ("kind", .string(let kind)): function = kind
      case ("transpose_a", .bool(true)) where !operands.isEmpty:
        arguments[0] = operands[0].text(asOperandOf: .atom) + ".T"
      case ("transpose_b", .bool(true)) where operands.count > 1:
        arguments[1] = operands[1].text(asOperandOf: .atom) + ".T"
      default: arguments.append("\(attribute.name)=\(Self.text(attribute.value))")
      }
    }
    return [Term("\(function)(\(arguments.joined(separator: ", ")))", .atom, isName: false)]
  }

  /// The name of a value, or its number if it is a literal of rank 0.
  private func name(of id: ValueID) -> String {
    if let constant = graph.constant(id), !constant.isNamed, let data = constant.data,
      data.shape.isEmpty
    {
      return Self.text(data.scalar(at: 0), data.dtype)
    }
    return resultNames[id] ?? graph[id].name
  }

  private static func text(_ value: AttributeValue) -> String {
    switch value {
    case .bool(let bool): bool ? "True" : "False"
    default: GraphPrinter.text(value)
    }
  }

  /// A number to about seven digits, so that formulas stay readable.
  private static func text(_ value: ScalarValue, _ dtype: DType) -> String {
    switch value {
    case .bool(let bool): bool ? "True" : "False"
    case .integer(let integer): dtype == .bool ? (integer == 0 ? "False" : "True") : "\(integer)"
    case .float(let double):
      double.magnitude > Double(Float.greatestFiniteMagnitude) && double.isFinite
        ? "\(double)" : "\(Float(double))"
    }
  }

  // MARK: - Scalar expressions

  private func terms(
    _ expression: ScalarExpression,
    _ inputs: [Term],
    _ bindings: inout Bindings
  ) -> [Term] {
    var uses: [Int: Int] = [:]
    for result in expression.results { uses[result, default: 0] += 1 }
    for (index, instruction) in expression.instructions.enumerated().reversed()
    where uses[index] != nil {
      switch instruction {
      case .call(_, let arguments): for argument in arguments { uses[argument, default: 0] += 1 }
      case .cast(let argument): uses[argument, default: 0] += 1
      case .input, .constant: break
      }
    }
    var made: [Int: Term] = [:]
    for (index, instruction) in expression.instructions.enumerated() {
      guard let count = uses[index] else { continue }
      var term =
        switch instruction {
        case .input(let input): inputs[input]
        case .constant(let constant):
          Term(Self.text(constant.value, expression.types[index]), .atom)
        case .cast(let argument):
          Term(
            "\(expression.types[index].rawValue)(\(made[argument]?.text ?? ""))",
            .atom,
            isName: false
          )
        case .call(let function, let arguments):
          Self.term(function, arguments.compactMap { made[$0] })
        }
      if count > 1, !term.isName { term = bindings.bind(term) }
      made[index] = term
    }
    return expression.results.compactMap { made[$0] }
  }

  private static func term(_ function: ScalarFunction, _ operands: [Term]) -> Term {
    if operands.count == 2, let (symbol, strength) = infix(function) {
      let left = operands[0].text(asOperandOf: strength)
      let right = operands[1].text(asOperandOf: strength.next)
      return Term("\(left) \(symbol) \(right)", strength, isName: false)
    }
    switch (function, operands.first) {
    case (.negate, let x?): return Term("-\(x.text(asOperandOf: .unary))", .unary, isName: false)
    case (.not, let x?): return Term("~\(x.text(asOperandOf: .unary))", .unary, isName: false)
    case (.square, let x?):
      return Term("\(x.text(asOperandOf: .atom)) ** 2", .power, isName: false)
    default:
      let name = function == .select ? "where" : function.rawValue
      let arguments = operands.map(\.text).joined(separator: ", ")
      return Term("\(name)(\(arguments))", .atom, isName: false)
    }
  }

  private static func infix(_ function: ScalarFunction) -> (String, Strength)? {
    switch function {
    case .add: ("+", .sum)
    case .subtract: ("-", .sum)
    case .multiply: ("*", .product)
    case .divide: ("/", .product)
    case .floorDivide: ("//", .product)
    case .remainder: ("%", .product)
    case .power: ("**", .power)
    case .equal: ("==", .comparison)
    case .notEqual: ("!=", .comparison)
    case .less: ("<", .comparison)
    case .lessEqual: ("<=", .comparison)
    case .greater: (">", .comparison)
    case .greaterEqual: (">=", .comparison)
    case .or: ("|", .or)
    case .xor: ("^", .xor)
    case .and: ("&", .and)
    case .shiftLeft: ("<<", .shift)
    case .shiftRight: (">>", .shift)
    default: nil
    }
  }
}

/// How tightly a term holds together, as Python ranks its operators.
private enum Strength: Int, Comparable {
  case comparison, or, xor, and, shift, sum, product, unary, power, atom

  static func < (left: Strength, right: Strength) -> Bool { left.rawValue < right.rawValue }

  /// The least strength that needs no parentheses on the right of an operator of this one.
  var next: Strength { Strength(rawValue: rawValue + 1) ?? .atom }
}

/// A part of a formula.
private struct Term {
  let text: String
  let strength: Strength
  /// Whether it is a name or a number, which may be written any number of times.
  let isName: Bool

  init(_ text: String, _ strength: Strength, isName: Bool = true) {
    self.text = text
    self.strength = strength
    self.isName = isName
  }

  func text(asOperandOf other: Strength) -> String { strength < other ? "(\(text))" : text }
}

/// The terms that a formula names.
private struct Bindings {
  private var terms: [String] = []

  mutating func bind(_ term: Term) -> Term {
    guard !term.isName else { return term }
    let name = "t\(terms.count)"
    terms.append("\(name) = \(term.text)")
    return Term(name, .atom)
  }

  var text: String { terms.isEmpty ? "" : "  where \(terms.joined(separator: ", "))" }
}

extension Graph {
  /// The graph as a function in the manner of Python, one line for each node; to be read, not parsed.
  ///
  /// - Parameter withShapes: whether the type of each input and result is written beside it.
  /// - Returns: the text.
  public func pseudoCode(withShapes: Bool = true) -> String {
    PseudoCode(self, includesShapes: withShapes).text
  }
}
