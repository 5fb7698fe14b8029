import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The GPU of this machine that candidates are measured on.
package enum TuningDevice {
  private typealias Start = @convention(c) (UInt32) -> Int32
  private typealias Find = @convention(c) (UnsafeMutablePointer<Int32>, Int32) -> Int32
  private typealias Attribute = @convention(c) (UnsafeMutablePointer<Int32>, Int32, Int32) -> Int32
  private typealias Name = @convention(c) (UnsafeMutablePointer<CChar>, Int32, Int32) -> Int32
  private typealias Ask = @convention(c) (UnsafeMutablePointer<Int32>) -> Int32

  // As in the driver's header, `CUdevice_attribute`.
  private static let majorCapability: Int32 = 75
  private static let minorCapability: Int32 = 76

  /// The driver's version, such as `13.0`, and the first GPU's name and compute capability: 90 for 9.0.
  ///
  /// - Throws: `invalidOption` where there is no driver, or it sees no GPU.
  package static func find() throws(Diagnostic) -> (
    driver: String, name: String, capability: Int
  ) {
    // It stays loaded: libraries that are loaded next need it.
    guard let library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL),
      let start = dlsym(library, "cuInit"), let version = dlsym(library, "cuDriverGetVersion"),
      let count = dlsym(library, "cuDeviceGetCount"), let get = dlsym(library, "cuDeviceGet"),
      let attribute = dlsym(library, "cuDeviceGetAttribute"),
      let getName = dlsym(library, "cuDeviceGetName")
    else { throw missing("there is no CUDA driver on this machine") }
    var (number, devices, device): (Int32, Int32, Int32) = (0, 0, 0)
    guard unsafeBitCast(start, to: Start.self)(0) == 0,
      unsafeBitCast(count, to: Ask.self)(&devices) == 0, devices > 0,
      unsafeBitCast(get, to: Find.self)(&device, 0) == 0
    else { throw missing("the CUDA driver of this machine sees no GPU") }
    var (major, minor): (Int32, Int32) = (0, 0)
    let ask = unsafeBitCast(attribute, to: Attribute.self)
    var name = [CChar](repeating: 0, count: 256)
    guard unsafeBitCast(version, to: Ask.self)(&number) == 0,
      unsafeBitCast(getName, to: Name.self)(&name, Int32(name.count - 1), device) == 0,
      ask(&major, majorCapability, device) == 0, ask(&minor, minorCapability, device) == 0
    else { throw missing("the CUDA driver of this machine does not describe its GPU") }
    let text = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return (
      "\(number / 1000).\(number % 1000 / 10)", String(decoding: text, as: UTF8.self),
      Int(major * 10 + minor)
    )
  }

  private static func missing(_ what: String) -> Diagnostic {
    Diagnostic(
      .invalidOption,
      "kernels are measured on a GPU, and \(what)",
      hint:
        "compile without --tune; or `ait tune prepare FOLDER GRAPH` here, `ait tune measure FOLDER` "
        + "on a machine with the GPU, and compile with --tuning-record and the file it writes"
    )
  }
}
