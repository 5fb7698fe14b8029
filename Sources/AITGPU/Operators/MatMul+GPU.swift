import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Products on the matrix units, the epilogue on the sums: at most 16 rows by a kernel that reads B
/// once (`matmul_few_rows.h`), others on Hopper by warp groups fed by the copy engine
/// (`matmul_hopper.h`), and what those cannot take, and older GPUs, by warps
/// (`matmul_multistage.h`).
///
/// A library holds those that its architectures and bounds call for; which one runs is decided by
/// the device and by M when the model runs. Expected bound: the matrix units, or for few rows the
/// bandwidth of B.
extension MatMul: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let dtype = node.inputs[0].type.dtype
    let epilogue = node.fusion.epilogue ?? .identity([dtype])
    try DeviceFunctions.check(epilogue, node, target)
    let node = node.withVectorsAsMatrices
    let problem = MatMulProblem(
      node,
      transposeA: transposeA,
      transposeB: transposeB,
      inner: innerExtent(node.inputs[0].type)
    )
    // Blocks are counted in 32 bits, and a block computes 16 elements at least.
    try node.checkCount(problem.loops.extents.reduce(1, *), target, of: "rows")
    try node.checkCount(problem.columns, target, of: "columns")
    try node.checkCount(problem.inner, target, of: "terms of a sum")
    let kernel =
      DeviceProduct.covers(problem, dtype)
      ? DeviceProduct(node, target, problem).kernel(epilogue)
      : TensorFloatProduct.covers(node, problem)
        ? TensorFloatProduct(node, problem).kernel(epilogue)
        : SimtProduct(node, problem).kernel(epilogue)
    let flops =
      problem.loops.extents.reduce(1, *) * problem.columns * problem.inner * 2
      + node.outputs[0].type.shape.elementCount * Dimension(epilogue.expanded().operationCount)
    return [
      KernelCall(
        kernel: kernel,
        reads: [.input(0), .input(1)] + node.epilogueInputs.map { .input($0) },
        writes: node.outputs.indices.map { .output($0) },
        sizes: problem.sizes(packedMatrix: nil),
        flops: flops
      )
    ]
  }
}

/// The kernels of one product.
struct DeviceProduct {
  private let node: NodeContext
  private let target: Target
  private let problem: MatMulProblem
  private let majors: (a: String, b: String)
  private let alignments: (a: Int, b: Int)

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
  private var M: Dimension { problem.loops.extents[problem.loops.rank - 1] }
  private var columnMultiple: Int { DeviceAlignment.powerOfTwo(problem.columns, limit: 8) }

  /// Whether the copy engine can fetch the operands: 16-byte strides and something to fetch.
  private var suitsHopper: Bool {
    alignments.a == 8 && alignments.b == 8 && problem.inner.range.lowerBound > 0
  }

  private var hasHopper: Bool { target.gpus.contains(.sm90a) && suitsHopper }
  private var hasFewRows: Bool {
    majors == ("k", "k") && M.range.lowerBound <= 16 && problem.inner.range.lowerBound > 0
  }
  private var hasMultistage: Bool {
    (!hasHopper || target.gpus != [.sm90a]) && !(hasFewRows && M.upperBound <= 16)
  }

  private func config(_ name: String, _ base: String) -> DeviceConfig {
    var config = DeviceConfig(name: name, base: base)
    config.types = [("Element", element)]
    config.constants = [
      ("kBatchRank", problem.deviceBatchRank), ("kColumnMultiple", columnMultiple),
    ]
    return config
  }

  /// The configurations that suit the largest sizes.
  private var choice: MatmulChoice {
    MatmulChoice(
      size: MatmulSize(
        batch: problem.loops.extents.dropLast().reduce(1, *).upperBound,
        rows: M.upperBound,
        columns: problem.columns.upperBound,
        depth: problem.inner.upperBound
      )
    )
  }

  private var isConstantB: (name: String, value: Int) {
    ("kIsConstantB", node.inputs[1].isConstant ? 1 : 0)
  }

