import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A thread has a packet of channels of one position, whose weights it computes (`resize.h`).
///
/// Bound by memory bandwidth.
extension Resize: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let images = try DeviceImages(node, target)
    let real = CxxScalar.computeType(node.inputs[0].type.dtype)
    let (mode, aligns) = (kernelArguments[0], kernelArguments[1])
    return [
      images.call(
        "resize",
        header: "resize",
        definitions: [kernelDefinitions],
        template: kernelArguments,
        arguments: "ResizeArguments",
        launch:
          "launchResize<Config, Scales, \(mode), \(aligns), \(real), \(images.operandCount)>",
        parameters: [],
        flops: operationCount(
          node.inputs.prefix(1).map(\.type),
          results: node.outputs.prefix(1).map(\.type)
        )
      )
    ]
  }
}
