import AITGraph
import AITModelInterface

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A model library in memory: its C functions by name.
///
/// A copy of the file is opened, so that a library may be rebuilt while an older one is in use.
final class ModelLibrary: @unchecked Sendable {
  private let handle: UnsafeMutableRawPointer
  let path: String

  init(path: String) throws(Diagnostic) {
    self.path = path
    guard access(path, R_OK) == 0 else {
      throw Diagnostic(
        .loadFailed,
        "there is no readable file: \(String(cString: strerror(errno)))",
        at: path
      )
    }
    let name = path.contains("/") ? path : "./\(path)"
    guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
      let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
      throw Diagnostic(
        .loadFailed,
        "the library cannot be loaded: \(reason)",
        at: path,
        hint: "see that it is a library made by `ait compile` for this machine"
      )
    }
    self.handle = handle
  }

  deinit { dlclose(handle) }

  /// The function of a name, by its C type.
  func function<Function>(_ name: String, as type: Function.Type) throws(Diagnostic) -> Function {
    guard let symbol = dlsym(handle, name) else {
      throw Diagnostic(
        .loadFailed,
        "the library has no function '\(name)'",
        at: path,
        hint: "it was not made by this compiler, or by an older one: compile the model again"
      )
    }
    return unsafeBitCast(symbol, to: type)
  }

  /// Throws what the library says of a failed call.
  func check(_ error: AITemplateError, _ identity: Diagnostic.Identity = .runFailed)
    throws(Diagnostic)
  {
    guard error.rawValue != 0 else { return }
    let lastError = try function(
      "AITemplateGetLastError",
      as: (@convention(c) () -> UnsafePointer<CChar>?).self
    )
    throw Diagnostic(
      identity,
      lastError().map { String(cString: $0) } ?? "no reason given",
      at: path
    )
  }

  /// A text that the library holds about itself.
  func text(_ name: String) throws(Diagnostic) -> String {
    typealias Getter =
      @convention(c) (UnsafeMutablePointer<UnsafePointer<CChar>?>?) ->
      AITemplateError
    var text: UnsafePointer<CChar>?
    try check(try function(name, as: Getter.self)(&text))
    return text.map { String(cString: $0) } ?? ""
  }
}
