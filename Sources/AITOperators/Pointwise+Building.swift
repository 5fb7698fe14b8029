import AITGraph

/// An operand of a pointwise verb: a value of the graph, or a number of the program.
///
/// Literals are numbers; `2` and `2.0` promote differently, as in Python.
package enum PointwiseOperand: Hashable, Sendable, ExpressibleByFloatLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
  case value(ValueID)
  case number(ScalarValue)

  /// A fraction of the program: float32 where no tensor is floating-point.
  package static func scalar(_ value: Double) -> Self { .number(.float(value)) }
  /// A whole number of the program: the integer type of the tensors, or int64.
  package static func scalar(_ value: Int) -> Self { .number(.integer(Int64(value))) }
  /// A truth value of the program.
  package static func scalar(_ value: Bool) -> Self { .number(.bool(value)) }

  /// The operand as those functions take it for which PyTorch rounds numbers to the tensors' type, which
  /// shows in half precision.
  fileprivate func rounded(to type: DType) -> PointwiseOperand {
    guard case .number(let value) = self, type.isFloatingPoint, type.sizeInBytes == 2 else {
      return self
    }
    let rounded = TensorData(type, [], scalars: [value]).doubles[0]
    // What is beyond all numbers of the type lies beyond them as it is.
    return rounded.isInfinite && value.double.isFinite ? self : .number(.float(rounded))
  }

  package init(floatLiteral value: Double) { self = .number(.float(value)) }
  package init(integerLiteral value: Int64) { self = .number(.integer(value)) }
  package init(booleanLiteral value: Bool) { self = .number(.bool(value)) }
}

extension Graph {
  // MARK: - One function

  /// Functions for which PyTorch rounds numbers to the type of the tensors beside them, on every device.
  private static let roundingNumbers: Set<ScalarFunction> = [
    .remainder, .fmod, .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual,
  ]

  /// Applies a function to operands that broadcast together, promoted as PyTorch does.
  ///
  /// Comparisons compare in the type in which the operands meet and give bool. Functions that are
  /// defined on floating-point types only, the quotient among them, compute integers in float32.
  /// `select` is `where`; `and`, `or`, `xor` and `not` work on bits, see `logicalAnd` for truth.
  package mutating func pointwise(
    _ function: ScalarFunction,
    _ operands: [PointwiseOperand],
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    guard operands.count == function.arity else {
      throw Diagnostic(
        .wrongInputCount,
        "\(function.rawValue) takes \(function.arity) operands, found \(operands.count)"
      )
    }
    let name = name ?? function.rawValue
    if function == .select { return try select(operands[0], operands[1], operands[2], name) }
    // The sign of truth is truth.
    if function == .sign && promotedType(operands) == .bool {
      return try pointwise(operands, in: .bool, name: name) { _, x in x[0] }
    }
    let type = try computingType(function, operands)
    if function == .power, case .number(let exponent) = operands[1] {
      return try power(operands[0], exponent, in: type, name)
    }
    if Self.roundingNumbers.contains(function) {
      let rounded = operands.map { $0.rounded(to: type) }
      return try pointwise(rounded, in: type, name: name) { e, x in e.call(function, x) }
    }
    return try pointwise(operands, in: type, name: name) { e, x in e.call(function, x) }
  }

  /// A power known beforehand.
  ///
  /// As PyTorch does, the usual ones are computed without `power`, so that the half-th power of
  /// −infinity is NaN like its root.
  private mutating func power(
    _ base: PointwiseOperand,
    _ exponent: ScalarValue,
    in type: DType,
    _ name: String
  ) throws(Diagnostic) -> ValueID {
    try pointwise([base], in: type, name: name) { e, x in
      switch (exponent.double, type.isFloatingPoint) {
      case (1, _): return x[0]
      case (2, _): return e.call(.square, x[0])
      case (3, _): return e.call(.multiply, e.call(.square, x[0]), x[0])
      case (0.5, true): return e.call(.sqrt, x[0])
      case (-0.5, true): return e.call(.rsqrt, x[0])
      case (-1, true): return e.call(.reciprocal, x[0])
      case (-2, true): return e.call(.reciprocal, e.call(.square, x[0]))
      default:
        guard case .number(let value) = PointwiseOperand.number(exponent).rounded(to: type) else {
          return x[0]
        }
        return e.call(.power, x[0], e.constant(value, type))
      }
    }
  }

