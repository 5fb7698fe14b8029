import AITGraph

/// A part of a model: it holds parameters and other modules, and its call adds to a program.
///
/// Derive a class, keep layers and parameters in stored properties, and write `callAsFunction`:
///
/// ```swift
/// final class SimpleModel: Module {
///   let dense1: Linear, dense2: Linear, layernorm: LayerNorm
///   init(hidden: Int) {
///     dense1 = Linear(hidden, 4 * hidden, specialization: .fastGELU)
///     dense2 = Linear(4 * hidden, hidden)
///     layernorm = LayerNorm(hidden)
///   }
///   func callAsFunction(_ input: Tensor) -> Tensor { layernorm(dense2(dense1(input)) + input) }
/// }
/// ```
///
/// Properties are found by reflection: modules and parameters, also in optionals, arrays, tuples
/// and dictionaries. Their names make the dotted paths of parameters, as in PyTorch's state
/// dictionaries: `layers.0.dense1.weight`. ``ModuleInfo`` and ``ParameterInfo`` give other names.
///
/// A module may be called any number of times; all calls share its parameters. One that several trees
/// share is named after its path in the first that it joined and that is still there.
open class Module {
  let owners = Owners()
  private var paths: [ObjectIdentifier: String]?

  /// Takes the modules and parameters in the properties of the derived class as children.
  ///
  /// Swift calls it after the properties of the derived class are set. Properties set or changed
  /// later need a call of ``registerChildren()``.
  public init() { registerChildren() }

  /// What the description says of the module itself: `512, 2048, bias: true`.
  open var detail: String { "" }

  /// Takes the modules and parameters that the properties hold now as children, so that a call of
  /// one of them knows its path.
  public final func registerChildren() {
    paths = nil
    for member in members() {
      switch member.content {
      case .module(let module): module.owners.add(self)
      case .parameter(let parameter): parameter.owners.add(self)
      }
    }
  }

  // MARK: - Walking the tree

  /// The modules held directly, with their keys, in the order of declaration.
  public final var namedChildren: [(name: String, module: Module)] {
    members().compactMap { member in
      if case .module(let module) = member.content { (member.key, module) } else { nil }
    }
  }

  /// The modules held directly, in the order of declaration.
  public final var children: [Module] { namedChildren.map(\.module) }

  /// This module, under the empty path, and all below it, each before its children.
  ///
  /// A module that is shared comes once, under its first path.
  public final var namedModules: [(name: String, module: Module)] {
    var seen: Set<ObjectIdentifier> = []
    var result: [(name: String, module: Module)] = []
    func visit(_ module: Module, _ path: String) {
      guard seen.insert(ObjectIdentifier(module)).inserted else { return }
      result.append((path, module))
      module.registerChildren()
      for child in module.namedChildren { visit(child.module, Self.join(path, child.name)) }
    }
    visit(self, "")
    return result
  }

  /// All parameters with their dotted paths: a module's own before those of its children.
  ///
  /// The order is PyTorch's. A parameter that is shared comes once, under its first path.
  public final var namedParameters: [(name: String, parameter: Parameter)] {
    var seen: Set<ObjectIdentifier> = []
    var result: [(name: String, parameter: Parameter)] = []
    for (path, module) in namedModules {
      for member in module.members() {
        guard case .parameter(let parameter) = member.content,
          seen.insert(ObjectIdentifier(parameter)).inserted
        else { continue }
        result.append((Self.join(path, member.key), parameter))
      }
    }
    return result
  }

  /// All parameters, in the order of ``namedParameters``.
  public final var parameters: [Parameter] { namedParameters.map(\.parameter) }

  /// A key below a path; either may be empty.
  static func join(_ path: String, _ key: String) -> String {
    path.isEmpty || key.isEmpty ? path + key : "\(path).\(key)"
  }

  // MARK: - Paths

  /// The dotted path from the root of the tree; empty for the root.
  final var path: String { owners.path(of: ObjectIdentifier(self)) ?? "" }

  /// The module above all that hold this one.
  final var root: Module {
    var module = self
    var seen: Set<ObjectIdentifier> = []
    while seen.insert(ObjectIdentifier(module)).inserted, let owner = module.owners.first {
      module = owner
    }
    return module
  }

  /// The path of a module or parameter below this one.
  final func pathInTree(of identity: ObjectIdentifier) -> String? {
    if let path = paths?[identity] { return path }
    var found: [ObjectIdentifier: String] = [:]
    for (name, module) in namedModules { found[ObjectIdentifier(module)] = name }
    for (name, parameter) in namedParameters { found[ObjectIdentifier(parameter)] = name }
    paths = found
    return found[identity]
  }

  // MARK: - Calls

  /// Runs a call of the module: nodes made meanwhile are named after its path, and say where the
  /// call stands.
  ///
  /// Layers that take one tensor get this from ``UnaryLayer``; others may wrap the body of their
  /// `callAsFunction` in it. Without it only the layers inside are named after their paths.
  public final func scoped<Result>(
    file: String = #fileID,
    line: Int = #line,
    _ body: () throws -> Result
  ) rethrows -> Result {
    let scope = Scope(
      module: self,
      outermost: Scope.current?.outermost ?? self,
      callSite: CallSite.resolved(file, line)
    )
    return try Scope.$current.withValue(scope, operation: body)
  }
}

/// A module that takes one tensor and gives one: what ``Sequential`` strings together.
///
/// Adopters write ``forward(_:)``; the call itself is given, and names the nodes after the module.
public protocol UnaryLayer: Module {
  /// Returns the result of the layer for an input.
  func forward(_ x: Tensor) -> Tensor
}

extension UnaryLayer {
  /// Returns the result of the layer for an input.
  public func callAsFunction(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    scoped(file: file, line: line) { forward(x) }
  }
}
