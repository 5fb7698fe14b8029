import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A block has a sequence, a warp a unit (`recurrence.h`).
///
/// Bound by reading the weights from the level-2 cache, once a step for every sequence.
extension Recurrence: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let (x, state) = (node.inputs[0].type, node.inputs[1].type)
    let dtype = x.dtype
    let config = DeviceConfig(name: "Config", base: "RecurrenceDefaults")
    let cell = "ait::Cell::\(cell.rawValue)"
    let entry = DeviceEntry(
      headers: ["ait/gpu/recurrence.h"],
      definitions: config.text,
      signature: "AIT_KERNEL(Config::kThreads, 1)",
      arguments: "ait::RecurrenceArguments",
      statement:
        "ait::recurrence<Config, \(cell), \(CxxScalar.storageType(dtype)), \(isReversed)>(arguments);",
      threads: "Config::kThreads",
      sharedSizeInBytes: "0"
    )
    let kernel = KernelSource(
      stem: "recurrence_\(dtype.rawValue)",
      headers: ["ait/gpu/recurrence_config.h"],
      definitions: config.text,
      statement: "ait::launchRecurrence<Config, \(cell)>(context, kernels[0]);",
      configuration: "a block for a sequence",
      entries: [entry]
    )
    return [
      KernelCall(
        kernel: kernel,
        reads: node.inputs.indices.map { .input($0) },
        writes: node.outputs.indices.map { .output($0) },
        sizes: kernelSizes(node),
        workspaceInBytes: state.shape.elementCount * 3
          * Dimension(dtype.computeType.sizeInBytes),
        flops: operationCount(node.inputs.map(\.type), results: node.outputs.map(\.type))
      )
    ]
  }
}
