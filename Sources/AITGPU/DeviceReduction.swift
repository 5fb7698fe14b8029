import AITCodegen
import AITGraph
import AITKernels

/// What a reduction keeps for a result while it is computed: a type of the prelude.
struct DeviceReducer {
  /// The type, over `Parameters`, and the header that it is in.
  let type: String
  let header: String
  /// The size of its state in the prelude.
  let stateSizeInBytes: Int
  /// The definition of `Parameters`, if the type has them.
  var parameters: String?
  /// What the epilogue gets.
  let resultType: DType

  /// The size of a number in a state: whole words.
  static func size(_ dtype: DType) -> Int { max(4, dtype.computeType.sizeInBytes) }
}

/// A reduction in one pass over the elements (`reduce.h`).
///
/// One launch, or two where the device may have more blocks than there are results; the sizes of a
/// run decide. Bound by memory bandwidth.
struct DeviceReduction {
  private static let threads = 256
  /// Room for blocks of 256 results each that fill a device.
  private static let mostStates = 1 << 18

  let node: NodeContext
  let loops: ReductionLoops
  private let inputs: [NodeContext.Operand]
  private let extras: [NodeContext.Operand]

  init(_ node: NodeContext, _ target: Target, axes: [Int], keepsDimensions: Bool)
    throws(Diagnostic)
  {
    self.node = node
    inputs = node.prologueInputs.map { node.inputs[$0] }
    extras = node.epilogueInputs.map { node.inputs[$0] }
    let shape = try Shape.broadcasting(inputs.map(\.type.shape))
    let kept = (0..<shape.rank).filter { !axes.contains($0) }
    let resultShape = Shape(
      (0..<shape.rank).compactMap { axis in
        axes.contains(axis) ? (keepsDimensions ? 1 : nil) : shape[axis]
      }
    )
    func strides(_ operand: NodeContext.Operand, isResult: Bool) -> [Dimension] {
      guard isResult else { return LoopNest.strides(operand, over: shape) }
      let own = LoopNest.strides(operand, over: resultShape)
      return (0..<shape.rank).map { axis in
        if axes.contains(axis) { return 0 }
        return keepsDimensions ? own[axis] : own[kept.firstIndex(of: axis) ?? 0]
      }
    }
    let resultCount = node.resultOutputs.count
    var nest = LoopNest(
      extents: shape.dimensions,
      strides: inputs.map { strides($0, isResult: false) }
        + extras.map { strides($0, isResult: true) }
        + node.outputs.enumerated().map { strides($0.element, isResult: $0.offset < resultCount) }
    )
    nest.permute(kept + axes)
    loops = ReductionLoops(nest, keptCount: kept.count, by: Self.largest(inputs))
    guard loops.rank <= ReductionLoops.maximumRank else {
      throw node.unsupported(
        target,
        "its loops do not join to \(ReductionLoops.maximumRank) or fewer"
      )
    }
    for body in [node.fusion.prologue, node.fusion.epilogue].compactMap({ $0 }) {
      try DeviceFunctions.check(body, node, target)
    }
  }

  /// The first of the operands with the most elements.
  private static func largest(_ operands: [NodeContext.Operand]) -> Int {
    let counts = operands.map { $0.type.shape.elementCount.upperBound }
    return counts.firstIndex { $0 == counts.max() } ?? 0
  }

  /// The type of the elements that are reduced.
  var dtype: DType { node.fusion.prologue?.resultTypes[0] ?? inputs[0].type.dtype }

  /// Elements that a thread takes at once.
  private func packet(_ reducer: DeviceReducer) -> Int {
    let exposed = node.outputs[node.resultOutputs.upperBound...]
    var packet = loops.packet((inputs + exposed).map(\.type.dtype))
    // Across, each has a state in registers, and half of them meet in 16 KB of shared memory.
    while loops.isAcross && packet > 2 && packet * reducer.stateSizeInBytes > 128 { packet /= 2 }
    return packet
  }

