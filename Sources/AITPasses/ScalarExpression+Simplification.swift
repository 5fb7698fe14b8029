import AITGraph

extension ScalarExpression {
  /// Returns the expression without work that changes nothing: `x · 1`, `x − 0`, double negation, a
  /// cast there and back, arithmetic on literals; and with cheaper words for the same value:
  /// `x · x` is a square, a quotient by a power of two a product.
  ///
  /// Every rule holds for NaN, infinities and −0: `x · 0` stays, and so does `x + 0` unless x
  /// cannot be −0. Casts that round are kept.
  func simplified() -> ScalarExpression {
    var current = pruned()
    // Each turn removes instructions or rewrites them one way; the bound is never reached.
    for _ in 0..<16 {
      var rewriter = ExpressionRewriter(current)
      let next = rewriter.rewritten()
      if next == current { break }
      current = next
    }
    return current
  }
}

/// Builds an expression anew, instruction by instruction, by the rules.
private struct ExpressionRewriter {
  private let source: ScalarExpression
  private var out: ScalarExpression
  /// For each instruction of `out` that was asked for, and those before it: `isRounded`.
  private var rounded: [Bool] = []

  init(_ source: ScalarExpression) {
    self.source = source
    out = ScalarExpression(inputs: source.inputTypes)
  }

  mutating func rewritten() -> ScalarExpression {
    var mapping: [Int] = []
    for (index, instruction) in source.instructions.enumerated() {
      switch instruction {
      case .input(let input): mapping.append(input)
      case .constant(let constant):
        mapping.append(out.constant(constant.value, source.types[index]))
      case .call(let function, let operands):
        mapping.append(call(function, operands.map { mapping[$0] }, source.types[index]))
      case .cast(let operand): mapping.append(cast(mapping[operand], to: source.types[index]))
      }
    }
    out.setResults(source.results.map { mapping[$0] })
    return out.pruned()
  }

  // MARK: - Questions

  private func literal(_ index: Int) -> ScalarValue? {
    guard case .constant(let constant) = out.instructions[index] else { return nil }
    return out.types[index] == .bool ? .bool(constant.value.bool) : constant.value
  }

  /// Whether an instruction is a literal of this value; 0 is +0.
  private func isLiteral(_ index: Int, _ value: Double) -> Bool {
    guard let literal = literal(index) else { return false }
    return literal.double == value && literal.double.sign == value.sign
  }

  private func operands(_ index: Int, of function: ScalarFunction) -> [Int]? {
    guard case .call(function, let operands) = out.instructions[index] else { return nil }
    return operands
  }

  private func isFloat(_ index: Int) -> Bool { out.types[index].isFloatingPoint }

  private func cannotBeNegativeZero(_ index: Int) -> Bool {
    if !isFloat(index) { return true }
    switch out.instructions[index] {
    case .call(let function, _):
      return [.exp, .exp2, .sigmoid, .square, .abs, .cosh, .erfc].contains(function)
    case .cast(let operand): return !isFloat(operand)
    case .constant(let constant):
      return constant.value.double != 0 || constant.value.double.sign == .plus
    case .input: return false
    }
  }

  /// Whether a value is one that its type can hold: what fused work makes need not be.
  private mutating func isRounded(_ index: Int) -> Bool {
    while rounded.count <= index { rounded.append(findRounded(rounded.count)) }
    return rounded[index]
  }

  /// The same, from the answers for earlier instructions.
  private func findRounded(_ index: Int) -> Bool {
    if !isFloat(index) { return true }
    switch out.instructions[index] {
    case .input: return true
    case .constant(let constant):
      // Half-precision literals are kept in float32.
      let value = constant.value
      return value.converted(to: out.types[index]).double == value.double
    case .cast(let operand): return !isWidening(operand, to: out.types[index]) || rounded[operand]
    case .call(let function, let operands):
      switch function {
      case .select: return rounded[operands[1]] && rounded[operands[2]]
      case .maximum, .minimum, .negate, .abs, .relu, .clamp:
        return operands.allSatisfy { rounded[$0] }
      default: return false
      }
    }
  }

