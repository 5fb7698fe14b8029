import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A product of the state with the weights for each step, then the cells (`recurrence.h`). Constant
/// weights are packed as a product's.
///
/// Bound by the product: for few sequences by reading the weights once a step.
extension Recurrence: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let (x, state) = (node.inputs[0].type, node.inputs[1].type)
    let weights = 1 + stateCount
    let packing = packing(node.inputs[weights], target)
    let others = node.inputs.indices.filter { $0 != weights }.map { node.inputs[$0] }
    let isContiguous = (others + node.outputs).allSatisfy { $0.layout.strides.last == 1 }
    let kernel = KernelSource(
      stem: "recurrence_\(x.dtype.rawValue)",
      headers: ["ait/cpu/math.h", "ait/cpu/recurrence.h"],
      definitions: "",
      statement: KernelText.call(
        "recurrence",
        [
          "ait::Cell::\(cell.rawValue)", CxxScalar.storageType(x.dtype),
          "ait::Packing::\(packing == nil ? "strided" : "packed")", "\(isReversed)",
          "ait::Access::\(isContiguous ? "contiguous" : "strided")",
        ]
      ),
      configuration: packing == nil ? "weights in place" : "weights packed"
    )
    return [
      KernelCall(
        kernel: kernel,
        reads: node.inputs.indices.map { index in
          packing.flatMap { index == weights ? .packed(index, $0) : nil } ?? .input(index)
        },
        writes: node.outputs.indices.map { .output($0) },
        sizes: kernelSizes(node),
        workspaceInBytes: state.shape.elementCount * Dimension(cell.gateCount + 1)
          * Dimension(x.dtype.computeType.sizeInBytes),
        flops: operationCount(node.inputs.map(\.type), results: node.outputs.map(\.type))
      )
    ]
  }

  /// How to pack the weights, the transposed factor of the product, if they are constant.
  private func packing(_ weights: NodeContext.Operand, _ target: Target) -> KernelCall.Packing? {
    guard weights.isConstant, let columns = weights.type.shape[0].constant,
      let inner = weights.type.shape[1].constant, inner > 0
    else { return nil }
    return MatMul.panels(
      weights.type.dtype,
      inner: inner,
      columns: columns,
      strides: (weights.layout.strides[1], weights.layout.strides[0]),
      target
    )
  }
}
