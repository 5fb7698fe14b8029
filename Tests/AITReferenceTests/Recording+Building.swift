import AITGraph
import AITOperators

extension Recording.Case {
  struct Unknown: Error {
    let op: String
  }

  // The tables name PyTorch's functions, by the name that the recording gives.

  private static let functions: [String: ScalarFunction] = [
    "abs": .abs, "neg": .negate, "floor": .floor, "ceil": .ceil, "round": .round, "trunc": .trunc,
    "sign": .sign, "square": .square, "sqrt": .sqrt, "rsqrt": .rsqrt, "reciprocal": .reciprocal,
    "exp": .exp, "exp2": .exp2, "expm1": .expm1, "log": .log, "log2": .log2, "log10": .log10,
    "log1p": .log1p, "sin": .sin, "cos": .cos, "tan": .tan, "asin": .asin, "acos": .acos,
    "atan": .atan, "sinh": .sinh, "cosh": .cosh, "tanh": .tanh, "erf": .erf, "erfc": .erfc,
    "sigmoid": .sigmoid, "isnan": .isNaN, "isinf": .isInfinite, "isfinite": .isFinite,
    "relu": .relu, "hardswish": .hardSwish, "hardsigmoid": .hardSigmoid, "silu": .silu,
    "mish": .mish, "softsign": .softsign, "bitwise_not": .not, "add": .add, "sub": .subtract,
    "mul": .multiply, "maximum": .maximum, "minimum": .minimum, "eq": .equal, "ne": .notEqual,
    "lt": .less, "le": .lessEqual, "gt": .greater, "ge": .greaterEqual, "pow": .power,
    "atan2": .atan2, "fmod": .fmod, "remainder": .remainder, "floor_divide": .floorDivide,
    "bitwise_and": .and, "bitwise_or": .or, "bitwise_xor": .xor, "bitwise_left_shift": .shiftLeft,
    "bitwise_right_shift": .shiftRight,
  ]

  /// Adds the case to a graph whose inputs are given; returns the results.
  func build(in graph: inout Graph, _ x: [ValueID]) throws -> [ValueID] {
    if let function = Self.functions[op] {
      let scalar = attributes["other"] ?? attributes["exponent"]
      let operands = x.map { PointwiseOperand.value($0) } + (scalar.map { [operand($0)] } ?? [])
      return [try graph.pointwise(function, operands)]
    }
    return try buildActivation(&graph, x) ?? buildReduction(&graph, x) ?? buildRest(&graph, x)
  }

  private func operand(_ value: RecordedJSON) -> PointwiseOperand {
    switch value {
    case .integer(let integer): .scalar(integer)
    case .bool(let bool): .scalar(bool)
    default: .scalar(value.double ?? .nan)
    }
  }

  private func number(_ key: String, _ fallback: Double) -> Double {
    attributes[key]?.double ?? fallback
  }

  private func buildActivation(_ graph: inout Graph, _ x: [ValueID]) throws -> [ValueID]? {
    let operands = x.map { PointwiseOperand.value($0) }
    func call(_ function: ScalarFunction, _ keys: String...) throws -> ValueID {
      try graph.pointwise(function, operands + keys.map { .scalar(number($0, .nan)) })
    }
    switch op {
    case "frac": return [try graph.frac(x[0])]
    case "asinh": return [try graph.asinh(x[0])]
    case "acosh": return [try graph.acosh(x[0])]
    case "atanh": return [try graph.atanh(x[0])]
    case "relu6": return [try graph.relu6(x[0])]
    case "logsigmoid": return [try graph.logSigmoid(x[0])]
    case "selu": return [try graph.selu(x[0])]
    case "gelu": return [try call(attributes["approximate"]?.string == "tanh" ? .fastGELU : .gelu)]
    case "celu": return [try call(.celu, "alpha")]
    case "elu": return [try call(.elu, "alpha")]
    case "leaky_relu": return [try call(.leakyReLU, "negative_slope")]
    case "softplus": return [try call(.softplus, "beta", "threshold")]
    case "hardtanh":
      return [
        try graph.hardtanh(x[0], least: number("min_val", -1), greatest: number("max_val", 1))
      ]
    case "nan_to_num":
      return [
        try graph.nanToNum(
          x[0],
          nan: number("nan", 0),
          positiveInfinity: attributes["posinf"]?.double,
          negativeInfinity: attributes["neginf"]?.double
        )
      ]
    case "clamp" where x.count == 3:
      return [try graph.clamp(x[0], least: operands[1], greatest: operands[2])]
    case "clamp":
      return [
        try graph.clamp(
          x[0],
          least: attributes["min"].map(operand),
          greatest: attributes["max"].map(operand)
        )
      ]
    case "logical_not": return [try graph.logicalNot(x[0])]
    case "logical_and": return [try graph.logicalAnd(operands[0], operands[1])]
    case "logical_or": return [try graph.logicalOr(operands[0], operands[1])]
    case "logical_xor": return [try graph.logicalXor(operands[0], operands[1])]
    case "fmax": return [try graph.fmax(operands[0], operands[1])]
    case "fmin": return [try graph.fmin(operands[0], operands[1])]
    case "div":
      let other = attributes["other"].map(operand) ?? operands[1]
      switch attributes["rounding_mode"]?.string {
      case "floor": return [try graph.pointwise(.floorDivide, [operands[0], other])]
      case "trunc": return [try graph.divideTruncating(operands[0], other)]
      default: return [try graph.divide(operands[0], other)]
      }
    case "where": return [try graph.where(x[0], operands[1], operands[2])]
    case "to": return [try graph.cast(x[0], to: try dtype())]
    default: return nil
    }
  }

