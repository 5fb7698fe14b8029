import AITGraph

/// Takes whole slices along an axis: the axis of x is replaced by the shape of the index.
///
/// x `[A…, E, B…]`, index `[I…]` of int32 or int64 gives `[A…, I…, B…]`. An index outside
/// 0..<E fails the run. Source: `torch.index_select` for an index of rank 1;
/// `torch.nn.functional.embedding` is axis 0 with any index.
package struct IndexSelect: Operator {
  package static let name = "index_select"
  package static let summary = "slices along an axis by an index of any rank; embedding"

  /// Counted from 0.
  package let axis: Int

  package init(axis: Int) { self.axis = axis }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    axis = try attributes.integer("axis")
  }

  package var attributes: [Attribute] { [Attribute("axis", .integer(axis))] }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 2...2)
    let (x, index) = (operands[0], operands[1])
    guard try x.shape.normalizedAxis(axis) == axis else {
      throw Diagnostic(.invalidAttribute, "the axis \(axis) of index_select is counted from 0")
    }
    try checkIndex(index)
    let extents =
      Array(x.shape.dimensions[..<axis]) + index.shape.dimensions
      + Array(x.shape.dimensions[(axis + 1)...])
    return [TensorType(x.dtype, Shape(extents))]
  }
}

extension IndexSelect {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let (x, index) = (operands[0], operands[1])
    let chosen = try checkedIndices(index, below: x.shape[axis])
    let inner = x.shape[(axis + 1)...].reduce(1, *)
    let outer = x.shape[..<axis].reduce(1, *)
    var positions: [Int] = []
    for block in 0..<outer {
      for choice in chosen {
        let start = (block * x.shape[axis] + choice) * inner
        positions += start..<(start + inner)
      }
    }
    return [x.picking(positions, shape: try extents(results[0]))]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension { 0 }

  package static let examples = [
    OperatorExample(
      IndexSelect(axis: 0),
      [TensorType(.float32, [11, 3]), TensorType(.int64, [2, 5])],
      indexBound: 11
    ),
    OperatorExample(
      IndexSelect(axis: 1),
      [TensorType(.float16, [2, 7, 3]), TensorType(.int32, [4])],
      indexBound: 7
    ),
    OperatorExample(
      IndexSelect(axis: 0),
      [
        TensorType(.bfloat16, [13, 8]),
        TensorType(.int64, [.symbol("batch", 1...8), .symbol("seq", 1...16)]),
      ],
      indexBound: 13
    ),
    OperatorExample(
      IndexSelect(axis: 1),
      [TensorType(.int64, [3, 4]), TensorType(.int64, [])],
      indexBound: 4
    ),
    OperatorExample(
      IndexSelect(axis: 0),
      [TensorType(.bool, [3, 2]), TensorType(.int64, [0])],
      indexBound: 3
    ),
  ]
}

extension Graph {
  /// Takes whole slices along an axis; the axis is replaced by the shape of the index.
  package mutating func indexSelect(
    _ x: ValueID,
    axis: Int,
    _ index: ValueID,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let axis = try self[x].type.shape.normalizedAxis(axis)
    return try addResult(IndexSelect(axis: axis), [x, index], name: name)
  }

  /// Looks rows of the table `[V, D]` up by an index of any shape: `[I…]` gives `[I…, D]`.
  package mutating func embedding(_ index: ValueID, table: ValueID, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    guard self[table].type.rank == 2 else {
      throw Diagnostic(
        .rankMismatch,
        "embedding with the table \(self[table].type), expected rank 2"
      )
    }
    return try indexSelect(table, axis: 0, index, name: name ?? "embedding")
  }
}
