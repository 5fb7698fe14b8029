import AITGraph

/// A parameter of one of AITemplate's operators, of its constructor or of its call.
package struct FacadeParameter: Sendable {
  /// What the parameter takes; names and signatures in Python follow from it.
  package enum Kind: String, Sendable {
    case tensor
    /// A list of tensors.
    case tensors
    /// A tensor or a number.
    case operand
    case integer
    /// One integer, or a list of them.
    case integers
    /// An integer, a dimension, or a tensor that stands for one.
    case dimension
    /// A list of such.
    case dimensions
    case number
    case bool
    case string
    /// The name of an element type.
    case dtype
    /// Anything; the operator looks for itself.
    case any
  }

  /// What a parameter is if it is not given.
  package enum Default: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case integers([Int])

    /// The value as it would have been passed.
    package var argument: FacadeArgument {
      switch self {
      case .none: .none
      case .bool(let value): .bool(value)
      case .integer(let value): .integer(value)
      case .number(let value): .float(value)
      case .string(let text): .string(text)
      case .integers(let values): .list(values.map { .integer($0) })
      }
    }
  }

  package let name: String
  package let kind: Kind
  /// What the parameter is if it is not given; nil if it must be.
  package let defaultValue: Default?
  /// Whether it takes every further argument by position, as Python's `*args`.
  package let isVariadic: Bool

  package init(
    _ name: String,
    _ kind: Kind,
    default defaultValue: Default? = nil,
    isVariadic: Bool = false
  ) {
    self.name = name
    self.kind = kind
    self.defaultValue = defaultValue
    self.isVariadic = isVariadic
  }

  /// A tensor that must be given.
  package static func tensor(_ name: String) -> FacadeParameter { .init(name, .tensor) }

  /// A list of tensors that must be given.
  package static func tensors(_ name: String) -> FacadeParameter { .init(name, .tensors) }

  /// An integer that must be given.
  package static func integer(_ name: String) -> FacadeParameter { .init(name, .integer) }

  /// A number that must be given.
  package static func number(_ name: String) -> FacadeParameter { .init(name, .number) }

  /// A truth value with a default.
  package static func bool(_ name: String, _ defaultValue: Bool) -> FacadeParameter {
    .init(name, .bool, default: .bool(defaultValue))
  }

  /// A tensor that may be left out.
  package static func optionalTensor(_ name: String) -> FacadeParameter {
    .init(name, .tensor, default: Default.none)
  }
}
