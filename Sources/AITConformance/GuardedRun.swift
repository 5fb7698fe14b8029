import AITGraph
import AITLoader

/// A run whose outputs lie between guard bytes and hold poison before, in the memory of the module's
/// device.
package enum GuardedRun {
  private static let guardSize = 256
  private static let poison: UInt8 = 0xFF  // NaN in every floating-point type
  private static let pattern: UInt8 = 0xA5

  /// The outputs, and what is wrong with the bytes around them.
  package static func run(_ module: CompiledModule, _ inputs: [TensorData], threads: Int = 0)
    throws(Diagnostic) -> (results: [TensorData], problem: String?)
  {
    let read = try module.copyToDevice(inputs)
    let shapes = try module.allocateOutputs(for: inputs).map(\.shape)
    var blocks: [DeviceTensor] = []
    var outputs: [DeviceTensor] = []
    for (output, shape) in zip(module.outputs, shapes) {
      let size = shape.reduce(1, *) * output.dtype.sizeInBytes
      let block = try DeviceTensor(guarded(size), on: module)
      blocks.append(block)
      outputs.append(block.part(output.dtype, shape, offsetInBytes: guardSize))
    }
    try module.run(read, into: outputs, threads: threads)
    var results: [TensorData] = []
    var problem: String?
    for (index, block) in blocks.enumerated() {
      let bytes = try block.read()
      let output = module.outputs[index]
      var result = TensorData(zeros: output.dtype, shapes[index])
      let end = guardSize + result.sizeInBytes
      bytes.withUnsafeBytes { bytes in
        let isIntact =
          bytes[..<guardSize].allSatisfy { $0 == pattern }
          && bytes[end...].allSatisfy { $0 == pattern }
        if !isIntact { problem = "bytes around output '\(output.name)' were written" }
        result.withUnsafeMutableBytes {
          $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[guardSize..<end]))
        }
      }
      results.append(result)
    }
    return (results, problem)
  }

  /// Poison between guard bytes.
  private static func guarded(_ size: Int) -> TensorData {
    var block = TensorData(zeros: .uint8, [size + 2 * guardSize])
    block.withUnsafeMutableBytes { bytes in
      bytes.initializeMemory(as: UInt8.self, repeating: pattern)
      UnsafeMutableRawBufferPointer(rebasing: bytes[guardSize..<(guardSize + size)])
        .initializeMemory(as: UInt8.self, repeating: poison)
    }
    return block
  }
}
