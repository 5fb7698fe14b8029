import AITGraph
import AITOperators

/// What stands in the brackets of a subscript of a tensor, for one axis: a position, a range, or one
/// of `.all`, `.ellipsis`, `.newAxis` and `.range(…)`.
public protocol TensorIndex {
  /// What is taken of the axis.
  var tensorIndex: AnyTensorIndex { get }
}

/// What a subscript takes of an axis.
public struct AnyTensorIndex: TensorIndex {
  enum Content {
    case position(Dimension)
    case range(SliceRange)
    case ellipsis
    case newAxis
  }

  let content: Content

  /// The index itself.
  public var tensorIndex: AnyTensorIndex { self }

  static func range(_ start: Int?, _ stop: Int?) -> AnyTensorIndex {
    AnyTensorIndex(
      content: .range(SliceRange(start.map { Dimension($0) }, stop.map { Dimension($0) }))
    )
  }
}

extension TensorIndex where Self == AnyTensorIndex {
  /// The whole axis, Python's `:`.
  public static var all: AnyTensorIndex { AnyTensorIndex(content: .range(.all)) }

  /// All axes that no other index stands for, Python's `...`.
  public static var ellipsis: AnyTensorIndex { AnyTensorIndex(content: .ellipsis) }

  /// A new axis of extent 1, Python's `None`.
  public static var newAxis: AnyTensorIndex { AnyTensorIndex(content: .newAxis) }

  /// A range as Python writes it, `start:stop:step`: negative positions count from the end,
  /// positions beyond an end are clamped, and what is nil reaches to the end.
  public static func range(
    from start: Dimension? = nil,
    to stop: Dimension? = nil,
    by step: Int = 1
  )
    -> AnyTensorIndex
  {
    AnyTensorIndex(content: .range(SliceRange(start, stop, step: step)))
  }
}

extension Int: TensorIndex {
  /// One position, whose axis is removed; negative ones count from the end.
  public var tensorIndex: AnyTensorIndex { AnyTensorIndex(content: .position(Dimension(self))) }
}

extension Dimension: TensorIndex {
  /// One position, whose axis is removed.
  public var tensorIndex: AnyTensorIndex { AnyTensorIndex(content: .position(self)) }
}

extension Range: TensorIndex where Bound == Int {
  /// The positions from the lower up to but not including the upper bound.
  public var tensorIndex: AnyTensorIndex { .range(lowerBound, upperBound) }
}

extension ClosedRange: TensorIndex where Bound == Int {
  /// The positions from the lower to the upper bound; an upper bound of -1 is the last position.
  public var tensorIndex: AnyTensorIndex {
    .range(lowerBound, upperBound == -1 ? nil : upperBound + 1)
  }
}

extension PartialRangeFrom: TensorIndex where Bound == Int {
  /// The positions from the bound on; `(-2)...` takes the last two.
  public var tensorIndex: AnyTensorIndex { .range(lowerBound, nil) }
}

extension PartialRangeUpTo: TensorIndex where Bound == Int {
  /// The positions before the bound; `..<(-1)` leaves the last one out.
  public var tensorIndex: AnyTensorIndex { .range(nil, upperBound) }
}

extension PartialRangeThrough: TensorIndex where Bound == Int {
  /// The positions up to the bound; `...(-1)` is the whole axis.
  public var tensorIndex: AnyTensorIndex {
    .range(nil, upperBound == -1 ? nil : upperBound + 1)
  }
}

extension Tensor {
  /// Part of the tensor, as Python's subscripts: a position removes its axis, a range keeps it, axes
  /// without an index stay whole.
  ///
  /// ```swift
  /// x[0]                      // the first row
  /// x[.all, 1..<3, .newAxis]  // Python's x[:, 1:3, None]
  /// x[.ellipsis, -1]          // Python's x[..., -1]
  /// x[.range(by: -1)]         // Python's x[::-1]
  /// ```
  ///
  /// `axis-out-of-range` for a position outside the axis, `rank-mismatch` for more indices than
  /// axes, `invalid-attribute` for a second `.ellipsis`.
  public subscript(
    _ indices: any TensorIndex..., file file: String = #fileID, line line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      let type = graph.type(of: x)
      var contents = indices.map(\.tensorIndex.content)
      try Self.resolveEllipsis(&contents, type)
      var result = try graph.slice(
        x,
        contents.compactMap { content in
          switch content {
          case .range(let range): range
          case .position: .all
          case .ellipsis, .newAxis: nil
          }
        }
      )
      var axis = 0
      for content in contents {
        switch content {
        case .position(let position): result = try graph.select(result, axis: axis, position)
        case .newAxis:
          result = try graph.unsqueeze(result, axis: axis)
          axis += 1
        case .range, .ellipsis: axis += 1
        }
      }
      return result
    }
  }

  /// Puts whole axes in the place of an ellipsis.
  private static func resolveEllipsis(
    _ contents: inout [AnyTensorIndex.Content],
    _ type: TensorType
  )
    throws(Diagnostic)
  {
    var count = 0
    var ellipses: [Int] = []
    for (place, content) in contents.enumerated() {
      switch content {
      case .position, .range: count += 1
      case .ellipsis: ellipses.append(place)
      case .newAxis: break
      }
    }
    guard count <= type.rank else {
      throw Diagnostic(.rankMismatch, "\(count) indices for the \(type.rank) axes of \(type)")
    }
    guard let place = ellipses.first else { return }
    guard ellipses.count == 1 else {
      throw Diagnostic(.invalidAttribute, "\(ellipses.count) ellipses in one subscript of \(type)")
    }
    let whole = Array(repeating: AnyTensorIndex.Content.range(.all), count: type.rank - count)
    contents.replaceSubrange(place...place, with: whole)
  }

  /// A range of one axis, Python's `start:stop:step`.
  public func slice(
    axis: Int,
    from start: Dimension? = nil,
    to stop: Dimension? = nil,
    by step: Int = 1,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.slice(x, axis: axis, SliceRange(start, stop, step: step))
    }
  }

  /// One position of an axis, the axis removed.
  public func select(
    axis: Int,
    _ position: Dimension,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.select(x, axis: axis, position)
    }
  }

  // MARK: - By tensors of positions

  /// The slices along an axis at the positions of an index of any rank, whose axes take the place of
  /// the axis.
  ///
  /// The index is int32 or int64 (`dtype-mismatch`); a position outside the axis fails the run.
  public func indexSelect(
    axis: Int,
    _ index: Tensor,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    .make([self, index], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.indexSelect(x[0], axis: axis, x[1])
    }
  }

  /// One element along an axis for each element of an index: PyTorch's `gather`.
  public func gather(
    axis: Int,
    _ index: Tensor,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    .make([self, index], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.gather(x[0], axis: axis, x[1])
    }
  }
}

/// The rows of a table at the positions of an index: PyTorch's `embedding`.
///
/// - Parameters:
///   - index: `[…]` of int32 or int64; a position outside the table fails the run.
///   - table: `[V, D]`.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: `[…, D]`.
public func embedding(
  _ index: Tensor,
  table: Tensor,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make([index, table], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.embedding(x[0], table: x[1])
  }
}
