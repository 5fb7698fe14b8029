import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The driver of emulated devices, in this process.
///
/// Libraries ask for `libcuda.so.1` and are given what is there under that name. So it is loaded
/// before, and a process that has it has no other.
package enum EmulatedDriver {
  private static let name = "libcuda.so.1"
  /// A function that no other driver has: it says what the device is to the calling thread.
  private static let mark = "aitEmulatedSetCapability"
  /// What the target of a library for an emulated device begins with.
  private static let prefix = "emulated-"

  private static let lock = Lock()

  private static var symbol: UnsafeMutableRawPointer? {
    guard let handle = dlopen(name, RTLD_NOW | RTLD_NOLOAD) else { return nil }
    defer { dlclose(handle) }
    return dlsym(handle, mark)
  }

  /// Whether the driver of this process emulates.
  package static var isLoaded: Bool { symbol != nil }

  /// Loads the driver from a file.
  ///
  /// - Throws: `loadFailed` if it cannot be, or if another driver has been loaded before.
  package static func load(_ path: String) throws(Diagnostic) {
    let problem = lock.withLock { () -> String? in
      if isLoaded { return nil }
      guard dlopen(path, RTLD_NOW | RTLD_LOCAL) != nil else {
        return dlerror().map { String(cString: $0) } ?? "no reason given"
      }
      return isLoaded ? nil : "a CUDA driver is in use in this process"
    }
    guard let problem else { return }
    throw Diagnostic(
      .loadFailed,
      "the emulating driver cannot be loaded: \(problem)",
      at: path,
      hint: "emulated devices need a process of their own"
    )
  }

  /// Whether a library is for an emulated device.
  package static func isWanted(by library: String) throws(Diagnostic) -> Bool {
    try ModelLibrary(path: library).text("AITemplateGetTarget").hasPrefix(prefix)
  }

  /// Makes the device what a library was compiled for, if that is an emulated one.
  ///
  /// - Throws: `loadFailed` if no driver that emulates is loaded.
  static func prepare(for library: ModelLibrary) throws(Diagnostic) {
    let target = try library.text("AITemplateGetTarget")
    guard target.hasPrefix(prefix) else { return }
    guard let symbol else {
      throw Diagnostic(
        .loadFailed,
        "the library is for an emulated device (\(target)), and no driver that emulates is loaded",
        at: library.path,
        hint: "commands of `ait` with --emulate load it; compile the model for cuda to use a GPU"
      )
    }
    // The newest of its architectures.
    let digits = target.reversed().drop { !$0.isNumber }.prefix { $0.isNumber }
    let capability = Int32(String(digits.reversed())) ?? 0
    unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)(capability)
  }
}
