import AITGraph

/// Combines updates into a copy of a tensor, each at a place that an index chooses along an axis:
/// `y[index[i, j, k], j, k] ∘= updates[i, j, k]` for axis 0, and so on, in ascending order of i.
///
/// index (int32 or int64) and updates have one shape, of x's rank, which is no larger than x along the
/// other axes; updates have x's element type, which is any. An update replaces what is there, or is
/// added, multiplied, or the larger or smaller of both (NaN propagates); sums of integers wrap, and of
/// bool are `or`. Where `includesSelf` is false, x's own elements count only where there are no
/// updates. Each step is rounded to the element type. An index outside 0..<extent fails the run.
/// Source: `torch.scatter`, `torch.scatter_reduce`, `torch.index_add`; unlike there, the last of
/// several updates that replace one element stays.
package struct Scatter: Operator {
  package static let name = "scatter"
  package static let summary = "updates combined into a tensor where an index says"

  /// What becomes of an update and what is there.
  package enum Kind: String, CaseIterable, Hashable, Sendable {
    case replace, add, multiply, maximum, minimum
  }

  package let kind: Kind
  /// Counted from 0.
  package let axis: Int
  package let includesSelf: Bool

  package init(_ kind: Kind, axis: Int, includesSelf: Bool = true) {
    self.kind = kind
    self.axis = axis
    self.includesSelf = kind == .replace || includesSelf
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    let text = try attributes.string("kind")
    guard let kind = Kind(rawValue: text) else {
      throw Diagnostic(
        .invalidAttribute,
        "'\(text)' is not a way to scatter",
        hint: "one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    self.init(
      kind,
      axis: try attributes.integer("axis"),
      includesSelf: try attributes.bool("includes_self", default: true)
    )
  }

  package var attributes: [Attribute] {
    [Attribute("kind", .string(kind.rawValue)), Attribute("axis", .integer(axis))]
      + (includesSelf ? [] : [Attribute("includes_self", .bool(false))])
  }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 3...3)
    let (x, index, updates) = (operands[0], operands[1], operands[2])
    guard try x.shape.normalizedAxis(axis) == axis else {
      throw Diagnostic(.invalidAttribute, "the axis \(axis) of scatter is counted from 0")
    }
    try checkIndex(index)
    guard updates.dtype == x.dtype else {
      throw Diagnostic(.dtypeMismatch, "scatter of \(updates) into \(x)", hint: "cast the updates")
    }
    guard index.rank == x.rank, updates.shape == index.shape,
      (0..<x.rank).allSatisfy({ axis in
        axis == self.axis || (x.shape[axis] - index.shape[axis]).upperBound >= 0
      })
    else {
      throw Diagnostic(
        .shapeMismatch,
        "scatter of \(updates) by \(index) into \(x) along axis \(axis)",
        hint: "index and updates have one shape, no larger than x along the other axes"
      )
    }
    return [x]
  }

  package func sizeConstraints(_ operands: [TensorType], results: [TensorType]) -> [SizeConstraint]
  {
    let (x, index) = (operands[0].shape, operands[1].shape)
    return (0..<x.rank).filter { $0 != axis }.map { other in
      SizeConstraint(
        "the extent of scatter's index along axis \(other)",
        index[other],
        is: .atMost,
        x[other],
        where: index.elementCount
      )
    }
  }
}

