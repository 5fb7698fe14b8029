import AITGraph

/// A dense row-major tensor in the memory of a module's device.
///
/// It stays there between runs: `run(_:into:graphMode:)` takes such tensors without a copy. Unlike
/// `TensorData` it is a reference; runs write to it. Of a module for the CPU the memory is the
/// host's, so that the same program serves both.
///
/// ```swift
/// let x = try DeviceTensor(input, on: module)
/// let y = try DeviceTensor(.float16, [1024, 512], on: module)
/// try module.run([x], into: [y], graphMode: true)
/// let result = try y.read()
/// ```
public final class DeviceTensor: Sendable {
  /// The element type.
  public let dtype: DType
  /// The extents, outermost first.
  public let shape: [Int]
  fileprivate let memory: DeviceMemory
  private let offsetInBytes: Int

  /// The number of bytes of the elements.
  public var sizeInBytes: Int { shape.reduce(1, *) * dtype.sizeInBytes }

  /// Where the elements lie, in the device's address space; nil if there are none.
  ///
  /// Valid while the tensor lives.
  public var address: UnsafeMutableRawPointer? { memory.base.map { $0 + offsetInBytes } }

  /// Makes a tensor whose elements are not set.
  ///
  /// - Throws: `Diagnostic` with identity `runFailed` where the device has no memory; the module
  ///   stays usable.
  public init(_ dtype: DType, _ shape: [Int], on module: CompiledModule) throws(Diagnostic) {
    self.dtype = dtype
    self.shape = shape
    offsetInBytes = 0
    memory = try DeviceMemory(
      module.container,
      sizeInBytes: shape.reduce(1, *) * dtype.sizeInBytes
    )
  }

  /// Copies a tensor to the device.
  ///
  /// - Throws: `Diagnostic` with identity `runFailed` where the device has no memory.
  public convenience init(_ tensor: TensorData, on module: CompiledModule) throws(Diagnostic) {
    try self.init(tensor.dtype, tensor.shape, on: module)
    try write(tensor)
  }

  private init(_ dtype: DType, _ shape: [Int], memory: DeviceMemory, offsetInBytes: Int) {
    self.dtype = dtype
    self.shape = shape
    self.memory = memory
    self.offsetInBytes = offsetInBytes
  }

  /// A tensor over some of this one's bytes, which both refer to.
  package func part(_ dtype: DType, _ shape: [Int], offsetInBytes: Int) -> DeviceTensor {
    let part = DeviceTensor(
      dtype,
      shape,
      memory: memory,
      offsetInBytes: self.offsetInBytes + offsetInBytes
    )
    precondition(offsetInBytes >= 0 && offsetInBytes + part.sizeInBytes <= sizeInBytes)
    return part
  }

  /// Copies the elements to the host, after the runs that were waited for.
  public func read() throws(Diagnostic) -> TensorData {
    var result = TensorData(zeros: dtype, shape)
    try read(into: &result)
    return result
  }

  /// Copies the elements into a tensor of the host that has room for them.
  func read(into target: inout TensorData) throws(Diagnostic) {
    let size = min(sizeInBytes, target.sizeInBytes)
    let outcome = target.withUnsafeMutableBytes { bytes -> Result<Void, Diagnostic> in
      do throws(Diagnostic) {
        return .success(
          try memory.container.copy(to: bytes.baseAddress, from: address, size, .toHost)
        )
      } catch { return .failure(error) }
    }
    try outcome.get()
  }

  /// Replaces the elements.
  ///
  /// - Throws: `Diagnostic` with identity `invalidArgument` for another type or shape.
  public func write(_ tensor: TensorData) throws(Diagnostic) {
    guard tensor.dtype == dtype, tensor.shape == shape else {
      throw Diagnostic(
        .invalidArgument,
        "found \(tensor.type), expected \(TensorType(dtype, Shape(shape)))",
        at: memory.container.library.path,
        hint: "a tensor on a device keeps its type and shape: make another"
      )
    }
    let outcome = tensor.withUnsafeBytes { bytes -> Result<Void, Diagnostic> in
      do throws(Diagnostic) {
        return .success(
          try memory.container.copy(to: address, from: bytes.baseAddress, bytes.count, .toDevice)
        )
      } catch { return .failure(error) }
    }
    try outcome.get()
  }

  /// Copies the elements of another tensor of the device; does not wait for the copy.
  package func copy(_ other: DeviceTensor) throws(Diagnostic) {
    try memory.container.copy(
      to: address,
      from: other.address,
      min(sizeInBytes, other.sizeInBytes),
      .onDevice
    )
  }
}

extension DeviceTensor {
  /// Waits for the copies from other tensors of the device.
  package func waitForCopies() throws(Diagnostic) { try memory.container.synchronize(nil) }
}

/// Memory of a device, freed when no tensor refers to it any more.
fileprivate final class DeviceMemory: @unchecked Sendable {
  let container: ModelContainer
  let base: UnsafeMutableRawPointer?

  init(_ container: ModelContainer, sizeInBytes: Int) throws(Diagnostic) {
    self.container = container
    base = try container.allocate(sizeInBytes)
  }

  deinit { if let base { container.free(base) } }
}
