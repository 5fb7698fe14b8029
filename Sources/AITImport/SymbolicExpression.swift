import AITGraph

/// Reads extents as sympy's `srepr` writes them, `Add(Mul(Integer(2), Symbol('s77', …)), Integer(1))`,
/// and as its `str` does, `2*s77 + 1`, which torch 2.5 saved.
///
/// Recursion is bounded by `maximumDepth`.
struct SymbolicExpression {
  private static let maximumDepth = 64
  private static let maximumTerms = 64

  private var rest: Substring
  private let bounds: (String) -> ClosedRange<Int>

  /// Returns the extent that a text is.
  ///
  /// - Parameters:
  ///   - text: the expression.
  ///   - bounds: the values that a symbol may take.
  /// - Returns: the extent.
  /// - Throws: `unsupported-format` for functions that are not known, `corrupt-file` for broken text.
  static func read(_ text: String, bounds: @escaping (String) -> ClosedRange<Int>)
    throws(Diagnostic) -> Dimension
  {
    var reader = SymbolicExpression(rest: text[...], bounds: bounds)
    let dimension = try reader.sum(depth: 0)
    reader.skipSpace()
    guard reader.rest.isEmpty else { throw reader.broken("text after the expression") }
    return dimension
  }

  private init(rest: Substring, bounds: @escaping (String) -> ClosedRange<Int>) {
    self.rest = rest
    self.bounds = bounds
  }

  private mutating func sum(depth: Int) throws(Diagnostic) -> Dimension {
    guard depth < Self.maximumDepth else { throw broken("an expression nested too deep") }
    var result = try product(depth: depth)
    while true {
      if skip("+") {
        result = try checked(result + product(depth: depth))
      } else if skip("-") {
        result = try checked(result - product(depth: depth))
      } else {
        return result
      }
    }
  }

  private mutating func product(depth: Int) throws(Diagnostic) -> Dimension {
    var result = try power(depth: depth)
    while true {
      if skip("//") {
        result = try checked(apply("FloorDiv", [result, power(depth: depth)]))
      } else if skip("*") {
        result = try checked(result * power(depth: depth))
      } else {
        return result
      }
    }
  }

  private mutating func power(depth: Int) throws(Diagnostic) -> Dimension {
    let base = try primary(depth: depth)
    guard skip("**") else { return base }
    return try checked(apply("Pow", [base, Dimension(integer())]))
  }

  private mutating func primary(depth: Int) throws(Diagnostic) -> Dimension {
    skipSpace()
    if let first = rest.first, first.isNumber { return Dimension(try integer()) }
    if skip("-") {
      // A sign may stand before another, as often as the text has room.
      guard depth < Self.maximumDepth else { throw broken("an expression nested too deep") }
      return try checked(Dimension(-1) * power(depth: depth + 1))
    }
    if skip("(") {
      let result = try sum(depth: depth + 1)
      try expect(")")
      return result
    }
    let name = identifier()
    guard !name.isEmpty else { throw broken("no name") }
    guard skip("(") else { return .symbol(Identifier.make(name), bounds(name)) }
    switch name {
    case "Symbol":
      let symbol = try quoted()
      // What sympy assumes of the symbol follows.
      while let next = rest.first, next != ")" { rest.removeFirst() }
      try expect(")")
      return .symbol(Identifier.make(symbol), bounds(symbol))
    case "Integer":
      let value = try integer()
      try expect(")")
      return Dimension(value)
    default: return try checked(apply(name, list(depth: depth + 1)))
    }
  }

  private func checked(_ result: Dimension) throws(Diagnostic) -> Dimension {
    guard result.terms.count <= Self.maximumTerms,
      result.terms.allSatisfy({ $0.factors.count <= Self.maximumTerms })
    else { throw broken("more than \(Self.maximumTerms) terms or factors") }
    return result
  }

  private func apply(_ name: String, _ operands: [Dimension]) throws(Diagnostic) -> Dimension {
    switch (name, operands.count) {
    case ("Add", 1...): return operands.dropFirst().reduce(operands[0], +)
    case ("Mul", 1...16): return operands.dropFirst().reduce(operands[0], *)
    case ("Max", 1...): return .maximum(operands)
    case ("Min", 1...): return .minimum(operands)
    case ("FloorDiv", 2), ("CleanDiv", 2), ("PythonMod", 2), ("Mod", 2):
      guard operands[1] != 0 else { throw broken("a division by 0") }
      return name.hasSuffix("Div") ? operands[0] / operands[1] : operands[0].rest(by: operands[1])
    case ("Pow", 2), ("PowByNatural", 2):
      guard let exponent = operands[1].constant, (0...8).contains(exponent) else { break }
      return (0..<exponent).reduce(Dimension(1)) { product, _ in product * operands[0] }
    default: break
    }
    throw Diagnostic(
      .unsupportedFormat,
      "an extent with the function \(name) of \(operands.count) operands",
      hint: "supported are sums, products, floor division, modulo, minimum and maximum"
    )
  }

  private mutating func list(depth: Int) throws(Diagnostic) -> [Dimension] {
    var operands: [Dimension] = []
    while true {
      skipSpace()
      if rest.first == ")" {
        rest.removeFirst()
        return operands
      }
      if !operands.isEmpty { try expect(",") }
      operands.append(try sum(depth: depth))
    }
  }

  // MARK: - Tokens

  private mutating func skipSpace() { rest = rest.drop { $0 == " " } }

  /// Passes over a sign, if it comes next; `*` is not the beginning of `**`.
  private mutating func skip(_ sign: String) -> Bool {
    skipSpace()
    guard rest.hasPrefix(sign), sign != "*" || !rest.hasPrefix("**") else { return false }
    rest = rest.dropFirst(sign.count)
    return true
  }

  private mutating func expect(_ character: Character) throws(Diagnostic) {
    skipSpace()
    guard rest.first == character else { throw broken("no '\(character)'") }
    rest.removeFirst()
  }

  private mutating func identifier() -> String {
    let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    rest = rest.dropFirst(name.count)
    return String(name)
  }

  private mutating func integer() throws(Diagnostic) -> Int {
    skipSpace()
    let end = rest.dropFirst(rest.first == "-" ? 1 : 0).drop { $0.isNumber }.startIndex
    guard let value = Int(rest[..<end]) else { throw broken("no integer") }
    rest = rest[end...]
    return value
  }

  private mutating func quoted() throws(Diagnostic) -> String {
    try expect("'")
    let name = rest.prefix { $0 != "'" }
    rest = rest.dropFirst(name.count)
    try expect("'")
    return String(name)
  }

  private func broken(_ what: String) -> Diagnostic {
    Diagnostic(.corruptFile, "an extent's expression: \(what) at '\(rest.prefix(40))'")
  }
}

extension Dimension {
  /// The remainder with the sign of the divisor, as what the quotient leaves.
  ///
  /// Sums with it simplify where `%` would stand as it is: `s + (-s) % 4`, an extent padded to a multiple
  /// of 4, is `-4 * ((-s) // 4)`, and 4 divides it.
  func rest(by divisor: Dimension) -> Dimension {
    guard let by = divisor.constant, by > 0 else { return self % divisor }
    return self - divisor * (self / divisor)
  }
}
