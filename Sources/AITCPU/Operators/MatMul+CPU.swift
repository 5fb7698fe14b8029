import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Register tiles over packed panels of B (`matmul.h`); the epilogue runs on the accumulators.
///
/// A constant B is packed once into panels as wide as the tile, so that the inner loop reads it in
/// order; any other B is read in place. Leading axes that B does not have are rows of A. Expected
/// bound: FMA throughput, or for few rows the bandwidth of B.
extension MatMul: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let node = node.withVectorsAsMatrices
    let problem = MatMulProblem(self, node)
    guard problem.loops.rank <= LoopNest.maximumRank else {
      throw node.unsupported(target, "its batch axes do not join")
    }
    let dtype = node.inputs[0].type.dtype
    let storage = CxxScalar.storageType(dtype)
    let packing = packing(node, problem, target)
    let config =
      "ait::MatmulConfig<\(storage), \(storage), ait::Packing::\(packing == nil ? "strided" : "packed"), "
      + "\(problem.batchRank)>"
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
        ? "B in place" : "B packed in panels of \(Self.panelWidth(dtype, target))"
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

  /// How to pack B, if it is constant and the same for the whole batch.
  private func packing(_ node: NodeContext, _ problem: MatMulProblem, _ target: Target)
    -> KernelCall.Packing?
  {
    let b = node.inputs[1]
    guard b.isConstant, let batch = problem.weightBatch, let count = batch.extent.constant,
      let K = problem.inner.constant, let N = problem.columns.constant, count > 0, K > 0, N > 0
    else { return nil }
    let width = Self.panelWidth(b.type.dtype, target)
    let panels = (N + width - 1) / width
    let storage = CxxScalar.storageType(b.type.dtype)
    let kernel = KernelSource(
      stem: "pack_\(b.type.dtype.rawValue)",
      headers: ["ait/cpu/matmul_pack.h", "ait/cpu/matmul_tile.h"],
      definitions:
        "static_assert(ait::MatmulTile<ait::Accumulator<\(storage), \(storage)>>::kColumns == \(width));",
      statement: "ait::packWeights<\(storage), \(width)>(context);",
      configuration: "panels of \(width)"
    )
    return KernelCall.Packing(
      kernel: kernel,
      sizes: [
        batch.extent, problem.inner, problem.columns, batch.stride, problem.bStrides.inner,
        problem.bStrides.columns,
      ],
      sizeInBytes: count * panels * width * K * b.type.dtype.sizeInBytes,
      dtype: b.type.dtype
    )
  }
}

extension NodeContext {
  /// The same node with an axis of extent 1 in the place of each that a vector operand lacks: in the
  /// operand, the results and what meets them in the epilogue.
  fileprivate var withVectorsAsMatrices: NodeContext {
    let (isRow, isColumn) = (inputs[0].type.rank == 1, inputs[1].type.rank == 1)
    guard isRow || isColumn else { return self }
    func meeting(_ operand: Operand) -> Operand {
      let whole = isColumn ? operand.inserting(axis: operand.type.rank) : operand
      return isRow && whole.type.rank > 1 ? whole.inserting(axis: whole.type.rank - 1) : whole
    }
    let row = isRow ? inputs[0].inserting(axis: 0) : inputs[0]
    let column = isColumn ? inputs[1].inserting(axis: 1) : inputs[1]
    return NodeContext(
      name: name,
      op: op,
      fusion: fusion,
      inputs: [row, column] + inputs.dropFirst(2).map(meeting),
      outputs: outputs.map { result in
        let whole = meeting(result)
        return whole.type.rank == 1 ? whole.inserting(axis: 0) : whole
      }
    )
  }
}

extension NodeContext.Operand {
  /// The operand with an axis of extent 1 more.
  fileprivate func inserting(axis: Int) -> NodeContext.Operand {
    var (shape, layout) = (type.shape.dimensions, layout)
    shape.insert(1, at: axis)
    layout.strides.insert(0, at: axis)
    return NodeContext.Operand(
      type: TensorType(type.dtype, Shape(shape)),
      layout: layout,
      isConstant: isConstant
    )
  }
}

/// A product as the prelude's matmul sees it: batch loops, then M, N and K with strides.
struct MatMulProblem {
  /// Batch axes, then M: one operand each for A, B, the extras and the outputs.
  private(set) var loops: LoopNest
  let columns: Dimension
  let inner: Dimension
  private let aInnerStride: Dimension
  let bStrides: (inner: Dimension, columns: Dimension)
  private let columnStrides: [Dimension]
  private let extras: [NodeContext.Operand]
  private let outputs: [NodeContext.Operand]

