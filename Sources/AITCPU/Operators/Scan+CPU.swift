import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Vectors across neighbours that are scanned together; along the last axis, one element after the
/// other (`scan.h`). Sums and products of float32 accumulate in float64.
///
/// Bound by memory bandwidth across, by the latency of an operation along.
extension Scan: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let (x, result) = (node.inputs[0], node.outputs[0])
    var loops = LoopNest(
      extents: x.type.shape.dimensions,
      strides: [x.layout.strides, result.layout.strides]
    )
    let others = (0..<x.type.rank).filter { $0 != axis }
    if let columns = others.last, axis < columns {
      loops.permute(others.dropLast() + [axis, columns])
      loops.collapse(0..<(others.count - 1))
    } else {
      loops.permute(others + [axis])
      loops.collapse(0..<others.count)
      loops.appendUnitAxis()
    }
    guard loops.rank <= LoopNest.maximumRank else {
      throw node.unsupported(target, "its loops do not join to \(LoopNest.maximumRank) or fewer")
    }
    let columns = loops.rank - 1
    let isContiguous = (0..<2).allSatisfy { loops.access($0, along: columns) == "contiguous" }
    let kernel = KernelSource(
      stem: "scan_\(x.type.dtype.rawValue)",
      headers: ["ait/cpu/scan.h"],
      definitions: "",
      statement: KernelText.call(
        "scan",
        [
          "ait::\(kernelName)", CxxScalar.storageType(x.type.dtype),
          CxxScalar.storageType(result.type.dtype), number(result.type.dtype), "\(isExclusive)",
          "\(isReversed)", "ait::Access::\(isContiguous ? "contiguous" : "strided")",
          "\(loops.rank)",
        ]
      ),
      configuration: "loops of rank \(loops.rank)"
    )
    let isInPlace =
      x.layout.strides == result.layout.strides
      && x.type.dtype.sizeInBytes == result.type.dtype.sizeInBytes
    return [
      KernelCall(
        kernel: kernel,
        reads: [.input(0)],
        writes: [.output(0)],
        sizes: loops.sizes,
        inPlacePairs: isInPlace ? [(0, 1)] : [],
        flops: x.type.shape.elementCount
      )
    ]
  }

  /// What a result is computed in.
  private func number(_ dtype: DType) -> String {
    let isSum = kind == .sum || kind == .product
    return CxxScalar.computeType(isSum && dtype == .float32 ? .float64 : dtype)
  }
}
