import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Vectors of positions, scaled (`pad.h` holds it beside the other generators).
extension Arange: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let type: DType = dtype.isFloatingPoint ? .float64 : .int64
    let cxxType = CxxScalar.storageType(type)
    let kernel = KernelSource(
      stem: "arange_\(dtype.rawValue)",
      headers: ["ait/cpu/pad.h"],
      definitions: """
        struct Range {
          static constexpr \(cxxType) kStart = \(CxxScalar.literal(start, type));
          static constexpr \(cxxType) kStep = \(CxxScalar.literal(step, type));
        };
        """,
      statement: "ait::arange<\(CxxScalar.storageType(dtype)), Range>(context);"
    )
    return [KernelCall(kernel: kernel, reads: [], writes: [.output(0)], sizes: [count])]
  }
}
