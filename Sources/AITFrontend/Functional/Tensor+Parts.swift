import AITGraph
import AITOperators

// Joining tensors and cutting them into parts. Parts are views.

/// Tensors joined along an axis; PyTorch's `cat`.
///
/// Shapes agree but along the axis (`shape-mismatch`, `rank-mismatch`); element types promote.
public func concatenate(
  _ tensors: [Tensor],
  axis: Int = 0,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make(tensors, .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.concat(x, axis: axis)
  }
}

/// Tensors of one shape joined along a new axis.
public func stack(
  _ tensors: [Tensor],
  axis: Int = 0,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make(tensors, .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.stack(x, axis: axis)
  }
}

extension Tensor {
  /// Parts of the given extents along an axis, which sum up to that of the axis.
  public func split(
    sizes: [Dimension],
    axis: Int = 0,
    file: String = #fileID,
    line: Int = #line
  ) -> [Tensor] {
    parts(sizes.count, .resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.split(x, sizes: sizes, axis: axis)
    }
  }

  /// Parts of one extent along an axis, the last of which may be smaller.
  ///
  /// The extent of the axis is known; failing, the result is one tensor with the ``diagnostic``.
  public func split(
    size: Int,
    axis: Int = 0,
    file: String = #fileID,
    line: Int = #line
  ) -> [Tensor] {
    parts(1, .resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.split(x, size: size, axis: axis)
    }
  }

  /// A number of equal parts along an axis.
  ///
  /// As in PyTorch the last is smaller, and there may be fewer, if the number does not divide the
  /// extent; a symbolic extent must be divided by it.
  public func chunk(
    _ count: Int,
    axis: Int = 0,
    file: String = #fileID,
    line: Int = #line
  ) -> [Tensor] {
    parts(Swift.max(count, 1), .resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.chunk(x, count, axis: axis)
    }
  }

  /// Every position of an axis of known extent, the axis removed.
  public func unbind(axis: Int = 0, file: String = #fileID, line: Int = #line) -> [Tensor] {
    parts(1, .resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.unbind(x, axis: axis)
    }
  }

  private func parts(
    _ count: Int,
    _ callSite: CallSite?,
    _ build: (inout Graph, ValueID) throws(Diagnostic) -> [ValueID]
  ) -> [Tensor] {
    Tensor.make([self], resultCount: count, callSite) { (graph, x) throws(Diagnostic) in
      try build(&graph, x[0])
    }
  }
}
