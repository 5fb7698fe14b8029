import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Products on the matrix units, the epilogue on the sums: at most 16 rows by a kernel that reads B
/// once (`matmul_few_rows.h`), others on Hopper by warp groups fed by the copy engine
/// (`matmul_hopper.h`), and what those cannot take, and older GPUs, by warps
/// (`matmul_multistage.h`).
///
/// A library holds those that its architectures and bounds call for, each with the configurations
/// that `MatmulChoice` finds; which one runs is decided by the device, by M, and by what sizes are
/// multiples of when the model runs. A constant B of odd sizes is packed once (`PackedMatrix`).
/// Expected bound: the matrix units, or for few rows the bandwidth of B.
extension MatMul: GPUTunable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target, _ choice: DeviceChoice)
    throws(Diagnostic) -> [KernelCall]
  {
    let dtype = node.inputs[0].type.dtype
    let epilogue = node.fusion.epilogue ?? .identity([dtype])
    try DeviceFunctions.check(epilogue, node, target)
    let matrices = node.withVectorsAsMatrices
    let packed = PackedMatrix(matrices, self)
    let node = packed?.node ?? matrices
    func makeProblem(_ node: NodeContext) -> MatMulProblem {
      MatMulProblem(
        node,
        transposeA: transposeA,
        transposeB: transposeB || packed != nil,
        inner: innerExtent(node.inputs[0].type)
      )
    }
    let problem = makeProblem(node)
    // Blocks are counted in 32 bits, and a block computes 16 elements at least.
    try node.checkCount(problem.loops.extents.reduce(1, *), target, of: "rows")
    try node.checkCount(problem.columns, target, of: "columns")
    try node.checkCount(problem.inner, target, of: "terms of a sum")
    let flops =
      problem.loops.extents.reduce(1, *) * problem.columns * problem.inner * 2
      + node.outputs[0].type.shape.elementCount * Dimension(epilogue.expanded().operationCount)
    func call(_ kernel: KernelSource) -> KernelCall {
      KernelCall(
        kernel: kernel,
        reads: [.input(0), packed.map { .packed(1, $0.packing) } ?? .input(1)]
          + node.epilogueInputs.map { .input($0) },
        writes: node.outputs.indices.map { .output($0) },
        sizes: problem.sizes(packedMatrix: nil),
        flops: flops
      )
    }
    guard DeviceProduct.covers(problem, dtype) else {
      return [
        call(
          TensorFloatProduct.covers(node, problem)
            ? TensorFloatProduct(node, problem).kernel(epilogue)
            : SimtProduct(node, problem).kernel(epilogue)
        )
      ]
    }
    var product = DeviceProduct(node, target, problem)
    var kernel: KernelSource
    let selection: DeviceProduct.Selection
    var choices: [KernelChoice] = []
    var first: DeviceProduct.Selection?
    if case .recorded = choice, let aligned = product.whereAligned(makeProblem) {
      let own = aligned.selection(choice, epilogue)
      kernel = aligned.kernel(epilogue, own)
      product.firstKernel = kernel.entries.count
      selection = product.selection(choice, epilogue)
      kernel = aligned.kernel(kernel, else: product.kernel(epilogue, selection))
      choices = own.choices
      first = own
    } else {
      selection = product.selection(choice, epilogue)
      kernel = product.kernel(epilogue, selection)
    }
    var chosen = call(kernel)
    // Sizes that let the copy engine fetch the operands are what is used most, and what is measured.
    chosen.estimatedSeconds = (first ?? selection).seconds
    chosen.choices = choices + selection.choices
    chosen.problems = (first ?? selection).problems
    if case .each(_, let selector) = choice { chosen.sizes.append(selector) }
    return [chosen]
  }
}

/// The kernels of one product.
struct DeviceProduct {
  let node: NodeContext
  let target: Target
  let problem: MatMulProblem
  let majors: (a: String, b: String)
  let alignments: (a: Int, b: Int)
  /// What the names of its configurations begin with, and the number of its first entry, where a
  /// source holds the kernels of two products.
  var prefix = ""
  var firstKernel = 0

  /// Whether the matrix units take the elements, and the operands are contiguous along an axis.
  static func covers(_ problem: MatMulProblem, _ dtype: DType) -> Bool {
    (dtype == .float16 || dtype == .bfloat16) && problem.majorA != nil && problem.majorB != nil
  }

  /// - Precondition: `covers` holds.
  init(_ node: NodeContext, _ target: Target, _ problem: MatMulProblem) {
    self.node = node
    self.target = target
    self.problem = problem
    let rows = problem.loops.rank - 1
    let aStrides = problem.loops.strides[0]
    majors = (problem.majorA ?? "k", problem.majorB ?? "k")
    func alignment(_ operand: NodeContext.Operand, _ strides: [Dimension]) -> Int {
      (strides + [operand.layout.offset]).map { DeviceAlignment.powerOfTwo($0, limit: 8) }
        .min() ?? 8
    }
    let bBatch = Array(problem.loops.strides[1].dropLast())
    alignments = (
      alignment(
        node.inputs[0],
        Array(aStrides.dropLast()) + [majors.a == "k" ? aStrides[rows] : problem.aInnerStride]
      ),
      alignment(
        node.inputs[1],
        bBatch + [majors.b == "k" ? problem.bStrides.columns : problem.bStrides.inner]
      )
    )
  }

