import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Vectors over the channels of a position, a window read where it lies (`pool.h`).
extension Pool: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let loops = ImageLoops(node)
    return [
      loops.callOnCPU(
        "pool",
        header: "pool",
        stem: "pool",
        template: kernelArguments,
        parameters: kernelSizes,
        flops: operationCount(
          node.inputs.prefix(1).map(\.type),
          results: node.outputs.prefix(1).map(\.type)
        ),
        x: node.inputs[0],
        outputs: node.outputs
      )
    ]
  }
}
