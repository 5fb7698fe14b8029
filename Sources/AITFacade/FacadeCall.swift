import AITFrontend
import AITGraph

/// The arguments of one call of one of AITemplate's operators, with defaults filled in.
package struct FacadeCall {
  private let name: String
  private let arguments: [String: FacadeArgument]

  /// Checks the names of arguments.
  ///
  /// - Throws: `invalid-argument` for one that is missing or unknown.
  init(_ op: FacadeOperator, _ given: [String: FacadeArgument]) throws(Diagnostic) {
    name = op.name
    var given = given
    var arguments: [String: FacadeArgument] = [:]
    for parameter in op.attributes + op.operands {
      // A constructor and a call may share a name: the call's argument, if given, is the one.
      guard
        let value = given.removeValue(forKey: parameter.name) ?? arguments[parameter.name]
          ?? parameter.defaultValue?.argument
      else {
        throw Diagnostic(
          .invalidArgument,
          "\(op.name) without its argument '\(parameter.name)'"
        )
      }
      arguments[parameter.name] = value
    }
    if let unknown = given.keys.sorted().first {
      let known = (op.attributes + op.operands).map(\.name).joined(separator: ", ")
      throw Diagnostic(
        .invalidArgument,
        "\(op.name) with an argument '\(unknown)'",
        hint: "it has \(known)"
      )
    }
    self.arguments = arguments
  }

  /// The argument as it was passed.
  package subscript(_ parameter: String) -> FacadeArgument { arguments[parameter] ?? .none }

  /// Whether something was passed, or stands as the default.
  package func isGiven(_ parameter: String) -> Bool {
    if case .none = self[parameter] { false } else { true }
  }

  // MARK: - Tensors

  package func tensor(_ parameter: String) throws(Diagnostic) -> Tensor {
    guard case .tensor(let tensor) = self[parameter] else {
      throw mismatch(parameter, "a tensor")
    }
    if let diagnostic = tensor.diagnostic { throw diagnostic }
    return tensor
  }

  package func optionalTensor(_ parameter: String) throws(Diagnostic) -> Tensor? {
    isGiven(parameter) ? try tensor(parameter) : nil
  }

  package func tensors(_ parameter: String) throws(Diagnostic) -> [Tensor] {
    guard case .list(let elements) = self[parameter] else {
      return [try tensor(parameter)]
    }
    var tensors: [Tensor] = []
    for element in elements {
      guard case .tensor(let tensor) = element else { throw mismatch(parameter, "tensors") }
      if let diagnostic = tensor.diagnostic { throw diagnostic }
      tensors.append(tensor)
    }
    return tensors
  }

  /// Tensors, of which any may be None; none if the list is.
  package func optionalTensors(_ parameter: String) throws(Diagnostic) -> [Tensor?] {
    guard isGiven(parameter) else { return [] }
    guard case .list(let elements) = self[parameter] else { return [try tensor(parameter)] }
    var tensors: [Tensor?] = []
    for element in elements {
      switch element {
      case .none: tensors.append(nil)
      case .tensor(let tensor):
        if let diagnostic = tensor.diagnostic { throw diagnostic }
        tensors.append(tensor)
      default: throw mismatch(parameter, "tensors")
      }
    }
    return tensors
  }

  /// Lists of so many tensors each.
  package func tensorGroups(_ parameter: String, of count: Int) throws(Diagnostic) -> [[Tensor]] {
    guard case .list(let groups) = self[parameter] else {
      throw mismatch(parameter, "a list of lists of \(count) tensors")
    }
    var result: [[Tensor]] = []
    for group in groups {
      guard case .list(let elements) = group, elements.count == count else {
        throw mismatch(parameter, "a list of lists of \(count) tensors")
      }
      var tensors: [Tensor] = []
      for element in elements {
        guard case .tensor(let tensor) = element else { throw mismatch(parameter, "tensors") }
        if let diagnostic = tensor.diagnostic { throw diagnostic }
        tensors.append(tensor)
      }
      result.append(tensors)
    }
    return result
  }

  /// A tensor or a number.
  package func operand(_ parameter: String) throws(Diagnostic) -> any TensorOperand {
    try operand(self[parameter], of: parameter)
  }

  /// Tensors or numbers.
  package func operands(_ parameter: String) throws(Diagnostic) -> [any TensorOperand] {
    guard case .list(let elements) = self[parameter] else { return [try operand(parameter)] }
    var operands: [any TensorOperand] = []
    for element in elements { operands.append(try operand(element, of: parameter)) }
    return operands
  }

  private func operand(_ argument: FacadeArgument, of parameter: String) throws(Diagnostic)
    -> any TensorOperand
  {
    switch argument {
    case .tensor(let tensor):
      if let diagnostic = tensor.diagnostic { throw diagnostic }
      return tensor
    case .integer(let value): return value
    case .float(let value): return value
    case .bool(let value): return value
    case .dimension, .string, .list, .none: throw mismatch(parameter, "a tensor or a number")
    }
  }

  // MARK: - Numbers

  package func integer(_ parameter: String) throws(Diagnostic) -> Int {
    switch self[parameter] {
    case .integer(let value): return value
    case .bool(let value): return value ? 1 : 0
    case .dimension(let dimension):
      if let value = dimension.constant { return value }
      throw mismatch(parameter, "an integer that is known when compiling")
    default: throw mismatch(parameter, "an integer")
    }
  }

  package func optionalInteger(_ parameter: String) throws(Diagnostic) -> Int? {
    isGiven(parameter) ? try integer(parameter) : nil
  }

  /// As many integers as asked for, one given standing for all; or however many are given.
  package func integers(_ parameter: String, count: Int? = nil) throws(Diagnostic) -> [Int] {
    var values: [Int] = []
    switch self[parameter] {
    case .list(let elements):
      for element in elements {
        switch element {
        case .integer(let value): values.append(value)
        case .dimension(let dimension) where dimension.isConstant:
          values.append(dimension.constant ?? 0)
        default: throw mismatch(parameter, "a list of integers")
        }
      }
    default: values = [try integer(parameter)]
    }
    guard let count else { return values }
    if values.count == 1 { return Array(repeating: values[0], count: count) }
    guard values.count == count else { throw mismatch(parameter, "\(count) integers") }
    return values
  }

  package func number(_ parameter: String) throws(Diagnostic) -> Double {
    switch self[parameter] {
    case .float(let value): return value
    default: return Double(try integer(parameter))
    }
  }

  package func bool(_ parameter: String) throws(Diagnostic) -> Bool {
    switch self[parameter] {
    case .bool(let value): return value
    case .integer(let value): return value != 0
    case .none: return false
    default: throw mismatch(parameter, "True or False")
    }
  }

  package func string(_ parameter: String) throws(Diagnostic) -> String {
    guard case .string(let text) = self[parameter] else { throw mismatch(parameter, "a string") }
    return text
  }

  package func optionalString(_ parameter: String) throws(Diagnostic) -> String? {
    isGiven(parameter) ? try string(parameter) : nil
  }

  // MARK: - Extents and types

  package func dimension(_ parameter: String) throws(Diagnostic) -> Dimension {
    try dimension(self[parameter], of: parameter)
  }

  package func dimensions(_ parameter: String) throws(Diagnostic) -> [Dimension] {
    guard case .list(let elements) = self[parameter] else { return [try dimension(parameter)] }
    var dimensions: [Dimension] = []
    for element in elements { dimensions.append(try dimension(element, of: parameter)) }
    return dimensions
  }

  /// Dimensions, of which any may be None.
  package func optionalDimensions(_ parameter: String) throws(Diagnostic) -> [Dimension?] {
    guard case .list(let elements) = self[parameter] else { return [try dimension(parameter)] }
    var dimensions: [Dimension?] = []
    for element in elements {
      if case .none = element {
        dimensions.append(nil)
      } else {
        dimensions.append(try dimension(element, of: parameter))
      }
    }
    return dimensions
  }

  /// Lists of dimensions.
  package func dimensionLists(_ parameter: String) throws(Diagnostic) -> [[Dimension]] {
    guard case .list(let lists) = self[parameter] else {
      throw mismatch(parameter, "lists of integers or dimensions")
    }
    var result: [[Dimension]] = []
    for list in lists {
      guard case .list(let elements) = list else {
        throw mismatch(parameter, "lists of integers or dimensions")
      }
      var dimensions: [Dimension] = []
      for element in elements { dimensions.append(try dimension(element, of: parameter)) }
      result.append(dimensions)
    }
    return result
  }

  private func dimension(_ argument: FacadeArgument, of parameter: String) throws(Diagnostic)
    -> Dimension
  {
    switch argument {
    case .integer(let value): return Dimension(value)
    case .dimension(let dimension): return dimension
    default: throw mismatch(parameter, "integers or dimensions")
    }
  }

  /// An element type by AITemplate's name or ours.
  package func dtype(_ parameter: String) throws(Diagnostic) -> DType {
    let text = try string(parameter)
    guard let dtype = DType(facadeName: text) else {
      throw Diagnostic(
        .invalidArgument,
        "\(name): '\(text)' is no element type",
        hint: "one of \(DType.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    return dtype
  }

  // MARK: - Problems

  /// What to throw for an argument that is something else than expected.
  package func mismatch(_ parameter: String, _ expected: String) -> Diagnostic {
    Diagnostic(
      .invalidArgument,
      "\(name): the argument '\(parameter)' is \(self[parameter].kind), expected \(expected)"
    )
  }

  /// What to throw for arguments that do not fit together.
  package func failure(
    _ identity: Diagnostic.Identity,
    _ message: String,
    hint: String? = nil
  ) -> Diagnostic {
    Diagnostic(identity, "\(name): \(message)", hint: hint)
  }
}

extension DType {
  /// The type of AITemplate's or our name.
  package init?(facadeName name: String) {
    switch name {
    case "float": self = .float32
    case "half": self = .float16
    case "int": self = .int32
    case "long": self = .int64
    case "double": self = .float64
    default:
      guard let dtype = DType(rawValue: name) else { return nil }
      self = dtype
    }
  }
}
