import AITGraph

// Without axes, or with an empty list of them, all elements are reduced, as in PyTorch.

extension Graph {
  /// The sum, in the given type or that of x; of integers and bool in int64.
  package mutating func sum(
    _ x: ValueID,
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    dtype: DType? = nil,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try reduce(.sum, cast(x, dtype), axes, keepsDimensions, name ?? "sum", dtype)
  }

  /// The mean of floating-point elements.
  package mutating func mean(
    _ x: ValueID,
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    dtype: DType? = nil,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try reduce(.mean, cast(x, dtype), axes, keepsDimensions, name ?? "mean")
  }

  /// The product, in the given type or that of x; of integers and bool in int64.
  package mutating func product(
    _ x: ValueID,
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    dtype: DType? = nil,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try reduce(.product, cast(x, dtype), axes, keepsDimensions, name ?? "product", dtype)
  }

  /// The largest element; NaN if there is one.
  package mutating func maximum(
    _ x: ValueID,
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try reduce(.maximum, x, axes, keepsDimensions, name ?? "maximum")
  }

  /// The smallest element; NaN if there is one.
  package mutating func minimum(
    _ x: ValueID,
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try reduce(.minimum, x, axes, keepsDimensions, name ?? "minimum")
  }

  /// Whether an element is other than 0: bool, but uint8 for uint8, as in PyTorch.
  package mutating func any(
    _ x: ValueID,
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try reduce(.any, x, axes, keepsDimensions, name ?? "any", truthType(of: x))
  }

  /// Whether all elements are other than 0: bool, but uint8 for uint8, as in PyTorch.
  package mutating func all(
    _ x: ValueID,
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try reduce(.all, x, axes, keepsDimensions, name ?? "all", truthType(of: x))
  }

  /// The logarithm of the sum of exponentials; integers are computed in float32.
  package mutating func logSumExp(
    _ x: ValueID,
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let x = self[x].type.dtype.isFloatingPoint ? x : try cast(x, to: .float32)
    return try reduce(.logSumExp, x, axes, keepsDimensions, name ?? "log_sum_exp")
  }

  /// The variance `Σ(x − mean)² / (count − correction)`.
  package mutating func variance(
    _ x: ValueID,
    axes: [Int]? = nil,
    correction: Double = 1,
    keepsDimensions: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let op = Reduce(
      .variance,
      axes: try reducedAxes(x, axes),
      keepsDimensions: keepsDimensions,
      correction: correction
    )
    return try addResult(op, [x], name: name ?? "variance")
  }

  /// The square root of the variance.
  package mutating func standardDeviation(
    _ x: ValueID,
    axes: [Int]? = nil,
    correction: Double = 1,
    keepsDimensions: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let name = name ?? "standard_deviation"
    let variance = try variance(
      x,
      axes: axes,
      correction: correction,
      keepsDimensions: keepsDimensions,
      name: "\(name)_variance"
    )
    return try pointwise(.sqrt, variance, name: name)
  }

  /// The norm `(Σ|x|^order)^(1/order)`; order 0 counts non-zeros, ±infinity takes the extremes.
  package mutating func norm(
    _ x: ValueID,
    order: Double = 2,
    axes: [Int]? = nil,
    keepsDimensions: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let op = Reduce(
      .norm,
      axes: try reducedAxes(x, axes),
      keepsDimensions: keepsDimensions,
      order: order
    )
    return try addResult(op, [x], name: name ?? "norm")
  }

  private func truthType(of x: ValueID) -> DType { self[x].type.dtype == .uint8 ? .uint8 : .bool }

  // MARK: - Axes

  private mutating func reduce(
    _ kind: Reduce.Kind,
    _ x: ValueID,
    _ axes: [Int]?,
    _ keepsDimensions: Bool,
    _ name: String,
    _ dtype: DType? = nil
  ) throws(Diagnostic) -> ValueID {
    let op = Reduce(kind, axes: try reducedAxes(x, axes), keepsDimensions: keepsDimensions)
    let result = try addResult(op, [x], name: name)
    // Integers are summed in int64; a narrower type asked for wraps at the end to the same bits.
    return try cast(result, to: dtype ?? self[result].type.dtype)
  }

  private mutating func cast(_ x: ValueID, _ type: DType?) throws(Diagnostic) -> ValueID {
    try cast(x, to: type ?? self[x].type.dtype)
  }

  /// Axes counted from 0, ascending.
  ///
  /// Rank 0 has the axes 0 and -1 by PyTorch's courtesy.
  private func reducedAxes(_ x: ValueID, _ axes: [Int]?) throws(Diagnostic) -> [Int] {
    let shape = self[x].type.shape
    guard let axes, !axes.isEmpty else { return Array(0..<shape.rank) }
    guard shape.rank > 0 else {
      _ = try Shape([1]).normalizedAxes(axes)
      return []
    }
    return try shape.normalizedAxes(axes).sorted()
  }
}
