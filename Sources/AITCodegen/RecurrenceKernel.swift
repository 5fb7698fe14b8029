import AITGraph
import AITKernels
import AITOperators

extension Recurrence {
  /// Steps, sequences and units, then the strides of the operands and the results.
  package func kernelSizes(_ node: NodeContext) -> [Dimension] {
    let steps = node.inputs[0].type.shape[0]
    return [steps] + node.inputs[1].type.shape.dimensions
      + (node.inputs + node.outputs).flatMap(\.layout.strides)
  }
}
