import AITGraph
import AITKernels

/// The scalar functions and element types that bodies may use on a GPU.
enum DeviceFunctions {
  /// Those of `math.h` and the language's own operators.
  private static let known: Set<ScalarFunction> = [
    .add, .subtract, .multiply, .divide, .negate, .square, .equal, .notEqual, .less, .lessEqual,
    .greater, .greaterEqual, .and, .or, .xor, .not, .exp, .sigmoid,
  ]

  private static let types: Set<DType> = [.float16, .bfloat16, .float32]

  /// Throws if a body asks for what device code does not have.
  static func check(_ body: ScalarExpression, _ node: NodeContext, _ target: Target)
    throws(Diagnostic)
  {
    let expanded = body.expanded()
    for instruction in expanded.instructions {
      guard case .call(let function, _) = instruction, !known.contains(function) else { continue }
      throw node.unsupported(target, "the function '\(function.rawValue)' has no device code")
    }
    for operand in node.inputs + node.outputs where !types.contains(operand.type.dtype) {
      throw node.unsupported(target, "\(operand.type.dtype) elements have no device code")
    }
  }
}
