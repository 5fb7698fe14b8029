import AITGraph

/// Where in the user's program a call stands: what nodes and diagnostics say of their origin.
struct CallSite: Sendable, Hashable, CustomStringConvertible {
  let file: String
  let line: Int

  /// `MyApp/Model.swift:12`.
  var description: String { "\(file):\(line)" }

  /// The place of a call, or for a call inside a layer of this library the place where the user
  /// called the layer.
  static func resolved(_ file: String, _ line: Int) -> CallSite? {
    let isOwn = ["AITFrontend/", "AITFacade/", "AITImport/"].contains { file.hasPrefix($0) }
    return isOwn ? Scope.current?.callSite ?? foreign : CallSite(file: file, line: line)
  }

  /// The line of a program in another language whose call is under way.
  @TaskLocal static var foreign: CallSite?
}

/// Returns what the body makes, with a line of a program in another language as the place of every
/// tensor made in it.
package func withCallSite<Result>(
  _ file: String,
  _ line: Int,
  _ body: () throws(Diagnostic) -> Result
) throws(Diagnostic) -> Result {
  do {
    return try CallSite.$foreign.withValue(CallSite(file: file, line: line), operation: body)
  } catch let diagnostic as Diagnostic {
    throw diagnostic
  } catch {
    throw Diagnostic(.internalInconsistency, "\(error)")
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
