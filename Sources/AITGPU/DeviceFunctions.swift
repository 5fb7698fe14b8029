import AITGraph
import AITKernels

/// The elementary functions that bodies may use on a GPU, on any element type that they take.
enum DeviceFunctions {
  /// Those of `math.h` and the language's own operators: all that there are.
  ///
  /// One that is new is a diagnostic until it stands here, not an error of nvcc.
  private static let known: Set<ScalarFunction> = [
    .add, .subtract, .multiply, .divide, .maximum, .minimum, .floorDivide, .remainder, .fmod,
    .negate, .abs, .square, .sign, .power, .reciprocal, .floor, .ceil, .round, .trunc, .exp, .exp2,
    .expm1, .log, .log2, .log10, .log1p, .sqrt, .rsqrt, .sin, .cos, .tan, .asin, .acos, .atan,
    .atan2, .sinh, .cosh, .tanh, .erf, .erfc, .sigmoid, .gelu, .equal, .notEqual, .less, .lessEqual,
    .greater, .greaterEqual, .isNaN, .isInfinite, .isFinite, .and, .or, .xor, .not, .shiftLeft,
    .shiftRight, .select,
  ]

  /// Throws if a body asks for what device code does not have.
  static func check(_ body: ScalarExpression, _ node: NodeContext, _ target: Target)
    throws(Diagnostic)
  {
    for case .call(let function, _) in body.expanded().instructions
    where !known.contains(function) {
      throw node.unsupported(target, "the function '\(function.rawValue)' has no device code")
    }
  }
}
