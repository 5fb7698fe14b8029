import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// The border is written and the operand copied in one walk over the result (`pad.h`).
///
/// Bound by memory bandwidth.
extension Pad: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let (x, result) = (node.inputs[0], node.outputs[0])
    // A tensor of rank 0 has no border, but still one element.
    let isScalar = result.type.rank == 0
    let loops = LoopNest(
      extents: isScalar ? [1] : result.type.shape.dimensions,
      strides: isScalar ? [[1], [1]] : [x.layout.strides, result.layout.strides]
    )
    let movement = try DeviceMovement(node, target, loops)
    let low = isScalar ? [0] : low
    let inner = isScalar ? [1] : x.type.shape.dimensions
    let lowOfOthers = zip(low, loops.strides[0]).map { $0 * $1 }
    let bits = Self.bits(of: value, x.type.dtype)
    return [
      movement.call(
        "pad",
        header: "pad",
        stem: "pad_\(x.type.dtype.sizeInBytes)",
        config: movement.config(packet: movement.packet(x.type.dtype)),
        definitions: [
          """
          struct Border {
            static constexpr uint64_t kBits = \(bits);
          };
          """
        ],
        template: [
          "Border", movement.operand(0, x, also: lowOfOthers), movement.operand(1, result),
          "\(loops.rank)",
        ],
        arguments: "ait::PadArguments<\(loops.rank)>",
        launch: "launchPad<Config, \(loops.rank)>",
        reads: [0],
        sizes: loops.sizes + low + inner
      )
    ]
  }

  /// The bits of the border's value in its type, as a literal.
  private static func bits(of value: Double, _ dtype: DType) -> String {
    var bytes = TensorData(scalar: value, dtype).withUnsafeBytes(Array.init)
    bytes.reverse()
    return "0x"
      + bytes.map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }.joined()
  }
}
