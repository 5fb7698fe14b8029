import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A block has a batch: it sorts the scores, then takes as many boxes at a time as it has threads
/// (`nms.h`). Bound by the latency of barriers.
extension NMS: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let dtype = node.inputs[0].type.dtype
    let shape = node.inputs[1].type.shape
    let sort = DeviceSort(number: dtype.computeType, count: shape[1])
    let shared = "ait::SuppressionShape<Config>::kSharedBytes"
    let kernel = DeviceSort.kernel(
      "suppressBoxes",
      header: "nms",
      stem: "nms_\(dtype.rawValue)",
      config: sort.config,
      definitions: [kernelDefinitions],
      template: [CxxScalar.storageType(dtype), "Thresholds"],
      arguments: "SuppressionArguments",
      launch: "launchSuppression<Config, \(shared)>(context, kernels[0])",
      shared: shared,
      configuration: "\(sort.entries) entries"
    )
    // `suppressionBytes` of the prelude, and what rounds it.
    let sizeInBytes =
      shape[1] * Dimension(sort.entrySizeInBytes)
      + count * Dimension(5 * dtype.computeType.sizeInBytes) + 16
    return [
      KernelCall(
        kernel: kernel,
        reads: [.input(0), .input(1)],
        writes: [.output(0), .output(1)],
        sizes: kernelSizes(node),
        workspaceInBytes: shape[0] * sizeInBytes,
        flops: operationCount(node.inputs.map(\.type), results: node.outputs.map(\.type))
      )
    ]
  }
}
