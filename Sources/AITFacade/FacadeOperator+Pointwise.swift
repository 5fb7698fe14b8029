import AITFrontend
import AITGraph
import AITOperators

extension FacadeOperator {
  /// Functions of single elements: AITemplate has them as one operator that is told the function.
  ///
  /// AITemplate converts no types: the result has the operands' type, to which numbers and bool
  /// operands are converted. Numbers alone give float16.
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
      guard operands.count == function.arity else {
        throw call.failure(
          .wrongInputCount,
          "\(name) of \(operands.count) operands, expected \(function.arity)"
        )
      }
      return [try apply(function, operands, call)]
    },
    FacadeOperator(
      "clamp",
      "min(max(x, min_value), max_value); a limit that is None does not apply",
      [
        .tensor("x"), FacadeParameter("min_value", .operand, default: Default.none),
        FacadeParameter("max_value", .operand, default: Default.none),
      ]
    ) { (call) throws(Diagnostic) in
      let limits = try ["min_value", "max_value"].map { name throws(Diagnostic) in
        call.isGiven(name) ? try call.operand(name) : nil
      }
      guard limits.contains(where: { $0 != nil }) else {
        throw call.failure(.invalidArgument, "no limits", hint: "give min_value, max_value or both")
      }
      var result = try call.tensor("x")
      if let least = limits[0] { result = try apply(.maximum, [result, least], call) }
      if let greatest = limits[1] { result = try apply(.minimum, [result, greatest], call) }
      return [result]
    },
    FacadeOperator(
      "cast",
      "x converted to an element type",
      [.tensor("x"), FacadeParameter("dtype", .dtype, default: .string("bfloat16"))]
    ) { (call) throws(Diagnostic) in
      [try call.tensor("x").cast(to: try call.dtype("dtype"))]
    },
  ]

  private typealias Default = FacadeParameter.Default

  /// The functions of FuncEnum.
  private static let functions: [String: ScalarFunction] = [
    "ADD": .add, "SUB": .subtract, "MUL": .multiply, "DIV": .divide, "FLOOR_DIV": .floorDivide,
    "POW": .power, "MAX": .maximum, "MIN": .minimum,
    "TANH": .tanh, "COS": .cos, "SIN": .sin, "SIGN": .sign, "ABS": .abs, "FLOOR": .floor,
    "LOGE": .log, "LOG1P": .log1p, "EXP": .exp, "SQRT": .sqrt, "RECIPROCAL": .reciprocal,
    "SIGMOID": .sigmoid, "RELU": .relu, "SILU": .silu, "GELU": .gelu, "FASTGELU": .fastGELU,
    "SOFTSIGN": .softsign,
    "LRELU": .leakyReLU,  // x, slope
    "ELU": .elu, "CELU": .celu,  // x, alpha
    "HARDTANH": .clamp,  // x, least, greatest
    "SOFTPLUS": .softplus,  // x, beta, threshold
    "NAN_TO_NUM": .nanToNum,  // x, for NaN, for +infinity, for -infinity
    "CLAMP_NAN_TO_NUM": .clampNaNToNum,  // x, least, greatest, for NaN
  ]

  /// Returns a function of operands in the one type that they have.
  private static func apply(
    _ function: ScalarFunction,
    _ operands: [any TensorOperand],
    _ call: FacadeCall
  ) throws(Diagnostic) -> Tensor {
    let tensors = operands.compactMap { $0 as? Tensor }
    let numeric = tensors.filter { $0.dtype != .bool }
    try call.checkOneType(numeric)
    let dtype = numeric.first?.dtype ?? (tensors.isEmpty ? .float16 : .bool)
    return try built(tensors) { (graph, inputs) throws(Diagnostic) in
      var rest = inputs[...]
      var values: [PointwiseOperand] = []
      for operand in operands {
        switch operand {
        case let number as Int: values.append(.scalar(number))
        case let number as Double: values.append(.scalar(number))
        case let truth as Bool: values.append(.scalar(truth))
        default: values.append(.value(try graph.cast(rest.removeFirst(), to: dtype)))
        }
      }
      return try graph.cast(try graph.pointwise(function, values), to: dtype)
    }
  }
}
