import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// One pass over the elements (`reduce.h`); sums in the element's compute type, products in double,
/// integers in int64.
///
/// Bound by memory bandwidth, but for norms of unusual orders and sums of exponentials of 16-bit
/// numbers.
extension Reduce: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let reduction = try DeviceReduction(
      node,
      target,
      axes: axes,
      keepsDimensions: keepsDimensions
    )
    if kind == .variance {
      try node.checkCount(reduction.loops.length, target, of: "terms of a variance")
    }
    return [reduction.call(reducer(reduction.dtype), operations: kind == .logSumExp ? 18 : 2)]
  }

  private func reducer(_ dtype: DType) -> DeviceReducer {
    let element = CxxScalar.computeType(dtype)
    let size = DeviceReducer.size(dtype)
    let isWidened = !dtype.isFloatingPoint
    func reducer(
      _ name: String,
      _ arguments: String = "",
      header: String = "reducers",
      state: Int,
      parameters: String? = nil,
      result: DType? = nil
    ) -> DeviceReducer {
      DeviceReducer(
        type: "ait::\(name)Reducer<\(element)\(arguments)>",
        header: header,
        stateSizeInBytes: state,
        parameters: parameters.map { "struct Parameters {\n  static constexpr double \($0);\n};" },
        resultType: result ?? dtype
      )
    }
    switch kind {
    case .sum:
      return reducer("Sum", state: isWidened ? 8 : size, result: isWidened ? .int64 : dtype)
    case .product: return reducer("Product", state: 8, result: isWidened ? .int64 : dtype)
    case .mean: return reducer("Mean", state: size)
    case .maximum: return reducer("Maximum", state: size)
    case .minimum: return reducer("Minimum", state: size)
    case .any: return reducer("Any", state: 4, result: .bool)
    case .all: return reducer("All", state: 4, result: .bool)
    case .logSumExp: return reducer("LogSumExp", header: "reducers_exponential", state: 2 * size)
    case .variance:
      return reducer(
        "Variance",
        ", Parameters",
        header: "reducers_moments",
        state: 3 * size,
        parameters: "kCorrection = \(correction)"
      )
    case .norm where order.isInfinite:
      let name = order > 0 ? "LargestMagnitude" : "SmallestMagnitude"
      return reducer(name, header: "reducers_norm", state: size)
    case .norm where order == 0: return reducer("Count", header: "reducers_norm", state: size)
    case .norm where order == 1:
      return reducer("MagnitudeSum", header: "reducers_norm", state: size)
    case .norm where order == 2: return reducer("Euclidean", header: "reducers_norm", state: size)
    case .norm:
      return reducer(
        "PowerNorm",
        ", Parameters",
        header: "reducers_exponential",
        state: size,
        parameters: "kOrder = \(order)"
      )
    }
  }
}