  /// Whether a cast goes from one floating-point type to a larger one, which does not round.
  private func isWidening(_ operand: Int, to type: DType) -> Bool {
    isFloat(operand) && type.isFloatingPoint
      && out.types[operand].sizeInBytes < type.sizeInBytes
  }

  // MARK: - Casts

  private mutating func cast(_ operand: Int, to type: DType) -> Int {
    if let value = literal(operand) {
      return out.constant(isWidening(operand, to: type) ? value : value.converted(to: type), type)
    }
    // A value of A that B can hold goes to C the same way with B as without.
    if case .cast(let inner) = out.instructions[operand],
      out.types[inner].isEmbedded(in: out.types[operand])
    {
      if out.types[inner] != type { return out.cast(inner, to: type) }
      if isRounded(inner) { return inner }
    }
    return out.cast(operand, to: type)
  }

  // MARK: - Calls

  private mutating func call(_ function: ScalarFunction, _ operands: [Int], _ type: DType) -> Int {
    if let folded = folded(function, operands, type) { return folded }
    var operands = operands
    if function.isCommutative, operands.count == 2, literal(operands[0]) != nil {
      operands.swapAt(0, 1)
    }
    let simplified =
      switch operands.count {
      case 1: simplifiedUnary(function, operands[0])
      case 2: simplifiedBinary(function, operands[0], operands[1])
      default: simplifiedTernary(function, operands)
      }
    return simplified ?? out.call(function, operands)
  }

  /// Arithmetic on literals: the result is rounded as a kernel would round it.
  private mutating func folded(_ function: ScalarFunction, _ operands: [Int], _ type: DType) -> Int?
  {
    let values = operands.compactMap(literal)
    guard values.count == operands.count, let first = operands.first else { return nil }
    let result: ScalarValue
    if function.isComposed {
      let alone = ScalarExpression(inputs: operands.map { out.types[$0] }) { e, inputs in
        [e.call(function, inputs)]
      }
      result = alone.expanded().evaluate(values)[0]
    } else {
      result = function.evaluate(values, dtype: out.types[first])
    }
    return out.constant(result, type)
  }

  private mutating func simplifiedUnary(_ function: ScalarFunction, _ x: Int) -> Int? {
    switch function {
    case .negate: return operands(x, of: .negate)?[0]
    case .abs:
      if operands(x, of: .abs) != nil { return x }
      if isFloat(x), operands(x, of: .square) != nil { return x }
      return operands(x, of: .negate).map { out.call(.abs, $0[0]) }
    case .square:
      let inner = operands(x, of: .negate) ?? operands(x, of: .abs)
      return inner.map { out.call(.square, $0[0]) }
    case .not:
      if let inner = operands(x, of: .not) { return inner[0] }
      if let equal = operands(x, of: .equal) { return out.call(.notEqual, equal) }
      return operands(x, of: .notEqual).map { out.call(.equal, $0) }
    case .reciprocal: return operands(x, of: .sqrt).map { out.call(.rsqrt, $0[0]) }
    case .relu: return operands(x, of: .relu) == nil ? nil : x
    case .floor, .ceil, .round, .trunc:
      if !isFloat(x) { return x }
      let isWhole = [ScalarFunction.floor, .ceil, .round, .trunc].contains {
        operands(x, of: $0) != nil
      }
      return isWhole ? x : nil
    default: return nil
    }
  }

