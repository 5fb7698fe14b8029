import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A product of outputs by filters whose operands are gathered on their way to shared memory, by the
/// threads' own arithmetic units; where groups have few filters, depthwise above all, a thread for
/// two elements (`convolution.h`). The epilogue runs on the sums.
///
/// Outputs whose operands lie at one stride are one matrix; others, and groups, are batch axes, of
/// which there are three at most. Expected bound: the arithmetic units; of a thread for two
/// elements, the caches.
extension Convolution: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let problem = ConvolutionProblem(self, node)
    return [try DeviceConvolution(node, target, problem).call(self)]
  }
}

/// The kernel of one convolution.
private struct DeviceConvolution {
  private let node: NodeContext
  private let problem: ConvolutionProblem
  private let epilogue: ScalarExpression
  /// Batch axes, then the rows of a matrix: one operand each for the extras and the outputs.
  private let loops: LoopNest
  /// Whether a thread computes two neighbouring elements of the result.
  private let isDirect: Bool

  init(_ node: NodeContext, _ target: Target, _ problem: ConvolutionProblem) throws(Diagnostic) {
    self.node = node
    self.problem = problem
    epilogue = node.fusion.epilogue ?? .identity([node.inputs[0].type.dtype])
    try DeviceFunctions.check(epilogue, node, target)
    // A tile has 64 columns.
    isDirect = problem.groups > 1 && problem.filters < 16
    var loops = LoopNest(
      extents: [problem.batch] + problem.axes.map(\.output),
      strides: problem.operandStrides.map { Array($0.dropLast()) }
    )
    loops.collapse()
    if problem.groups > 1, !isDirect {
      let columns = Dimension(problem.filters)
      loops = LoopNest(
        extents: [Dimension(problem.groups)] + loops.extents,
        strides: zip(loops.strides, problem.operandStrides).map { [$1[4] * columns] + $0 }
      )
    }
    self.loops = loops
    guard loops.rank <= 4 else {
      throw node.unsupported(target, "the axes of its result do not join to three and its columns")
    }
    let elements = node.outputs[0].type.shape.elementCount
    try node.checkCount(elements, target, of: "elements")
    try node.checkCount(
      problem.axes.reduce(Dimension(problem.taps * problem.channels)) { $0 + $1.input },
      target,
      of: "terms of a sum"
    )
  }

  private var batchRank: Int { loops.rank - 1 }
  private var columns: Int { isDirect ? problem.groups * problem.filters : problem.filters }

  private var config: DeviceConfig {
    var config = DeviceConfig(
      name: "Config",
      base: isDirect ? "DirectConvolutionDefaults" : "ConvolutionDefaults"
    )
    config.types = [("Element", CxxScalar.storageType(node.inputs[0].type.dtype))]
    config.constants = [
      ("kBatchRank", batchRank),
      ("kColumnMultiple", DeviceAlignment.powerOfTwo(Dimension(columns), limit: 8)),
      ("kHasZeros", problem.axes.contains { $0.inputDilation > 1 } ? 1 : 0),
    ]
    if !isDirect { config.constants.append(("kHasGroups", problem.groups > 1 ? 1 : 0)) }
    return config
  }

  /// The prelude's description of an extra or an output.
  private func operandType(_ operand: NodeContext.Operand, _ index: Int) -> String {
    let stride = problem.operandStrides[index][4]
    let storage = CxxScalar.storageType(operand.type.dtype)
    guard stride == 1 || columns == 1 else {
      return "ait::Operand<\(storage), ait::Access::\(stride == 0 ? "uniform" : "strided")>"
    }
    let limit = max(1, DeviceAlignment.widest / operand.type.dtype.sizeInBytes)
    let alignment =
      (loops.strides[index] + [operand.layout.offset])
      .map { DeviceAlignment.powerOfTwo($0, limit: limit) }.min() ?? limit
    return "ait::Operand<\(storage), ait::Access::contiguous, \(alignment)>"
  }

  func call(_ op: Convolution) -> KernelCall {
    let extras = node.epilogueInputs.map { node.inputs[$0] }
    let packs = [
      "using In = "
        + KernelText.pack("Inputs", extras.enumerated().map { operandType($1, $0) }) + ";",
      "using Out = "
        + KernelText.pack(
          "Outputs",
          node.outputs.enumerated().map { operandType($1, extras.count + $0) }
        ) + ";",
    ]
    let name = isDirect ? "DirectConvolution" : "Convolution"
    let shape = "ait::\(name)Shape<Config>"
    let function = isDirect ? "directConvolution" : "convolution"
    let entry = DeviceEntry(
      headers: ["ait/gpu/math.h", "ait/gpu/convolution.h"],
      definitions: ([config.text] + packs + [CxxScalar.body(named: "Epilogue", epilogue)])
        .joined(separator: "\n\n"),
      signature: "AIT_KERNEL(\(shape)::kThreads, \(isDirect ? 1 : 2))",
      arguments: "ait::\(name)Arguments<Config, In, Out>",
      statement: "ait::\(function)<Config, Epilogue, In, Out>(arguments);",
      threads: "\(shape)::kThreads",
      sharedSizeInBytes: "\(shape)::kSharedBytes"
    )
    let dtype = node.inputs[0].type.dtype
    let kernel = KernelSource(
      stem: "\(isDirect ? "direct_" : "")convolution_\(dtype.rawValue)",
      headers: ["ait/gpu/convolution_launch.h"],
      definitions: ([config.text] + packs).joined(separator: "\n\n"),
      statement: "ait::launch\(name)<Config, In, Out>(context, kernels[0]);",
      configuration: isDirect ? "a thread for two elements" : "tiles of 64 x 64",
      entries: [entry]
    )
    let none = [Dimension](repeating: 0, count: 2 * (batchRank + 2))
    let strides = loops.strides.enumerated().flatMap { index, own in
      own + [problem.operandStrides[index][4]]
    }
    let depth = Dimension(problem.taps * problem.channels)
    return KernelCall(
      kernel: kernel,
      reads: [.input(0), .input(1)] + node.epilogueInputs.map { .input($0) },
      writes: node.outputs.indices.map { .output($0) },
      sizes: loops.extents + [Dimension(columns), depth] + none + strides + problem.geometrySizes,
      flops: op.operationCount(
        node.inputs.prefix(2).map(\.type),
        results: node.outputs.map(\.type)
      ) + node.outputs[0].type.shape.elementCount
        * Dimension(epilogue.expanded().operationCount)
    )
  }
}
