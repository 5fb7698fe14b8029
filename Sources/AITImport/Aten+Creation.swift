import AITFrontend
import AITGraph

extension AtenOperator {
  static let creation: [String: AtenOperator] = [
    "full": .one { (call) throws(Diagnostic) in
      let dtype = try call.elementType() ?? implied(call["fill_value"])
      if let value = call.unknownInteger("fill_value") {
        return number(value, dtype).expand(try call.dimensions("size"))
      }
      return .full(
        Shape(try call.dimensions("size")),
        try call.number("fill_value"),
        dtype
      )
    },
    "full_like": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      return .full(x.shape, try call.number("fill_value"), try call.elementType() ?? x.dtype)
    },
    "new_full": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let dtype = try call.elementType() ?? x.dtype
      return .full(Shape(try call.dimensions("size")), try call.number("fill_value"), dtype)
    },
    "fill": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      if case .tensor(let value) = call["value"] {
        return value.cast(to: x.dtype).expand(x.shape.dimensions)
      }
      if let value = call.unknownInteger("value") {
        return number(value, x.dtype).expand(x.shape.dimensions)
      }
      return .full(x.shape, try call.number("value"), x.dtype)
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
      if let value = call.unknownInteger("s") {
        return number(value, try call.elementType() ?? .float32)
      }
      return .full([], try call.number("s"), try call.elementType() ?? .float32)
    },
    "arange": .one { (call) throws(Diagnostic) in try range(call) },
    "linspace": .one { (call) throws(Diagnostic) in
      let (start, end) = (try call.number("start"), try call.number("end"))
      let steps = try call.integer("steps")
      let dtype = try call.elementType() ?? .float32
      let positions = Tensor.arange(
        Dimension(steps),
        dtype == .float64 ? .float64 : .float32
      )
      let step = steps > 1 ? (end - start) / Double(steps - 1) : 0
      return (positions * step + start).cast(to: dtype)
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

  /// An extent beside a tensor: a number where it is known.
  static func operand(_ extent: Dimension, _ dtype: DType) -> any TensorOperand {
    if let constant = extent.constant { return constant }
    return number(extent, dtype)
  }

  /// An extent, which may be known at run time only, as a tensor of rank 0.
  static func number(_ extent: Dimension, _ dtype: DType) -> Tensor {
    var sum: Tensor?
    for term in extent.terms {
      var product: Tensor?
      for factor in term.factors {
        let value = number(factor)
        product = product.map { $0 * value } ?? value
      }
      let scaled =
        product.map { term.coefficient == 1 ? $0 : $0 * term.coefficient }
        ?? .constant(TensorData(.int64, [], integers: [Int64(term.coefficient)]))
      sum = sum.map { $0 + scaled } ?? scaled
    }
    return (sum ?? .full([], 0, .int64)).cast(to: dtype)
  }

  private static func number(_ atom: Dimension.Atom) -> Tensor {
    switch atom {
    // As many ones as the symbol says.
    case .symbol(let symbol): return Tensor.full([Dimension(symbol)], 1, .int64).sum()
    case .floorDivide(let left, let right):
      return floorDivide(number(left, .int64), number(right, .int64))
    case .modulo(let left, let right):
      return combine(.remainder, [number(left, .int64), number(right, .int64)])
    case .minimum(let all): return extreme(all, .minimum)
    case .maximum(let all): return extreme(all, .maximum)
    }
  }

  private static func extreme(_ all: [Dimension], _ function: ScalarFunction) -> Tensor {
    let values = all.map { number($0, .int64) }
    return values.dropFirst().reduce(values[0]) { combine(function, [$0, $1]) }
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

  private static func triangle(_ call: AtenCall, isLower: Bool) throws(Diagnostic) -> Tensor {
    let x = try call.subject()
    guard x.rank >= 2 else { throw call.unsupported("of rank \(x.rank)") }
    let diagonal = try call.integer("diagonal", default: 0)
    let rows = Tensor.arange(x.extent(-2), .int64).unsqueeze(axis: 1)
    let columns = Tensor.arange(x.extent(-1), .int64)
    let distance = columns - rows
    let isKept = isLower ? distance .<= diagonal : distance .>= diagonal
    return `where`(isKept, x, 0).cast(to: x.dtype)
  }
}
