import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Register tiles over packed panels of B (`matmul.h`); the epilogue runs on the accumulators.
///
/// A constant B is packed once into panels as wide as the tile, so that the inner loop reads it in
/// order; any other B is read in place. Leading axes that B does not have are rows of A. With a constant
/// B of float32, products of many rows take seven multiplications for eight (`matmul_strassen.h`), or
/// where A is images are a convolution of one tap (`pixelConvolution`). Expected bound: FMA throughput,
/// or for few rows the bandwidth of B.
extension MatMul: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let node = node.withVectorsAsMatrices
    let problem = MatMulProblem(
      node,
      transposeA: transposeA,
      transposeB: transposeB,
      inner: innerExtent(node.inputs[0].type)
    )
    guard problem.loops.rank <= LoopNest.maximumRank else {
      throw node.unsupported(target, "its batch axes do not join")
    }
    let dtype = node.inputs[0].type.dtype
    let storage = CxxScalar.storageType(dtype)
    let mayUseSeven = mayUseSeven(node, problem, target)
    if !mayUseSeven || problem.columns.upperBound < Self.columnsOfSeven,
      let pixels = pixelConvolution(node)
    {
      return try pixels.op.lowerToCPU(pixels.node, target)
    }
    let packing = packing(node, problem, mayUseSeven: mayUseSeven, target)
    let config =
      "ait::MatmulConfig<\(storage), \(storage), ait::Packing::\(packing == nil ? "strided" : "packed"), "
      + "\(problem.batchRank)\(mayUseSeven ? ", true" : "")>"
    let epilogue = node.fusion.epilogue ?? .identity([dtype])
    let arriving = Self.accumulator(dtype)
    let kernel = KernelSource(
      stem: "matmul_\(dtype.rawValue)",
      headers: ["ait/cpu/math.h", "ait/cpu/matmul.h"],
      definitions: CxxScalar.body(
        named: "Epilogue",
        epilogue,
        arrivingAs: arriving.map { [0: $0] } ?? [:]
      ),
      statement: KernelText.call(
        "matmul",
        [
          config, "Epilogue", KernelText.pack("Inputs", problem.extraTypes),
          KernelText.pack("Outputs", problem.outputTypes),
        ]
      ),
      configuration: packing == nil
        ? "B in place"
        : "B packed in panels of \(Self.panelWidth(dtype, target))"
          + (mayUseSeven ? ", seven products for eight" : "")
    )
    let extras = node.epilogueInputs.map { KernelCall.Operand.input($0) }
    let flops =
      problem.loops.extents.reduce(1, *) * problem.columns * problem.inner * 2
      + node.outputs[0].type.shape.elementCount
      * Dimension(node.fusion.epilogue?.expanded().operationCount ?? 0)
    return [
      KernelCall(
        kernel: kernel,
        reads: [.input(0), packing.map { .packed(1, $0) } ?? .input(1)] + extras,
        writes: node.outputs.indices.map { .output($0) },
        sizes: problem.sizes(
          packedMatrix: packing.map { packing in
            packing.sizeInBytes / packing.dtype.sizeInBytes
              / (problem.weightBatch?.extent.constant ?? 1)
          }
        ),
        flops: flops,
        estimatedSeconds: CPUCostModel(target).product(
          flops: flops,
          weightBytes: node.inputs[1].type.sizeInBytes,
          isPacked: packing != nil
        )
      )
    ]
  }

  /// What sums arrive in where that is not the result's compute type.
  private static func accumulator(_ dtype: DType) -> String? {
    switch dtype {
    case .uint8, .int8, .int16: "int32_t"
    default: nil
    }
  }

  /// The width of the tile and of packed panels: `MatmulTile::kColumns` of the prelude.
  static func panelWidth(_ dtype: DType, _ target: Target) -> Int {
    let vectors = target.resolvedCPU == .aarch64 ? 4 : 2
    let lanes = dtype.sizeInBytes == 8 ? target.vectorLanes / 2 : target.vectorLanes
    return lanes * vectors
  }

  /// Rows, columns and terms from which on seven products of sums take less than eight do:
  /// `StrassenTask::covers` of the prelude, which decides by the sizes of a run.
  private static let leastRows = 64
  private static let leastPanels = 2
  private static let leastTerms = 128
  /// Columns below which a convolution of one tap takes less than seven products do.
  ///
  /// The halves of fewer are no whole panels. 1024 channels to 256: 438 us by seven, 448 as a
  /// convolution; 672 to 112: 175 and 134; 240 to 80: 71 and 36.
  private static let columnsOfSeven = 128

  /// Whether a run may take seven products for eight.
  private func mayUseSeven(_ node: NodeContext, _ problem: MatMulProblem, _ target: Target) -> Bool
  {
    let dtype = node.inputs[1].type.dtype
    guard node.numerics.allowsStrassen, dtype == .float32, node.inputs[1].isConstant,
      problem.weightBatch?.extent.constant != nil, let K = problem.inner.constant,
      let N = problem.columns.constant, let rows = problem.loops.extents.last
    else { return false }
    return K % 2 == 0 && K >= Self.leastTerms && rows.upperBound >= Self.leastRows
      && N >= Self.leastPanels * Self.panelWidth(dtype, target)
  }

  /// How to pack B, if it is constant and the same for the whole batch.
  private func packing(
    _ node: NodeContext,
    _ problem: MatMulProblem,
    mayUseSeven: Bool,
    _ target: Target
  ) -> KernelCall.Packing? {
    let b = node.inputs[1]
    guard b.isConstant, let batch = problem.weightBatch, let count = batch.extent.constant,
      let K = problem.inner.constant, let N = problem.columns.constant, count > 0, K > 0, N > 0
    else { return nil }
    return Self.panels(
      b.type.dtype,
      batch: (count, batch.stride),
      inner: K,
      columns: N,
      strides: (problem.bStrides.inner, problem.bStrides.columns),
      tellsDispersion: mayUseSeven,
      target
    )
  }

  /// How to pack matrices `[K, N]` that lie in a batch, by the strides of K and N; with what products
  /// with seven multiplications ask of float32 columns, one number for each pair of panels.
  static func panels(
    _ dtype: DType,
    batch: (count: Int, stride: Dimension) = (1, 0),
    inner: Int,
    columns: Int,
    strides: (inner: Dimension, columns: Dimension),
    tellsDispersion: Bool = false,
    _ target: Target
  ) -> KernelCall.Packing {
    let width = panelWidth(dtype, target)
    let panels = (columns + width - 1) / width
    // `gemm::dispersionCount` of the prelude: whole vectors.
    let dispersions = tellsDispersion ? ((panels + 1) / 2 + 15) / 16 * 16 : 0
    let storage = CxxScalar.storageType(dtype)
    let kernel = KernelSource(
      stem: "pack_\(dtype.rawValue)",
      headers: tellsDispersion
        ? ["ait/cpu/matmul_strassen_pack.h"]
        : ["ait/cpu/matmul_pack.h", "ait/cpu/matmul_tile.h"],
      definitions:
        "static_assert(ait::MatmulTile<ait::Accumulator<\(storage), \(storage)>>::kColumns == \(width));",
      statement: tellsDispersion
        ? "ait::packWeightsForSeven<\(width)>(context);"
        : "ait::packWeights<\(storage), \(width)>(context);",
      configuration: "panels of \(width)" + (tellsDispersion ? ", dispersions" : "")
    )
    return KernelCall.Packing(
      kernel: kernel,
      sizes: [
        Dimension(batch.count), Dimension(inner), Dimension(columns), batch.stride, strides.inner,
        strides.columns,
      ],
      sizeInBytes: batch.count * (panels * width * inner + dispersions) * dtype.sizeInBytes,
      dtype: dtype
    )
  }
}
