import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A row is sorted by one thread: all of it, or a heap of the elements that are kept (`sort.h`).
///
/// Bound by comparisons; where few of many are kept, by reading the row.
extension TopK: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let x = node.inputs[0]
    let others = (0..<x.type.rank).filter { $0 != axis }
    var loops = LoopNest(
      extents: x.type.shape.dimensions,
      strides: ([x] + node.outputs).map(\.layout.strides)
    )
    loops.permute(others + [axis])
    loops.collapse(0..<others.count)
    guard loops.rank <= LoopNest.maximumRank else {
      throw node.unsupported(target, "its loops do not join to \(LoopNest.maximumRank) or fewer")
    }
    let dtype = x.type.dtype
    let kernel = KernelSource(
      stem: "top_k_\(dtype.rawValue)",
      headers: ["ait/cpu/sort.h"],
      definitions: "",
      statement:
        "ait::topK<\(CxxScalar.storageType(dtype)), \(isLargest), \(loops.rank)>(context);",
      configuration: "loops of rank \(loops.rank)"
    )
    let sizeInBytes = count * Dimension(Self.entrySizeInBytes)
    return [
      KernelCall(
        kernel: kernel,
        reads: [.input(0)],
        writes: [.output(0), .output(1)],
        sizes: loops.sizes + [count],
        workspaceInBytes: sizeInBytes.upperBound > Self.scratchSizeInBytes ? sizeInBytes : 0,
        flops: operationCount([x.type], results: node.outputs.map(\.type))
      )
    ]
  }

  /// The prelude's `Entry`: an element and its position.
  private static let entrySizeInBytes = 16
  /// The runtime's `ThreadPool::kScratchSizeInBytes`.
  private static let scratchSizeInBytes = 2 << 20
}
