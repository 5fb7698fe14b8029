import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A GPU of this machine, as its driver describes it.
package struct CUDADevice: Sendable {
  /// The device's position: 0 for `cuda:0`.
  package let number: Int
  /// Such as `NVIDIA H200`.
  package let name: String
  /// The compute capability: 90 for 9.0.
  package let capability: Int
  package let multiprocessorCount: Int
  /// The highest, in hertz.
  package let clockRate: Double
  package let cacheSizeInBytes: Int

  package init(
    number: Int,
    name: String,
    capability: Int,
    multiprocessorCount: Int = 0,
    clockRate: Double = 0,
    cacheSizeInBytes: Int = 0
  ) {
    self.number = number
    self.name = name
    self.capability = capability
    self.multiprocessorCount = multiprocessorCount
    self.clockRate = clockRate
    self.cacheSizeInBytes = cacheSizeInBytes
  }

  /// The devices of this machine, in the driver's order.
  ///
  /// - Throws: `unknownTarget` where there is no driver, or it sees no device.
  package static func all() throws(Diagnostic) -> [CUDADevice] {
    guard let driver = Driver() else {
      let reason = dlerror().map { String(cString: $0) } ?? "?"
      throw missing(
        "found no CUDA driver: libcuda.so.1 was not found (\(reason))",
        hint: "install the NVIDIA driver; to compile for a GPU of another machine, name its "
          + "architecture, as in cuda:sm_90a"
      )
    }
    let status = driver.start(0)
    // What the driver says where it sees none.
    let noDevice: Int32 = 100
    guard status == 0 || status == noDevice else {
      throw missing(
        "the CUDA driver cannot be started: it reports error \(status)",
        hint: "check nvidia-smi; after an update of the driver, restart the machine"
      )
    }
    let devices = status == 0 ? driver.devices() : []
    guard !devices.isEmpty else {
      throw missing(
        "found no CUDA device: the driver is there, but sees no GPU",
        hint: "check nvidia-smi and CUDA_VISIBLE_DEVICES, or name an architecture, such as "
          + "cuda:sm_90a"
      )
    }
    return devices
  }

  private static func missing(_ message: String, hint: String) -> Diagnostic {
    Diagnostic(.unknownTarget, message, at: "cuda:detect", hint: hint)
  }
}

/// The few functions of the driver that describe devices.
private struct Driver {
  typealias Start = @convention(c) (UInt32) -> Int32
  typealias Count = @convention(c) (UnsafeMutablePointer<Int32>) -> Int32
  typealias Find = @convention(c) (UnsafeMutablePointer<Int32>, Int32) -> Int32
  typealias Name = @convention(c) (UnsafeMutablePointer<CChar>, Int32, Int32) -> Int32
  typealias Ask = @convention(c) (UnsafeMutablePointer<Int32>, Int32, Int32) -> Int32

  // As in the driver's header, `CUdevice_attribute`.
  private enum Attribute: Int32 {
    case clockRateInKilohertz = 13
    case multiprocessorCount = 16
    case level2CacheSize = 38
    case majorCapability = 75
    case minorCapability = 76
  }

  let start: Start
  private let count: Count
  private let find: Find
  private let name: Name
  private let ask: Ask

  /// Nil where there is no driver, or none that has the functions.
  init?() {
    // It stays loaded: modules that are loaded later need it.
    guard let library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL),
      let start = dlsym(library, "cuInit"), let count = dlsym(library, "cuDeviceGetCount"),
      let find = dlsym(library, "cuDeviceGet"), let name = dlsym(library, "cuDeviceGetName"),
      let ask = dlsym(library, "cuDeviceGetAttribute")
    else { return nil }
    self.start = unsafeBitCast(start, to: Start.self)
    self.count = unsafeBitCast(count, to: Count.self)
    self.find = unsafeBitCast(find, to: Find.self)
    self.name = unsafeBitCast(name, to: Name.self)
    self.ask = unsafeBitCast(ask, to: Ask.self)
  }

  func devices() -> [CUDADevice] {
    var found: Int32 = 0
    guard count(&found) == 0 else { return [] }
    return (0..<found).compactMap { number in
      var device: Int32 = 0
      guard find(&device, number) == 0 else { return nil }
      func attribute(_ attribute: Attribute) -> Int {
        var value: Int32 = 0
        return ask(&value, attribute.rawValue, device) == 0 ? Int(value) : 0
      }
      var text = [CChar](repeating: 0, count: 256)
      _ = name(&text, Int32(text.count) - 1, device)
      let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      return CUDADevice(
        number: Int(number),
        name: String(decoding: bytes, as: UTF8.self),
        capability: 10 * attribute(.majorCapability) + attribute(.minorCapability),
        multiprocessorCount: attribute(.multiprocessorCount),
        clockRate: 1e3 * Double(attribute(.clockRateInKilohertz)),
        cacheSizeInBytes: attribute(.level2CacheSize)
      )
    }
  }
}
