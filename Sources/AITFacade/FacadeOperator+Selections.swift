import AITFrontend
import AITGraph
import AITOperators

extension FacadeOperator {
  /// Comparisons, and the choice by truth.
  ///
  /// Shapes and types are equal: nothing broadcasts.
  static let selections: [FacadeOperator] = [
    comparison("eq", "left = right", .equal),
    comparison("ne", "left ≠ right", .notEqual),
    comparison("lt", "left < right", .less),
    comparison("le", "left ≤ right", .lessEqual),
    comparison("gt", "left > right", .greater),
    comparison("ge", "left ≥ right", .greaterEqual),
    FacadeOperator(
      "where",
      "input_tensor where condition holds, other_tensor elsewhere; dtype counts if both are numbers",
      [
        .tensor("condition"), FacadeParameter("input_tensor", .operand),
        FacadeParameter("other_tensor", .operand),
        FacadeParameter("dtype", .string, default: .string("")),
      ]
    ) { (call) throws(Diagnostic) in [try choice(call)] },
  ]

  private static func comparison(_ name: String, _ formula: String, _ function: ScalarFunction)
    -> FacadeOperator
  {
    FacadeOperator(
      name,
      "\(formula), element by element: bool; right is a tensor like left, or a number",
      [.tensor("left"), FacadeParameter("right", .operand)]
    ) { (call) throws(Diagnostic) in
      let left = try call.tensor("left")
      let right = try call.operand("right")
      if let tensor = right as? Tensor { try call.check("right", tensor, left.type) }
      return [
        try built([left, right].compactMap { $0 as? Tensor }) { (graph, x) throws(Diagnostic) in
          let other = number(right, left.dtype) ?? .value(x[x.count - 1])
          return try graph.pointwise([.value(x[0]), other], in: left.dtype, name: name) { e, x in
            e.call(function, x)
          }
        }
      ]
    }
  }

  private static func choice(_ call: FacadeCall) throws(Diagnostic) -> Tensor {
    let condition = try call.tensor("condition")
    guard condition.dtype == .bool else {
      throw call.failure(
        .dtypeMismatch,
        "the condition \(condition.type)",
        hint: "conditions are bool; compare first"
      )
    }
    let choices = [try call.operand("input_tensor"), try call.operand("other_tensor")]
    let tensors = choices.compactMap { $0 as? Tensor }
    try call.checkOneType(tensors)
    for (parameter, choice) in zip(["input_tensor", "other_tensor"], choices) {
      guard let tensor = choice as? Tensor else { continue }
      try call.check(parameter, tensor, TensorType(tensor.dtype, condition.shape))
    }
    let name = try call.string("dtype")
    guard !tensors.isEmpty || !name.isEmpty else {
      throw call.failure(
        .invalidArgument,
        "a choice between numbers of no type",
        hint: "give the dtype of the result"
      )
    }
    let dtype = tensors.isEmpty ? try call.dtype("dtype") : tensors[0].dtype
    return try built([condition] + tensors) { (graph, x) throws(Diagnostic) in
      var rest = x[1...]
      let operands = choices.map { number($0, dtype) ?? .value(rest.removeFirst()) }
      let result = try graph.where(x[0], operands[0], operands[1])
      return try graph.cast(result, to: dtype)
    }
  }

  /// A number as an operand beside tensors of a type, rounded to it; nil for a tensor.
  private static func number(_ operand: any TensorOperand, _ dtype: DType) -> PointwiseOperand? {
    let number: Double? =
      switch operand {
      case let number as Int: Double(number)
      case let number as Double: number
      case let truth as Bool: truth ? 1 : 0
      default: nil
      }
    guard let number else { return nil }
    if let integer = operand as? Int, !dtype.isFloatingPoint { return .scalar(integer) }
    return .scalar(TensorData(dtype, [], [number]).doubles[0])
  }
}