  private mutating func simplifiedBinary(_ function: ScalarFunction, _ x: Int, _ y: Int) -> Int? {
    let isFloat = isFloat(x)
    switch function {
    case .add:
      if isLiteral(y, -0.0) && isFloat { return x }
      if isLiteral(y, 0) && cannotBeNegativeZero(x) { return x }
      if let inner = operands(y, of: .negate) { return out.call(.subtract, x, inner[0]) }
      return operands(x, of: .negate).map { out.call(.subtract, y, $0[0]) }
    case .subtract:
      if isLiteral(y, 0) { return x }
      return operands(y, of: .negate).map { out.call(.add, x, $0[0]) }
    case .multiply:
      if isLiteral(y, 1) { return x }
      if isLiteral(y, -1) && isFloat { return out.call(.negate, x) }
      return x == y && out.types[x] != .bool ? out.call(.square, x) : nil
    case .divide:
      if isLiteral(y, 1) { return x }
      if isLiteral(x, 1) { return out.call(.reciprocal, y) }
      return exactReciprocal(y).map { out.call(.multiply, x, $0) }
    case .power:
      if isLiteral(y, 1) { return x }
      if isLiteral(y, 2) { return out.call(.square, x) }
      if isLiteral(y, 3) { return out.call(.multiply, out.call(.square, x), x) }
      return isFloat && isLiteral(y, -1) ? out.call(.reciprocal, x) : nil
    case .floorDivide: return !isFloat && isLiteral(y, 1) ? x : nil
    case .maximum: return x == y || isLiteral(y, -.infinity) ? x : nil
    case .minimum: return x == y || isLiteral(y, .infinity) ? x : nil
    case .and:
      if out.types[x] == .bool, let value = literal(y) { return value.bool ? x : y }
      return x == y || literal(y)?.integer == -1 ? x : nil
    case .or:
      if out.types[x] == .bool, let value = literal(y) { return value.bool ? y : x }
      return x == y || isLiteral(y, 0) ? x : nil
    case .xor, .shiftLeft, .shiftRight: return isLiteral(y, 0) ? x : nil
    default: return nil
    }
  }

  private mutating func simplifiedTernary(_ function: ScalarFunction, _ operands: [Int]) -> Int? {
    switch function {
    case .select:
      if let condition = literal(operands[0]) { return operands[condition.bool ? 1 : 2] }
      if operands[1] == operands[2] { return operands[1] }
      let opposite = self.operands(operands[0], of: .not)
      return opposite.map { out.call(.select, $0[0], operands[2], operands[1]) }
    case .clamp:
      let (isUnboundedBelow, isUnboundedAbove) = (
        isLiteral(operands[1], -.infinity), isLiteral(operands[2], .infinity)
      )
      if isUnboundedBelow && isUnboundedAbove { return operands[0] }
      if isUnboundedBelow { return out.call(.minimum, operands[0], operands[2]) }
      return isUnboundedAbove ? out.call(.maximum, operands[0], operands[1]) : nil
    default: return nil
    }
  }

  /// The literal 1/y, if y is a power of two whose reciprocal is a normal number of the type that
  /// kernels compute in.
  private mutating func exactReciprocal(_ index: Int) -> Int? {
    guard let value = literal(index)?.double, value.isFinite, value != 0,
      value.magnitude.significand == 1
    else { return nil }
    let type = out.types[index]
    let leastNormal: Double =
      switch type {
      case .float64: .leastNormalMagnitude
      default: 0x1p-126
      }
    let reciprocal = 1 / value
    guard reciprocal.magnitude >= leastNormal,
      reciprocal.magnitude <= type.computeType.finiteRange.upperBound
    else { return nil }
    return out.constant(reciprocal, type)
  }
}

extension DType {
  /// Whether another type holds every value of this one.
  func isEmbedded(in other: DType) -> Bool {
    if self == other || self == .bool { return true }
    switch (self, other) {
    case (.uint8, .int16), (.uint8, .int32), (.uint8, .int64), (.int8, .int16), (.int8, .int32),
      (.int8, .int64), (.int16, .int32), (.int16, .int64), (.int32, .int64):
      return true
    case (.uint8, .float16), (.uint8, .bfloat16), (.uint8, .float32), (.uint8, .float64),
      (.int8, .float16), (.int8, .bfloat16), (.int8, .float32), (.int8, .float64),
      (.int16, .float32), (.int16, .float64), (.int32, .float64):
      return true
    case (.float16, .float32), (.float16, .float64), (.bfloat16, .float32), (.bfloat16, .float64),
      (.float32, .float64):
      return true
    default: return false
    }
  }
}
