/// Writes graphs as text that `GraphParser` reads back to an equal graph.
///
/// ```
/// graph simple_model {
///   symbol batch: 1...2048
///   input X: float16[batch, 512]
///   constant dense1_weight: float16[2048, 512] "dense1.weight"
///   dense1 = matmul(X, dense1_weight) {transpose_b: true} : float16[batch, 2048]
///   output Y = dense1
/// }
/// ```
package struct GraphPrinter {
  /// Whether the elements of large constants are written too; without them they read back unbound.
  package var includesData: Bool

  /// Constants of up to this many elements are always written.
  private static let smallConstant = 32

  package init(includesData: Bool = false) { self.includesData = includesData }

  /// The text of a graph, nodes in order of execution.
  package func text(_ graph: Graph) -> String {
    var lines = ["graph \(graph.name) {"]
    for symbol in graph.symbols {
      lines.append(
        "  symbol \(symbol.name): \(symbol.bounds.lowerBound)...\(symbol.bounds.upperBound)"
      )
    }
    for id in graph.inputs { lines.append("  input \(graph[id].name): \(graph[id].type)") }
    for id in graph.constants {
      guard let constant = graph.constant(id) else { continue }
      var line =
        "  \(constant.isNamed ? "constant" : "literal") \(graph[id].name): \(graph[id].type)"
      if constant.originalName != graph[id].name && constant.isNamed {
        line += " \(Self.quoted(constant.originalName))"
      }
      if let data = constant.data { line += dataText(data) }
      lines.append(line)
    }
    for id in graph.sortedNodes() { lines.append("  " + text(graph[id], in: graph)) }
    for output in graph.outputs {
      lines.append("  output \(output.name) = \(graph[output.value].name)")
    }
    return lines.joined(separator: "\n") + "\n}\n"
  }

  /// The line of one node.
  package func text(_ node: Graph.Node, in graph: Graph) -> String {
    let results = node.outputs.map { graph[$0].name }.joined(separator: ", ")
    let operands = node.inputs.map { graph[$0].name }.joined(separator: ", ")
    var line = "\(results) = \(type(of: node.op).name)(\(operands))"
    var attributes = node.op.attributes.map { "\($0.name): \(Self.text($0.value))" }
    if let prologue = node.fusion.prologue { attributes.append("prologue: \(Self.text(prologue))") }
    if node.fusion.exposesPrologue { attributes.append("exposes_prologue: true") }
    if let epilogue = node.fusion.epilogue {
      let joined = node.fusion.joinedResults
      if joined != 1 { attributes.append("joined_results: \(joined)") }
      attributes.append("epilogue: \(Self.text(epilogue))")
    }
    if !attributes.isEmpty { line += " {\(attributes.joined(separator: ", "))}" }
    line += " : " + node.outputs.map { graph[$0].type.description }.joined(separator: ", ")
    if node.outputs.first.map({ graph[$0].name }) != node.name { line += " @\(node.name)" }
    if let source = node.source { line += " from \(Self.quoted(source))" }
    return line
  }

  private func dataText(_ data: TensorData) -> String {
    if data.elementCount <= Self.smallConstant {
      let elements = data.scalars.map { value in
        switch value {
        case .float(let double): "\(double)"
        case .integer(let integer): "\(integer)"
        case .bool(let bool): bool ? "1" : "0"
        }
      }
      return " = {\(elements.joined(separator: ", "))}"
    }
    guard includesData else { return " = ..." }
    return " = hex \"" + data.withUnsafeBytes { $0.map(Self.hexadecimal).joined() } + "\""
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    let text = String(byte, radix: 16)
    return text.count == 1 ? "0" + text : text
  }

  static func quoted(_ text: String) -> String {
    var result = "\""
    for character in text.unicodeScalars {
      switch character {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(character)
      }
    }
    return result + "\""
  }

  /// The text of an attribute's value.
  package static func text(_ value: AttributeValue) -> String {
    switch value {
    case .bool(let bool): "\(bool)"
    case .integer(let integer): "\(integer)"
    case .float(let bits): "\(Double(bitPattern: bits))"
    case .string(let string): quoted(string)
    case .dtype(let dtype): dtype.rawValue
    case .integers(let integers): "[\(integers.map(String.init).joined(separator: ", "))]"
    case .dimensions(let dimensions):
      "[\(dimensions.map(\.description).joined(separator: ", "))]"
    case .expression(let expression): text(expression)
    }
  }

  /// The text of a scalar expression: `(x0: float32) { t1 = tanh(x0); return t1 }`.
  package static func text(_ expression: ScalarExpression) -> String {
    let inputs = expression.inputTypes.enumerated().map { "x\($0.offset): \($0.element.rawValue)" }
    var statements: [String] = []
    func name(_ index: Int) -> String {
      if case .input(let input) = expression.instructions[index] {
        "x\(input)"
      } else {
        "t\(index)"
      }
    }
    for (index, instruction) in expression.instructions.enumerated() {
      switch instruction {
      case .input: continue
      case .constant(let constant):
        let literal =
          switch constant.value {
          case .float(let double): "\(double)"
          case .integer(let integer): "\(integer)"
          case .bool(let bool): bool ? "1" : "0"
          }
        statements.append("\(name(index)) = \(literal): \(expression.types[index].rawValue)")
      case .call(let function, let arguments):
        let operands = arguments.map(name).joined(separator: ", ")
        statements.append("\(name(index)) = \(function.rawValue)(\(operands))")
      case .cast(let argument):
        statements.append(
          "\(name(index)) = cast(\(name(argument)), \(expression.types[index].rawValue))"
        )
      }
    }
    statements.append("return \(expression.results.map(name).joined(separator: ", "))")
    return "(\(inputs.joined(separator: ", "))) { \(statements.joined(separator: "; ")) }"
  }
}

extension Graph: CustomStringConvertible {
  /// The graph as text, without the elements of large constants.
  public var description: String { GraphPrinter().text(self) }
}
