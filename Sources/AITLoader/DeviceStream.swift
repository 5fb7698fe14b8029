import AITGraph
import AITModelInterface

/// A stream of a module's device: runs that are put into it come one after the other, beside those
/// of other streams.
///
/// On the CPU, where a run has ended when the call returns, it is a stream in name only.
public final class DeviceStream: @unchecked Sendable {
  let handle: AITemplateStreamHandle?
  private let container: ModelContainer
  private let isOwned: Bool
  private let lock = Lock()
  // What runs that may not have ended read and write.
  private var inUse: [DeviceTensor] = []

  /// Makes a stream on a module's device.
  ///
  /// - Throws: `Diagnostic` with identity `runFailed` where the driver refuses.
  public init(on module: CompiledModule) throws(Diagnostic) {
    container = module.container
    handle = container.deviceName == nil ? nil : try container.makeStream()
    isOwned = true
  }

  /// Takes a stream of the caller's, such as a `CUstream` or `cudaStream_t`, which must outlive this.
  public init(borrowing stream: UnsafeMutableRawPointer, on module: CompiledModule) {
    container = module.container
    handle = AITemplateStreamHandle(stream)
    isOwned = false
  }

  deinit {
    guard let handle else { return }
    // The tensors in use are freed next.
    try? container.synchronize(handle)
    if isOwned { container.destroyStream(handle) }
  }

  /// Waits for all runs in the stream.
  ///
  /// - Throws: `Diagnostic` with identity `runFailed` if one of them failed on the device.
  public func synchronize() throws(Diagnostic) {
    // Taken out, so that of several threads each releases its own.
    let ended = lock.withLock {
      defer { inUse = [] }
      return inUse
    }
    if handle != nil {
      do throws(Diagnostic) { try container.synchronize(handle) } catch {
        keep(ended)
        throw error
      }
    }
    withExtendedLifetime(ended) {}
  }

  /// Keeps tensors alive until the stream was waited for.
  func keep(_ tensors: [DeviceTensor]) { lock.withLock { inUse += tensors } }
}
