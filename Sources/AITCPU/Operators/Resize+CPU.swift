import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Vectors over the channels of a position; positions and weights are computed once (`resize.h`).
extension Resize: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let loops = ImageLoops(node)
    return [
      loops.callOnCPU(
        "resize",
        header: "resize",
        stem: "resize",
        definitions: [kernelDefinitions],
        template: kernelArguments,
        parameters: [],
        flops: operationCount(
          node.inputs.prefix(1).map(\.type),
          results: node.outputs.prefix(1).map(\.type)
        ),
        x: node.inputs[0],
        outputs: node.outputs,
        configuration: mode.rawValue
      )
    ]
  }
}
