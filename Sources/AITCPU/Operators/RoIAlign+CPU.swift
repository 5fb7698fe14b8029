import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Vectors over the channels of a bin, whose samples are found again for each (`roi_align.h`).
extension RoIAlign: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let loops = ImageLoops(node, steppedAcross: isPerPosition)
    return [
      loops.callOnCPU(
        "roiAlign",
        header: "roi_align",
        stem: "roi_align",
        definitions: [kernelDefinitions],
        template: kernelArguments(node),
        parameters: kernelSizes(node),
        flops: operationCount(
          node.inputs.map(\.type),
          results: node.outputs.prefix(1).map(\.type)
        ),
        x: node.inputs[0],
        outputs: node.outputs
      )
    ]
  }
}
