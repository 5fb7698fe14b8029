import AITGraph
import AITOperators

/// Windows that lie at regular distances over the axes of an image.
public struct PoolWindows: Hashable, Sendable {
  let windows: Pool.Windows

  /// Creates windows; every list has a number for each axis of the image.
  ///
  /// - Parameters:
  ///   - size: the elements of a window.
  ///   - stride: the distance of neighbouring windows; a window's size if nil.
  ///   - padding: what surrounds the image, before and behind; none if nil.
  ///   - paddingBehind: what lies behind, where it differs.
  ///   - dilation: the distance of elements in a window, for maxima; 1 if nil.
  ///   - roundsUp: whether a last window may reach beyond the padding; PyTorch's `ceil_mode`.
  public init(
    _ size: [Int],
    stride: [Int]? = nil,
    padding: [Int]? = nil,
    paddingBehind: [Int]? = nil,
    dilation: [Int]? = nil,
    roundsUp: Bool = false
  ) {
    windows = Pool.Windows(
      size,
      stride: stride,
      low: padding,
      high: paddingBehind,
      dilation: dilation,
      roundsUp: roundsUp
    )
  }
}

/// The largest element of each window of channels-last images: PyTorch's `max_pool1d` to `max_pool3d`.
///
/// Padding is −∞, NaN the largest number.
///
/// - Parameters:
///   - x: `[N, D1, …, Dk, C]` with k of 1 to 3, of a floating-point type.
///   - windows: the windows over the D.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: `[N, …, C]`; failing with `rank-mismatch`, `dtype-mismatch`, or `invalid-attribute` for
///   windows that do not suit the image.
public func maxPool(
  _ x: Tensor,
  _ windows: PoolWindows,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make([x], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.maxPool(x[0], windows.windows)
  }
}

/// The average of each window of channels-last images: PyTorch's `avg_pool1d` to `avg_pool3d`.
///
/// - Parameters:
///   - x: `[N, D1, …, Dk, C]` with k of 1 to 3, of a floating-point type.
///   - windows: the windows over the D.
///   - countsPadding: whether padding counts as elements; PyTorch's `count_include_pad`.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: `[N, …, C]`; failing with `rank-mismatch`, `dtype-mismatch`, or `invalid-attribute` for
///   windows that do not suit the image.
public func averagePool(
  _ x: Tensor,
  _ windows: PoolWindows,
  countsPadding: Bool = true,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make([x], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.averagePool(x[0], windows.windows, countsPadding: countsPadding)
  }
}

/// The average of windows that share an image out: PyTorch's `adaptive_avg_pool1d` to `3d`.
///
/// - Parameters:
///   - x: `[N, D1, …, Dk, C]` with k of 1 to 3, of a floating-point type.
///   - counts: the number of windows along each D.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: `[N, counts…, C]`; failing with `rank-mismatch`, `dtype-mismatch` or
///   `invalid-attribute`.
public func adaptiveAveragePool(
  _ x: Tensor,
  _ counts: [Int],
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make([x], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.adaptivePool(x[0], .average, counts: counts)
  }
}

/// The largest element of windows that share an image out: PyTorch's `adaptive_max_pool1d` to `3d`.
///
/// - Parameters:
///   - x: `[N, D1, …, Dk, C]` with k of 1 to 3, of a floating-point type.
///   - counts: the number of windows along each D.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: `[N, counts…, C]`; failing with `rank-mismatch`, `dtype-mismatch` or
///   `invalid-attribute`.
public func adaptiveMaxPool(
  _ x: Tensor,
  _ counts: [Int],
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make([x], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.adaptivePool(x[0], .maximum, counts: counts)
  }
}
