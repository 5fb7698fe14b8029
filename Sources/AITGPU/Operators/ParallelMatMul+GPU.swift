import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Two products whose results meet in the epilogue, in one launch that reads A once: the kernels of
/// `matmul` on the matrix units, with half of a tile's columns for each of the two matrices
/// (`matmul_epilogue_pairs.h`).
///
/// Without an epilogue, one product after the other. Expected bound: the matrix units, or for few
/// rows the bandwidth of both matrices.
extension ParallelMatMul: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    guard let epilogue = node.fusion.epilogue else {
      var calls: [KernelCall] = []
      for (index, context) in node.products(self).enumerated() {
        calls += try product.lowerToGPU(context, target).map { $0.ofProduct(index) }
      }
      return calls
    }
    try DeviceFunctions.check(epilogue, node, target)
    let dtype = node.inputs[0].type.dtype
    let problem = MatMulProblem(
      node,
      transposeA: product.transposeA,
      transposeB: product.transposeB,
      inner: product.innerExtent(node.inputs[0].type)
    )
    guard DeviceProduct.covers(problem, dtype), problem.outerRank == 0 else {
      throw node.unsupported(
        target,
        "products meet in an epilogue where they are of float16 or bfloat16, contiguous along an axis and of three batch axes at most"
      )
    }
    guard node.inputs[1].layout.strides == node.inputs[2].layout.strides else {
      throw node.unsupported(target, "its two matrices lie in memory in different ways")
    }
    try node.checkCount(problem.loops.extents.reduce(1, *), target, of: "rows")
    try node.checkCount(problem.columns, target, of: "columns")
    try node.checkCount(problem.inner, target, of: "terms of a sum")
    let flops =
      problem.loops.extents.reduce(1, *) * problem.columns * problem.inner * 4
      + node.outputs[0].type.shape.elementCount * Dimension(epilogue.expanded().operationCount)
    return [
      KernelCall(
        kernel: PairedProduct(node, target, problem).kernel(epilogue),
        reads: [.input(0), .input(1), .input(2)] + node.epilogueInputs.map { .input($0) },
        writes: node.outputs.indices.map { .output($0) },
        sizes: problem.sizes(packedMatrix: nil),
        flops: flops
      )
    ]
  }
}

/// The kernels of two products that meet.
private struct PairedProduct {
  private let node: NodeContext
  private let target: Target
  private let problem: MatMulProblem
  private let alignments: (a: Int, b: Int)

  /// - Precondition: A and B are contiguous along an axis.
  init(_ node: NodeContext, _ target: Target, _ problem: MatMulProblem) {
    self.node = node
    self.target = target
    self.problem = problem
    func alignment(_ strides: [Dimension], _ operands: [NodeContext.Operand]) -> Int {
      (strides + operands.map(\.layout.offset))
        .map { DeviceAlignment.powerOfTwo($0, limit: 8) }.min() ?? 8
    }
    let rows = problem.loops.rank - 1
    let a = problem.loops.strides[0]
    alignments = (
      alignment(
        a.dropLast() + [problem.majorA == "k" ? a[rows] : problem.aInnerStride],
        [node.inputs[0]]
      ),
      alignment(
        [problem.majorB == "k" ? problem.bStrides.columns : problem.bStrides.inner],
        [node.inputs[1], node.inputs[2]]
      )
    )
  }

  private var M: Dimension { problem.loops.extents[problem.loops.rank - 1] }

  private var hasHopper: Bool {
    target.gpus.contains(.sm90a) && alignments == (8, 8) && problem.inner.range.lowerBound > 0
      && !(hasFewRows && M.upperBound <= 16)
  }
  private var hasFewRows: Bool {
    problem.majorA == "k" && problem.majorB == "k" && M.range.lowerBound <= 16
      && problem.inner.range.lowerBound > 0
  }
  private var hasMultistage: Bool {
    (!hasHopper || target.gpus != [.sm90a]) && !(hasFewRows && M.upperBound <= 16)
  }

