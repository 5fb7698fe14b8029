import AITFrontend
import AITGraph

/// A value of an exported program.
indirect enum AtenValue {
  case none
  case bool(Bool)
  /// An integer, known or not.
  case integer(Dimension)
  case float(Double)
  /// A number that is known when a run begins, and is no extent or used as none.
  case number(RuntimeNumber)
  case string(String)
  case elementType(DType)
  case tensor(Tensor)
  case list([AtenValue])
  /// A result that is for training, or is not computed: an error where it is used.
  case unavailable(String)

  var kind: String {
    switch self {
    case .none: "None"
    case .bool(let value): "\(value)"
    case .integer(let value): "the integer \(value)"
    case .float(let value): "the number \(value)"
    case .number: "a number that is known when a run begins"
    case .string(let text): "'\(text)'"
    case .elementType(let dtype): "the type \(dtype)"
    case .tensor(let tensor): "a tensor \(tensor.type)"
    case .list(let elements): "a list of \(elements.count)"
    case .unavailable(let what): what
    }
  }
}

/// The arguments of one node, by the names of ATen's schema; those at their default are not there.
struct AtenCall {
  /// Such as `aten.add.Tensor`.
  let target: String
  let arguments: [String: AtenValue]
  /// The names in the order in which they were given.
  let order: [String]

  subscript(_ name: String) -> AtenValue { arguments[name] ?? .none }

  func has(_ name: String) -> Bool {
    if case .none = self[name] { false } else { true }
  }

  /// The overload, such as `Tensor`.
  var overload: Substring { target.split(separator: ".").last ?? "" }

  /// The call with tensors `[1]` in the place of those of rank 0.
  var lifted: AtenCall {
    let arguments = arguments.mapValues { value -> AtenValue in
      if case .tensor(let tensor) = value, tensor.rank == 0 { return .tensor(tensor.reshape([1])) }
      return value
    }
    return AtenCall(target: target, arguments: arguments, order: order)
  }

  // MARK: - Tensors

  func tensor(_ name: String) throws(Diagnostic) -> Tensor {
    guard case .tensor(let tensor) = self[name] else { throw mismatch(name, "a tensor") }
    return tensor
  }

  /// The tensor that every operator is about, whatever ATen calls it.
  func subject() throws(Diagnostic) -> Tensor {
    for name in ["self", "input", "x"] {
      if case .tensor(let tensor) = self[name] { return tensor }
    }
    guard let first = order.first else { throw mismatch("self", "a tensor") }
    return try tensor(first)
  }

  func optionalTensor(_ name: String) throws(Diagnostic) -> Tensor? {
    has(name) ? try tensor(name) : nil
  }

  func tensors(_ name: String) throws(Diagnostic) -> [Tensor] {
    guard case .list(let elements) = self[name] else { throw mismatch(name, "tensors") }
    var tensors: [Tensor] = []
    for element in elements {
      guard case .tensor(let tensor) = element else { throw mismatch(name, "tensors") }
      tensors.append(tensor)
    }
    return tensors
  }

  func optionalTensors(_ name: String) throws(Diagnostic) -> [Tensor?] {
    guard case .list(let elements) = self[name] else { throw mismatch(name, "tensors") }
    var tensors: [Tensor?] = []
    for element in elements {
      switch element {
      case .tensor(let tensor): tensors.append(tensor)
      case .none: tensors.append(nil)
      default: throw mismatch(name, "tensors")
      }
    }
    return tensors
  }

  /// A tensor or a number.
  func operand(_ name: String) throws(Diagnostic) -> any TensorOperand {
    switch self[name] {
    case .tensor(let tensor): return tensor
    case .float(let value): return value
    case .bool(let value): return value
    case .integer(let value): return value.constant ?? RuntimeNumber(value)
    case .number(let number): return number
    default: throw mismatch(name, "a tensor or a number")
    }
  }

  // MARK: - Numbers

  /// A number that is known at run time only.
  func runtimeNumber(_ name: String) -> RuntimeNumber? {
    switch self[name] {
    case .number(let number): number
    case .integer(let value) where !value.isConstant: RuntimeNumber(value)
    default: nil
    }
  }