  /// Applies a function of one operand.
  package mutating func pointwise(_ function: ScalarFunction, _ x: ValueID, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    try pointwise(function, [.value(x)], name: name)
  }

  /// The type to which operands are converted before a function is applied.
  private func computingType(_ function: ScalarFunction, _ operands: [PointwiseOperand])
    throws(Diagnostic) -> DType
  {
    var type = promotedType(operands)
    // Unlike other elementary functions, these take no integers in PyTorch.
    let isActivation = function.isComposed || function == .gelu
    if !type.isFloatingPoint && function.isFloatingPointOnly && !isActivation { type = .float32 }
    // PyTorch squares truth as pow(x, 2), whose exponent is an int64.
    if function == .square && type == .bool { type = .int64 }
    if function == .power, type.category == .integer, case .number(.integer(..<0)) = operands[1] {
      throw Diagnostic(
        .dtypeMismatch,
        "an integer to a negative power",
        hint: "cast the base to float32"
      )
    }
    guard function.resultType(Array(repeating: type, count: function.arity)) != nil else {
      let types = operands.map { text($0) }.joined(separator: ", ")
      throw Diagnostic(
        .dtypeMismatch,
        "\(function.rawValue) is not defined on (\(types))",
        hint: "cast the operands to a type that it is defined on"
      )
    }
    return type
  }

  /// The type in which operands meet.
  package func promotedType(_ operands: [PointwiseOperand]) -> DType {
    TypePromotion.resultType(
      operands.map { operand in
        switch operand {
        case .value(let id): .tensor(self[id].type)
        case .number(let value): .scalar(value)
        }
      }
    )
  }

  private func text(_ operand: PointwiseOperand) -> String {
    switch operand {
    case .value(let id): self[id].type.description
    case .number(let value): "\(value)"
    }
  }

  // MARK: - Any body

  /// Adds a pointwise node with the body that a closure builds from the operands, all converted to
  /// one type; without one, values keep theirs and numbers take their default.
  ///
  /// A value named twice is read once. If all operands are numbers, the result has rank 0.
  package mutating func pointwise(
    _ operands: [PointwiseOperand],
    in type: DType? = nil,
    name: String,
    _ build: (inout ScalarExpression, [Int]) -> Int
  ) throws(Diagnostic) -> ValueID {
    var inputs: [ValueID] = []
    for case .value(let id) in operands where !inputs.contains(id) { inputs.append(id) }
    var body = ScalarExpression(inputs: inputs.map { self[$0].type.dtype })
    let converted = operands.map { operand in
      switch operand {
      case .value(let id):
        let input = inputs.firstIndex(of: id) ?? 0
        return body.cast(input, to: type ?? body.types[input])
      case .number(let value):
        return body.constant(value, type ?? TypePromotion.defaultType(of: value))
      }
    }
    body.setResults([build(&body, converted)])
    return try addResult(Pointwise(body.pruned()), inputs, name: name)
  }

  // MARK: - Arithmetic

  /// The sum; of truth values, whether either is true.
  package mutating func add(
    _ left: PointwiseOperand,
    _ right: PointwiseOperand,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try pointwise(.add, [left, right], name: name)
  }

  /// The difference.
  package mutating func subtract(
    _ left: PointwiseOperand,
    _ right: PointwiseOperand,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try pointwise(.subtract, [left, right], name: name)
  }

  /// The product; of truth values, whether both are true.
  package mutating func multiply(
    _ left: PointwiseOperand,
    _ right: PointwiseOperand,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try pointwise(.multiply, [left, right], name: name)
  }

  /// The true quotient: that of integers is float32.
  package mutating func divide(
    _ left: PointwiseOperand,
    _ right: PointwiseOperand,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try pointwise(.divide, [left, right], name: name)
  }

