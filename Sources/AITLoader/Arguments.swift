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
  /// A tensor wherever it lies.
  struct Tensor {
    let dtype: DType
    let shape: [Int]
    let pointer: UnsafeMutableRawPointer?
  }

  /// Calls a closure with descriptions of inputs and outputs, whose memory the caller keeps.
  static func withDescriptions<Result>(
    _ inputs: [Tensor],
    _ outputs: [Tensor],
    _ body: (UnsafeBufferPointer<AITData>, UnsafeMutableBufferPointer<AITData>) -> Result
  ) -> Result {
    let extents = (inputs + outputs).flatMap { $0.shape.map { Int64($0) } }
    return extents.withUnsafeBufferPointer { extents in
      var next = extents.baseAddress
      func describe(_ tensor: Tensor) -> AITData {
        let shape = AITemplateParamShape(shape_data: next, size: tensor.shape.count)
        next = next?.advanced(by: tensor.shape.count)
        return AITData(
          ptr: tensor.pointer,
          shape: shape,
          dtype: AITemplateDtype(rawValue: UInt32(tensor.dtype.abiCode))
        )
      }
      let read = inputs.map(describe)
      var written = outputs.map(describe)
      return read.withUnsafeBufferPointer { read in
        written.withUnsafeMutableBufferPointer { body(read, $0) }
      }
    }
  }

  /// Calls a closure with descriptions of inputs and outputs; the memory stays put meanwhile.
  static func withData<Result>(
    _ inputs: [TensorData],
    _ outputs: inout [TensorData],
    _ body: (UnsafeBufferPointer<AITData>, UnsafeMutableBufferPointer<AITData>) -> Result
  ) -> Result {
    let read = inputs.map { tensor in
      tensor.withUnsafeBytes { bytes in
        Tensor(
          dtype: tensor.dtype,
          shape: tensor.shape,
          pointer: UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        )
      }
    }
    var written: [Tensor] = []
    for index in outputs.indices {
      // Storage is unique after this, and nobody else holds it until the call returns.
      let pointer = outputs[index].withUnsafeMutableBytes { $0.baseAddress }
      let (dtype, shape) = (outputs[index].dtype, outputs[index].shape)
      written.append(Tensor(dtype: dtype, shape: shape, pointer: pointer))
    }
    return withExtendedLifetime((inputs, outputs)) { withDescriptions(read, written, body) }
  }

  /// Calls a closure with a C string, or with null for none.
  static func withString<Result>(
    _ string: String?,
    _ body: (UnsafePointer<CChar>?) -> Result
  ) -> Result {
    guard let string else { return body(nil) }
    return string.withCString { body($0) }
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
