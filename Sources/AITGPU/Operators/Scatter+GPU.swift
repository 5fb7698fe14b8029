import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A thread has an element of the result and looks through the index for it, in order (`scatter.h`).
///
/// Bound by memory bandwidth for few updates along the axis, by comparisons for many.
extension Scatter: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let (x, index) = (node.inputs[0], node.inputs[1])
    let loops = LoopNest(
      extents: x.type.shape.dimensions,
      strides: (node.inputs + node.outputs).map(\.layout.strides)
    )
    let movement = try DeviceMovement(node, target, loops)
    return [
      movement.call(
        "scatter",
        header: "scatter",
        stem: "scatter_\(x.type.dtype.rawValue)",
        config: movement.config(packet: 1),
        template: [
          "ait::ScatterKind::\(kind.rawValue)", "\(includesSelf)",
          CxxScalar.storageType(x.type.dtype), CxxScalar.storageType(index.type.dtype), "\(axis)",
          "\(loops.rank)",
        ],
        arguments: "ait::ScatterArguments<\(loops.rank)>",
        launch: "launchScatter<Config, \(loops.rank)>",
        reads: [0, 1, 2],
        sizes: loops.sizes + index.type.shape.dimensions
      )
    ]
  }
}
