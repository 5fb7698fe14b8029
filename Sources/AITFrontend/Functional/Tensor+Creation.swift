import AITGraph
import AITOperators

extension Tensor {
  /// A tensor of one value.
  ///
  /// The extents may be symbols; the value is converted to the element type.
  public static func full(
    _ shape: Shape,
    _ value: Double,
    _ dtype: DType,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    make([], .resolved(file, line)) { (graph, _) throws(Diagnostic) in
      try graph.full(shape, value, dtype)
    }
  }

  /// A tensor of zeros.
  public static func zeros(
    _ shape: Shape,
    _ dtype: DType,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    full(shape, 0, dtype, file: file, line: line)
  }

  /// A tensor of ones.
  public static func ones(
    _ shape: Shape,
    _ dtype: DType,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    full(shape, 1, dtype, file: file, line: line)
  }

  /// A tensor of one value with the shape of another, and its element type unless one is given.
  public static func full(
    like x: Tensor,
    _ value: Double,
    _ dtype: DType? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    x.diagnostic == nil
      ? full(x.shape, value, dtype ?? x.dtype, file: file, line: line) : x
  }

  /// Whole numbers from 0 up to a count, which may be a symbol; PyTorch's `arange(count)`.
  public static func arange(
    _ count: Dimension,
    _ dtype: DType = .int64,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    make([], .resolved(file, line)) { (graph, _) throws(Diagnostic) in
      try graph.arange(count: count, dtype)
    }
  }

  /// Numbers from a start up to but not including an end, at equal steps.
  public static func arange(
    from start: Double,
    to end: Double,
    by step: Double = 1,
    _ dtype: DType,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    make([], .resolved(file, line)) { (graph, _) throws(Diagnostic) in
      try graph.arange(from: start, to: end, by: step, dtype)
    }
  }
}
