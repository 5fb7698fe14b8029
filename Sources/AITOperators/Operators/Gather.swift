import AITGraph

/// Picks one element along an axis for each element of the index:
/// `y[i, j, k] = x[index[i, j, k], j, k]` for axis 0, and so on.
///
/// The index is int32 or int64, has x's rank, and is no larger than x along the other axes. An index
/// outside 0..<extent fails the run. Source: `torch.gather`.
package struct Gather: Operator {
  package static let name = "gather"
  package static let summary = "one element along an axis for each element of an index"

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
      throw Diagnostic(.invalidAttribute, "the axis \(axis) of gather is counted from 0")
    }
    try checkIndex(index)
    guard index.rank == x.rank,
      (0..<x.rank).allSatisfy({ axis in
        axis == self.axis || (x.shape[axis] - index.shape[axis]).upperBound >= 0
      })
    else {
      throw Diagnostic(
        .shapeMismatch,
        "gather of \(x) by \(index) along axis \(axis)",
        hint: "the index has the same rank and is no larger along the other axes"
      )
    }
    return [TensorType(x.dtype, index.shape)]
  }

  package func sizeConstraints(_ operands: [TensorType], results: [TensorType]) -> [SizeConstraint]
  {
    let (x, index) = (operands[0].shape, operands[1].shape)
    return (0..<x.rank).filter { $0 != axis }.map { other in
      SizeConstraint(
        "the extent of gather's index along axis \(other)",
        index[other],
        is: .atMost,
        x[other],
        where: index.elementCount
      )
    }
  }
}

extension Operator {
  /// Throws unless the elements can be positions.
  func checkIndex(_ index: TensorType) throws(Diagnostic) {
    guard index.dtype == .int32 || index.dtype == .int64 else {
      throw Diagnostic(
        .dtypeMismatch,
        "\(Self.name) with an index \(index)",
        hint: "indices are int32 or int64"
      )
    }
  }
}

extension Gather {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let (x, index) = (operands[0], operands[1])
    let strides = Positions.rowMajorStrides(x.shape)
    var alongOthers = strides
    alongOthers[axis] = 0
    for other in x.shape.indices
    where other != axis && index.shape[other] > x.shape[other] && index.elementCount > 0 {
      throw Diagnostic(.runFailed, "gather: the index \(index.type) is larger than \(x.type)")
    }
    let chosen = try checkedIndices(index, below: x.shape[axis])
    let bases = Positions.list(index.shape, strides: alongOthers)
    let positions = zip(bases, chosen).map { $0 + $1 * strides[axis] }
    return [x.picking(positions, shape: index.shape)]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension { 0 }

  package static let examples = [
    OperatorExample(
      Gather(axis: 1),
      [TensorType(.float32, [3, 4, 5]), TensorType(.int64, [3, 2, 5])],
      indexBound: 4
    ),
    OperatorExample(
      Gather(axis: 0),
      [TensorType(.float16, [7, 3]), TensorType(.int32, [9, 2])],
      indexBound: 7
    ),
    OperatorExample(
      Gather(axis: 1),
      [
        TensorType(.int32, [.symbol("batch", 1...8), 11]),
        TensorType(.int64, [.symbol("batch", 1...8), 1]),
      ],
      indexBound: 11
    ),
    OperatorExample(
      Gather(axis: 0),
      [TensorType(.bool, [3]), TensorType(.int64, [0])],
      indexBound: 3
    ),
  ]
}

extension Operator {
  /// The elements of an index; throws if one lies outside.
  func checkedIndices(_ index: TensorData, below extent: Int) throws(Diagnostic) -> [Int] {
    let found = index.integers.map { Int($0) }
    guard let outside = found.first(where: { $0 < 0 || $0 >= extent }) else { return found }
    throw Diagnostic(
      .runFailed,
      "\(Self.name): the index \(outside) is outside 0..<\(extent)",
      hint: "indices count from 0; negative ones do not count from the end"
    )
  }
}

extension Graph {
  /// Picks one element along an axis for each element of the index, as `torch.gather`.
  package mutating func gather(_ x: ValueID, axis: Int, _ index: ValueID, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    let axis = try self[x].type.shape.normalizedAxis(axis)
    return try addResult(Gather(axis: axis), [x, index], name: name)
  }
}