  private func config(_ reducer: DeviceReducer) -> DeviceConfig {
    let packet = packet(reducer)
    // What is folded is computed once, and without a workspace.
    let isFolded = node.outputs.contains(where: \.isConstant)
    var config = loops.config(
      packet: packet,
      stateSizeInBytes: reducer.stateSizeInBytes,
      workspaceStates: isFolded
        ? 0
        : loops.workspaceStates(packet: packet, threads: Self.threads, atMost: Self.mostStates)
    )
    // Across, packets of many narrow elements would take too many registers.
    let packets = ReductionLoops.packets
    let isNarrow = loops.isAcross && inputs.allSatisfy { $0.type.dtype.sizeInBytes == 1 }
    config.constants.append(("kPackets", isNarrow ? packets / 2 : packets))
    return config
  }

  /// Along, a thread has one result at a time: extras and results are single elements.
  private func packs() -> [String] {
    let firstOutput = inputs.count + extras.count
    let firstExposed = firstOutput + node.resultOutputs.count
    let types = (inputs + extras + node.outputs).enumerated().map { index, operand in
      guard !loops.isAcross, (inputs.count..<firstExposed).contains(index) else {
        return loops.loops.deviceOperand(index, operand, isWritten: index >= firstOutput)
      }
      return "ait::Operand<\(CxxScalar.storageType(operand.type.dtype)), ait::Access::contiguous>"
    }
    return [
      "using In = \(KernelText.pack("Inputs", Array(types[..<inputs.count])));",
      "using Extra = \(KernelText.pack("Inputs", Array(types[inputs.count..<firstOutput])));",
      "using Out = \(KernelText.pack("Outputs", Array(types[firstOutput..<firstExposed])));",
      "using Exposed = \(KernelText.pack("Outputs", Array(types[firstExposed...])));",
    ]
  }

  /// The call of a reduction by one reducer.
  func call(_ reducer: DeviceReducer, operations: Int) -> KernelCall {
    let config = config(reducer)
    let element = CxxScalar.computeType(dtype)
    let rank = loops.rank
    let prologue = node.fusion.prologue ?? .identity([dtype])
    let epilogue = node.fusion.epilogue ?? .identity([reducer.resultType])
    let definitions =
      [config.text] + packs() + [reducer.parameters].compactMap { $0 } + [
        CxxScalar.body(named: "Prologue", prologue), CxxScalar.body(named: "Epilogue", epilogue),
        """
        using Operands = ait::ReduceOperands<Config, \(element), Prologue, Epilogue, In, Extra, Out,
                                             Exposed, \(rank)>;
        """,
        "using Reducer = \(reducer.type);",
      ]
    let count = inputs.count + extras.count + node.outputs.count
    func entry(_ function: String, shared: String) -> DeviceEntry {
      DeviceEntry(
        headers: ["ait/gpu/math.h", "ait/gpu/reduce.h", "ait/gpu/\(reducer.header).h"],
        definitions: definitions.joined(separator: "\n\n"),
        signature: "AIT_KERNEL(Config::kThreads, 1)",
        arguments: "ait::ReduceArguments<\(rank), \(count)>",
        statement: "ait::\(function)<Config, Reducer, \(element), Operands>(arguments);",
        threads: "Config::kThreads",
        sharedSizeInBytes: "ait::ReduceShape<Config>::\(shared)"
      )
    }
    let states = config.constants.first { $0.name == "kWorkspaceStates" }?.value ?? 0
    let kernel = KernelSource(
      stem: "\(type(of: node.op).name)_\(dtype.rawValue)",
      headers: ["ait/gpu/launch_reduce.h"],
      definitions: config.text,
      statement: "ait::launchReduce<Config, \(rank), \(count)>(context, kernels);",
      configuration: (loops.isAcross ? "columns are results" : "columns are reduced")
        + (states > 0 ? ", blocks may share results" : ""),
      entries: [entry("reduce", shared: "kSharedBytes")]
        + (states > 0 ? [entry("finishReduction", shared: "kFinishSharedBytes")] : [])
    )
    let cost = operations + (node.fusion.prologue?.expanded().operationCount ?? 0)
    return KernelCall(
      kernel: kernel,
      reads: node.prologueInputs.map { .input($0) } + node.epilogueInputs.map { .input($0) },
      writes: node.outputs.indices.map { .output($0) },
      sizes: loops.loops.sizes,
      workspaceInBytes: Dimension(states * reducer.stateSizeInBytes),
      flops: loops.loops.extents.reduce(1, *) * Dimension(cost)
    )
  }
}
