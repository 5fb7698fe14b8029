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
/// A library may be rebuilt under its name while an older one is in use.
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
    try Self.checkCompleteness(path)
    let name = Self.freshName(path)
    guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
      let reason =
        dlerror().map { String(cString: $0).replacing(name, with: path) }
        ?? "no reason given"
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

  private static let loadsLock = Lock()
  nonisolated(unsafe) private static var loads = 0

  /// A way to write the path that nothing was loaded by before.
  ///
  /// For a name it has loaded by, the system returns the library of then, even if the file is another
  /// by now. So each load adds its number to the path, in `/` and `./`.
  private static func freshName(_ path: String) -> String {
    let number = loadsLock.withLock {
      loads += 1
      return loads
    }
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { path[...$0] } ?? "./"
    let file = slash.map { path[path.index(after: $0)...] } ?? path[...]
    let digits = String(number, radix: 2).map { $0 == "1" ? "./" : "/" }.joined()
    return folder + digits + file
  }

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
