import AITFrontend
import AITGraph
import AITOperators

extension AtenOperator {
  /// A function of two operands, tensors or numbers, that broadcast.
  private static func binary(_ function: ScalarFunction, _ first: String, _ second: String)
    -> AtenOperator
  {
    .one { (call) throws(Diagnostic) in
      try apply(function, [try call.operand(first), try call.operand(second)])
    }
  }

  /// The result of a function of operands that broadcast.
  static func apply(_ function: ScalarFunction, _ operands: [any TensorOperand])
    throws(Diagnostic) -> Tensor
  {
    operands.contains { $0 is RuntimeNumber }
      ? RuntimeNumber.combined(function, operands) : combine(function, operands)
  }

  /// What takes several steps, all in the type in which the operands meet; half precision is rounded
  /// once.
  private static func roundedOnce(
    _ operands: [any TensorOperand],
    _ build: ([any TensorOperand]) throws(Diagnostic) -> Tensor
  ) throws(Diagnostic) -> Tensor {
    let type = RuntimeNumber.meetingType(operands)
    let wide = type.isHalfPrecision ? .float32 : type
    let result = try build(operands.map { ($0 as? Tensor)?.cast(to: wide) ?? $0 })
    return result.cast(to: type)
  }

  /// `self ± alpha · other`, or `other − alpha · self`.
  private static func sum(_ function: ScalarFunction, isReversed: Bool = false) -> AtenOperator {
    .one { (call) throws(Diagnostic) in
      let names = isReversed ? ("other", "self") : ("self", "other")
      let operands = [try call.operand(names.0), try call.operand(names.1)]
      guard call.has("alpha") else { return try apply(function, operands) }
      return try roundedOnce(operands) { (x) throws(Diagnostic) in
        try apply(function, [x[0], try scaled(x[1], by: call["alpha"], call)])
      }
    }
  }

  /// An operand times a number, of the operand's kind where both are integers.
  private static func scaled(
    _ operand: any TensorOperand,
    by factor: AtenValue,
    _ call: AtenCall
  ) throws(Diagnostic) -> any TensorOperand {
    let number: any TensorOperand
    switch factor {
    case .none: return operand
    case .integer(let value):
      guard let constant = value.constant else {
        return try apply(.multiply, [operand, RuntimeNumber(value)])
      }
      if constant == 1 { return operand }
      if let other = operand as? Int {
        let (product, overflows) = other.multipliedReportingOverflow(by: constant)
        guard !overflows else { throw call.unsupported("with numbers beyond 64 bits") }
        return product
      }
      number = constant
    case .float(let value):
      if value == 1 { return operand }
      number = value
    case .number(let value): return try apply(.multiply, [operand, value])
    default: throw call.unsupported("with a factor that is no number")
    }
    if let tensor = operand as? Tensor { return try apply(.multiply, [tensor, number]) }
    let left = (operand as? Double) ?? Double((operand as? Int) ?? 0)
    let right = (number as? Double) ?? Double((number as? Int) ?? 0)
    return left * right
  }