  func integer(_ name: String, default value: Int? = nil) throws(Diagnostic) -> Int {
    if !has(name), let value { return value }
    switch self[name] {
    case .integer(let dimension):
      guard let constant = dimension.constant else {
        throw mismatch(name, "an integer that is known when compiling")
      }
      return constant
    case .bool(let value): return value ? 1 : 0
    default: throw mismatch(name, "an integer")
    }
  }

  func optionalInteger(_ name: String) throws(Diagnostic) -> Int? {
    has(name) ? try integer(name) : nil
  }

  func integers(_ name: String, default value: [Int]? = nil) throws(Diagnostic) -> [Int] {
    if !has(name), let value { return value }
    guard case .list(let elements) = self[name] else { return [try integer(name)] }
    var values: [Int] = []
    for element in elements {
      guard case .integer(let dimension) = element, let constant = dimension.constant else {
        throw mismatch(name, "integers that are known when compiling")
      }
      values.append(constant)
    }
    return values
  }

  func optionalIntegers(_ name: String) throws(Diagnostic) -> [Int]? {
    has(name) ? try integers(name) : nil
  }

  func dimension(_ name: String, default value: Dimension? = nil) throws(Diagnostic) -> Dimension {
    if !has(name), let value { return value }
    guard case .integer(let dimension) = self[name] else { throw mismatch(name, "an integer") }
    return dimension
  }

  func dimensions(_ name: String) throws(Diagnostic) -> [Dimension] {
    guard case .list(let elements) = self[name] else { return [try dimension(name)] }
    var values: [Dimension] = []
    for element in elements {
      guard case .integer(let dimension) = element else { throw mismatch(name, "integers") }
      values.append(dimension)
    }
    return values
  }

  func number(_ name: String, default value: Double? = nil) throws(Diagnostic) -> Double {
    if !has(name), let value { return value }
    switch self[name] {
    case .float(let value): return value
    case .number: throw mismatch(name, "a number that is known when compiling")
    default: return Double(try integer(name))
    }
  }

  func optionalNumber(_ name: String) throws(Diagnostic) -> Double? {
    has(name) ? try number(name) : nil
  }

  func bool(_ name: String, default value: Bool = false) throws(Diagnostic) -> Bool {
    if !has(name) { return value }
    switch self[name] {
    case .bool(let value): return value
    default: return try integer(name) != 0
    }
  }

  func string(_ name: String, default value: String? = nil) throws(Diagnostic) -> String {
    if !has(name), let value { return value }
    guard case .string(let text) = self[name] else { throw mismatch(name, "a string") }
    return text
  }

  func elementType(_ name: String = "dtype") throws(Diagnostic) -> DType? {
    switch self[name] {
    case .none: return nil
    case .elementType(let dtype): return dtype
    default: throw mismatch(name, "an element type")
    }
  }

  /// As many integers as there are axes, one standing for all; none stand for the value.
  func perAxis(_ name: String, _ count: Int, default value: Int) throws(Diagnostic) -> [Int] {
    let values = try integers(name, default: [value])
    if values.isEmpty { return Array(repeating: value, count: count) }
    if values.count == 1 { return Array(repeating: values[0], count: count) }
    guard values.count == count else { throw mismatch(name, "\(count) integers") }
    return values
  }

  /// Throws if a list of results would be beyond any program's.
  func checkCount(_ count: Int) throws(Diagnostic) {
    guard count <= 1 << 16 else { throw unsupported("in \(count) parts") }
  }

  // MARK: - Problems

  func mismatch(_ name: String, _ expected: String) -> Diagnostic {
    Diagnostic(
      .unsupportedOperator,
      "\(target): the argument '\(name)' is \(self[name].kind), expected \(expected)"
    )
  }

  func unsupported(_ what: String, hint: String? = nil) -> Diagnostic {
    Diagnostic(.unsupportedOperator, "\(target) \(what)", hint: hint)
  }
}
