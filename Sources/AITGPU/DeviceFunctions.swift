import AITGraph
import AITKernels

/// The scalar functions that bodies may use on a GPU.
enum DeviceFunctions {
  /// Those of `math.h` and the language's own operators.
  private static let known: Set<ScalarFunction> = [
    .add, .subtract, .multiply, .divide, .maximum, .minimum, .floorDivide, .remainder, .fmod,
    .negate, .abs, .square, .sign, .reciprocal, .floor, .ceil, .round, .trunc, .exp, .sqrt, .rsqrt,
    .sigmoid, .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual, .isNaN, .isInfinite,
    .isFinite, .and, .or, .xor, .not, .shiftLeft, .shiftRight, .select,
  ]

  /// Those that have code for float64 as well.
  private static let missingInDouble: Set<ScalarFunction> = [.exp, .sigmoid]

  /// Throws if a body asks for what device code does not have.
  static func check(_ body: ScalarExpression, _ node: NodeContext, _ target: Target)
    throws(Diagnostic)
  {
    let expanded = body.expanded()
    for (index, instruction) in expanded.instructions.enumerated() {
      guard case .call(let function, _) = instruction else { continue }
      let isDouble = expanded.types[index] == .float64
      if known.contains(function) && !(isDouble && missingInDouble.contains(function)) { continue }
      throw node.unsupported(
        target,
        "the function '\(function.rawValue)' of \(expanded.types[index]) has no device code"
      )
    }
  }
}
