import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Loops over the result; along the axis an index is read, along the others the operand is walked
/// (`gather.h`).
///
/// Rows with one index are copied whole. An index out of range fails the run.
struct GatherLowering {
  let node: NodeContext
  let target: Target

  /// The call, given the strides of the operand and of the index for each axis of the result.
  func lower(axis: Int, operandStrides: [Dimension], indexStrides: [Dimension])
    throws(Diagnostic) -> [KernelCall]
  {
    let (x, index, result) = (node.inputs[0], node.inputs[1], node.outputs[0])
    var loops = LoopNest(
      extents: result.type.shape.dimensions,
      strides: [operandStrides, indexStrides, result.layout.strides]
    )
    loops.collapse()
    guard loops.rank <= LoopNest.maximumRank else {
      throw node.unsupported(target, "its loops do not join to \(LoopNest.maximumRank) or fewer")
    }
    let size = x.type.dtype.sizeInBytes
    let indexType = CxxScalar.storageType(index.type.dtype)
    let kernel = KernelSource(
      stem: "gather_\(size)",
      headers: ["ait/cpu/gather.h"],
      definitions: "",
      statement: "ait::gather<\(size), \(indexType), \(loops.rank)>(context);",
      configuration: "loops of rank \(loops.rank)"
    )
    return [
      KernelCall(
        kernel: kernel,
        reads: [.input(0), .input(1)],
        writes: [.output(0)],
        sizes: loops.sizes + [x.type.shape[axis], x.layout.strides[axis]]
      )
    ]
  }
}

extension Gather: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    var strides = node.inputs[0].layout.strides
    strides[axis] = 0
    return try GatherLowering(node: node, target: target).lower(
      axis: axis,
      operandStrides: strides,
      indexStrides: node.inputs[1].layout.strides
    )
  }
}

extension IndexSelect: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let own = node.inputs[0].layout.strides
    let index = node.inputs[1].layout.strides
    let before = Array(own[..<axis])
    let after = Array(own[(axis + 1)...])
    return try GatherLowering(node: node, target: target).lower(
      axis: axis,
      operandStrides: before + index.map { _ in 0 } + after,
      indexStrides: before.map { _ in 0 } + index + after.map { _ in 0 }
    )
  }
}
