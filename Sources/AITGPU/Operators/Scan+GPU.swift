import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A thread for each of the lines that lie side by side, or a block for a line along the last axis
/// (`scan.h`). Sums and products of float32 accumulate in float64.
///
/// Bound by memory bandwidth for many lines, by latency for few.
extension Scan: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let (x, result) = (node.inputs[0], node.outputs[0])
    var loops = LoopNest(
      extents: x.type.shape.dimensions,
      strides: [x.layout.strides, result.layout.strides]
    )
    let others = (0..<x.type.rank).filter { $0 != axis }
    let isAcross = others.last.map { axis < $0 } ?? false
    if isAcross {
      loops.permute(others.dropLast() + [axis] + others.suffix(1))
      loops.collapse(0..<(others.count - 1))
    } else {
      loops.permute(others + [axis])
      loops.collapse(0..<others.count)
      loops.appendUnitAxis()
    }
    guard loops.rank <= DeviceMovement.maximumRank else {
      throw node.unsupported(
        target,
        "its loops do not join to \(DeviceMovement.maximumRank) or fewer"
      )
    }
    let number = number(result.type.dtype)
    let config = DeviceConfig(name: "Config", base: "ScanDefaults")
    let shared = isAcross ? "0" : "Config::kThreads * static_cast<int>(sizeof(\(number)))"
    let kernel = DeviceSort.kernel(
      isAcross ? "scanLines" : "scanLine",
      header: "scan",
      stem: "scan_\(x.type.dtype.rawValue)",
      config: config,
      template: [
        "ait::\(kernelName)", CxxScalar.storageType(x.type.dtype),
        CxxScalar.storageType(result.type.dtype), number, "\(isExclusive)", "\(isReversed)",
        "\(loops.rank)",
      ],
      arguments: "ScanArguments<\(loops.rank)>",
      launch: "launchScan<Config, \(loops.rank)>(context, kernels[0], \(shared))",
      shared: shared,
      configuration: isAcross ? "a thread for a line" : "a block for a line"
    )
    return [
      KernelCall(
        kernel: kernel,
        reads: [.input(0)],
        writes: [.output(0)],
        sizes: loops.sizes,
        flops: x.type.shape.elementCount
      )
    ]
  }

  /// What a result is computed in; integers that wrap are unsigned.
  private func number(_ dtype: DType) -> String {
    guard kind == .sum || kind == .product else { return CxxScalar.computeType(dtype) }
    if !dtype.isFloatingPoint { return "uint64_t" }
    return CxxScalar.computeType(dtype == .float32 ? .float64 : dtype)
  }
}
