import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A column of the result is copied, then updated in order; columns and rows are shared among threads
/// (`scatter.h`). Bound by memory bandwidth.
extension Scatter: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let (x, index, result) = (node.inputs[0], node.inputs[1], node.outputs[0])
    let others = (0..<x.type.rank).filter { $0 != axis }
    // Columns are the last axis, or where that is the one updated, one that is put there.
    let order = axis < (others.last ?? -1) ? others.dropLast() + [axis] + others.suffix(1) : nil
    func arranged(_ list: [Dimension], _ filler: Dimension) -> [Dimension] {
      if let order { return order.map { list[$0] } }
      return others.map { list[$0] } + [list[axis], filler]
    }
    let rank = order == nil ? x.type.rank + 1 : x.type.rank
    guard rank <= LoopNest.maximumRank else {
      throw node.unsupported(target, "its rank is above \(LoopNest.maximumRank - 1)")
    }
    let kernel = KernelSource(
      stem: "scatter_\(x.type.dtype.rawValue)",
      headers: ["ait/cpu/scatter.h"],
      definitions: "",
      statement: KernelText.call(
        "scatter",
        [
          "ait::ScatterKind::\(kind.rawValue)", "\(includesSelf)",
          CxxScalar.storageType(x.type.dtype), CxxScalar.storageType(index.type.dtype), "\(rank)",
        ]
      )
    )
    let strides = (node.inputs + node.outputs).flatMap { arranged($0.layout.strides, 0) }
    return [
      KernelCall(
        kernel: kernel,
        reads: [.input(0), .input(1), .input(2)],
        writes: [.output(0)],
        sizes: arranged(x.type.shape.dimensions, 1) + arranged(index.type.shape.dimensions, 1)
          + strides,
        inPlacePairs: x.layout.strides == result.layout.strides ? [(0, 3)] : [],
        flops: operationCount(node.inputs.map(\.type), results: [result.type])
      )
    ]
  }
}
