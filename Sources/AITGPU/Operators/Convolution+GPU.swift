import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A product of outputs by filters whose operands are gathered on their way to shared memory: on the
/// matrix units for 16-bit floats, by warp groups where Hopper's copy engine can gather
/// (`convolution_hopper.h`), else by warps, and float32 where tf32 is allowed
/// (`convolution_product.h`); otherwise by the threads' own arithmetic units; where groups have few filters, a thread for two elements
/// (`convolution.h`), and with a filter for each channel one for 16 bytes of channels of neighbours
/// (`convolution_depthwise.h`). Windows of one element next to each other are a matrix product.
/// The epilogue runs on the sums.
///
/// Outputs whose operands lie at one stride are one matrix; others, and groups, are batch axes, of
/// which there are three at most. Expected bound: the matrix or arithmetic units; of a thread for two
/// elements, the caches.
extension Convolution: GPUTunable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target, _ choice: DeviceChoice)
    throws(Diagnostic) -> [KernelCall]
  {
    let problem = ConvolutionProblem(self, node)
    if let product = problem.asMatrixProduct(node) {
      return try product.op.lowerToGPU(product.node, target, choice)
    }
    return [try DeviceConvolution(node, target, problem).call(self)]
  }
}

extension ConvolutionProblem {
  /// The product of all pixels by the filters, where windows are single elements side by side.
  fileprivate func asMatrixProduct(_ node: NodeContext) -> (op: MatMul, node: NodeContext)? {
    let isPointwise = axes.allSatisfy {
      $0.taps == 1 && $0.stride == 1 && $0.inputDilation == 1 && $0.padding == .init(0, 0)
    }
    guard groups == 1, isPointwise else { return nil }
    let weight = node.inputs[1]
    var layout = weight.layout
    layout.strides = [filterStrides[0], filterStrides[4]]
    var inputs = node.inputs
    inputs[1] = NodeContext.Operand(
      type: TensorType(weight.type.dtype, [Dimension(filters), Dimension(channels)]),
      layout: layout,
      isConstant: weight.isConstant
    )
    let op = MatMul(transposeB: true)
    var product = NodeContext(
      name: node.name,
      op: op,
      fusion: node.fusion,
      inputs: inputs,
      outputs: node.outputs
    )
    product.numerics = node.numerics
    return (op, product)
  }
}

/// The kernel of one convolution.
struct DeviceConvolution {
  let node: NodeContext
  let target: Target
  /// What the kernel computes: where operands are packed, of what they are then.
  let problem: ConvolutionProblem
  /// Of kernels for the matrix units.
  let packed: PackedConvolution?
  private let epilogue: ScalarExpression
  /// Batch axes, then the rows of a matrix: one operand each for the extras and the outputs.
  let loops: LoopNest
  /// Whether a thread computes two neighbouring elements of the result.
  private let isDirect: Bool

  init(_ node: NodeContext, _ target: Target, _ problem: ConvolutionProblem) throws(Diagnostic) {
    self.node = node
    self.target = target
    // A tile has 64 columns.
    isDirect = problem.groups > 1 && problem.filters < 16
    let dtype = node.inputs[0].type.dtype
    let suitsMatrixUnits =
      [.float16, .bfloat16].contains(dtype) || dtype == .float32 && node.numerics.allowsTF32
    packed = suitsMatrixUnits && !isDirect ? PackedConvolution(problem, node) : nil
    self.problem = packed?.problem ?? problem
    epilogue = node.fusion.epilogue ?? .identity([node.inputs[0].type.dtype])
    try DeviceFunctions.check(epilogue, node, target)
    // Axes of one output would keep their neighbours from joining.
    let outputs = [problem.batch] + problem.axes.map(\.output)
    let kept = outputs.indices.filter { $0 == 0 || outputs[$0] != 1 }
    var loops = LoopNest(
      extents: kept.map { outputs[$0] },
      strides: problem.operandStrides.map { strides in kept.map { strides[$0] } }
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
      problem.axes.reduce(Dimension(problem.taps * self.problem.channels)) { $0 + $1.input },
      target,
      of: "terms of a sum"
    )
  }

  var batchRank: Int { loops.rank - 1 }
  private var columns: Int { isDirect ? problem.groups * problem.filters : problem.filters }
  var depth: Dimension { Dimension(problem.taps * problem.channels) }
  var epilogueOperations: Int { epilogue.expanded().operationCount }

