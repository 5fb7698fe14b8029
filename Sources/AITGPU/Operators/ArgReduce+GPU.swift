import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A reduction whose states are an element and its position (`reducers_position.h`).
///
/// Bound by memory bandwidth.
extension ArgReduce: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let reduction = try DeviceReduction(
      node,
      target,
      axes: [axis],
      keepsDimensions: keepsDimensions
    )
    let dtype = reduction.dtype
    let index = reduction.loops.index
    let reducer = DeviceReducer(
      type: "ait::ArgReducer<\(CxxScalar.computeType(dtype)), \(index), \(isMaximum)>",
      header: "reducers_position",
      // A position as wide as the value, or as wide as the wider of both.
      stateSizeInBytes: 2 * max(DeviceReducer.size(dtype), index == "int32_t" ? 4 : 8),
      resultType: .int64
    )
    return [reduction.call(reducer, operations: 2)]
  }
}
