import AITGraph
import AITModelInterface

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Tensors as the C functions take them.
enum Arguments {
  /// Calls a closure with descriptions of inputs and outputs; the memory stays put meanwhile.
  static func withData<Result>(
    _ inputs: [TensorData],
    _ outputs: inout [TensorData],
    _ body: (UnsafeBufferPointer<AITData>, UnsafeMutableBufferPointer<AITData>) -> Result
  ) -> Result {
    var extents: [Int64] = []
    for tensor in inputs + outputs { extents += tensor.shape.map { Int64($0) } }
    return extents.withUnsafeBufferPointer { extents in
      var next = extents.baseAddress
      func describe(_ tensor: TensorData, _ pointer: UnsafeMutableRawPointer?) -> AITData {
        let shape = AITemplateParamShape(shape_data: next, size: tensor.shape.count)
        next = next?.advanced(by: tensor.shape.count)
        return AITData(
          ptr: pointer,
          shape: shape,
          dtype: AITemplateDtype(rawValue: UInt32(tensor.dtype.abiCode))
        )
      }
      let read = inputs.map { tensor in
        tensor.withUnsafeBytes { bytes in
          describe(tensor, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
        }
      }
      var written: [AITData] = []
      for index in outputs.indices {
        // Storage is unique after this, and nobody else holds it until the call returns.
        let pointer = outputs[index].withUnsafeMutableBytes { $0.baseAddress }
        written.append(describe(outputs[index], pointer))
      }
      return withExtendedLifetime((inputs, outputs)) {
        read.withUnsafeBufferPointer { read in
          written.withUnsafeMutableBufferPointer { body(read, $0) }
        }
      }
    }
  }

  /// Calls a closure with C strings.
  static func withStrings<Result>(
    _ strings: [[CChar]],
    _ body: (UnsafeMutableBufferPointer<UnsafePointer<CChar>?>) -> Result
  ) -> Result {
    let joined = strings.flatMap { $0 }
    return joined.withUnsafeBufferPointer { joined in
      var next = joined.baseAddress
      var pointers: [UnsafePointer<CChar>?] = strings.map { string in
        defer { next = next?.advanced(by: string.count) }
        return next
      }
      return pointers.withUnsafeMutableBufferPointer { body($0) }
    }
  }
}

/// A mutual exclusion lock.
final class Lock: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() { pthread_mutex_init(mutex, nil) }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  func withLock<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }
}
