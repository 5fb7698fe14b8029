import AITGraph
import AITOperators

// Order and running results along an axis, counted from the end if negative. `axis-out-of-range` if
// there is no such axis.

extension Tensor {
  /// The largest or smallest elements along an axis, in order, and their positions (int64): PyTorch's
  /// `topk`.
  ///
  /// NaN counts as the largest number; of equal elements, the one at the lower position comes first.
  /// `invalid-attribute` for more elements than there are.
  public func topK(
    _ count: Dimension,
    axis: Int = -1,
    isLargest: Bool = true,
    file: String = #fileID,
    line: Int = #line
  ) -> (values: Tensor, positions: Tensor) {
    let results = Tensor.make([self], resultCount: 2, .resolved(file, line)) {
      (graph, x) throws(Diagnostic) in
      let found = try graph.topK(x[0], count, axis: axis, isLargest: isLargest)
      return [found.values, found.positions]
    }
    return (results[0], results[1])
  }

  /// The elements along an axis in order, and where they were (int64): PyTorch's `sort`, stable.
  ///
  /// NaN counts as the largest number.
  public func sort(
    axis: Int = -1,
    isDescending: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> (values: Tensor, positions: Tensor) {
    let results = Tensor.make([self], resultCount: 2, .resolved(file, line)) {
      (graph, x) throws(Diagnostic) in
      let found = try graph.sort(x[0], axis: axis, isDescending: isDescending)
      return [found.values, found.positions]
    }
    return (results[0], results[1])
  }

  /// The positions that put the elements along an axis in order (int64): PyTorch's `argsort`, stable.
  public func argSort(
    axis: Int = -1,
    isDescending: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    sort(axis: axis, isDescending: isDescending, file: file, line: line).positions
  }

  /// The sum of each element and all before it along an axis, of integers and bool in int64: PyTorch's
  /// `cumsum`.
  ///
  /// Exclusive sums leave the element itself out, reversed ones begin at the end.
  public func cumulativeSum(
    axis: Int,
    isExclusive: Bool = false,
    isReversed: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    scan(.sum, axis, isExclusive, isReversed, .resolved(file, line))
  }

  /// The product of each element and all before it along an axis, of integers and bool in int64:
  /// PyTorch's `cumprod`.
  public func cumulativeProduct(
    axis: Int,
    isExclusive: Bool = false,
    isReversed: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    scan(.product, axis, isExclusive, isReversed, .resolved(file, line))
  }

  /// The largest of each element and all before it along an axis: the values of PyTorch's `cummax`.
  public func cumulativeMax(
    axis: Int,
    isExclusive: Bool = false,
    isReversed: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    scan(.maximum, axis, isExclusive, isReversed, .resolved(file, line))
  }

  /// The smallest of each element and all before it along an axis: the values of PyTorch's `cummin`.
  public func cumulativeMin(
    axis: Int,
    isExclusive: Bool = false,
    isReversed: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    scan(.minimum, axis, isExclusive, isReversed, .resolved(file, line))
  }

  private func scan(
    _ kind: Scan.Kind,
    _ axis: Int,
    _ isExclusive: Bool,
    _ isReversed: Bool,
    _ callSite: CallSite?
  ) -> Tensor {
    unary(callSite) { (graph, x) throws(Diagnostic) in
      try graph.scan(x, kind, axis: axis, isExclusive: isExclusive, isReversed: isReversed)
    }
  }
}
