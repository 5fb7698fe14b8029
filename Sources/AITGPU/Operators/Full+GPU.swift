import AITGraph
import AITKernels
import AITOperators

/// A pointwise kernel without operands; bound by the bandwidth of writing.
extension Full: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let body = ScalarExpression(inputs: []) { e, _ in [e.constant(value, dtype)] }
    let fill = NodeContext(
      name: node.name,
      op: Pointwise(body),
      inputs: [],
      outputs: node.outputs
    )
    return try Pointwise(body).lowerToGPU(fill, target)
  }
}
