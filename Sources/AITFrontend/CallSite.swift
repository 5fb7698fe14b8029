/// Where in the user's program a call stands: what nodes and diagnostics say of their origin.
struct CallSite: Sendable, Hashable, CustomStringConvertible {
  let file: String
  let line: Int

  /// `MyApp/Model.swift:12`.
  var description: String { "\(file):\(line)" }

  /// The place of a call, or for a call inside a layer of this library the place where the user
  /// called the layer.
  static func resolved(_ file: String, _ line: Int) -> CallSite? {
    file.hasPrefix("AITFrontend/") ? Scope.current?.callSite : CallSite(file: file, line: line)
  }
}

/// The module whose call is under way; nodes made meanwhile are named after it.
struct Scope: @unchecked Sendable {
  // Unchecked: a scope lives no longer than the call of the module, and tasks that the call starts
  // only read from the module how it is named.
  let module: Module
  /// The module whose call led to all calls under way.
  let outermost: Module
  let callSite: CallSite?

  @TaskLocal static var current: Scope?
}
