import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Functions of single elements: AITemplate has them as one operator that is told the function.
  static let pointwise: [FacadeOperator] = [
    FacadeOperator(
      "elementwise",
      "A function of broadcast tensors and numbers, named by a FuncEnum",
      attributes: [FacadeParameter("func_enum", .string)],
      [FacadeParameter("args", .operand, isVariadic: true)]
    ) { (call) throws(Diagnostic) in
      let name = try call.string("func_enum")
      guard let function = functions[name] else {
        throw call.failure(
          .invalidArgument,
          "'\(name)' is none of its functions",
          hint: "one of \(functions.keys.sorted().joined(separator: ", "))"
        )
      }
      let operands = try call.operands("args")
      guard function.operandCounts.contains(operands.count) else {
        throw call.failure(
          .wrongInputCount,
          "\(name) of \(operands.count) operands, expected \(function.operandCounts)"
        )
      }
      return [try function.apply(call, operands)]
    }
  ]

  /// A function of FuncEnum.
  private struct Function: Sendable {
    let operandCounts: ClosedRange<Int>
    let apply: @Sendable (FacadeCall, [any TensorOperand]) throws(Diagnostic) -> Tensor
  }

  private static func unary(_ apply: @escaping @Sendable (Tensor) -> Tensor) -> Function {
    Function(operandCounts: 1...1) { (call, x) throws(Diagnostic) in
      guard let tensor = x[0] as? Tensor else { throw call.mismatch("args", "a tensor") }
      return apply(tensor)
    }
  }

  private static func binary(
    _ apply: @escaping @Sendable (any TensorOperand, any TensorOperand) -> Tensor
  ) -> Function {
    Function(operandCounts: 2...2) { (_, x) in apply(x[0], x[1]) }
  }

  private static let functions: [String: Function] = [
    "TANH": unary { tanh($0) },
    "RELU": unary { relu($0) },
    "SIGMOID": unary { sigmoid($0) },
    "MAX": binary { maximum($0, $1) },
    "MIN": binary { minimum($0, $1) },
  ]
}