  private var element: String { CxxScalar.storageType(node.inputs[0].type.dtype) }
  var columnMultiple: Int { DeviceAlignment.powerOfTwo(problem.columns, limit: 8) }

  /// The configuration of a kernel, under its name in generated code.
  private func config(_ name: String, _ candidate: MatmulCandidate) -> DeviceConfig {
    var config = DeviceConfig(name: name, base: "Matmul\(candidate.kernel)Defaults")
    config.types = [("Element", element)]
    config.constants = [
      ("kBatchRank", problem.deviceBatchRank), ("kColumnMultiple", columnMultiple),
    ]
    let isConstantB = ("kIsConstantB", node.inputs[1].isConstant ? 1 : 0)
    let alignments = [("kAlignmentA", alignments.a), ("kAlignmentB", alignments.b)]
    switch candidate {
    case .hopper(let configuration):
      // Those of the matrix units' operands, which change places with a transposed C.
      let (a, b) = configuration.isTransposed == 1 ? (majors.b, majors.a) : (majors.a, majors.b)
      config.majors = [("kMajorA", a), ("kMajorB", b)]
      config.constants += [isConstantB] + candidate.constants
    case .multistage:
      config.majors = [("kMajorA", majors.a), ("kMajorB", majors.b)]
      config.constants += candidate.constants + alignments
    case .fewRows:
      config.constants += candidate.constants + [isConstantB] + alignments
      let depth = DeviceAlignment.powerOfTwo(problem.inner, limit: 8)
      config.constants.append(("kDepthMultiple", depth))
    }
    return config
  }

  private var pack: String { "\(prefix)In, \(prefix)Out" }

  /// The types of the epilogue's operands.
  private var packs: [String] {
    let extras = problem.deviceExtras(node.epilogueInputs.map { node.inputs[$0] }, from: 2)
    let outputs = problem.deviceExtras(node.outputs, from: 2 + node.epilogueInputs.count)
    return [
      "using \(prefix)In = \(KernelText.pack("Inputs", extras));",
      "using \(prefix)Out = \(KernelText.pack("Outputs", outputs));",
    ]
  }

  /// The epilogue and its operands, as a hash.
  func epilogueHash(_ epilogue: ScalarExpression) -> String {
    let body = CxxScalar.body(named: "Epilogue", epilogue)
    return StableHash.hexadecimal((packs + [body]).joined(separator: "\n"))
  }

  func kernel(_ epilogue: ScalarExpression, _ selection: Selection) -> KernelSource {
    let body = CxxScalar.body(named: "Epilogue", epilogue)
    let packs = packs
    var configs: [DeviceConfig] = []
    var entries: [DeviceEntry] = []
    var numbers: [MatmulCandidate: Int] = [:]
    var names: [String: Int] = [:]
    for (candidate, architectures) in selection.kernels {
      let count = (names[candidate.kernel] ?? 0) + 1
      names[candidate.kernel] = count
      let name = prefix + (count == 1 ? candidate.kernel : "\(candidate.kernel)\(count)")
      numbers[candidate] = entries.count
      let config = config(name, candidate)
      configs.append(config)
      entries.append(
        entry(candidate, config, definitions: packs + [body], architectures: architectures)
      )
    }
    let launches = selection.launches.compactMap { launch -> String? in
      guard let number = numbers[launch.candidate] else { return nil }
      let template = "ait::launch\(launch.candidate.kernel)<\(configs[number].name), \(pack)>"
      let call = "\(template)(context, kernels[\(firstKernel + number)]);"
      return launch.condition.map { "if (\($0)) return \(call)" } ?? call
    }
    return KernelSource(
      stem: "matmul_\(node.inputs[0].type.dtype.rawValue)",
      headers: ["ait/gpu/launch.h"] + problem.outerHeaders,
      definitions: (configs.map(\.text) + packs).joined(separator: "\n\n"),
      statement: problem.forEachOuterMatrix(launches, node.inputs[0].type.dtype),
      configuration: configs.map { $0.name }.joined(separator: ", "),
      entries: entries
    )
  }

  /// The kernel on the device of a configuration.
  private func entry(
    _ candidate: MatmulCandidate,
    _ config: DeviceConfig,
    definitions: [String],
    architectures: [Target.CUDA]
  ) -> DeviceEntry {
    let (kernel, name) = (candidate.kernel, config.name)
    let shape = "ait::Matmul\(kernel)Shape<\(name)>"
    let isHopper = kernel == HopperConfiguration.kernel
    return DeviceEntry(
      headers: ["ait/gpu/math.h", "ait/gpu/\(candidate.header)"],
      definitions: ([config.text] + definitions).joined(separator: "\n\n"),
      signature:
        "AIT_KERNEL(\(shape)::kThreads, \(isHopper ? "\(name)::kBlocksPerMultiprocessor" : "1"))",
      arguments: "ait::Matmul\(kernel)Arguments<\(name), \(pack)>",
      statement: "ait::matmul\(kernel)<\(name), Epilogue, \(pack)>(arguments);",
      threads: "\(shape)::kThreads",
      sharedSizeInBytes: "\(shape)::kSharedBytes",
      clusterSize: isHopper ? "\(shape)::kClusterSize" : "1",
      architectures: architectures
    )
  }
}
