import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A block sorts a row, in shared memory where it fits or few are kept, else in the workspace
/// (`sort.h`). Bound by shared memory.
extension TopK: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let x = node.inputs[0]
    let others = (0..<x.type.rank).filter { $0 != axis }
    var loops = LoopNest(
      extents: x.type.shape.dimensions,
      strides: ([x] + node.outputs).map(\.layout.strides)
    )
    loops.permute(others + [axis])
    loops.collapse(0..<others.count)
    guard loops.rank <= DeviceMovement.maximumRank else {
      throw node.unsupported(
        target,
        "its loops do not join to \(DeviceMovement.maximumRank) or fewer"
      )
    }
    let dtype = x.type.dtype
    let sort = DeviceSort(number: dtype.computeType, count: x.type.shape[axis])
    let kernel = DeviceSort.kernel(
      "topK",
      header: "sort",
      stem: "top_k_\(dtype.rawValue)",
      config: sort.config,
      template: [CxxScalar.storageType(dtype), "\(isLargest)", "\(loops.rank)"],
      arguments: "TopKArguments<\(loops.rank)>",
      launch: "launchTopK<Config, \(loops.rank)>(context, kernels[0])",
      shared: "ait::SortShape<Config>::kSharedBytes",
      configuration: "\(sort.entries) entries"
    )
    let isAlwaysShared =
      sort.count.upperBound <= sort.entries || count.upperBound <= sort.entries / 2
    return [
      KernelCall(
        kernel: kernel,
        reads: [.input(0)],
        writes: [.output(0), .output(1)],
        sizes: loops.sizes + [count],
        workspaceInBytes: isAlwaysShared
          ? 0 : x.type.shape.elementCount * Dimension(sort.entrySizeInBytes),
        flops: operationCount([x.type], results: node.outputs.map(\.type))
      )
    ]
  }
}
