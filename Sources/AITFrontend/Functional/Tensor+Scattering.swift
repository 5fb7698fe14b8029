import AITGraph
import AITOperators

/// What becomes of an update and the element where it goes.
public enum ScatterReduction: Sendable, CaseIterable {
  /// The last update stays.
  case replace
  case add
  case multiply
  /// The larger stays; PyTorch's `amax`.
  case maximum
  /// The smaller stays; PyTorch's `amin`.
  case minimum

  fileprivate var kind: Scatter.Kind {
    switch self {
    case .replace: .replace
    case .add: .add
    case .multiply: .multiply
    case .maximum: .maximum
    case .minimum: .minimum
    }
  }
}

extension Tensor {
  /// A copy with updates at positions along an axis, one for each element of an index: PyTorch's
  /// `scatter` and `scatter_reduce`.
  ///
  /// The index is int32 or int64, has the tensor's rank, and is no larger but along the axis; the
  /// updates have its shape, or are larger. Where `includesSelf` is false, an element that has updates
  /// does not count itself. A position outside the axis fails the run. `dtype-mismatch`,
  /// `shape-mismatch`.
  public func scatter(
    axis: Int,
    _ index: Tensor,
    _ updates: Tensor,
    _ reduction: ScatterReduction = .replace,
    includesSelf: Bool = true,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    .make([self, index, updates], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.scatter(
        x[0],
        axis: axis,
        x[1],
        x[2],
        reduction.kind,
        includesSelf: includesSelf
      )
    }
  }

  /// A copy with slices at positions `[K]` along an axis: PyTorch's `index_copy`, `index_add` and
  /// `index_reduce`.
  ///
  /// The updates have K slices along the axis. A position outside it fails the run. `dtype-mismatch`,
  /// `shape-mismatch`.
  public func scatterSlices(
    axis: Int,
    _ index: Tensor,
    _ updates: Tensor,
    _ reduction: ScatterReduction = .replace,
    includesSelf: Bool = true,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    .make([self, index, updates], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.scatterSlices(
        x[0],
        axis: axis,
        x[1],
        x[2],
        reduction.kind,
        includesSelf: includesSelf
      )
    }
  }
}