  /// The quotient rounded toward zero, in the operands' own type.
  ///
  /// The division of an integer by zero gives 0, where PyTorch raises.
  package mutating func divideTruncating(
    _ left: PointwiseOperand,
    _ right: PointwiseOperand,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let type = promotedType([left, right])
    let name = name ?? "divide_truncating"
    guard type != .bool else { return try pointwise(.floorDivide, [left, right], name: name) }
    return try pointwise([left, right], in: type, name: name) { e, x in
      guard type.category == .integer else { return e.call(.trunc, e.call(.divide, x[0], x[1])) }
      // The dividend less its remainder divides exactly, so the floor is the truncation.
      let exact = e.call(.subtract, x[0], e.call(.fmod, x[0], x[1]))
      return e.call(.floorDivide, exact, x[1])
    }
  }

  // MARK: - Choice and conversion

  /// `x` where the condition holds, `y` elsewhere, in the type in which x and y meet.
  package mutating func `where`(
    _ condition: ValueID,
    _ x: PointwiseOperand,
    _ y: PointwiseOperand,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try select(.value(condition), x, y, name ?? "where")
  }

  private mutating func select(
    _ condition: PointwiseOperand,
    _ x: PointwiseOperand,
    _ y: PointwiseOperand,
    _ name: String
  ) throws(Diagnostic) -> ValueID {
    guard promotedType([condition]) == .bool else {
      throw Diagnostic(
        .dtypeMismatch,
        "where with the condition \(text(condition))",
        hint: "conditions are bool; compare, or cast to bool"
      )
    }
    let type = promotedType([x, y])
    return try pointwise([condition, x, y], name: name) { e, operands in
      func convert(_ operand: PointwiseOperand, _ index: Int) -> Int {
        if case .number(let value) = operand {
          e.constant(value, type)
        } else {
          e.cast(index, to: type)
        }
      }
      let (chosen, other) = (convert(x, operands[1]), convert(y, operands[2]))
      return e.call(.select, operands[0], chosen, other)
    }
  }

  /// Limits x from below, from above or both, in the type in which x and the limits meet.
  ///
  /// Where the limits cross, the upper one wins; NaN stays.
  package mutating func clamp(
    _ x: ValueID,
    least: PointwiseOperand? = nil,
    greatest: PointwiseOperand? = nil,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let name = name ?? "clamp"
    if let least, let greatest {
      return try pointwise(.clamp, [.value(x), least, greatest], name: name)
    }
    if let least { return try pointwise(.maximum, [.value(x), least], name: name) }
    if let greatest { return try pointwise(.minimum, [.value(x), greatest], name: name) }
    throw Diagnostic(.invalidAttribute, "clamp without limits", hint: "give at least one limit")
  }

  /// Converts the elements as `torch.Tensor.to` does; the value itself if it has the type.
  package mutating func cast(_ x: ValueID, to type: DType, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    guard self[x].type.dtype != type else { return x }
    return try pointwise([.value(x)], in: type, name: name ?? "cast") { _, x in x[0] }
  }

  // MARK: - Truth

  /// Whether both are other than 0.
  package mutating func logicalAnd(
    _ left: PointwiseOperand,
    _ right: PointwiseOperand,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try pointwise([left, right], in: .bool, name: name ?? "logical_and") { e, x in e.call(.and, x) }
  }

  /// Whether either is other than 0.
  package mutating func logicalOr(
    _ left: PointwiseOperand,
    _ right: PointwiseOperand,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try pointwise([left, right], in: .bool, name: name ?? "logical_or") { e, x in e.call(.or, x) }
  }

  /// Whether exactly one is other than 0.
  package mutating func logicalXor(
    _ left: PointwiseOperand,
    _ right: PointwiseOperand,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try pointwise([left, right], in: .bool, name: name ?? "logical_xor") { e, x in e.call(.xor, x) }
  }

  /// Whether x is 0.
  package mutating func logicalNot(_ x: ValueID, name: String? = nil) throws(Diagnostic)
    -> ValueID
  {
    try pointwise([.value(x)], in: .bool, name: name ?? "logical_not") { e, x in e.call(.not, x) }
  }
}
