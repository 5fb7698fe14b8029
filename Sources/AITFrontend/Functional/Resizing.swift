import AITGraph
import AITOperators

/// How an element of a resized image is made of those around it; the names are PyTorch's.
public enum Interpolation: Sendable, CaseIterable {
  /// The element at or before the position.
  case nearest
  /// The element nearest to the middle of the new one.
  case nearestExact
  /// Two along each axis: `linear`, `bilinear` and `trilinear`.
  case linear
  /// Four along each axis, of one or two axes: `bicubic`.
  case cubic

  fileprivate var mode: Resize.Mode {
    switch self {
    case .nearest: .nearest
    case .nearestExact: .nearestExact
    case .linear: .linear
    case .cubic: .cubic
    }
  }
}

/// Resizes channels-last images to given extents: PyTorch's `interpolate` with `size`.
///
/// - Parameters:
///   - x: `[N, D1, …, Dk, C]` with k of 1 to 3, of a floating-point type.
///   - extents: the D of the result.
///   - mode: how elements are made of those around.
///   - alignsCorners: whether the outermost elements stay where they are, for linear and cubic.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: `[N, extents…, C]`; failing with `rank-mismatch`, `dtype-mismatch` or
///   `invalid-attribute`.
public func interpolate(
  _ x: Tensor,
  to extents: [Dimension],
  _ mode: Interpolation = .nearest,
  alignsCorners: Bool = false,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make([x], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.resize(x[0], to: extents, mode.mode, alignsCorners: alignsCorners)
  }
}

/// Resizes channels-last images by scale factors: PyTorch's `interpolate` with `scale_factor`.
///
/// - Parameters:
///   - x: `[N, D1, …, Dk, C]` with k of 1 to 3, of a floating-point type.
///   - scales: a factor for each D, whose extent becomes `⌊factor · D⌋`; of a D that a symbol decides,
///     a fraction with a denominator up to 1024.
///   - mode: how elements are made of those around.
///   - alignsCorners: whether the outermost elements stay where they are, for linear and cubic.
///   - recomputesScales: whether positions follow the ratio of the extents instead of the factors.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: `[N, …, C]`; failing with `rank-mismatch`, `dtype-mismatch` or `invalid-attribute`.
public func interpolate(
  _ x: Tensor,
  by scales: [Double],
  _ mode: Interpolation = .nearest,
  alignsCorners: Bool = false,
  recomputesScales: Bool = false,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make([x], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.resize(
      x[0],
      by: scales,
      mode.mode,
      alignsCorners: alignsCorners,
      recomputesScales: recomputesScales
    )
  }
}
