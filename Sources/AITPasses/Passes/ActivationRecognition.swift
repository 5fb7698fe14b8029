import AITGraph
import AITOperators

/// Finds activations in expressions where programs spell them out.
///
/// ```
/// y = pointwise(x) {body: (x0: float32) { t1 = sigmoid(x0); t2 = multiply(x0, t1); return t2 }}
/// ```
/// becomes
/// ```
/// y = pointwise(x) {body: (x0: float32) { t1 = silu(x0); return t1 }}
/// ```
///
/// Found are relu, sigmoid, silu, gelu by the error function, its approximation by tanh or sigmoid,
/// hard sigmoid and swish, and leaky relu, whatever the order and grouping of the factors. Literals
/// such as √(2/π) may be rounded as the type rounds them, no more.
///
/// Runs after `PointwiseFusion`, which brings the parts into one expression; bodies, prologues and
/// epilogues alike. Visits each instruction once.
package struct ActivationRecognition: GraphPass {
  package static let name = "activation-recognition"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    for id in graph.sortedNodes() where graph.contains(id) {
      let node = graph[id]
      var op = node.op
      var fusion = node.fusion
      var isChanged = false
      if let pointwise = op as? Pointwise, let body = recognized(pointwise.body) {
        (op, isChanged) = (Pointwise(body), true)
      }
      if let epilogue = fusion.epilogue, let expression = recognized(epilogue) {
        (fusion.epilogue, isChanged) = (expression, true)
      }
      if let prologue = fusion.prologue, let expression = recognized(prologue) {
        (fusion.prologue, isChanged) = (expression, true)
      }
      if isChanged { try graph.replace(id, with: op, node.inputs, fusion: fusion) }
    }
  }

  /// The expression in terms of activations; nil if it spells none out.
  private func recognized(_ expression: ScalarExpression) -> ScalarExpression? {
    var matcher = ActivationMatcher(expression)
    let result = matcher.rewritten()
    return result == expression.pruned() ? nil : result
  }
}

