/// The value of an operator's attribute, in the forms that graph text can hold.
package enum AttributeValue: Hashable, Sendable {
  case bool(Bool)
  case integer(Int)
  case float(UInt64)  // bits of a Double
  case string(String)
  case dtype(DType)
  case integers([Int])
  case dimensions([Dimension])
  case expression(ScalarExpression)

  /// Wraps a Double.
  package static func float(_ value: Double) -> AttributeValue { .float(value.bitPattern) }

  /// Wraps a scalar.
  package init(_ value: ScalarValue) {
    switch value {
    case .float(let double): self = .float(double.bitPattern)
    case .integer(let integer): self = .integer(Int(integer))
    case .bool(let bool): self = .bool(bool)
    }
  }
}

/// A named attribute of an operator.
package struct Attribute: Hashable, Sendable {
  package let name: String
  package let value: AttributeValue

  package init(_ name: String, _ value: AttributeValue) {
    self.name = name
    self.value = value
  }
}

/// Reads an operator's attributes by name and reports those that are missing, of the wrong kind or
/// left over.
package struct AttributeReader {
  private var rest: [String: AttributeValue]
  private let operatorName: String

  package init(_ attributes: [Attribute], operatorName: String) throws(Diagnostic) {
    rest = [:]
    self.operatorName = operatorName
    for attribute in attributes {
      guard rest.updateValue(attribute.value, forKey: attribute.name) == nil else {
        throw Diagnostic(.invalidAttribute, "attribute '\(attribute.name)' is given twice")
      }
    }
  }

  private func wrongKind(_ name: String, _ found: AttributeValue, _ expected: String) -> Diagnostic
  {
    Diagnostic(
      .invalidAttribute,
      "attribute '\(name)' of \(operatorName) is \(GraphPrinter.text(found)), expected \(expected)"
    )
  }

  private mutating func take(_ name: String) -> AttributeValue? { rest.removeValue(forKey: name) }

  private func missing(_ name: String) -> Diagnostic {
    Diagnostic(.invalidAttribute, "\(operatorName) lacks its attribute '\(name)'")
  }

  /// Reads a truth value.
  package mutating func bool(_ name: String, default fallback: Bool? = nil) throws(Diagnostic)
    -> Bool
  {
    guard let value = take(name) else {
      if let fallback { return fallback }
      throw missing(name)
    }
    guard case .bool(let result) = value else { throw wrongKind(name, value, "true or false") }
    return result
  }

  /// Reads an integer.
  package mutating func integer(_ name: String, default fallback: Int? = nil) throws(Diagnostic)
    -> Int
  {
    guard let value = take(name) else {
      if let fallback { return fallback }
      throw missing(name)
    }
    guard case .integer(let result) = value else { throw wrongKind(name, value, "an integer") }
    return result
  }

  /// Reads a floating-point number; an integer will do.
  package mutating func float(_ name: String, default fallback: Double? = nil) throws(Diagnostic)
    -> Double
  {
    guard let value = take(name) else {
      if let fallback { return fallback }
      throw missing(name)
    }
    switch value {
    case .float(let bits): return Double(bitPattern: bits)
    case .integer(let integer): return Double(integer)
    default: throw wrongKind(name, value, "a number")
    }
  }

  /// Reads a number in the form in which it is written.
  package mutating func scalar(_ name: String, default fallback: ScalarValue) throws(Diagnostic)
    -> ScalarValue
  {
    guard let value = take(name) else { return fallback }
    switch value {
    case .float(let bits): return .float(Double(bitPattern: bits))
    case .integer(let integer): return .integer(Int64(integer))
    default: throw wrongKind(name, value, "a number")
    }
  }

  /// Reads a string.
  package mutating func string(_ name: String) throws(Diagnostic) -> String {
    guard let value = take(name) else { throw missing(name) }
    guard case .string(let result) = value else { throw wrongKind(name, value, "a string") }
    return result
  }

  /// Reads an element type.
  package mutating func dtype(_ name: String) throws(Diagnostic) -> DType {
    guard let value = take(name) else { throw missing(name) }
    guard case .dtype(let result) = value else { throw wrongKind(name, value, "an element type") }
    return result
  }

  /// Reads a list of integers.
  package mutating func integers(_ name: String) throws(Diagnostic) -> [Int] {
    guard let value = take(name) else { throw missing(name) }
    switch value {
    case .integers(let result): return result
    case .dimensions(let dimensions):
      let known = dimensions.compactMap(\.constant)
      guard known.count == dimensions.count else { throw wrongKind(name, value, "integers") }
      return known
    default: throw wrongKind(name, value, "a list of integers")
    }
  }

  /// Reads a list of dimensions.
  package mutating func dimensions(_ name: String) throws(Diagnostic) -> [Dimension] {
    guard let value = take(name) else { throw missing(name) }
    switch value {
    case .dimensions(let result): return result
    case .integers(let integers): return integers.map { Dimension($0) }
    default: throw wrongKind(name, value, "a list of dimensions")
    }
  }

  /// Reads one dimension.
  package mutating func dimension(_ name: String) throws(Diagnostic) -> Dimension {
    guard let value = take(name) else { throw missing(name) }
    switch value {
    case .dimensions(let result) where result.count == 1: return result[0]
    case .integers(let result) where result.count == 1: return Dimension(result[0])
    case .integer(let integer): return Dimension(integer)
    default: throw wrongKind(name, value, "a dimension")
    }
  }

  /// Reads a scalar expression.
  package mutating func expression(_ name: String) throws(Diagnostic) -> ScalarExpression {
    guard let value = take(name) else { throw missing(name) }
    guard case .expression(let result) = value else {
      throw wrongKind(name, value, "a scalar expression")
    }
    return result
  }

  /// Whether an attribute is there and not yet read.
  package func contains(_ name: String) -> Bool { rest[name] != nil }

  /// Throws if attributes are left that nothing has read.
  package func finish() throws(Diagnostic) {
    guard let name = rest.keys.min() else { return }
    throw Diagnostic(.invalidAttribute, "\(operatorName) has no attribute '\(name)'")
  }
}