  init(_ op: MatMul, _ node: NodeContext) {
    let (a, b) = (node.inputs[0], node.inputs[1])
    extras = node.epilogueInputs.map { node.inputs[$0] }
    outputs = node.outputs
    let shape = outputs[0].type.shape
    let leading = Shape(Array(shape.dimensions.dropLast()))
    let batch = Shape(Array(shape.dimensions.dropLast(2)))
    columns = shape[shape.rank - 1]
    inner = op.innerExtent(a.type)

    func matrixStrides(_ operand: NodeContext.Operand, _ transposed: Bool)
      -> (batch: [Dimension], row: Dimension, column: Dimension)
    {
      let rank = operand.type.rank
      let own = NodeContext.Operand(
        type: TensorType(
          operand.type.dtype,
          Shape(Array(operand.type.shape.dimensions.dropLast(2)))
        ),
        layout: Layout(strides: Array(operand.layout.strides.dropLast(2)))
      )
      let (before, last) = (operand.layout.strides[rank - 2], operand.layout.strides[rank - 1])
      return (
        LoopNest.strides(own, over: batch), transposed ? last : before, transposed ? before : last
      )
    }
    let aStrides = matrixStrides(a, op.transposeA)
    let bMatrix = matrixStrides(b, op.transposeB)
    aInnerStride = aStrides.column
    bStrides = (bMatrix.row, bMatrix.column)
    let joined = (extras + outputs).map { LoopNest.strides($0, over: shape) }
    columnStrides = joined.map { $0[shape.rank - 1] }
    loops = LoopNest(
      extents: leading.dimensions,
      strides: [aStrides.batch + [aStrides.row], bMatrix.batch + [0]]
        + joined.map { Array($0.dropLast()) }
    )
    loops.collapse(0..<loops.rank)
    // The last axis is M if all its rows meet the same B.
    if loops.rank == 0 || loops.strides[1][loops.rank - 1] != 0 { loops.appendUnitAxis() }
  }

  /// The number of batch axes.
  var batchRank: Int { loops.rank - 1 }

  /// The matrices of B as one run: how many there are and how far apart they lie; nil if no
  /// single stride leads from each to the next.
  var weightBatch: (extent: Dimension, stride: Dimension)? {
    let axes = loops.extents.indices.dropLast().filter { loops.strides[1][$0] != 0 }
    guard let last = axes.last else { return (1, 0) }
    var extent = loops.extents[last]
    for axis in axes.dropLast().reversed() {
      guard loops.strides[1][axis] == extent * loops.strides[1][last] else { return nil }
      extent = extent * loops.extents[axis]
    }
    return (extent, loops.strides[1][last])
  }

  /// Batch extents, M, N, K, then the strides of A, B, the extras and the outputs.
  ///
  /// `packedMatrix` is the number of elements of one packed matrix of B; nil if B is in place.
  func sizes(packedMatrix: Int?) -> [Dimension] {
    var sizes = loops.extents + [columns, inner]
    sizes += loops.strides[0] + [aInnerStride]
    var batchStrides = Array(loops.strides[1].dropLast())
    if let packedMatrix {
      var stride = Dimension(packedMatrix)
      for axis in batchStrides.indices.reversed() where batchStrides[axis] != 0 {
        batchStrides[axis] = stride
        stride = stride * loops.extents[axis]
      }
    }
    sizes += batchStrides + [bStrides.inner, bStrides.columns]
    for (index, stride) in columnStrides.enumerated() {
      sizes += loops.strides[2 + index] + [stride]
    }
    return sizes
  }

  private func operandType(_ operand: NodeContext.Operand, _ index: Int) -> String {
    let stride = columnStrides[index]
    let access =
      stride == 1 || columns == 1 ? "contiguous" : stride == 0 ? "uniform" : "strided"
    return "ait::Operand<\(CxxScalar.storageType(operand.type.dtype)), ait::Access::\(access)>"
  }

  /// The prelude's descriptions of the extras.
  var extraTypes: [String] { extras.enumerated().map { operandType($0.element, $0.offset) } }

  /// The prelude's descriptions of the outputs.
  var outputTypes: [String] {
    outputs.enumerated().map { operandType($0.element, extras.count + $0.offset) }
  }
}
