import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A thread has a packet of channels of one window, which it reads where it lies (`pool.h`).
///
/// Bound by the first-level cache, or by memory bandwidth where windows do not overlap.
extension Pool: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let images = try DeviceImages(node, target)
    return [
      images.call(
        "pool",
        header: "pool",
        template: kernelArguments,
        arguments: "PoolArguments",
        launch: "launchPool<Config, \(kernelArguments[1]), \(images.operandCount)>",
        parameters: kernelSizes,
        flops: operationCount(
          node.inputs.prefix(1).map(\.type),
          results: node.outputs.prefix(1).map(\.type)
        )
      )
    ]
  }
}
