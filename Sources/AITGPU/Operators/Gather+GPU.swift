import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Loops over the result; along the axis an index is read, along the others the operand is walked
/// (`gather.h`).
///
/// Rows with one index go in packets of 16 bytes. An index out of range fails the run. Bound by
/// memory bandwidth.
struct DeviceGather {
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
    let movement = try DeviceMovement(node, target, loops)
    let columns = loops.rank - 1
    let isCopyingRows = loops.strides[1][columns] == 0
    let config = movement.config(packet: isCopyingRows ? movement.packet(x.type.dtype) : 1)
    let axisStride = x.layout.strides[axis]
    let rank = loops.rank
    let indexType = CxxScalar.storageType(index.type.dtype)
    return [
      movement.call(
        "gather",
        header: "gather",
        stem: "gather_\(x.type.dtype.sizeInBytes)",
        config: config,
        template: [
          movement.operand(0, x, also: [axisStride]),
          "ait::Operand<\(indexType), ait::Access::\(isCopyingRows ? "uniform" : "strided")>",
          movement.operand(2, result), "\(rank)",
        ],
        arguments: "ait::GatherArguments<\(rank)>",
        launch: "launchGather<Config, \(rank)>",
        reads: [0, 1],
        sizes: loops.sizes + [x.type.shape[axis], axisStride]
      )
    ]
  }
}

extension Gather: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    var strides = node.inputs[0].layout.strides
    strides[axis] = 0
    return try DeviceGather(node: node, target: target).lower(
      axis: axis,
      operandStrides: strides,
      indexStrides: node.inputs[1].layout.strides
    )
  }
}

extension IndexSelect: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let own = node.inputs[0].layout.strides
    let index = node.inputs[1].layout.strides
    let before = Array(own[..<axis])
    let after = Array(own[(axis + 1)...])
    return try DeviceGather(node: node, target: target).lower(
      axis: axis,
      operandStrides: before + index.map { _ in 0 } + after,
      indexStrides: before.map { _ in 0 } + index + after.map { _ in 0 }
    )
  }
}
