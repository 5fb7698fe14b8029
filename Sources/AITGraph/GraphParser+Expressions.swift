// Scalar expressions: the bodies of pointwise nodes, prologues and epilogues.

extension GraphParser {
  mutating func expression() throws(Diagnostic) -> ScalarExpression {
    try expect("(")
    var types: [DType] = []
    var indices: [String: Int] = [:]
    while token != .symbol(")") {
      indices[try word("an input's name")] = types.count
      try expect(":")
      types.append(try dtype())
      guard try accept(",") else { break }
    }
    try expect(")")
    try expect("{")
    var result = ScalarExpression(inputs: types)
    while try !accept("return") {
      let name = try word("a statement")
      try expect("=")
      indices[name] = try rightHandSide(&result, indices)
      try expect(";")
    }
    var results = [try operand(indices)]
    while try accept(",") { results.append(try operand(indices)) }
    try expect("}")
    result.setResults(results)
    return result
  }

  mutating func operand(_ indices: [String: Int]) throws(Diagnostic) -> Int {
    let line = line
    let name = try word("the name of a value")
    guard let index = indices[name] else {
      throw Diagnostic(
        .unknownName,
        "'\(name)' is not defined in the expression",
        at: "line \(line)"
      )
    }
    return index
  }

  mutating func rightHandSide(
    _ expression: inout ScalarExpression,
    _ indices: [String: Int]
  ) throws(Diagnostic) -> Int {
    let line = line
    guard case .word(let name) = token, name != "inf", name != "nan" else {
      let value = try scalar()
      try expect(":")
      return expression.constant(value, try dtype())
    }
    try advance()
    try expect("(")
    if name == "cast" {
      let argument = try operand(indices)
      try expect(",")
      let type = try dtype()
      try expect(")")
      return expression.cast(argument, to: type)
    }
    guard let function = ScalarFunction(rawValue: name) else {
      let near = Identifier.nearest(to: name, among: ScalarFunction.allCases.map(\.rawValue))
      throw Diagnostic(
        .unknownOperator,
        "'\(name)' is not a scalar function",
        at: "line \(line)",
        hint: near.isEmpty ? nil : "did you mean \(near.joined(separator: ", "))?"
      )
    }
    var operands = [try operand(indices)]
    while try accept(",") { operands.append(try operand(indices)) }
    try expect(")")
    let types = operands.map { expression.types[$0] }
    guard function.resultType(types) != nil else {
      throw Diagnostic(
        .dtypeMismatch,
        "\(name) does not take (\(types.map(\.rawValue).joined(separator: ", ")))",
        at: "line \(line)",
        hint: "operands have one type that the function is defined on; use cast"
      )
    }
    return expression.call(function, operands)
  }
}
