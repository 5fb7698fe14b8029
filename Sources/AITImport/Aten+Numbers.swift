import AITFrontend
import AITGraph
import AITOperators

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension AtenOperator {
  /// Arithmetic on integers and other numbers of the program, and what leaves no trace.
  static let scalars: [String: AtenOperator] = [
    "sym_size": AtenOperator { (call) throws(Diagnostic) in
      [.integer(try call.subject().checkedExtent(try call.integer("dim")))]
    },
    "sym_numel": AtenOperator { (call) throws(Diagnostic) in
      [.integer(try call.subject().shape.elementCount)]
    },
    "_assert_scalar": AtenOperator { (_) in [] },
    "_assert_tensor_metadata": AtenOperator { (_) in [] },
    "_assert_async": AtenOperator { (_) in [] },
    "sym_constrain_range_for_size": AtenOperator { (_) in [] },
    "sym_constrain_range": AtenOperator { (_) in [] },
    "operator.add": numbers(.add, { $0 + $1 }, +),
    "operator.sub": numbers(.subtract, { $0 - $1 }, -),
    "operator.mul": numbers(.multiply, { $0 * $1 }, *),
    "operator.floordiv": numbers(.floorDivide, { $0 / $1 }, { ($0 / $1).rounded(.down) }),
    "operator.mod": numbers(
      .remainder,
      { $0.rest(by: $1) },
      { $0 - ($0 / $1).rounded(.down) * $1 }
    ),
    "operator.truediv": AtenOperator { (call) throws(Diagnostic) in
      let (left, right) = try call.pair()
      guard case .integer(let dividend) = left, case .integer(let divisor) = right,
        !dividend.isConstant || !divisor.isConstant
      else { return [try calculated(.divide, left, right, /, call)] }
      return [.number(RuntimeNumber(dividend, over: divisor))]
    },
    "operator.pow": AtenOperator { (call) throws(Diagnostic) in
      let (left, right) = try call.pair()
      if case .integer(let base) = left, case .integer(let exponent) = right,
        let times = exponent.constant, (0...8).contains(times)
      {
        return [.integer((0..<times).reduce(Dimension(1)) { power, _ in power * base })]
      }
      return [try calculated(.power, left, right, pow, call)]
    },
    "operator.neg": AtenOperator { (call) throws(Diagnostic) in
      switch try call.sole() {
      case .integer(let value): [.integer(0 - value)]
      case .number(let number): [.number(RuntimeNumber(-number.value))]
      default: [.float(-(try call.number(call.order[0])))]
      }
    },
    "operator.pos": AtenOperator { (call) throws(Diagnostic) in [try call.sole()] },
    "operator.eq": comparison(.equal, { $0 == $1 }),
    "operator.ne": comparison(.notEqual, { $0 != $1 }),
    "operator.lt": comparison(.less, { $0 < $1 }),
    "operator.le": comparison(.lessEqual, { $0 <= $1 }),
    "operator.gt": comparison(.greater, { $0 > $1 }),
    "operator.ge": comparison(.greaterEqual, { $0 >= $1 }),
    "sym_max": numbers(.maximum, { .maximum([$0, $1]) }, max),
    "sym_min": numbers(.minimum, { .minimum([$0, $1]) }, min),
    "sym_float": AtenOperator { (call) throws(Diagnostic) in
      switch try call.sole() {
      case .integer(let value) where !value.isConstant:
        [.number(RuntimeNumber(value, over: 1))]
      case .number(let number): [.number(RuntimeNumber(number.value.cast(to: .float64)))]
      default: [.float(try call.number(call.order[0]))]
      }
    },
    "sym_sqrt": root,
    "_sym_sqrt": root,
    "math.trunc": whole,
    "sym_int": whole,
    "operator.getitem": AtenOperator { (call) throws(Diagnostic) in
      guard let first = call.order.first, let second = call.order.dropFirst().first,
        case .list(let elements) = call[first]
      else { throw call.unsupported("of what is no list") }
      let index = try call.integer(second)
      guard elements.indices.contains(index) else { throw call.unsupported("of \(index)") }
      return [elements[index]]
    },
  ]

  private static let root = AtenOperator { (call) throws(Diagnostic) in
    switch try call.sole() {
    case .integer(let value) where !value.isConstant:
      [.number(RuntimeNumber(sqrt(RuntimeNumber.fraction(value))))]
    case .number(let number):
      [.number(RuntimeNumber(sqrt(number.value.cast(to: .float64))))]
    default: [.float(try call.number(call.order[0]).squareRoot())]
    }
  }

  /// The whole part of a number of the program.
  private static let whole = AtenOperator { (call) throws(Diagnostic) in
    switch try call.sole() {
    case .integer(let value): return [.integer(value)]
    case .number(let number):
      if let extent = number.wholePart { return [.integer(extent)] }
      return [.number(RuntimeNumber(number.value.cast(to: .int64)))]
    default:
      let value = try call.number(call.order[0]).rounded(.towardZero)
      guard abs(value) < 0x1p62 else { throw call.unsupported("of \(value)") }
      return [.integer(Dimension(Int(value)))]
    }
  }

  /// A function of two numbers of the program: of integers, which may be extents, and of others.
  private static func numbers(
    _ function: ScalarFunction,
    _ ofExtents: @escaping @Sendable (Dimension, Dimension) -> Dimension,
    _ ofFractions: @escaping @Sendable (Double, Double) -> Double
  ) -> AtenOperator {
    AtenOperator { (call) throws(Diagnostic) in
      let (left, right) = try call.pair()
      if case .integer(let first) = left, case .integer(let second) = right {
        let isDivision = function == .floorDivide || function == .remainder
        guard second != 0 || !isDivision else { throw call.unsupported("by 0") }
        return [.integer(ofExtents(first, second))]
      }
      return [try calculated(function, left, right, ofFractions, call)]
    }
  }

  /// A function of two numbers, of which one is a fraction or known at run time only.
  private static func calculated(
    _ function: ScalarFunction,
    _ left: AtenValue,
    _ right: AtenValue,
    _ ofFractions: (Double, Double) -> Double,
    _ call: AtenCall
  ) throws(Diagnostic) -> AtenValue {
    guard left.isKnownAtRunTime || right.isKnownAtRunTime else {
      return .float(ofFractions(try call.number(call.order[0]), try call.number(call.order[1])))
    }
    var (first, second) = (try call.rankZero(left), try call.rankZero(right))
    if first.dtype != second.dtype || function == .divide {
      (first, second) = (first.cast(to: .float64), second.cast(to: .float64))
    }
    return .number(RuntimeNumber(combine(function, [first, second])))
  }

  private static func comparison(
    _ function: ScalarFunction,
    _ ofNumbers: @escaping @Sendable (Double, Double) -> Bool
  ) -> AtenOperator {
    AtenOperator { (call) throws(Diagnostic) in
      let (left, right) = try call.pair()
      guard left.isKnownAtRunTime || right.isKnownAtRunTime else {
        return [.bool(ofNumbers(try call.number(call.order[0]), try call.number(call.order[1])))]
      }
      return [try calculated(function, left, right, { _, _ in 0 }, call)]
    }
  }

  // MARK: - Extents as tensors

  /// An extent beside a tensor of integers: a number where it is known.
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
}

extension AtenValue {
  /// Whether it is a number that is not known when compiling.
  var isKnownAtRunTime: Bool {
    switch self {
    case .number: true
    case .integer(let value): !value.isConstant
    default: false
    }
  }
}

extension AtenCall {
  /// The only argument.
  fileprivate func sole() throws(Diagnostic) -> AtenValue {
    guard let name = order.first else { throw unsupported("of nothing") }
    return self[name]
  }

  fileprivate func pair() throws(Diagnostic) -> (AtenValue, AtenValue) {
    guard order.count == 2 else { throw unsupported("of other than two numbers") }
    return (self[order[0]], self[order[1]])
  }

  /// A number of the program as a tensor.
  fileprivate func rankZero(_ value: AtenValue) throws(Diagnostic) -> Tensor {
    switch value {
    case .integer(let extent): AtenOperator.number(extent, .int64)
    case .number(let number): number.value
    case .bool(let truth): .full([], truth ? 1 : 0, .int64)
    case .float(let number): .constant(TensorData(.float64, [], [number]))
    default: throw unsupported("of \(value.kind)")
    }
  }
}
