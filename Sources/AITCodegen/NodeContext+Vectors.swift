import AITGraph
import AITKernels

extension NodeContext {
  /// The same node with an axis of extent 1 in the place of each that a vector operand lacks: in the
  /// operand, the results and what meets them in the epilogue.
  package var withVectorsAsMatrices: NodeContext {
    let (isRow, isColumn) = (inputs[0].type.rank == 1, inputs[1].type.rank == 1)
    guard isRow || isColumn else { return self }
    func meeting(_ operand: Operand) -> Operand {
      let whole = isColumn ? operand.inserting(axis: operand.type.rank) : operand
      return isRow && whole.type.rank > 1 ? whole.inserting(axis: whole.type.rank - 1) : whole
    }
    let row = isRow ? inputs[0].inserting(axis: 0) : inputs[0]
    let column = isColumn ? inputs[1].inserting(axis: 1) : inputs[1]
    var matrices = NodeContext(
      name: name,
      op: op,
      fusion: fusion,
      inputs: [row, column] + inputs.dropFirst(2).map(meeting),
      outputs: outputs.map { result in
        let whole = meeting(result)
        return whole.type.rank == 1 ? whole.inserting(axis: 0) : whole
      }
    )
    matrices.numerics = numerics
    return matrices
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
