import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A thread has a packet of channels of one bin, whose samples it finds itself (`roi_align.h`).
///
/// Bound by the first-level cache.
extension RoIAlign: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let images = try DeviceImages(node, target, steppedAcross: isPerPosition)
    return [
      images.call(
        "roiAlign",
        header: "roi_align",
        definitions: [kernelDefinitions],
        template: kernelArguments(node),
        arguments: "RegionArguments",
        launch: "launchRegions<Config, \(images.operandCount)>",
        parameters: kernelSizes(node),
        flops: operationCount(
          node.inputs.map(\.type),
          results: node.outputs.prefix(1).map(\.type)
        )
      )
    ]
  }
}
