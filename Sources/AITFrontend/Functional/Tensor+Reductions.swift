import AITGraph
import AITOperators

// Reductions over axes, or over all elements where none are given. The axes are removed, or kept
// with extent 1. Half-precision types are accumulated in float32. `axis-out-of-range` if there is
// no such axis; `shape-mismatch` for the extrema of no elements.

extension Tensor {
  /// The sum; of integers and bool in int64.
  ///
  /// If a type is given, the elements are converted to it first.
  public func sum(
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    dtype: DType? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.sum(x, axes: axes, keepsDimensions: keepsDimensions, dtype: dtype)
    }
  }

  /// The sum; of integers and bool in int64.
  ///
  /// If a type is given, the elements are converted to it first.
  public func sum(
    axis: Int,
    keepsDimensions: Bool = false,
    dtype: DType? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    sum(axes: [axis], keepsDimensions: keepsDimensions, dtype: dtype, file: file, line: line)
  }

  /// The mean of floating-point elements; `dtype-mismatch` for others without a type given.
  public func mean(
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    dtype: DType? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.mean(x, axes: axes, keepsDimensions: keepsDimensions, dtype: dtype)
    }
  }

  /// The mean of floating-point elements; `dtype-mismatch` for others without a type given.
  public func mean(
    axis: Int,
    keepsDimensions: Bool = false,
    dtype: DType? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    mean(axes: [axis], keepsDimensions: keepsDimensions, dtype: dtype, file: file, line: line)
  }

  /// The product; of integers and bool in int64; PyTorch's `prod`.
  public func product(
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    dtype: DType? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.product(x, axes: axes, keepsDimensions: keepsDimensions, dtype: dtype)
    }
  }

  /// The product; of integers and bool in int64; PyTorch's `prod`.
  public func product(
    axis: Int,
    keepsDimensions: Bool = false,
    dtype: DType? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    product(axes: [axis], keepsDimensions: keepsDimensions, dtype: dtype, file: file, line: line)
  }

  /// The largest element, or NaN if there is one; PyTorch's `amax`.
  public func max(
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.maximum(x, axes: axes, keepsDimensions: keepsDimensions)
    }
  }

  /// The largest element, or NaN if there is one; PyTorch's `amax`.
  public func max(
    axis: Int,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    max(axes: [axis], keepsDimensions: keepsDimensions, file: file, line: line)
  }

  /// The smallest element, or NaN if there is one; PyTorch's `amin`.
  public func min(
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.minimum(x, axes: axes, keepsDimensions: keepsDimensions)
    }
  }

  /// The smallest element, or NaN if there is one; PyTorch's `amin`.
  public func min(
    axis: Int,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    min(axes: [axis], keepsDimensions: keepsDimensions, file: file, line: line)
  }

  /// Whether an element is other than 0: bool.
  public func any(
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.any(x, axes: axes, keepsDimensions: keepsDimensions)
    }
  }

  /// Whether an element is other than 0: bool.
  public func any(
    axis: Int,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    any(axes: [axis], keepsDimensions: keepsDimensions, file: file, line: line)
  }

  /// Whether all elements are other than 0: bool.
  public func all(
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.all(x, axes: axes, keepsDimensions: keepsDimensions)
    }
  }

  /// Whether all elements are other than 0: bool.
  public func all(
    axis: Int,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    all(axes: [axis], keepsDimensions: keepsDimensions, file: file, line: line)
  }

  /// The logarithm of the sum of exponentials, in a stable form.
  public func logSumExp(
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.logSumExp(x, axes: axes, keepsDimensions: keepsDimensions)
    }
  }

  /// The logarithm of the sum of exponentials, in a stable form.
  public func logSumExp(
    axis: Int,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    logSumExp(axes: [axis], keepsDimensions: keepsDimensions, file: file, line: line)
  }

  /// The variance: `Σ(x − mean)² / (count − correction)`; PyTorch's `var`.
  public func variance(
    axes: [Int]? = nil,
    correction: Double = 1,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.variance(
        x,
        axes: axes,
        correction: correction,
        keepsDimensions: keepsDimensions
      )
    }
  }

  /// The square root of the variance; PyTorch's `std`.
  public func standardDeviation(
    axes: [Int]? = nil,
    correction: Double = 1,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.standardDeviation(
        x,
        axes: axes,
        correction: correction,
        keepsDimensions: keepsDimensions
      )
    }
  }

  /// The norm `(Σ|x|^order)^(1/order)`; order 0 counts non-zeros, ±infinity takes the extremes.
  public func norm(
    order: Double = 2,
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.norm(x, order: order, axes: axes, keepsDimensions: keepsDimensions)
    }
  }

  /// The position of the largest element along an axis, or among all elements: int64.
  ///
  /// The first of equal ones counts.
  public func argMax(
    axis: Int? = nil,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.argmax(x, axis: axis, keepsDimensions: keepsDimensions)
    }
  }

  /// The position of the smallest element along an axis, or among all elements: int64.
  ///
  /// The first of equal ones counts.
  public func argMin(
    axis: Int? = nil,
    keepsDimensions: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.argmin(x, axis: axis, keepsDimensions: keepsDimensions)
    }
  }
}
