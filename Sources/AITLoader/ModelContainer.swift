import AITGraph
import AITModelInterface

/// A container of a library: what the handle of its functions stands for, and the memory of the
/// device that it is on.
///
/// Tensors and streams of the device keep it alive.
final class ModelContainer: @unchecked Sendable {
  let library: ModelLibrary
  let handle: AITemplateModelHandle
  /// Such as `cuda:0 'NVIDIA H200'`; nil on the CPU.
  let deviceName: String?

  init(path: String, runtimes: Int, threads: Int, device: String?) throws(Diagnostic) {
    library = try ModelLibrary(path: path)
    try EmulatedDriver.prepare(for: library)
    typealias Create =
      @convention(c) (
        UnsafeMutablePointer<AITemplateModelHandle?>?, UnsafePointer<AITemplateCreateOptions>?
      ) -> AITemplateError
    let create = try library.function(
      "AITemplateModelContainerCreateWithOptions",
      as: Create.self
    )
    var options = AITemplateCreateOptions()
    options.struct_size = MemoryLayout<AITemplateCreateOptions>.size
    options.num_runtimes = max(1, runtimes)
    options.num_threads = max(0, threads)
    var made: AITemplateModelHandle?
    let error = Arguments.withString(device) { device in
      options.device = device
      return create(&made, &options)
    }
    try library.check(error, .loadFailed)
    guard let made else { throw Diagnostic(.loadFailed, "no model was made", at: path) }
    handle = made
    deviceName = try Self.deviceName(library, made)
  }

  deinit {
    typealias Delete = @convention(c) (AITemplateModelHandle?) -> AITemplateError
    if let delete = try? library.function("AITemplateModelContainerDelete", as: Delete.self) {
      _ = delete(handle)
    }
  }

  private static func deviceName(_ library: ModelLibrary, _ handle: AITemplateModelHandle)
    throws(Diagnostic) -> String?
  {
    // Libraries for the CPU that an older compiler made do without the function.
    if try library.text("AITemplateGetTarget").hasPrefix("cpu") { return nil }
    typealias Get =
      @convention(c) (
        AITemplateModelHandle?, UnsafeMutablePointer<UnsafePointer<CChar>?>?
      ) -> AITemplateError
    var name: UnsafePointer<CChar>?
    let get = try library.function("AITemplateModelContainerGetDeviceName", as: Get.self)
    try library.check(get(handle, &name))
    return name.map { String(cString: $0) }
  }

  // MARK: - Memory

  // On the CPU it is the program's own.

  /// Memory of the device; nil for no bytes.
  func allocate(_ sizeInBytes: Int) throws(Diagnostic) -> UnsafeMutableRawPointer? {
    guard deviceName != nil else {
      let size = max(sizeInBytes, 1)
      return UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
    }
    typealias Allocate =
      @convention(c) (
        AITemplateModelHandle?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?, Int
      ) -> AITemplateError
    let allocate = try library.function(
      "AITemplateModelContainerDeviceMalloc",
      as: Allocate.self
    )
    var memory: UnsafeMutableRawPointer?
    try library.check(allocate(handle, &memory, sizeInBytes))
    return memory
  }

  func free(_ memory: UnsafeMutableRawPointer) {
    guard deviceName != nil else { return memory.deallocate() }
    typealias Free =
      @convention(c) (AITemplateModelHandle?, UnsafeMutableRawPointer?) -> AITemplateError
    guard let free = try? library.function("AITemplateModelContainerDeviceFree", as: Free.self)
    else { return }
    _ = free(handle, memory)
  }

  /// Where bytes come from and go to.
  enum Direction: UInt32 {
    case toDevice = 0
    case toHost = 1
    case onDevice = 2
  }

  /// Copies bytes; waits, but for a copy on the device.
  func copy(
    to target: UnsafeMutableRawPointer?,
    from source: UnsafeRawPointer?,
    _ sizeInBytes: Int,
    _ direction: Direction
  ) throws(Diagnostic) {
    guard deviceName != nil else {
      if let target, let source { target.copyMemory(from: source, byteCount: sizeInBytes) }
      return
    }
    typealias Copy =
      @convention(c) (
        AITemplateModelHandle?, UnsafeMutableRawPointer?, UnsafeRawPointer?, Int,
        AITemplateMemcpyKind, AITemplateStreamHandle?
      ) -> AITemplateError
    let copy = try library.function("AITemplateModelContainerMemcpy", as: Copy.self)
    let kind = AITemplateMemcpyKind(rawValue: direction.rawValue)
    try library.check(copy(handle, target, source, sizeInBytes, kind, nil))
  }

  // MARK: - Streams

  func makeStream() throws(Diagnostic) -> AITemplateStreamHandle? {
    typealias Make =
      @convention(c) (
        AITemplateModelHandle?, UnsafeMutablePointer<AITemplateStreamHandle?>?
      ) -> AITemplateError
    var stream: AITemplateStreamHandle?
    let make = try library.function("AITemplateModelContainerStreamCreate", as: Make.self)
    try library.check(make(handle, &stream))
    return stream
  }

  private typealias StreamCall =
    @convention(c) (AITemplateModelHandle?, AITemplateStreamHandle?) -> AITemplateError

  func destroyStream(_ stream: AITemplateStreamHandle) {
    let name = "AITemplateModelContainerStreamDestroy"
    guard let destroy = try? library.function(name, as: StreamCall.self) else { return }
    _ = destroy(handle, stream)
  }

  /// Waits for what is in a stream; nil is the device's default stream.
  func synchronize(_ stream: AITemplateStreamHandle?) throws(Diagnostic) {
    guard deviceName != nil else { return }
    let name = "AITemplateModelContainerStreamSynchronize"
    try library.check(try library.function(name, as: StreamCall.self)(handle, stream))
  }
}