  private func dtype() throws -> DType {
    guard let dtype = attributes["dtype"]?.string.flatMap(DType.init) else { throw Unknown(op: op) }
    return dtype
  }

  private func buildReduction(_ graph: inout Graph, _ x: [ValueID]) throws -> [ValueID]? {
    var axes: [Int]?
    if case .integer(let axis) = attributes["dim"] { axes = [axis] }
    if case .array(let list) = attributes["dim"] { axes = list.compactMap(\.integer) }
    let keeps = attributes["keepdim"]?.bool ?? false
    let type = attributes["dtype"] == nil ? nil : try dtype()
    let correction = number("correction", 1)
    let result =
      switch op {
      case "sum": try graph.sum(x[0], axes: axes, keepsDimensions: keeps, dtype: type)
      case "mean": try graph.mean(x[0], axes: axes, keepsDimensions: keeps, dtype: type)
      case "prod": try graph.product(x[0], axes: axes, keepsDimensions: keeps, dtype: type)
      case "amax": try graph.maximum(x[0], axes: axes, keepsDimensions: keeps)
      case "amin": try graph.minimum(x[0], axes: axes, keepsDimensions: keeps)
      case "any": try graph.any(x[0], axes: axes, keepsDimensions: keeps)
      case "all": try graph.all(x[0], axes: axes, keepsDimensions: keeps)
      case "logsumexp": try graph.logSumExp(x[0], axes: axes, keepsDimensions: keeps)
      case "var":
        try graph.variance(x[0], axes: axes, correction: correction, keepsDimensions: keeps)
      case "std":
        try graph.standardDeviation(
          x[0],
          axes: axes,
          correction: correction,
          keepsDimensions: keeps
        )
      case "norm": try graph.norm(x[0], order: number("ord", 2), axes: axes, keepsDimensions: keeps)
      case "argmax": try graph.argmax(x[0], axis: axes?.first, keepsDimensions: keeps)
      case "argmin": try graph.argmin(x[0], axis: axes?.first, keepsDimensions: keeps)
      case "softmax": try graph.softmax(x[0], axis: axes?.first ?? 0, dtype: type)
      case "log_softmax": try graph.logSoftmax(x[0], axis: axes?.first ?? 0, dtype: type)
      default: ValueID?.none
      }
    return result.map { [$0] }
  }

  private func buildRest(_ graph: inout Graph, _ x: [ValueID]) throws -> [ValueID] {
    let axis = attributes["dim"]?.integer ?? 0
    let epsilon = attributes["eps"]?.double
    let axisCount = attributes["normalized_shape"]?.array.count ?? 1
    let second = x.count > 1 ? x[1] : nil
    let third = x.count > 2 ? x[2] : nil
    switch op {
    case "layer_norm":
      return [
        try graph.layerNorm(
          x[0],
          axisCount: axisCount,
          weight: second,
          bias: third,
          epsilon: epsilon ?? .nan
        )
      ]
    case "rms_norm":
      return [try graph.rmsNorm(x[0], axisCount: axisCount, weight: second, epsilon: epsilon)]
    case "group_norm":
      return [
        try graph.groupNorm(
          x[0],
          groupCount: attributes["num_groups"]?.integer ?? 0,
          weight: second,
          bias: third,
          epsilon: epsilon ?? .nan
        )
      ]
    case "batch_norm":
      return [
        try graph.batchNorm(
          x[0],
          mean: x[1],
          variance: x[2],
          weight: x.count > 3 ? x[3] : nil,
          bias: x.count > 4 ? x[4] : nil,
          epsilon: epsilon ?? .nan
        )
      ]
    case "matmul": return [try graph.matmul(x[0], x[1])]
    case "linear": return [try graph.linear(x[0], x[1], bias: third)]
    case "addmm", "baddbmm":
      func scalar(_ key: String) -> ScalarValue {
        attributes[key]?.integer.map { .integer(Int64($0)) } ?? .float(number(key, .nan))
      }
      return [
        try graph.addmm(x[0], x[1], x[2], beta: scalar("beta"), alpha: scalar("alpha"))
      ]
    case "index_select": return [try graph.indexSelect(x[0], axis: axis, x[1])]
    case "gather": return [try graph.gather(x[0], axis: axis, x[1])]
    case "embedding": return [try graph.embedding(x[0], table: x[1])]
    case "slice":
      let ranges = attributes["slices"]?.array.map { bounds in
        let numbers = bounds.array.map(\.integer)
        return SliceRange(
          numbers[0].map { Dimension($0) },
          numbers[1].map { Dimension($0) },
          step: numbers.count > 2 ? numbers[2] ?? 1 : 1
        )
      }
      return [try graph.slice(x[0], ranges ?? [])]
    case "pad":
      let amounts = attributes["pad"]?.array.compactMap(\.integer).map { Dimension($0) } ?? []
      let mode: PaddingMode =
        switch attributes["mode"]?.string {
        case "reflect": .reflect
        case "replicate": .replicate
        case "circular": .circular
        default: .constant(number("value", 0))
        }
      return [try graph.pad(x[0], amounts, mode: mode)]
    default: throw Unknown(op: op)
    }
  }
}
