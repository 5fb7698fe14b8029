import AITFrontend
import AITGraph

extension AtenOperator {
  static let creation: [String: AtenOperator] = [
    "full": .one { (call) throws(Diagnostic) in
      let dtype = try call.elementType() ?? implied(call["fill_value"])
      return try filled(call, "fill_value", try call.dimensions("size"), dtype)
    },
    "full_like": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let dtype = try call.elementType() ?? x.dtype
      return try filled(call, "fill_value", x.shape.dimensions, dtype)
    },
    "new_full": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let dtype = try call.elementType() ?? x.dtype
      return try filled(call, "fill_value", try call.dimensions("size"), dtype)
    },
    "fill": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      if case .tensor(let value) = call["value"] {
        return value.cast(to: x.dtype).expand(x.shape.dimensions)
      }
      return try filled(call, "value", x.shape.dimensions, x.dtype)
    },
    "zeros": constant(0),
    "ones": constant(1),
    "empty": constant(0),
    "new_zeros": constantOfSubject(0),
    "new_ones": constantOfSubject(1),
    "new_empty": constantOfSubject(0),
    "zeros_like": constantLike(0),
    "ones_like": constantLike(1),
    "empty_like": constantLike(0),
    "zero": constantLike(0),
    "scalar_tensor": .one { (call) throws(Diagnostic) in
      try filled(call, "s", [], try call.elementType() ?? .float32)
    },
    "arange": .one { (call) throws(Diagnostic) in try range(call) },
    "linspace": .one { (call) throws(Diagnostic) in
      try line(call)
    },
    "eye": .one { (call) throws(Diagnostic) in
      let rows = try call.dimension("n")
      let columns = try call.dimension("m", default: rows)
      let row = Tensor.arange(rows, .int64).unsqueeze(axis: 1)
      return (row .== Tensor.arange(columns, .int64)).cast(to: try call.elementType() ?? .float32)
    },
    "tril": .one { (call) throws(Diagnostic) in try triangle(call, isLower: true) },
    "triu": .one { (call) throws(Diagnostic) in try triangle(call, isLower: false) },
    "copy": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      return try call.tensor("src").cast(to: x.dtype).expand(x.shape.dimensions)
    },
  ]

  /// A tensor of one value, which may be known at run time only.
  static func filled(
    _ call: AtenCall,
    _ name: String,
    _ extents: [Dimension],
    _ dtype: DType
  ) throws(Diagnostic) -> Tensor {
    if let number = call.runtimeNumber(name) {
      return number.value.cast(to: dtype).expand(extents)
    }
    return .full(Shape(extents), try call.number(name), dtype)
  }

  private static func implied(_ value: AtenValue) -> DType {
    switch value {
    case .bool: .bool
    case .integer: .int64
    default: .float32
    }
  }

  private static func constant(_ value: Double) -> AtenOperator {
    .one { (call) throws(Diagnostic) in
      .full(Shape(try call.dimensions("size")), value, try call.elementType() ?? .float32)
    }
  }

  private static func constantOfSubject(_ value: Double) -> AtenOperator {
    .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let dtype = try call.elementType() ?? x.dtype
      return .full(Shape(try call.dimensions("size")), value, dtype)
    }
  }

  private static func constantLike(_ value: Double) -> AtenOperator {
    .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      return .full(x.shape, value, try call.elementType() ?? x.dtype)
    }
  }

  private static func range(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    var isInteger = true
    for name in ["start", "end", "step"] {
      if case .float = call[name] { isInteger = false }
    }
    guard isInteger else {
      let dtype = try call.elementType() ?? .float32
      // PyTorch takes the numbers as ones of the type.
      let taken: (Double) -> Double = { dtype.isFloatingPoint ? $0 : $0.rounded(.towardZero) }
      let step = taken(try call.number("step", default: 1))
      guard step != 0 else { throw call.unsupported("by steps of 0") }
      return .arange(
        from: taken(try call.number("start", default: 0)),
        to: taken(try call.number("end")),
        by: step,
        dtype
      )
    }
    let start = try call.dimension("start", default: 0)
    let step = try call.integer("step", default: 1)
    guard step != 0 else { throw call.unsupported("by steps of 0") }
    let distance = try call.dimension("end") - start
    let count =
      step > 0
      ? (distance + Dimension(step - 1)) / Dimension(step)
      : (Dimension(-step - 1) - distance) / Dimension(-step)
    let dtype = try call.elementType() ?? .int64
    var positions = Tensor.arange(count, .int64)
    if step != 1 { positions = positions * step }
    if start != 0 {
      positions = positions + number(start, .int64)
    }
    return positions.cast(to: dtype)
  }

  /// Equal steps from a start to an end, each counted from the nearer of them as in PyTorch.
  private static func line(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    let (start, end) = (try call.number("start"), try call.number("end"))
    let steps = try call.dimension("steps")
    let dtype = try call.elementType() ?? .float32
    let wide: DType = dtype == .float64 ? .float64 : .float32
    let positions = Tensor.arange(steps, wide)
    if steps == 1 { return (positions + start).cast(to: dtype) }
    let last = operand(steps - 1, wide)
    let step: any TensorOperand
    if let count = steps.constant {
      step = (end - start) / Double(count - 1)
    } else {
      step = try apply(.divide, [end - start, number(steps - 1, wide)])
    }
    let low = try apply(.add, [try apply(.multiply, [positions, step]), start])
    let rest = try apply(.subtract, [last, positions])
    let high = try apply(.subtract, [end, try apply(.multiply, [rest, step])])
    let isFirst = try apply(.less, [positions * 2, operand(steps - steps % 2, wide)])
    return `where`(isFirst, low, high).cast(to: dtype)
  }

  private static func triangle(_ call: AtenCall, isLower: Bool) throws(Diagnostic) -> Tensor {
    let x = try call.subject()
    guard x.rank >= 2 else { throw call.unsupported("of rank \(x.rank)") }
    // With a cache of keys, an extent: how many there were before.
    let diagonal = operand(try call.dimension("diagonal", default: 0), .int64)
    let rows = Tensor.arange(x.extent(-2), .int64).unsqueeze(axis: 1)
    let columns = Tensor.arange(x.extent(-1), .int64)
    let distance = columns - rows
    let isKept = try apply(isLower ? .lessEqual : .greaterEqual, [distance, diagonal])
    return `where`(isKept, x, 0).cast(to: x.dtype)
  }
}
