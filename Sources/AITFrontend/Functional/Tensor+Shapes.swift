import AITGraph
import AITOperators

// Other shapes for the same elements. Nothing is computed where a view of the memory will do. Axes
// may count from the end: -1 is the last. `axis-out-of-range` if there is no such axis,
// `shape-mismatch` if the extents do not fit.

extension Tensor {
  /// The elements under other extents of the same product, one of which may be -1 and takes the
  /// rest.
  public func reshape(
    _ extents: [Dimension],
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.reshape(x, extents)
    }
  }

  /// The elements under other extents of the same product, one of which may be -1 and takes the
  /// rest.
  public func reshape(
    _ extents: Dimension...,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    reshape(extents, file: file, line: line)
  }

  /// The axes from `start` to `end`, both included, joined into one.
  public func flatten(
    start: Int = 0,
    end: Int = -1,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.flatten(x, start: start, end: end)
    }
  }

  /// One axis cut into several, one of which may be -1.
  public func unflatten(
    axis: Int,
    _ extents: [Dimension],
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.unflatten(x, axis: axis, extents)
    }
  }

  /// The tensor without its axes of extent 1, or without those of the given axes that have it.
  public func squeeze(
    axes: [Int]? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.squeeze(x, axes: axes)
    }
  }

  /// The tensor without an axis, if that has extent 1.
  public func squeeze(axis: Int, file: String = #fileID, line: Int = #line) -> Tensor {
    squeeze(axes: [axis], file: file, line: line)
  }

  /// The tensor with a new axis of extent 1 at a position of the result.
  public func unsqueeze(axis: Int, file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.unsqueeze(x, axis: axis)
    }
  }

  /// The tensor with axes of extent 1 repeated to the given extents; -1 keeps an extent, and extents
  /// may be added in front.
  public func expand(
    _ extents: [Dimension],
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in try graph.expand(x, extents) }
  }

  /// The tensor with axes of extent 1 repeated to the given extents; -1 keeps an extent, and extents
  /// may be added in front.
  public func expand(
    _ extents: Dimension...,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    expand(extents, file: file, line: line)
  }

  /// The axes in another order: axis i of the result is axis `axes[i]` of the tensor.
  public func permute(_ axes: [Int], file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in try graph.permute(x, axes) }
  }

  /// The axes in another order: axis i of the result is axis `axes[i]` of the tensor.
  public func permute(_ axes: Int..., file: String = #fileID, line: Int = #line) -> Tensor {
    permute(axes, file: file, line: line)
  }

  /// Two axes exchanged.
  public func transpose(
    _ first: Int,
    _ second: Int,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.transpose(x, first, second)
    }
  }

  /// The last two axes exchanged: the transposed matrix, or matrices.
  public var mT: Tensor {
    unary(nil) { (graph, x) throws(Diagnostic) in try graph.transpose(x, -2, -1) }
  }

  /// The tensor repeated as a whole along each axis; PyTorch's `tile`.
  ///
  /// More counts than axes add axes in front.
  public func tile(_ counts: [Dimension], file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in try graph.tile(x, counts) }
  }

  /// Each element repeated in place along an axis: `[a, b]` twice is `[a, a, b, b]`.
  public func repeatInterleave(
    _ count: Dimension,
    axis: Int,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.repeatInterleave(x, count, axis: axis)
    }
  }

  /// The tensor within a border of a constant.
  ///
  /// - Parameters:
  ///   - amounts: before and after the last axis, before and after the one ahead of it, and so on,
  ///     as in PyTorch; negative amounts cut.
  ///   - value: what the border holds.
  ///   - file: where the call stands.
  ///   - line: where the call stands.
  /// - Returns: the larger, or smaller, tensor.
  public func pad(
    _ amounts: [Dimension],
    value: Double = 0,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.pad(x, amounts, mode: .constant(value))
    }
  }

  /// What a border is filled with, by PyTorch's names.
  public enum PaddingMode: Hashable, Sendable {
    /// Mirrored at the edge element, which is not repeated.
    case reflect
    /// The edge element repeated.
    case replicate
    /// The other end of the axis.
    case circular
  }

  /// The tensor within a border of its own elements; amounts as in
  /// ``pad(_:value:file:line:)``, none negative.
  public func pad(
    _ amounts: [Dimension],
    mode: PaddingMode,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      switch mode {
      case .reflect: try graph.pad(x, amounts, mode: .reflect)
      case .replicate: try graph.pad(x, amounts, mode: .replicate)
      case .circular: try graph.pad(x, amounts, mode: .circular)
      }
    }
  }

  /// Axes in reverse.
  public func flip(axes: [Int], file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.flip(x, axes: axes)
    }
  }
}
