import AITGraph
import AITKernels

/// A product as the prelude's matmul sees it: batch loops, then M, N and K with strides.
package struct MatMulProblem {
  /// Batch axes, then M: one operand each for A, B, the extras and the outputs.
  package private(set) var loops: LoopNest
  package let columns: Dimension
  package let inner: Dimension
  package let aInnerStride: Dimension
  package let bStrides: (inner: Dimension, columns: Dimension)
  package let columnStrides: [Dimension]
  private let extras: [NodeContext.Operand]
  private let outputs: [NodeContext.Operand]

  package init(_ node: NodeContext, transposeA: Bool, transposeB: Bool, inner: Dimension) {
    let (a, b) = (node.inputs[0], node.inputs[1])
    extras = node.epilogueInputs.map { node.inputs[$0] }
    outputs = node.outputs
    let shape = outputs[0].type.shape
    let leading = Shape(Array(shape.dimensions.dropLast()))
    let batch = Shape(Array(shape.dimensions.dropLast(2)))
    columns = shape[shape.rank - 1]
    self.inner = inner

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
    let aStrides = matrixStrides(a, transposeA)
    let bMatrix = matrixStrides(b, transposeB)
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
  package var batchRank: Int { loops.rank - 1 }

  /// The matrices of B as one run: how many there are and how far apart they lie; nil if no
  /// single stride leads from each to the next.
  package var weightBatch: (extent: Dimension, stride: Dimension)? {
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
  package func sizes(packedMatrix: Int?) -> [Dimension] {
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
  package var extraTypes: [String] {
    extras.enumerated().map { operandType($0.element, $0.offset) }
  }

  /// The prelude's descriptions of the outputs.
  package var outputTypes: [String] {
    outputs.enumerated().map { operandType($0.element, extras.count + $0.offset) }
  }
}
