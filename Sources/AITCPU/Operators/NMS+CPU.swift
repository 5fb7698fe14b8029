import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A batch is sorted and walked by one thread; a box meets vectors of those kept before (`nms.h`).
extension NMS: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let dtype = node.inputs[0].type.dtype
    let shape = node.inputs[1].type.shape
    let kernel = KernelSource(
      stem: "nms_\(dtype.rawValue)",
      headers: ["ait/cpu/nms.h"],
      definitions: kernelDefinitions,
      statement: "ait::suppressBoxes<\(CxxScalar.storageType(dtype)), Thresholds>(context);"
    )
    // `suppressionBytes` of the prelude, and what rounds it.
    let sizeInBytes = shape[1] * 32 + (count + 16) * 40 + 64
    return [
      KernelCall(
        kernel: kernel,
        reads: [.input(0), .input(1)],
        writes: [.output(0), .output(1)],
        sizes: kernelSizes(node),
        workspaceInBytes: shape[0] * sizeInBytes,
        flops: operationCount(node.inputs.map(\.type), results: node.outputs.map(\.type))
      )
    ]
  }
}
