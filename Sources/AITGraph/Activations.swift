/// Functions composed of others: one entry here works in the evaluator, in fusion and on every
/// target. PyTorch's function of the same name gives the meaning, unless a comment says otherwise.
extension ScalarFunction {
  /// Adds the definition to an expression and returns its index; nil for elementary functions.
  func define(in e: inout ScalarExpression, _ operands: [Int]) -> Int? {
    let x = operands[0]
    let type = e.types[x]
    func literal(_ value: Double) -> Int { e.constant(value, type) }
    switch self {
    // The second of equal operands is taken: -0 stays, as in PyTorch.
    case .relu: return e.call(.maximum, e.constant(.integer(0), type), x)
    case .clamp: return e.call(.minimum, e.call(.maximum, operands[1], x), operands[2])
    case .fastGELU:
      // x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))) = x · sigmoid(2√(2/π) · (x + 0.044715 x³))
      let cubic = e.call(
        .add,
        e.call(.multiply, e.call(.square, x), literal(0.044715)),
        literal(1)
      )
      let scaled = e.call(.multiply, x, literal(2 * (2 / Double.pi).squareRoot()))
      return e.call(.multiply, x, e.call(.sigmoid, e.call(.multiply, scaled, cubic)))
    case .silu: return e.call(.multiply, x, e.call(.sigmoid, x))
    case .mish:
      let softplus = ScalarFunction.softplus.define(in: &e, [x, literal(1), literal(20)]) ?? x
      return e.call(.multiply, x, e.call(.tanh, softplus))
    case .softsign:
      return e.call(.divide, x, e.call(.add, e.call(.abs, x), literal(1)))
    case .hardSigmoid, .hardSwish:
      // By a product, as a division takes as long as ten; 6 times the rounded sixth is 1.
      let share = e.call(
        .multiply,
        clampedTo6(e.call(.add, x, literal(3)), &e),
        literal(1.0 / 6)
      )
      return self == .hardSigmoid ? share : e.call(.multiply, x, share)
    case .leakyReLU:
      return e.call(
        .select,
        e.call(.greater, x, literal(0)),
        x,
        e.call(.multiply, x, operands[1])
      )
    case .elu:
      return e.call(
        .select,
        e.call(.greater, x, literal(0)),
        x,
        e.call(.multiply, operands[1], e.call(.expm1, x))
      )
    case .celu:
      return e.call(
        .select,
        e.call(.greater, x, literal(0)),
        x,
        e.call(.multiply, operands[1], e.call(.expm1, e.call(.divide, x, operands[1])))
      )
    case .softplus:
      // log1p(exp(βx)) / β, but x itself where βx exceeds the threshold.
      let scaled = e.call(.multiply, x, operands[1])
      let smooth = e.call(.divide, e.call(.log1p, e.call(.exp, scaled)), operands[1])
      return e.call(.select, e.call(.greater, scaled, operands[2]), x, smooth)
    case .nanToNum:
      let isInfinite = e.call(.isInfinite, x)
      let infinite = e.call(
        .select,
        e.call(.greater, x, literal(0)),
        operands[2],
        operands[3]
      )
      let finite = e.call(.select, isInfinite, infinite, x)
      return e.call(.select, e.call(.isNaN, x), operands[1], finite)
    case .clampNaNToNum:
      // As AITemplate's, whose bounds are numbers: NaN is replaced, not clamped.
      let clamped = ScalarFunction.clamp.define(in: &e, [x, operands[1], operands[2]]) ?? x
      return e.call(.select, e.call(.isNaN, x), operands[3], clamped)
    default: return nil
    }
  }

  private func clampedTo6(_ x: Int, _ e: inout ScalarExpression) -> Int {
    let type = e.types[x]
    return e.call(.minimum, e.call(.maximum, x, e.constant(0, type)), e.constant(6, type))
  }

  /// Whether `Activations.swift` composes the function of others.
  package var isComposed: Bool {
    switch self {
    case .relu, .clamp, .fastGELU, .silu, .mish, .softsign, .hardSigmoid, .hardSwish,
      .leakyReLU, .elu, .celu, .softplus, .nanToNum, .clampNaNToNum:
      true
    default: false
    }
  }
}
