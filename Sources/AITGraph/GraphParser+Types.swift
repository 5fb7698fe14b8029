// Attributes, element types and extents.

extension GraphParser {
  mutating func parseAttributes() throws(Diagnostic) -> [Attribute] {
    guard try accept("{") else { return [] }
    var attributes: [Attribute] = []
    while token != .symbol("}") {
      let name = try word("an attribute's name")
      try expect(":")
      attributes.append(Attribute(name, try attributeValue()))
      guard try accept(",") else { break }
    }
    try expect("}")
    return attributes
  }

  mutating func attributeValue() throws(Diagnostic) -> AttributeValue {
    switch token {
    case .word("true"):
      try advance()
      return .bool(true)
    case .word("false"):
      try advance()
      return .bool(false)
    case .string(let text):
      try advance()
      return .string(text)
    case .symbol("["):
      let dimensions = try dimensionList()
      let known = dimensions.compactMap(\.constant)
      return known.count == dimensions.count ? .integers(known) : .dimensions(dimensions)
    case .symbol("(") where try beginsExpression(): return .expression(try expression())
    case .word(let text) where DType(rawValue: text) != nil: return .dtype(try dtype())
    case _ where try beginsDimension():
      let dimension = try sum()
      return dimension.constant.map { .integer($0) } ?? .dimensions([dimension])
    default:
      switch try scalar() {
      case .integer(let value): return .integer(Int(value))
      case .float(let value): return .float(value)
      case .bool(let value): return .bool(value)
      }
    }
  }

  /// Whether a parenthesis opens the inputs of a scalar expression: `()` or `(name:`.
  private mutating func beginsExpression() throws(Diagnostic) -> Bool {
    try lookingAhead { parser throws(Diagnostic) in
      try parser.advance()
      if parser.token == .symbol(")") { return true }
      guard case .word = parser.token else { return false }
      try parser.advance()
      return parser.token == .symbol(":")
    }
  }

  /// Whether an attribute's value is a dimension without brackets, rather than a number.
  private mutating func beginsDimension() throws(Diagnostic) -> Bool {
    try lookingAhead { parser throws(Diagnostic) in
      _ = try parser.accept("-")
      switch parser.token {
      case .symbol("("): return true
      case .word(let name): return parser.symbols[name] != nil || name == "min" || name == "max"
      case .number:
        try parser.advance()
        return ["+", "-", "*", "//", "%"].contains { parser.token == .symbol($0) }
      default: return false
      }
    }
  }

  mutating func tensorType() throws(Diagnostic) -> TensorType {
    let dtype = try dtype()
    return TensorType(dtype, Shape(try dimensionList()))
  }

  mutating func dimensionList() throws(Diagnostic) -> [Dimension] {
    try expect("[")
    var dimensions: [Dimension] = []
    while token != .symbol("]") {
      dimensions.append(try sum())
      guard try accept(",") else { break }
    }
    try expect("]")
    return dimensions
  }

  mutating func sum() throws(Diagnostic) -> Dimension {
    let line = line
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.maximumDepth else { throw failure("a dimension nests too deeply") }
    var result = try accept("-") ? Dimension(-1) * product() : try product()
    while true {
      if try accept("+") {
        result = result + (try product())
      } else if try accept("-") {
        result = result - (try product())
      } else {
        guard result.terms.count <= 64 else {
          throw failure("a dimension has too many terms", onLine: line)
        }
        return result
      }
    }
  }

  mutating func product() throws(Diagnostic) -> Dimension {
    let line = line
    var result = try factor()
    while true {
      if try accept("*") {
        result = result * (try factor())
      } else if try accept("//") {
        result = result.floorDivided(by: try divisor())
      } else if try accept("%") {
        result = result.modulo(try divisor())
      } else {
        return result
      }
      guard result.terms.count <= 64, result.terms.allSatisfy({ $0.factors.count <= 64 }) else {
        throw failure("a dimension has too many terms", onLine: line)
      }
    }
  }

  mutating func divisor() throws(Diagnostic) -> Dimension {
    let line = line
    let divisor = try factor()
    guard divisor.lowerBound > 0 else {
      throw failure("'\(divisor)' may be zero or negative", onLine: line)
    }
    return divisor
  }

  mutating func factor() throws(Diagnostic) -> Dimension {
    switch token {
    case .number: return Dimension(try integer())
    case .symbol("("):
      try advance()
      let inner = try sum()
      try expect(")")
      return inner
    case .word(let name) where name == "min" || name == "max":
      try advance()
      try expect("(")
      var operands = [try sum()]
      while try accept(",") { operands.append(try sum()) }
      try expect(")")
      return name == "min" ? .minimum(operands) : .maximum(operands)
    case .word(let name):
      guard let symbol = symbols[name] else {
        throw Diagnostic(
          .unknownName,
          "'\(name)' is not a symbol",
          at: "line \(line)",
          hint: "declare it above: symbol \(name): 1...1024"
        )
      }
      try advance()
      return Dimension(symbol)
    default: throw failure("found \(token.text), expected a dimension")
    }
  }
}