  private var hopper: DeviceConfig {
    var config = config("Hopper", "MatmulHopperDefaults")
    config.majors = [("kMajorA", majors.a), ("kMajorB", majors.b)]
    config.constants += [isConstantB] + choice.hopper.constants
    return config
  }

  private var multistage: DeviceConfig {
    var config = config("Multistage", "MatmulMultistageDefaults")
    config.majors = [("kMajorA", majors.a), ("kMajorB", majors.b)]
    config.constants += choice.multistage.constants
    config.constants += [("kAlignmentA", alignments.a), ("kAlignmentB", alignments.b)]
    return config
  }

  private var fewRows: DeviceConfig {
    var config = config("FewRows", "MatmulFewRowsDefaults")
    config.constants += choice.fewRows.constants
    config.constants += [
      isConstantB, ("kAlignmentA", alignments.a), ("kAlignmentB", alignments.b),
      ("kDepthMultiple", DeviceAlignment.powerOfTwo(problem.inner, limit: 8)),
    ]
    return config
  }

  func kernel(_ epilogue: ScalarExpression) -> KernelSource {
    let body = CxxScalar.body(named: "Epilogue", epilogue)
    let extras = problem.deviceExtras(node.epilogueInputs.map { node.inputs[$0] }, from: 2)
    let outputs = problem.deviceExtras(node.outputs, from: 2 + node.epilogueInputs.count)
    let packs = [
      "using In = \(KernelText.pack("Inputs", extras));",
      "using Out = \(KernelText.pack("Outputs", outputs));",
    ]
    var configs: [DeviceConfig] = []
    var entries: [DeviceEntry] = []
    var launches: [String] = []
    func add(
      _ config: DeviceConfig,
      _ template: String,
      _ header: String,
      shape: String,
      blocks: String = "1",
      clusterSize: String = "1",
      when condition: String?,
      architectures: [Target.CUDA] = Target.CUDA.allCases
    ) {
      let name = config.name
      let launch = "ait::launch\(name)<\(name), In, Out>(context, kernels[\(entries.count)]);"
      launches.append(condition.map { "if (\($0)) return \(launch)" } ?? launch)
      configs.append(config)
      entries.append(
        DeviceEntry(
          headers: ["ait/gpu/math.h", "ait/gpu/\(header).h"],
          definitions: ([config.text] + packs + [body]).joined(separator: "\n\n"),
          signature: "AIT_KERNEL(ait::\(shape)<\(name)>::kThreads, \(blocks))",
          arguments: "ait::\(template)Arguments<\(name), In, Out>",
          statement:
            "ait::\(template.prefix(1).lowercased() + template.dropFirst())<\(name), Epilogue, In, Out>(arguments);",
          threads: "ait::\(shape)<\(name)>::kThreads",
          sharedSizeInBytes: "ait::\(shape)<\(name)>::kSharedBytes",
          clusterSize: clusterSize,
          architectures: architectures
        )
      )
    }
    if hasFewRows {
      let condition = M.upperBound <= 16 ? nil : "context.sizes[\(problem.deviceBatchRank)] <= 16"
      add(
        fewRows,
        "MatmulFewRows",
        "matmul_few_rows",
        shape: "MatmulFewRowsShape",
        when: condition
      )
    }
    if hasHopper, !(hasFewRows && M.upperBound <= 16) {
      add(
        hopper,
        "MatmulHopper",
        "matmul_hopper",
        shape: "MatmulHopperShape",
        blocks: "Hopper::kBlocksPerMultiprocessor",
        clusterSize: "ait::MatmulHopperShape<Hopper>::kClusterSize",
        when: hasMultistage
          ? "context.queue->architecture() == \(target.gpus.firstIndex(of: .sm90a) ?? 0)" : nil,
        architectures: [.sm90a]
      )
    }
    if hasMultistage {
      add(
        multistage,
        "MatmulMultistage",
        "matmul_multistage",
        shape: "MatmulMultistageShape",
        when: nil
      )
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
}
