import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Vectors of positions, scaled (`generate.h`); bound by the bandwidth of writing.
extension Arange: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let loops = LoopNest(extents: [count], strides: [[1]])
    let movement = try DeviceMovement(node, target, loops)
    let type: DType = dtype.isFloatingPoint ? .float64 : .int64
    let cxxType = CxxScalar.storageType(type)
    let alignment = DeviceAlignment.of(node.outputs[0], strides: [1], columns: 0)
    let out =
      "ait::Operand<\(CxxScalar.storageType(dtype)), ait::Access::contiguous, \(alignment)>"
    return [
      movement.call(
        "arange",
        header: "generate",
        stem: "arange_\(dtype.rawValue)",
        config: movement.config(packet: movement.packet(dtype)),
        definitions: [
          """
          struct Range {
            static constexpr \(cxxType) kStart = \(CxxScalar.literal(start, type));
            static constexpr \(cxxType) kStep = \(CxxScalar.literal(step, type));
          };
          """
        ],
        template: ["Range", out],
        arguments: "ait::MovementArguments<1, 1>",
        launch: "launchArange<Config>",
        reads: [],
        sizes: loops.sizes
      )
    ]
  }
}
