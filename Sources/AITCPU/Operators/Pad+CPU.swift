import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// The border is written and the operand copied in one walk over the result (`pad.h`).
extension Pad: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let (x, result) = (node.inputs[0], node.outputs[0])
    guard result.type.rank <= LoopNest.maximumRank else {
      throw node.unsupported(target, "its rank is above \(LoopNest.maximumRank)")
    }
    // A tensor of rank 0 has no border, but still one element.
    let isScalar = result.type.rank == 0
    let rank = max(1, result.type.rank)
    let size = x.type.dtype.sizeInBytes
    var bytes = TensorData(scalar: value, x.type.dtype).withUnsafeBytes(Array.init)
    bytes.reverse()
    let bits = bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }
    let kernel = KernelSource(
      stem: "pad_\(size)",
      headers: ["ait/cpu/pad.h"],
      definitions: "",
      statement: "ait::pad<\(size), \(rank), 0x\(bits.joined())>(context);"
    )
    let one: [Dimension] = [1]
    let sizes: [Dimension] =
      isScalar
      ? one + [0] + one + one + one
      : result.type.shape.dimensions + low + x.type.shape.dimensions + x.layout.strides
        + result.layout.strides
    return [
      KernelCall(kernel: kernel, reads: [.input(0)], writes: [.output(0)], sizes: sizes)
    ]
  }
}