/// Builds an expression anew with activations in the place of their definitions.
private struct ActivationMatcher {
  private let source: ScalarExpression
  private var out: ScalarExpression

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
      case .cast(let operand):
        mapping.append(out.cast(mapping[operand], to: source.types[index]))
      case .call(let function, let operands):
        let arguments = operands.map { mapping[$0] }
        mapping.append(activation(function, arguments) ?? out.call(function, arguments))
      }
    }
    out.setResults(source.results.map { mapping[$0] })
    return out.pruned()
  }

  private mutating func activation(_ function: ScalarFunction, _ x: [Int]) -> Int? {
    switch function {
    case .maximum:
      guard out.types[x[0]] != .bool, let value = other(of: x, beside: 0) else { return nil }
      return out.call(.relu, value)
    case .reciprocal:
      // 1 / (1 + exp(−x))
      guard let sum = operands(x[0], .add), let decay = other(of: sum, beside: 1),
        let exponent = operands(decay, .exp), let value = operands(exponent[0], .negate)
      else { return nil }
      return out.call(.sigmoid, value[0])
    case .select:
      // x > 0 ? x : x · slope
      guard let condition = operands(x[0], .greater), condition[0] == x[1],
        isNear(condition[1], 0), let product = operands(x[2], .multiply),
        product.contains(x[1]), let slope = product.first(where: { $0 != x[1] })
      else { return nil }
      return out.call(.leakyReLU, x[1], slope)
    case .multiply: return product(Product(x, of: .multiply, in: out))
    case .divide:
      let whole = Product(x, of: .divide, in: out)
      return hardActivation(x) ?? product(whole)
    default: return nil
    }
  }

  /// `min(max(x + 3, 0), 6) / 6`, perhaps times x.
  private mutating func hardActivation(_ x: [Int]) -> Int? {
    guard isNear(x[1], 6) else { return nil }
    if let value = clampedOperand(x[0]) { return out.call(.hardSigmoid, value) }
    guard let factors = operands(x[0], .multiply) else { return nil }
    for (value, clamped) in [(factors[0], factors[1]), (factors[1], factors[0])]
    where clampedOperand(clamped) == value { return out.call(.hardSwish, value) }
    return nil
  }

  /// The x of `min(max(x + 3, 0), 6)`.
  private func clampedOperand(_ index: Int) -> Int? {
    let sum: Int
    if let clamp = operands(index, .clamp), isNear(clamp[1], 0), isNear(clamp[2], 6) {
      sum = clamp[0]
    } else if let least = operands(index, .minimum), let positive = other(of: least, beside: 6),
      let relu = operands(positive, .relu)
    {
      sum = relu[0]
    } else {
      return nil
    }
    return operands(sum, .add).flatMap { other(of: $0, beside: 3) }
  }

  private mutating func product(_ whole: Product) -> Int? {
    guard whole.factors.count == 2 else { return nil }
    for (x, gate) in [
      (whole.factors[0], whole.factors[1]), (whole.factors[1], whole.factors[0]),
    ] where out.types[x].isFloatingPoint {
      if isNear(whole.coefficient, 1, x), let argument = operands(gate, .sigmoid)?[0] {
        if argument == x { return out.call(.silu, x) }
        if isCubic(argument, of: x, coefficient: 2 * Self.tanhScale) {
          return out.call(.fastGELU, x)
        }
      }
      guard isNear(whole.coefficient, 0.5, x), let sum = operands(gate, .add),
        let inner = other(of: sum, beside: 1)
      else { continue }
      if let argument = operands(inner, .erf)?[0] {
        let scaled = Product(argument, in: out)
        if scaled.factors == [x], isNear(scaled.coefficient, 0.5.squareRoot(), x) {
          return out.call(.gelu, x)
        }
      }
      if let argument = operands(inner, .tanh)?[0],
        isCubic(argument, of: x, coefficient: Self.tanhScale)
      {
        return out.call(.fastGELU, x)
      }
    }
    return nil
  }

  /// √(2/π), of gelu's approximation by tanh.
  private static let tanhScale = (2 / Double.pi).squareRoot()

  /// Whether a term is `c · (x + 0.044715 x³)` or `c · x · (1 + 0.044715 x²)`.
  private func isCubic(_ index: Int, of x: Int, coefficient: Double) -> Bool {
    let whole = Product(index, in: out)
    guard isNear(whole.coefficient, coefficient, x) else { return false }
    let isExpanded = whole.factors.count == 1
    guard isExpanded || (whole.factors.count == 2 && whole.factors.contains(x)),
      let rest = isExpanded ? whole.factors.first : whole.factors.first(where: { $0 != x }),
      let sum = operands(rest, .add)
    else { return false }
    let others =
      isExpanded
      ? sum.first { $0 == x }.flatMap { x in sum.first { $0 != x } } : other(of: sum, beside: 1)
    guard let power = others.map({ Product($0, in: out) }) else { return false }
    return isNear(power.coefficient, 0.044715, x)
      && power.factors == [Int](repeating: x, count: isExpanded ? 3 : 2)
  }

  // MARK: - Terms

  private func operands(_ index: Int, _ function: ScalarFunction) -> [Int]? {
    guard case .call(function, let operands) = out.instructions[index] else { return nil }
    return operands
  }

  /// The operand beside a literal of the given value.
  private func other(of operands: [Int], beside value: Double) -> Int? {
    if isNear(operands[1], value) { return operands[0] }
    return isNear(operands[0], value) ? operands[1] : nil
  }

  private func isNear(_ index: Int, _ value: Double) -> Bool {
    guard case .constant(let constant) = out.instructions[index] else { return false }
    return isNear(constant.value.double, value, index)
  }

  /// Whether a literal is a value up to the rounding of a term's type.
  private func isNear(_ literal: Double, _ value: Double, _ index: Int) -> Bool {
    (literal - value).magnitude <= value.magnitude * out.types[index].epsilon
  }
}

/// A product taken apart: a number times factors, in ascending order.
private struct Product {
  private(set) var coefficient = 1.0
  private(set) var factors: [Int] = []

  init(_ index: Int, in expression: ScalarExpression) {
    add(index, expression)
    factors.sort()
  }

  init(_ operands: [Int], of function: ScalarFunction, in expression: ScalarExpression) {
    add(operands, function, index: nil, expression)
    factors.sort()
  }

  private mutating func add(_ index: Int, _ expression: ScalarExpression) {
    switch expression.instructions[index] {
    case .constant(let constant): coefficient *= constant.value.double
    case .call(let function, let operands): add(operands, function, index: index, expression)
    case .input, .cast: factors.append(index)
    }
  }

  private mutating func add(
    _ operands: [Int],
    _ function: ScalarFunction,
    index: Int?,
    _ expression: ScalarExpression
  ) {
    func literal(_ index: Int) -> Double? {
      guard case .constant(let constant) = expression.instructions[index] else { return nil }
      return constant.value.double
    }
    switch function {
    case .multiply: operands.forEach { add($0, expression) }
    case .square:
      add(operands[0], expression)
      add(operands[0], expression)
    case .power where literal(operands[1]) == 2 || literal(operands[1]) == 3:
      for _ in 0..<Int(literal(operands[1]) ?? 0) { add(operands[0], expression) }
    case .divide:
      guard let divisor = literal(operands[1]) else { fallthrough }
      add(operands[0], expression)
      coefficient /= divisor
    default: if let index { factors.append(index) }
    }
  }
}
