import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// One loop nest over all operands (`pointwise.h`): a thread takes packets of 16 bytes along the
/// innermost axis.
///
/// Bound by memory bandwidth.
extension Pointwise: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    try DeviceFunctions.check(body, node, target)
    let operands = node.inputs + node.outputs
    var nest = LoopNest(node.outputs[0].type.shape, operands)
    nest.sort(by: node.inputs.count)
    nest.collapse()
    guard nest.rank <= DeviceRows.maximumRank else {
      throw node.unsupported(
        target,
        "its loops do not join to \(DeviceRows.maximumRank) or fewer"
      )
    }
    let types = operands.enumerated().map { nest.deviceOperand($0.offset, $0.element) }
    let columns = nest.extents[nest.rank - 1]
    let elements = nest.extents.reduce(1, *)
    try node.checkCount(elements, target, of: "elements")
    var config = DeviceConfig(name: "Config", base: "PointwiseDefaults")
    let packet = DevicePacket.width(operands.map(\.type.dtype))
    config.constants = [
      ("kPacket", packet),
      // Where there is little to do, it goes to more threads.
      ("kPackets", elements.upperBound >= 1 << 22 ? 4 : elements.upperBound >= 1 << 19 ? 2 : 1),
      ("kColumnMultiple", DeviceAlignment.powerOfTwo(columns, limit: 16)),
    ]
    let packs = [
      "using In = \(KernelText.pack("Inputs", Array(types[..<node.inputs.count])));",
      "using Out = \(KernelText.pack("Outputs", Array(types[node.inputs.count...])));",
    ]
    let arguments = "ait::RowArguments<\(nest.rank), \(operands.count)>"
    let entry = DeviceEntry(
      headers: ["ait/gpu/math.h", "ait/gpu/pointwise.h"],
      definitions: ([config.text] + packs + [CxxScalar.body(named: "Body", body)])
        .joined(separator: "\n\n"),
      signature: "AIT_KERNEL(Config::kThreads, 1)",
      arguments: arguments,
      statement: "ait::pointwise<Config, Body, In, Out, \(nest.rank)>(arguments);",
      threads: "Config::kThreads"
    )
    let kernel = KernelSource(
      stem: "pointwise_\(node.outputs[0].type.dtype.rawValue)",
      headers: ["ait/gpu/launch.h"],
      definitions: config.text,
      statement:
        "ait::launchPointwise<Config, \(nest.rank), \(operands.count)>(context, kernels[0]);",
      configuration: "loops of rank \(nest.rank), packets of \(packet)",
      entries: [entry]
    )
    return [
      KernelCall(
        kernel: kernel,
        reads: node.inputs.indices.map { .input($0) },
        writes: node.outputs.indices.map { .output($0) },
        sizes: nest.sizes,
        inPlacePairs: inPlacePairs(node, nest),
        flops: elements * Dimension(body.expanded().operationCount)
      )
    ]
  }

  /// Inputs that are walked as an output of the same element size is.
  private func inPlacePairs(_ node: NodeContext, _ nest: LoopNest) -> [(read: Int, written: Int)] {
    var pairs: [(read: Int, written: Int)] = []
    for (output, written) in node.outputs.enumerated() {
      let position = node.inputs.count + output
      let match = node.inputs.indices.first { index in
        node.inputs[index].type.dtype.sizeInBytes == written.type.dtype.sizeInBytes
          && node.inputs[index].type.shape == written.type.shape
          && nest.strides[index] == nest.strides[position]
          && !pairs.contains { $0.read == index }
      }
      if let match { pairs.append((match, position)) }
    }
    return pairs
  }
}