  static let pointwise: [String: AtenOperator] = [
    "add": sum(.add),
    "sub": sum(.subtract),
    "subtract": sum(.subtract),
    "rsub": sum(.subtract, isReversed: true),
    "mul": binary(.multiply, "self", "other"),
    "multiply": binary(.multiply, "self", "other"),
    "div": .one { (call) throws(Diagnostic) in try divided(call) },
    "divide": .one { (call) throws(Diagnostic) in try divided(call) },
    "true_divide": binary(.divide, "self", "other"),
    "floor_divide": binary(.floorDivide, "self", "other"),
    "remainder": binary(.remainder, "self", "other"),
    "fmod": binary(.fmod, "self", "other"),
    "pow": binary(.power, "self", "exponent"),
    "maximum": binary(.maximum, "self", "other"),
    "minimum": binary(.minimum, "self", "other"),
    "atan2": binary(.atan2, "self", "other"),
    "bitwise_left_shift": binary(.shiftLeft, "self", "other"),
    "bitwise_right_shift": binary(.shiftRight, "self", "other"),
    "__lshift__": binary(.shiftLeft, "self", "other"),
    "__rshift__": binary(.shiftRight, "self", "other"),
    // Of a difference, 0 would lose its sign.
    "neg": unary { -$0 },
    "abs": unary { abs($0) },
    "square": unary { square($0) },
    "sign": unary { sign($0) },
    "sgn": unary { sign($0) },
    "reciprocal": unary { reciprocal($0) },
    "floor": unary { floor($0) },
    "ceil": unary { ceil($0) },
    "round": .one { (call) throws(Diagnostic) in
      let (x, decimals) = (try call.subject(), try call.integer("decimals", default: 0))
      return decimals == 0 || !x.dtype.isFloatingPoint ? round(x) : rounded(x, to: decimals)
    },
    "trunc": unary { trunc($0) },
    "frac": unary { frac($0) },
    "exp": unary { exp($0) },
    "exp2": unary { exp2($0) },
    "expm1": unary { expm1($0) },
    "log": unary { log($0) },
    "log2": unary { log2($0) },
    "log10": unary { log10($0) },
    "log1p": unary { log1p($0) },
    "sqrt": unary { sqrt($0) },
    "rsqrt": unary { rsqrt($0) },
    "sin": unary { sin($0) },
    "cos": unary { cos($0) },
    "tan": unary { tan($0) },
    "asin": unary { asin($0) },
    "acos": unary { acos($0) },
    "atan": unary { atan($0) },
    "sinh": unary { sinh($0) },
    "cosh": unary { cosh($0) },
    "tanh": unary { tanh($0) },
    "asinh": unary { asinh($0) },
    "acosh": unary { acosh($0) },
    "atanh": unary { atanh($0) },
    "erf": unary { erf($0) },
    "erfc": unary { erfc($0) },
    "clamp": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      switch (call.has("min"), call.has("max")) {
      case (true, true):
        return try apply(.clamp, [x, try call.operand("min"), try call.operand("max")])
      case (true, false): return try apply(.maximum, [x, try call.operand("min")])
      case (false, true): return try apply(.minimum, [x, try call.operand("max")])
      case (false, false): return x
      }
    },
    "fmax": .one { (call) throws(Diagnostic) in
      fmax(try call.subject(), try call.tensor("other"))
    },
    "fmin": .one { (call) throws(Diagnostic) in
      fmin(try call.subject(), try call.tensor("other"))
    },
    "isposinf": unary { $0 .== Double.infinity },
    "isneginf": unary { $0 .== -Double.infinity },
    "clamp_min": binary(.maximum, "self", "min"),
    "clamp_max": binary(.minimum, "self", "max"),
    "lerp": .one { (call) throws(Diagnostic) in
      let operands = [
        try call.operand("self"), try call.operand("end"), try call.operand("weight"),
      ]
      return try roundedOnce(operands) { (x) throws(Diagnostic) in
        // From the nearer end, so that both are met exactly.
        let distance = try apply(.subtract, [x[1], x[0]])
        let low = try apply(.add, [x[0], try apply(.multiply, [distance, x[2]])])
        let rest = try apply(.subtract, [Tensor.full([], 1, distance.dtype), x[2]])
        let high = try apply(.subtract, [x[1], try apply(.multiply, [distance, rest])])
        if let weight = x[2] as? Tensor ?? (x[2] as? RuntimeNumber)?.value {
          return `where`(weight .< 0.5, low, high)
        }
        return try call.number("weight") < 0.5 ? low : high
      }
    },
    "addcmul": added(.multiply),
    "addcdiv": added(.divide),
    "nan_to_num": .one { (call) throws(Diagnostic) in
      try call.subject().nanToNum(
        nan: try call.number("nan", default: 0),
        positiveInfinity: try call.optionalNumber("posinf"),
        negativeInfinity: try call.optionalNumber("neginf")
      )
    },
    "where": .one { (call) throws(Diagnostic) in
      let condition = try call.tensor("condition")
      guard call.has("self") else {
        throw call.unsupported(
          "of a condition alone: how many positions there are depends on the data"
        )
      }
      return try apply(.select, [condition, try call.operand("self"), try call.operand("other")])
    },
    "masked_fill": .one { (call) throws(Diagnostic) in
      let (x, mask) = (try call.subject(), try call.tensor("mask"))
      return x.maskedFill(mask, try call.operand("value"))
    },
  ]

  /// `self + value · f(tensor1, tensor2)`.
  private static func added(_ function: ScalarFunction) -> AtenOperator {
    .one { (call) throws(Diagnostic) in
      let operands = [
        try call.tensor("self"), try call.tensor("tensor1"), try call.tensor("tensor2"),
      ]
      return try roundedOnce(operands) { (x) throws(Diagnostic) in
        let term = try apply(function, [x[1], x[2]])
        return try apply(.add, [x[0], try scaled(term, by: call["value"], call)])
      }
    }
  }

  private static func divided(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    let operands = [try call.operand("self"), try call.operand("other")]
    guard call.has("rounding_mode") else { return try apply(.divide, operands) }
    switch try call.string("rounding_mode") {
    case "floor": return try apply(.floorDivide, operands)
    case "trunc":
      guard !RuntimeNumber.meetingType(operands).isFloatingPoint else {
        return try roundedOnce(operands) { (x) throws(Diagnostic) in
          trunc(try apply(.divide, x))
        }
      }
      // Exact for integers: the dividend less its remainder divides.
      let exact = try apply(.subtract, [operands[0], try apply(.fmod, operands)])
      return try apply(.floorDivide, [exact, operands[1]])
    case let mode: throw call.unsupported("with rounding '\(mode)'")
    }
  }

  static let activations: [String: AtenOperator] = [
    "relu": unary { relu($0) },
    "relu6": unary { relu6($0) },
    "sigmoid": unary { sigmoid($0) },
    "silu": unary { silu($0) },
    "mish": unary { mish($0) },
    "hardswish": unary { hardSwish($0) },
    "hardsigmoid": unary { hardSigmoid($0) },
    "log_sigmoid": unary { logSigmoid($0) },
    "softsign": unary { softsign($0) },
    "selu": unary { selu($0) },
    "gelu": .one { (call) throws(Diagnostic) in
      let approximation = try call.string("approximate", default: "none")
      return gelu(try call.subject(), approximate: approximation == "tanh" ? .tanh : .none)
    },
    "leaky_relu": .one { (call) throws(Diagnostic) in
      try call.subject().leakyReLU(slope: try call.number("negative_slope", default: 0.01))
    },
    "elu": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let alpha = try call.number("alpha", default: 1)
      let scale = try call.number("scale", default: 1)
      let inputScale = try call.number("input_scale", default: 1)
      if scale == 1, inputScale == 1 { return x.elu(alpha: alpha) }
      return `where`(x .> 0, x, expm1(x * inputScale) * alpha) * scale
    },
    "celu": .one { (call) throws(Diagnostic) in
      try call.subject().celu(alpha: try call.number("alpha", default: 1))
    },
    "hardtanh": .one { (call) throws(Diagnostic) in
      try call.subject().hardtanh(
        min: try call.number("min_val", default: -1),
        max: try call.number("max_val", default: 1)
      )
    },
    "softplus": .one { (call) throws(Diagnostic) in
      try call.subject().softplus(
        beta: try call.number("beta", default: 1),
        threshold: try call.number("threshold", default: 20)
      )
    },
    "glu": .one { (call) throws(Diagnostic) in
      try call.subject().glu(axis: try call.integer("dim", default: -1))
    },
    "prelu": .one { (call) throws(Diagnostic) in
      let (x, slope) = (try call.subject(), try call.tensor("weight"))
      let extents = [Dimension](repeating: 1, count: max(x.rank - 2, 0))
      // A slope for each channel lies along axis 1.
      let isPerChannel = x.rank > 1 && slope.rank == 1
      let shaped = isPerChannel ? slope.reshape([slope.extent(0)] + extents) : slope
      return `where`(x .> 0, x, shaped * x)
    },
    "threshold": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let isLow = x.exact .<= (try call.number("threshold"))
      return `where`(isLow, try call.number("value"), x).cast(to: x.dtype)
    },
    "hardshrink": .one { (call) throws(Diagnostic) in
      let (x, bound) = (try call.subject(), try call.number("lambd", default: 0.5))
      return `where`((x .>= -bound).logicalAnd(x .<= bound), 0, x).cast(to: x.dtype)
    },
    "softshrink": .one { (call) throws(Diagnostic) in
      let (given, bound) = (try call.subject(), try call.number("lambd", default: 0.5))
      let x = given.exact
      // NaN stays.
      return `where`(x .> bound, x - bound, `where`(x .< -bound, x + bound, x * 0))
        .cast(to: given.dtype)
    },
    "rrelu": randomLeaky,
    "logit": .one { (call) throws(Diagnostic) in
      var x = try call.subject()
      if let bound = try call.optionalNumber("eps") { x = x.clamp(min: bound, max: 1 - bound) }
      return log(x / (1 - x))
    },
    "rrelu_with_noise": randomLeaky,
    "rrelu_with_noise_functional": randomLeaky,
    "dropout": dropout,
    "feature_alpha_dropout": dropout,
    "feature_dropout": dropout,
    "alpha_dropout": dropout,
  ]

  /// A slope in the middle of those that training draws.
  private static let randomLeaky = AtenOperator { (call) throws(Diagnostic) in
    guard try !call.bool("training") else {
      throw call.unsupported("in training", hint: "export the module in eval mode")
    }
    let lower = try call.number("lower", default: 0.125)
    let upper = try call.number("upper", default: 1.0 / 3)
    let y = try call.subject().leakyReLU(slope: (lower + upper) / 2)
    return [.tensor(y), .unavailable("the noise of \(call.target)")]
  }

  /// Nothing, as it is for training.
  private static let dropout: AtenOperator = .one { (call) throws(Diagnostic) in
    let isTraining = try call.bool("train")
    let share = try call.number("p", default: 0.5)
    guard !isTraining || share == 0 else {
      throw call.unsupported("in training", hint: "export the module in eval mode")
    }
    return try call.subject()
  }

  static let comparisons: [String: AtenOperator] = [
    "eq": binary(.equal, "self", "other"),
    "ne": binary(.notEqual, "self", "other"),
    "lt": binary(.less, "self", "other"),
    "le": binary(.lessEqual, "self", "other"),
    "gt": binary(.greater, "self", "other"),
    "ge": binary(.greaterEqual, "self", "other"),
    "bitwise_and": binary(.and, "self", "other"),
    "bitwise_or": binary(.or, "self", "other"),
    "bitwise_xor": binary(.xor, "self", "other"),
    "__and__": binary(.and, "self", "other"),
    "__or__": binary(.or, "self", "other"),
    "__xor__": binary(.xor, "self", "other"),
    "bitwise_not": .one { (call) throws(Diagnostic) in
      try apply(.not, [try call.subject()])
    },
    "logical_and": .one { (call) throws(Diagnostic) in
      try call.subject().logicalAnd(try call.tensor("other"))
    },
    "logical_or": .one { (call) throws(Diagnostic) in
      try call.subject().logicalOr(try call.tensor("other"))
    },
    "logical_xor": .one { (call) throws(Diagnostic) in
      try call.subject().logicalXor(try call.tensor("other"))
    },
    "logical_not": unary { $0.logicalNot() },
    "isnan": unary { $0.isNaN() },
    "isinf": unary { $0.isInfinite() },
    "isfinite": unary { $0.isFinite() },
  ]
}

extension Tensor {
  /// The extent along an axis, counted from the end if negative.
  func checkedExtent(_ axis: Int) throws(Diagnostic) -> Dimension {
    extent(try shape.normalizedAxis(axis))
  }

  /// Half precision as float32, for functions whose numbers PyTorch does not round to the tensor's type.
  fileprivate var exact: Tensor { dtype.isHalfPrecision ? cast(to: .float32) : self }
}
