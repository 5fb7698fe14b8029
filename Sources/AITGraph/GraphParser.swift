/// Reads graph text; the article *The graph as text* defines its form, `GraphPrinter` writes it.
///
/// Types after a colon are checked against those inferred, and may be left out.
package struct GraphParser {
  private var lexer: GraphLexer
  var token: GraphLexer.Token
  /// The line of the token.
  var line = 1
  private let operators: [String: any Operator.Type]
  var symbols: [String: Symbol] = [:]
  var named: [String: ValueID] = [:]
  var graph = Graph(name: "graph")
  /// How deep parentheses may nest: hostile text must not exhaust the stack.
  var depth = 0
  static let maximumDepth = 64

  /// Reads a graph whose operators are among those given by name.
  package static func parse(_ text: String, operators: [any Operator.Type]) throws(Diagnostic)
    -> Graph
  {
    var byName: [String: any Operator.Type] = [:]
    for type in operators { byName[type.name] = type }
    var parser = try GraphParser(text, operators: byName)
    return try parser.parseGraph()
  }

  private init(_ text: String, operators: [String: any Operator.Type]) throws(Diagnostic) {
    lexer = GraphLexer(text)
    self.operators = operators
    token = try lexer.next()
    line = lexer.line
  }

  // MARK: - Tokens

  mutating func advance() throws(Diagnostic) {
    token = try lexer.next()
    line = lexer.line
  }

  /// A complaint about the token at hand, or about one read before on the given line.
  func failure(_ message: String, hint: String? = nil, onLine line: Int? = nil) -> Diagnostic {
    Diagnostic(.syntax, message, at: "line \(line ?? self.line)", hint: hint)
  }

  /// Returns what a closure makes of the coming tokens, without consuming them.
  mutating func lookingAhead<T>(_ read: (inout GraphParser) throws(Diagnostic) -> T)
    throws(Diagnostic) -> T
  {
    let (lexer, token, line) = (lexer, token, line)
    defer { (self.lexer, self.token, self.line) = (lexer, token, line) }
    return try read(&self)
  }

  mutating func accept(_ symbol: String) throws(Diagnostic) -> Bool {
    guard token == .symbol(symbol) || token == .word(symbol) else { return false }
    try advance()
    return true
  }

  mutating func expect(_ symbol: String) throws(Diagnostic) {
    guard try accept(symbol) else {
      throw failure("found \(token.text), expected '\(symbol)'")
    }
  }

  mutating func word(_ what: String) throws(Diagnostic) -> String {
    guard case .word(let text) = token else {
      throw failure("found \(token.text), expected \(what)")
    }
    try advance()
    return text
  }

  mutating func integer() throws(Diagnostic) -> Int {
    let isNegative = try accept("-")
    guard case .number(let text) = token, let value = Int(isNegative ? "-\(text)" : text) else {
      throw failure("found \(token.text), expected an integer of 64 bits")
    }
    try advance()
    return value
  }

  mutating func scalar() throws(Diagnostic) -> ScalarValue {
    let isNegative = try accept("-")
    let sign = isNegative ? "-" : ""
    switch token {
    case .number(let text):
      guard let value = ScalarValue(numeral: sign + text) else {
        throw failure("'\(text)' is not a number")
      }
      try advance()
      return value
    case .word("inf"):
      try advance()
      return .float(isNegative ? -.infinity : .infinity)
    case .word("nan"):
      try advance()
      return .float(.nan)
    default: throw failure("found \(token.text), expected a number")
    }
  }

  mutating func dtype() throws(Diagnostic) -> DType {
    let line = line
    let text = try word("an element type")
    guard let dtype = DType(rawValue: text) else {
      throw failure(
        "'\(text)' is not an element type",
        hint: "one of \(DType.allCases.map(\.rawValue).joined(separator: ", "))",
        onLine: line
      )
    }
    return dtype
  }

  // MARK: - Statements

  private mutating func parseGraph() throws(Diagnostic) -> Graph {
    try expect("graph")
    graph.name = Identifier.make(try word("the graph's name"))
    try expect("{")
    while try !accept("}") {
      let first = try word("a statement")
      // A value may bear any name: a result is followed by "=" or "," where a statement has a name.
      switch token == .symbol("=") || token == .symbol(",") ? nil : first {
      case "symbol": try parseSymbol()
      case "input": try parseInput()
      case "constant": try parseConstant(isNamed: true)
      case "literal": try parseConstant(isNamed: false)
      case "output": try parseOutput()
      default: try parseNode(first)
      }
    }
    guard token == .end else { throw failure("found \(token.text) after the graph") }
    try graph.verify()
    return graph
  }

  private mutating func parseSymbol() throws(Diagnostic) {
    let line = line
    let name = try word("the symbol's name")
    try expect(":")
    let low = try integer()
    try expect("...")
    let high = try integer()
    guard low <= high, low >= 0 else {
      throw failure(
        "symbol '\(name)' has the empty or negative range \(low)...\(high)",
        onLine: line
      )
    }
    guard symbols.updateValue(Symbol(name, low...high), forKey: name) == nil else {
      throw Diagnostic(.duplicateName, "symbol '\(name)' is declared twice", at: "line \(line)")
    }
  }

  private mutating func declare(_ name: String, _ id: ValueID) throws(Diagnostic) {
    guard named.updateValue(id, forKey: name) == nil else {
      throw Diagnostic(.duplicateName, "'\(name)' is defined twice")
    }
  }

  private mutating func parseInput() throws(Diagnostic) {
    let place = "line \(line)"
    let name = try word("the input's name")
    try expect(":")
    let type = try tensorType()
    do throws(Diagnostic) {
      try declare(name, try graph.addInput(name, type))
    } catch { throw error.located(at: place) }
  }

  private mutating func parseConstant(isNamed: Bool) throws(Diagnostic) {
    let place = "line \(line)"
    let name = try word("the constant's name")
    try expect(":")
    let type = try tensorType()
    var original = name
    if case .string(let text) = token {
      original = text
      try advance()
    }
    let data = try accept("=") ? try parseData(type) : nil
    do throws(Diagnostic) {
      try declare(
        name,
        try graph.addConstant(
          name,
          type,
          data: data,
          originalName: original,
          isNamed: isNamed
        )
      )
    } catch { throw error.located(at: place) }
  }

  private mutating func parseData(_ type: TensorType) throws(Diagnostic) -> TensorData? {
    if try accept("...") { return nil }
    guard let extents = type.shape.constants else {
      throw failure("a constant's shape \(type.shape) must be known")
    }
    // Before anything is counted: products of extents that are too large would overflow.
    let line = line
    do throws(Diagnostic) { try type.checkSize() } catch { throw error.located(at: "line \(line)") }
    let count = type.shape.elementCount.constant ?? 0
    if try accept("hex") {
      guard case .string(let text) = token else { throw failure("expected a string of hex digits") }
      guard text.utf8.count == 2 * count * type.dtype.sizeInBytes else {
        throw failure(
          "\(text.utf8.count / 2) bytes for \(type), expected \(count * type.dtype.sizeInBytes)"
        )
      }
      var data = TensorData(zeros: type.dtype, extents)
      let digits = Array(text.utf8)
      var isValid = true
      data.withUnsafeMutableBytes { bytes in
        for index in bytes.indices {
          let (high, low) = (Self.nibble(digits[2 * index]), Self.nibble(digits[2 * index + 1]))
          if let high, let low { bytes[index] = high << 4 | low } else { isValid = false }
        }
      }
      guard isValid else { throw failure("the string holds more than hex digits") }
      try advance()
      return data
    }
    try expect("{")
    var values: [ScalarValue] = []
    while token != .symbol("}") {
      values.append(try scalar())
      guard try accept(",") else { break }
    }
    try expect("}")
    guard values.count == count else {
      throw failure("\(values.count) elements for \(type), expected \(count)", onLine: line)
    }
    return TensorData(type.dtype, extents, scalars: values)
  }

  /// The value of a hexadecimal digit.
  private static func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private mutating func parseOutput() throws(Diagnostic) {
    let place = "line \(line)"
    let name = try word("the output's name")
    try expect("=")
    let value = try valueReference()
    do throws(Diagnostic) { try graph.addOutput(name, value) } catch {
      throw error.located(at: place)
    }
  }

  private mutating func valueReference() throws(Diagnostic) -> ValueID {
    let place = "line \(line)"
    let name = try word("the name of a value")
    guard let id = named[name] else {
      let near = Identifier.nearest(to: name, among: named.keys)
      throw Diagnostic(
        .unknownName,
        "'\(name)' is not defined above",
        at: place,
        hint: near.isEmpty ? nil : "did you mean \(near.joined(separator: ", "))?"
      )
    }
    return id
  }

  private mutating func parseNode(_ first: String) throws(Diagnostic) {
    let place = "line \(line)"
    var results = [first]
    while try accept(",") { results.append(try word("a result's name")) }
    try expect("=")
    let operatorName = try word("an operator's name")
    guard let type = operators[operatorName] else {
      let near = Identifier.nearest(to: operatorName, among: operators.keys)
      throw Diagnostic(
        .unknownOperator,
        "'\(operatorName)' is not an operator",
        at: place,
        hint: near.isEmpty
          ? "`ait operators` lists them" : "did you mean \(near.joined(separator: ", "))?"
      )
    }
    try expect("(")
    var operands: [ValueID] = []
    while token != .symbol(")") {
      operands.append(try valueReference())
      guard try accept(",") else { break }
    }
    try expect(")")
    var attributes = try parseAttributes()
    var declared: [TensorType]?
    if try accept(":") {
      var types = [try tensorType()]
      while try accept(",") { types.append(try tensorType()) }
      declared = types
    }
    let name = try accept("@") ? try word("the node's name") : results[0]
    var source: String?
    if try accept("from") {
      guard case .string(let text) = token else { throw failure("expected a string after 'from'") }
      source = text
      try advance()
    }
    do throws(Diagnostic) {
      let fusion = try Self.extractFusion(&attributes)
      var reader = try AttributeReader(attributes, operatorName: operatorName)
      let op = try type.init(&reader)
      try reader.finish()
      let values = try graph.addNode(op, operands, name: name, fusion: fusion, source: source)
      guard values.count == results.count else {
        throw Diagnostic(
          .malformedGraph,
          "\(operatorName) has \(values.count) results, \(results.count) are named"
        )
      }
      let found = values.map { graph[$0].type }
      if let declared, declared != found {
        throw Diagnostic(.shapeMismatch, "the results are declared \(declared) but are \(found)")
      }
      graph.rename(values, to: results)
      for (value, result) in zip(values, results) { try declare(result, value) }
    } catch {
      var located = error
      located.location = "\(place), \(error.location ?? "'\(results[0])'")"
      throw located
    }
  }

  private static func extractFusion(_ attributes: inout [Attribute]) throws(Diagnostic) -> Fusion {
    let names = ["prologue", "epilogue", "exposes_prologue", "joined_results"]
    var reader = try AttributeReader(
      attributes.filter { names.contains($0.name) },
      operatorName: "a fused node"
    )
    attributes.removeAll { names.contains($0.name) }
    var fusion = Fusion()
    if reader.contains("prologue") { fusion.prologue = try reader.expression("prologue") }
    if reader.contains("epilogue") { fusion.epilogue = try reader.expression("epilogue") }
    fusion.exposesPrologue = try reader.bool("exposes_prologue", default: false)
    fusion.joinedResults = try reader.integer("joined_results", default: 1)
    return fusion
  }
}
