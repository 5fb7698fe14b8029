import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// The channel axis splits into groups and the channels of one: samples and groups are the results
/// of a reduction that are written element by element (`group_norm.h`); weight and bias join the
/// epilogue.
///
/// One launch, or two where the device may have more blocks than there are groups. Bound by memory
/// bandwidth.
extension GroupNorm: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let x = node.inputs[0]
    let dtype = x.type.dtype
    let loops = reductionLoops(node)
    guard loops.rank <= ReductionLoops.maximumRank else {
      throw node.unsupported(
        target,
        "its loops do not join to \(ReductionLoops.maximumRank) or fewer"
      )
    }
    try node.checkCount(loops.length, target, of: "elements of a group")
    let epilogue = epilogue(dtype, node.fusion.epilogue)
    try DeviceFunctions.check(epilogue, node, target)
    let extraInputs = Array(node.otherOperands) + Array(node.epilogueInputs)
    let packet = loops.packet([dtype])
    // Half a block at least has a packet of the largest group.
    var threads = 32
    while threads < 256 && threads * packet < loops.length.upperBound { threads *= 2 }
    let stateSize = 3 * DeviceReducer.size(dtype)
    let states =
      node.outputs.contains(where: \.isConstant)
      ? 0
      : loops.workspaceStates(
        packet: packet,
        threads: threads,
        atMost: ReductionLoops.mostBlocks
      )
    var config = loops.config(
      packet: packet,
      stateSizeInBytes: stateSize,
      workspaceStates: states
    )
    config.constants.append(("kThreads", threads))
    let operands = [x] + extraInputs.map { node.inputs[$0] } + node.outputs
    let firstOutput = 1 + extraInputs.count
    let types = operands.enumerated().map { index, operand in
      loops.loops.deviceOperand(index, operand, isWritten: index >= firstOutput)
    }
    let element = CxxScalar.computeType(dtype)
    let definitions = [
      config.text,
      """
      struct Parameters {
        static constexpr double kEpsilon = \(epsilon);
      };
      """,
      CxxScalar.body(named: "Prologue", .identity([dtype])),
      CxxScalar.body(named: "Epilogue", epilogue),
      """
      using In = \(KernelText.pack("Inputs", [types[0]]));
      using Extra = \(KernelText.pack("Inputs", Array(types[1..<firstOutput])));
      using Out = \(KernelText.pack("Outputs", Array(types[firstOutput...])));
      using Operands = ait::ReduceOperands<Config, \(element), Prologue, Epilogue, In, Extra, Out,
                                           ait::Outputs<>, \(loops.rank)>;
      """,
    ]
    func entry(_ function: String) -> DeviceEntry {
      DeviceEntry(
        headers: ["ait/gpu/math.h", "ait/gpu/group_norm.h"],
        definitions: definitions.joined(separator: "\n\n"),
        signature: "AIT_KERNEL(Config::kThreads, 1)",
        arguments: "ait::ReduceArguments<\(loops.rank), \(operands.count)>",
        statement: "ait::\(function)<Config, Parameters, \(element), Operands>(arguments);",
        threads: "Config::kThreads",
        sharedSizeInBytes: "ait::ReduceShape<Config>::kGroupSharedBytes"
      )
    }
    let kernel = KernelSource(
      stem: "group_norm_\(dtype.rawValue)",
      headers: ["ait/gpu/launch_reduce.h"],
      definitions: config.text,
      statement:
        "ait::launchGroupNorm<Config, \(loops.rank), \(operands.count)>(context, kernels);",
      configuration: states > 0 ? "blocks may share groups" : "a block for a group",
      entries: [entry("normalizeGroup")]
        + (states > 0 ? [entry("findMoments"), entry("normalizePart")] : [])
    )
    let cost = 8 + epilogue.expanded().operationCount
    return [
      KernelCall(
        kernel: kernel,
        reads: [.input(0)] + extraInputs.map { .input($0) },
        writes: node.outputs.indices.map { .output($0) },
        sizes: loops.loops.sizes,
        workspaceInBytes: Dimension(states * stateSize),
        flops: x.type.shape.elementCount * Dimension(cost)
      )
    ]
  }

  /// Loops over samples and groups, then over the channels and positions of a group.
  private func reductionLoops(_ node: NodeContext) -> ReductionLoops {
    let shape = node.inputs[0].type.shape
    let channels = (shape[1].constant ?? groupCount) / groupCount
    let spatial = Array(shape.dimensions.dropFirst(2))
    let strides = { (operand: NodeContext.Operand) -> [Dimension] in
      let own = LoopNest.strides(operand, over: shape)
      return [own[0], own[1] * Dimension(channels), own[1]] + Array(own.dropFirst(2))
    }
    let parameterStrides = { (operand: NodeContext.Operand) -> [Dimension] in
      let stride = operand.layout.strides[0]
      return [0, stride * Dimension(channels), stride] + spatial.map { _ in 0 }
    }
    let nest = LoopNest(
      extents: [shape[0], Dimension(groupCount), Dimension(channels)] + spatial,
      strides: [strides(node.inputs[0])]
        + node.otherOperands.map { parameterStrides(node.inputs[$0]) }
        + node.epilogueInputs.map { strides(node.inputs[$0]) } + node.outputs.map(strides)
    )
    return ReductionLoops(nest, keptCount: 2, by: 0, reducesColumns: true)
  }

  /// Weight, bias and the node's own epilogue as one expression of the normalised value.
  private func epilogue(_ dtype: DType, _ own: ScalarExpression?) -> ScalarExpression {
    let parameterCount = (hasWeight ? 1 : 0) + (hasBias ? 1 : 0)
    let extraTypes = own.map { Array($0.inputTypes.dropFirst()) } ?? []
    let types = [dtype] + Array(repeating: dtype, count: parameterCount) + extraTypes
    return ScalarExpression(inputs: types) { e, inputs in
      var value = inputs[0]
      if hasWeight { value = e.call(.multiply, value, inputs[1]) }
      if hasBias { value = e.call(.add, value, inputs[parameterCount]) }
      guard let own else { return [value] }
      return e.inline(own, [value] + inputs.dropFirst(1 + parameterCount))
    }
  }
}
