import AITFrontend
import AITGraph

extension AtenOperator {
  /// Pointwise functions that are several of ours.
  static let special: [String: AtenOperator] = [
    "hypot": .one { (call) throws(Diagnostic) in
      let (x, y) = (abs(try call.subject()), abs(try call.tensor("other")))
      let (larger, smaller) = (maximum(x, y), minimum(x, y))
      let root = larger * sqrt(square(smaller / larger) + 1)
      let isPlain = (larger .> 0).logicalAnd(larger .< Double.infinity)
      let isInfinite = x.isInfinite().logicalOr(y.isInfinite())
      return `where`(isInfinite, Double.infinity, `where`(isPlain, root, larger))
    },
    "copysign": .one { (call) throws(Diagnostic) in
      let magnitude = abs(try call.subject())
      guard case .tensor(let other) = call["other"] else {
        return try call.number("other").sign == .minus ? -magnitude : magnitude
      }
      let result = `where`(negative(other), -magnitude, magnitude)
      return result.cast(to: RuntimeNumber.meetingType([magnitude, other]))
    },
    "signbit": unary { negative($0) },
    "xlogy": .one { (call) throws(Diagnostic) in
      let (x, y) = (
        try apply(.multiply, [try call.operand("self"), 1.0]), try call.operand("other")
      )
      let divisor = try apply(.multiply, [y, 1.0])
      return xlogy(x, divisor, log(divisor))
    },
    "special_xlog1py": .one { (call) throws(Diagnostic) in
      let (x, y) = (
        try apply(.multiply, [try call.operand("self"), 1.0]), try call.operand("other")
      )
      let divisor = try apply(.multiply, [y, 1.0])
      return xlogy(x, divisor, log1p(divisor))
    },
    "heaviside": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      return `where`(x .== 0, try call.tensor("values"), (x .> 0).cast(to: x.dtype))
    },
    "ldexp": .one { (call) throws(Diagnostic) in
      let power = exp2(try call.tensor("other").cast(to: .float32))
      return try call.subject() * power
    },
    "logaddexp2": .one { (call) throws(Diagnostic) in
      let (x, y) = (try call.subject(), try call.tensor("other"))
      // Equal infinities have no difference.
      let distance = `where`(x .== y, 0, -abs(x - y))
      return try apply(.maximum, [x, y]) + log1p(exp2(distance)) * (1 / 0.6931471805599453)
    },
    "float_power": .one { (call) throws(Diagnostic) in
      let wide = { (operand: any TensorOperand) -> any TensorOperand in
        (operand as? Tensor)?.cast(to: .float64) ?? operand
      }
      let operands = [wide(try call.operand("self")), wide(try call.operand("exponent"))]
      return try apply(.power, operands).cast(to: .float64)
    },
    "isclose": .one { (call) throws(Diagnostic) in
      let (x, y) = (try call.subject(), try call.tensor("other"))
      let relative = try call.number("rtol", default: 1e-5)
      let allowed = abs(y * relative) + (try call.number("atol", default: 1e-8))
      let distance = abs(x - y)
      let isNear = distance.isFinite().logicalAnd(distance .<= allowed)
      let isClose = (x .== y).logicalOr(isNear)
      guard try call.bool("equal_nan") else { return isClose }
      return isClose.logicalOr(x.isNaN().logicalAnd(y.isNaN()))
    },
    "fake_quantize_per_tensor_affine": quantized,
    "fake_quantize_per_tensor_affine_cachemask": quantized,
    "isreal": unary { .full($0.shape, 1, .bool) },
    "rad2deg": unary { $0 * (180 / Double.pi) },
    "deg2rad": unary { $0 * (Double.pi / 180) },
    "sinc": unary { x in
      let angle = x * Double.pi
      return `where`(x .== 0, 1.0, sin(angle) / angle)
    },
    "special_sinc": unary { x in
      let angle = x * Double.pi
      return `where`(x .== 0, 1.0, sin(angle) / angle)
    },
    "special_entr": unary { x in
      let entropy = `where`(x .== 0, 0, -x * log(x))
      return `where`(x .< 0, -Double.infinity, entropy)
    },
    "special_ndtr": unary { erfc($0 * (-1 / 2.0.squareRoot())) * 0.5 },
  ]

  /// Rounding to the steps of a quantisation.
  private static let quantized = AtenOperator { (call) throws(Diagnostic) in
    let (x, step) = (try call.subject(), try call.number("scale"))
    let zero = try call.number("zero_point")
    let (least, greatest) = (try call.number("quant_min"), try call.number("quant_max"))
    guard step > 0 else { throw call.unsupported("by steps of \(step)") }
    // The factor is a float32, as in PyTorch.
    let factor = Double(1 / Float(step))
    let whole = (round(x * factor) + zero).clamp(min: least, max: greatest)
    let y = ((whole - zero) * step).cast(to: x.dtype)
    return [.tensor(y), .unavailable("the mask of \(call.target)")]
  }

  /// Whether elements have a sign, as −0 does.
  private static func negative(_ x: Tensor) -> Tensor {
    guard x.dtype.isFloatingPoint else { return x .< 0 }
    return (x .< 0).logicalOr((x .== 0).logicalAnd(reciprocal(x) .< 0))
  }

  /// Rounding to decimals, or to powers of ten.
  static func rounded(_ x: Tensor, to decimals: Int) -> Tensor {
    var power = 1.0
    for _ in 0..<min(abs(decimals), 300) { power *= 10 }
    return decimals > 0 ? round(x * power) / power : round(x / power) * power
  }
}