  private func config(_ name: String) -> DeviceConfig {
    var config = DeviceConfig(name: name, base: "Matmul\(name)Defaults")
    config.types = [("Element", CxxScalar.storageType(node.inputs[0].type.dtype))]
    config.constants = [
      ("kBatchRank", problem.deviceBatchRank),
      ("kColumnMultiple", DeviceAlignment.powerOfTwo(problem.columns, limit: 8)),
      ("kIsPaired", 1),
    ]
    return config
  }

  private var isConstantB: Int { node.inputs[1].isConstant && node.inputs[2].isConstant ? 1 : 0 }

  /// The sizes with both matrices as columns of one, of which a tile takes half from each.
  private var size: MatmulSize {
    MatmulSize(
      batch: problem.loops.extents.dropLast().reduce(1, *).upperBound,
      rows: M.upperBound,
      columns: problem.columns.upperBound * 2,
      depth: problem.inner.upperBound
    )
  }

  /// Tiles as large as fill an H100; a tile is staged in the ring, where there is room for both sums.
  private var hopper: DeviceConfig {
    var configuration = HopperConfiguration()
    if size.tiles(128, 256) >= 132 {
      configuration.tileN = 256
    } else if size.tiles(128, 128) < 100 {
      configuration.tileM = 64
      configuration.stages = 5
      configuration.consumers = 1
    }
    var config = config("Hopper")
    config.majors = [("kMajorA", problem.majorA ?? "k"), ("kMajorB", problem.majorB ?? "k")]
    config.constants += [("kIsConstantB", isConstantB)] + configuration.constants
    return config
  }

  /// A warp has 32 columns of each matrix.
  private var multistage: DeviceConfig {
    var configuration = MultistageConfiguration()
    configuration.warpsM = 4
    configuration.warpsN = 2
    if size.tiles(128, 128) < 100 {
      configuration.tileM = 64
      configuration.warpsM = 2
    }
    var config = config("Multistage")
    config.majors = [("kMajorA", problem.majorA ?? "k"), ("kMajorB", problem.majorB ?? "k")]
    config.constants += configuration.constants
    config.constants += [("kAlignmentA", alignments.a), ("kAlignmentB", alignments.b)]
    return config
  }

  private var fewRows: DeviceConfig {
    var config = config("FewRows")
    let configuration =
      M.upperBound <= 8 ? FewRowsConfiguration() : FewRowsConfiguration(rows: 16, warps: 8)
    config.constants += configuration.constants
    config.constants += [
      ("kIsConstantB", isConstantB), ("kAlignmentA", alignments.a),
      ("kAlignmentB", alignments.b),
      ("kDepthMultiple", DeviceAlignment.powerOfTwo(problem.inner, limit: 8)),
    ]
    return config
  }

  func kernel(_ epilogue: ScalarExpression) -> KernelSource {
    var kernel = ProductKernel(node, problem, epilogue)
    if hasFewRows {
      kernel.add(
        fewRows,
        launch: "launchFewRows",
        template: "MatmulFewRows",
        header: "matmul_few_rows",
        when: M.upperBound <= 16 ? nil : "sizes.M() <= 16"
      )
    }
    if hasHopper {
      kernel.add(
        hopper,
        launch: "launchHopper",
        template: "MatmulHopper",
        header: "matmul_hopper",
        blocks: "Hopper::kBlocksPerMultiprocessor",
        clusterSize: "ait::MatmulHopperShape<Hopper>::kClusterSize",
        architectures: [.sm90a],
        when: hasMultistage
          ? "context.queue->architecture() == \(target.gpus.firstIndex(of: .sm90a) ?? 0)" : nil
      )
    }
    if hasMultistage {
      kernel.add(
        multistage,
        launch: "launchMultistage",
        template: "MatmulMultistage",
        header: "matmul_multistage"
      )
    }
    return kernel.source(headers: ["ait/gpu/launch.h"])
  }
}
