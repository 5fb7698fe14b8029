/// Gives a module in a property another key in paths than the property's name.
///
/// ```swift
/// @ModuleInfo(key: "self_attn") var attention: MultiheadAttention
/// init() { _attention.wrappedValue = MultiheadAttention(768, headCount: 12) }
/// ```
@propertyWrapper
public struct ModuleInfo<Value>: KeyedMember {
  private var stored: Value?
  let key: String?

  /// Wraps a module with the key given, or the name of the property.
  public init(wrappedValue: Value, key: String? = nil) {
    stored = wrappedValue
    self.key = key
  }

  /// Prepares a property that the initialiser sets through `_name.wrappedValue`.
  public init(key: String) { self.key = key }

  /// The module.
  public var wrappedValue: Value {
    get {
      guard let stored else {
        preconditionFailure("the module '\(key ?? "")' is read before the initialiser has set it")
      }
      return stored
    }
    set { stored = newValue }
  }

  var content: Any? { stored }
}

/// Gives a parameter in a property another key in paths than the property's name.
///
/// ```swift
/// @ParameterInfo(key: "in_proj_weight") var weight: Parameter
/// init() { _weight.wrappedValue = Parameter([3 * 768, 768]) }
/// ```
@propertyWrapper
public struct ParameterInfo<Value>: KeyedMember {
  private var stored: Value?
  let key: String?

  /// Wraps a parameter with the key given, or the name of the property.
  public init(wrappedValue: Value, key: String? = nil) {
    stored = wrappedValue
    self.key = key
  }

  /// Prepares a property that the initialiser sets through `_name.wrappedValue`.
  public init(key: String) { self.key = key }

  /// The parameter.
  public var wrappedValue: Value {
    get {
      guard let stored else {
        preconditionFailure(
          "the parameter '\(key ?? "")' is read before the initialiser has set it"
        )
      }
      return stored
    }
    set { stored = newValue }
  }

  var content: Any? { stored }
}

/// A property wrapper around a member with a key of its own.
private protocol KeyedMember {
  var key: String? { get }
  var content: Any? { get }
}

extension Module {
  /// A module or a parameter in a property.
  struct Member {
    enum Content {
      case module(Module)
      case parameter(Parameter)
    }

    let key: String
    let content: Content
  }

  /// The modules and parameters in the properties, those of base classes first.
  func members() -> [Member] {
    var mirrors: [Mirror] = []
    var next: Mirror? = Mirror(reflecting: self)
    while let mirror = next, mirror.subjectType != Module.self {
      mirrors.append(mirror)
      next = mirror.superclassMirror
    }
    var result: [Member] = []
    for mirror in mirrors.reversed() {
      for child in mirror.children {
        guard let label = child.label else { continue }
        Self.collect(child.value, Self.propertyName(label), into: &result)
      }
    }
    return result
  }

  /// Adds what a value holds; returns whether values of its kind can hold anything.
  @discardableResult
  private static func collect(_ value: Any, _ key: String, into result: inout [Member]) -> Bool {
    let mirror = Mirror(reflecting: value)
    // The style comes first: a cast of an array to a class may convert every element.
    switch mirror.displayStyle {
    case .class:
      if let module = value as? Module {
        result.append(Member(key: key, content: .module(module)))
      } else if let parameter = value as? Parameter {
        result.append(Member(key: key, content: .parameter(parameter)))
      }
    case .struct:
      guard let wrapper = value as? any KeyedMember else { return false }
      if let content = wrapper.content {
        // The label of a wrapped property starts with an underscore.
        let name = key.hasPrefix("_") ? String(key.dropFirst()) : key
        return collect(content, wrapper.key ?? name, into: &result)
      }
    case .optional:
      guard let child = mirror.children.first else { return true }
      return collect(child.value, key, into: &result)
    case .collection:
      for (index, child) in mirror.children.enumerated() {
        // The first element tells of which kind all are: tables of numbers are not searched.
        guard collect(child.value, join(key, "\(index)"), into: &result) else { return false }
      }
    case .dictionary:
      let entries = mirror.children.compactMap { child -> (key: String, value: Any)? in
        let pair = Array(Mirror(reflecting: child.value).children)
        return pair.count == 2 ? ("\(pair[0].value)", pair[1].value) : nil
      }
      // Dictionaries have no order of their own.
      for entry in entries.sorted(by: { $0.key < $1.key }) {
        guard collect(entry.value, join(key, entry.key), into: &result) else { return false }
      }
    case .tuple:
      for (index, child) in mirror.children.enumerated() {
        let label = child.label.flatMap { $0.hasPrefix(".") ? nil : $0 } ?? "\(index)"
        collect(child.value, join(key, label), into: &result)
      }
    default: return false
    }
    return true
  }

  private static func propertyName(_ label: String) -> String {
    let lazyPrefix = "$__lazy_storage_$_"
    return label.hasPrefix(lazyPrefix) ? String(label.dropFirst(lazyPrefix.count)) : label
  }
}