extension Scatter {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let (x, index) = (operands[0], operands[1])
    let strides = Positions.rowMajorStrides(x.shape)
    var alongOthers = strides
    alongOthers[axis] = 0
    let chosen = try checkedIndices(index, below: x.shape[axis])
    let bases = Positions.list(index.shape, strides: alongOthers)
    let targets = zip(bases, chosen).map { $0 + $1 * strides[axis] }
    var values = x.scalars
    if !includesSelf {
      for target in targets { values[target] = identity(x.dtype) }
    }
    for (target, update) in zip(targets, operands[2].scalars) {
      values[target] = combine(values[target], update, x.dtype).converted(to: x.dtype)
    }
    return [TensorData(x.dtype, x.shape, scalars: values)]
  }

  /// What an update meets first where the tensor's own elements do not count.
  private func identity(_ dtype: DType) -> ScalarValue {
    switch kind {
    case .replace, .add: dtype.isFloatingPoint ? .float(0) : .integer(0)
    case .multiply: dtype.isFloatingPoint ? .float(1) : .integer(1)
    case .maximum: dtype.isFloatingPoint ? .float(-.infinity) : .integer(dtype.integers.lowerBound)
    case .minimum: dtype.isFloatingPoint ? .float(.infinity) : .integer(dtype.integers.upperBound)
    }
  }

  private func combine(_ before: ScalarValue, _ update: ScalarValue, _ dtype: DType) -> ScalarValue
  {
    let function: ScalarFunction
    switch kind {
    case .replace: return update
    case .add: function = .add
    case .multiply: function = .multiply
    case .maximum: function = .maximum
    case .minimum: function = .minimum
    }
    if dtype == .bool {
      let isOr = kind == .add || kind == .maximum
      return .bool(isOr ? before.bool || update.bool : before.bool && update.bool)
    }
    return function.evaluate([before, update], dtype: dtype)
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    kind == .replace ? 0 : operands[1].shape.elementCount
  }

  package static let examples = [
    OperatorExample(
      Scatter(.replace, axis: 1),
      [
        TensorType(.float32, [3, 7, 5]), TensorType(.int64, [3, 4, 5]),
        TensorType(.float32, [3, 4, 5]),
      ],
      indexBound: 7
    ),
    OperatorExample(
      Scatter(.add, axis: 0),
      [
        TensorType(.float16, [6, .symbol("width", 1...40)]),
        TensorType(.int32, [9, .symbol("width", 1...40)]),
        TensorType(.float16, [9, .symbol("width", 1...40)]),
      ],
      indexBound: 6
    ),
    OperatorExample(
      Scatter(.maximum, axis: 2, includesSelf: false),
      [
        TensorType(.bfloat16, [2, 3, 9]), TensorType(.int64, [2, 2, 5]),
        TensorType(.bfloat16, [2, 2, 5]),
      ],
      indexBound: 9
    ),
    OperatorExample(
      Scatter(.minimum, axis: 0),
      [TensorType(.float64, [11]), TensorType(.int64, [20]), TensorType(.float64, [20])],
      indexBound: 11
    ),
    OperatorExample(
      // Updates are integers as indices are, and so within the same bounds.
      Scatter(.multiply, axis: 1, includesSelf: false),
      [TensorType(.int8, [2, 5]), TensorType(.int32, [2, 8]), TensorType(.int8, [2, 8])],
      indexBound: 5
    ),
    OperatorExample(
      Scatter(.add, axis: 0),
      [TensorType(.bool, [4, 3]), TensorType(.int64, [5, 2]), TensorType(.bool, [5, 2])],
      indexBound: 4
    ),
    OperatorExample(
      Scatter(.replace, axis: 0),
      [TensorType(.float32, [4, 3]), TensorType(.int64, [0, 3]), TensorType(.float32, [0, 3])],
      indexBound: 4
    ),
    OperatorExample(
      Scatter(.add, axis: 1),
      [TensorType(.float32, [0, 3]), TensorType(.int64, [0, 2]), TensorType(.float32, [0, 2])],
      indexBound: 3
    ),
  ]
}

extension DType {
  /// The numbers of an integer type or bool.
  var integers: ClosedRange<Int64> {
    switch self {
    case .bool: 0...1
    case .uint8: 0...255
    case .int8: -128...127
    case .int16: -32768...32767
    case .int32: Int64(Int32.min)...Int64(Int32.max)
    default: Int64.min...Int64.max
    }
  }
}

extension Graph {
  /// Combines updates into a copy of x along an axis: `torch.scatter`, `torch.scatter_reduce`.
  ///
  /// Updates larger than the index count as far as it goes.
  package mutating func scatter(
    _ x: ValueID,
    axis: Int,
    _ index: ValueID,
    _ updates: ValueID,
    _ kind: Scatter.Kind = .replace,
    includesSelf: Bool = true,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let axis = try self[x].type.shape.normalizedAxis(axis)
    var updates = updates
    if self[updates].type.rank == self[index].type.rank {
      updates = try slice(
        updates,
        self[index].type.shape.dimensions.map { SliceRange(nil, $0) }
      )
    }
    let op = Scatter(kind, axis: axis, includesSelf: includesSelf)
    return try addResult(op, [x, index, updates], name: name ?? "scatter")
  }

  /// Combines whole slices into a copy of x at positions `[K]` along an axis: `torch.index_copy`,
  /// `torch.index_add`, `torch.index_reduce`.
  package mutating func scatterSlices(
    _ x: ValueID,
    axis: Int,
    _ index: ValueID,
    _ updates: ValueID,
    _ kind: Scatter.Kind = .replace,
    includesSelf: Bool = true,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let (type, positions) = (self[updates].type, self[index].type)
    let axis = try self[x].type.shape.normalizedAxis(axis)
    guard positions.rank == 1, type.rank == self[x].type.rank else {
      throw Diagnostic(
        .shapeMismatch,
        "slices \(type) for \(self[x].type) at positions \(positions)",
        hint: "positions are [K], slices have the rank of the tensor"
      )
    }
    var extents = Array<Dimension>(repeating: 1, count: type.rank)
    extents[axis] = positions.shape[0]
    let whole = try expand(try reshape(index, extents), type.shape.dimensions)
    return try scatter(x, axis: axis, whole, updates, kind, includesSelf: includesSelf, name: name)
  }
}