  /// The kernel, or those of which a run takes one.
  private var kernel: KernelSource {
    if !isDirect, let parts = productParts { return source(stem: "convolution", parts: parts) }
    if isDirect, let part = depthwisePart {
      return source(stem: "depthwise_convolution", parts: [part])
    }
    return source(
      stem: isDirect ? "direct_convolution" : "convolution",
      parts: [
        Part(
          template: isDirect ? "DirectConvolution" : "Convolution",
          header: "convolution",
          config: config,
          configuration: isDirect ? "a thread for two elements" : "tiles of 64 x 64",
          blocks: isDirect ? "1" : "2"
        )
      ]
    )
  }

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

  /// A kernel on the device, and where a run takes it if it took none before.
  struct Part {
    /// What the templates' names end with, as in `launchTemplate` and `TemplateShape`.
    let template: String
    let header: String
    let config: DeviceConfig
    let configuration: String
    /// Blocks that are to fit a multiprocessor.
    let blocks: String
    var clusterSize = "1"
    var architectures = Target.CUDA.allCases
    var condition: String?
  }

  private func source(stem: String, parts: [Part]) -> KernelSource {
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
    let body = CxxScalar.body(named: "Epilogue", epilogue)
    var entries = parts.map { part in
      let (name, template) = (part.config.name, part.template)
      let function = template.prefix(1).lowercased() + template.dropFirst()
      let shape = "ait::\(template)Shape<\(name)>"
      return DeviceEntry(
        headers: ["ait/gpu/math.h", "ait/gpu/\(part.header).h"],
        definitions: ([part.config.text] + packs + [body]).joined(separator: "\n\n"),
        signature: "AIT_KERNEL(\(shape)::kThreads, \(part.blocks))",
        arguments: "ait::\(template)Arguments<\(name), In, Out>",
        statement: "ait::\(function)<\(name), Epilogue, In, Out>(arguments);",
        threads: "\(shape)::kThreads",
        sharedSizeInBytes: "\(shape)::kSharedBytes",
        clusterSize: part.clusterSize,
        architectures: part.architectures
      )
    }
    let launches = parts.enumerated().map { index, part in
      let launch = "ait::launch\(part.template)<\(part.config.name), In, Out>"
      let call = "\(launch)(context, kernels[\(index)]);"
      return part.condition.map { "if (\($0)) return \(call)" } ?? call
    }
    var headers = ["ait/gpu/convolution_launch.h"]
    var statement = launches.joined(separator: "\n  ")
    if packed?.image != nil {
      let size = node.inputs[0].type.dtype.sizeInBytes
      let operands = node.inputs.count + node.outputs.count
      statement = """
        ait::launchPacked<\(size), \(operands)>(context, kernels[\(entries.count)], \
        context.sizes + \(sizes.count), [&](const ait::KernelContext& context) {
            \(launches.joined(separator: "\n    "))
          });
        """
      entries.append(DevicePacking.entry(elementSize: size))
      headers.append(DevicePacking.header)
    }
    return KernelSource(
      stem: "\(stem)_\(node.inputs[0].type.dtype.rawValue)",
      headers: headers,
      definitions: (parts.map(\.config.text) + packs).joined(separator: "\n\n"),
      statement: statement,
      configuration: parts.map(\.configuration).joined(separator: ", "),
      entries: entries
    )
  }

  /// The sizes of a launch, but for those by which an image is packed.
  private var sizes: [Dimension] {
    let none = [Dimension](repeating: 0, count: 2 * (batchRank + 2))
    let strides = loops.strides.enumerated().flatMap { index, own in
      own + [problem.operandStrides[index][4]]
    }
    return loops.extents + [Dimension(columns), depth] + none + strides + problem.geometrySizes
  }

  func call(_ op: Convolution) -> KernelCall {
    KernelCall(
      kernel: kernel,
      reads: [.input(0), packed?.filters.map { .packed(1, $0) } ?? .input(1)]
        + node.epilogueInputs.map { .input($0) },
      writes: node.outputs.indices.map { .output($0) },
      sizes: sizes + (packed?.image?.sizes ?? []),
      workspaceInBytes: packed?.image?.sizeInBytes ?? 0,
      flops: op.operationCount(
        node.inputs.prefix(2).map(\.type),
        results: node.outputs.map(\.type)
      ) + node.outputs[0].type.shape.elementCount * Dimension(epilogueOperations)
    )
  }
}
