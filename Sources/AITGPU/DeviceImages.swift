import AITCodegen
import AITGraph
import AITKernels

/// What the kernels on channels-last images share (`images.h`): a thread makes a packet of channels of
/// one position.
struct DeviceImages {
  let node: NodeContext
  let loops: ImageLoops

  init(_ node: NodeContext, _ target: Target, steppedAcross: Bool = false) throws(Diagnostic) {
    self.node = node
    loops = ImageLoops(node, steppedAcross: steppedAcross)
    try DeviceFunctions.check(loops.epilogue, node, target)
  }

  private var x: NodeContext.Operand { node.inputs[0] }
  /// The operands that the loops walk, in their order.
  private var operands: [NodeContext.Operand] { [x] + loops.extras + node.outputs }
  /// How many there are, which launches are told.
  var operandCount: Int { operands.count }

  private var channels: Dimension { loops.nest.extents[ImageLoops.rank - 1] }

  private var config: DeviceConfig {
    var packet = DevicePacket.width(operands.map(\.type.dtype))
    while packet > 2 && packet / 2 >= channels.upperBound { packet /= 2 }
    var config = DeviceConfig(name: "Config", base: "MovementDefaults")
    if loops.nest.extents.reduce(1, *).upperBound > 1 << 30 {
      config.types = [("Index", "int64_t")]
    }
    config.constants = [
      ("kPacket", packet), ("kPackets", 1),
      ("kColumnMultiple", DeviceAlignment.powerOfTwo(channels, limit: DeviceAlignment.widest)),
    ]
    return config
  }

  private func type(_ index: Int) -> String {
    loops.isSteppedAcross && index == 0
      ? loops.operandType(index, x.type.dtype)
      : loops.nest.deviceOperand(index, operands[index], isWritten: index > loops.extras.count)
  }

  /// The call of a template whose arguments are the configuration, `template`, the epilogue and the
  /// operands.
  func call(
    _ function: String,
    header: String,
    definitions: [String] = [],
    template: [String],
    arguments: String,
    launch: String,
    parameters: [Dimension],
    flops: Dimension
  ) -> KernelCall {
    let config = config
    let firstOutput = 1 + loops.extras.count
    let names = operands.indices.map(type)
    let packs = [
      "using X = \(names[0]);",
      "using Extra = \(KernelText.pack("Inputs", Array(names[1..<firstOutput])));",
      "using Out = \(KernelText.pack("Outputs", Array(names[firstOutput...])));",
      CxxScalar.body(named: "Epilogue", loops.epilogue),
    ]
    let list = (["Config"] + template + ["Epilogue", "X", "Extra", "Out"]).joined(separator: ", ")
    let entry = DeviceEntry(
      headers: ["ait/gpu/math.h", "ait/gpu/\(header).h"],
      definitions: ([config.text] + definitions + packs).joined(separator: "\n\n"),
      signature: "AIT_KERNEL(Config::kThreads, 1)",
      arguments: "ait::\(arguments)<\(operandCount)>",
      statement: "ait::\(function)<\(list)>(arguments);",
      threads: "Config::kThreads"
    )
    let kernel = KernelSource(
      stem: "\(header)_\(x.type.dtype.rawValue)",
      headers: ["ait/gpu/launch_images.h"],
      definitions: ([config.text] + definitions).joined(separator: "\n\n"),
      statement: "ait::\(launch)(context, kernels[0]);",
      configuration: "packets of \(config.constants[0].value)",
      entries: [entry]
    )
    return loops.call(kernel, parameters: parameters, flops: flops)
  }
}
