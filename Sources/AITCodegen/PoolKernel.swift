import AITGraph
import AITOperators

// What kernels of pools are told on every target.
extension Pool {
  /// Kind, windows and what an average divides by, as template arguments of the preludes.
  package var kernelArguments: [String] {
    let windows = if case .adaptive = placement { "adaptive" } else { "regular" }
    return [
      "ait::PoolKind::\(kind.rawValue)", "ait::PoolWindows::\(windows)",
      countsPadding ? "true" : "false",
    ]
  }

  /// Of regular windows: sizes, strides, padding before and behind, and dilation of three axes.
  package var kernelSizes: [Dimension] {
    guard case .regular(let windows) = placement else { return [] }
    let lists: [(numbers: [Int], filler: Int)] = [
      (windows.size, 1), (windows.stride, 1), (windows.low, 0), (windows.high, 0),
      (windows.dilation, 1),
    ]
    return lists.flatMap { ImageLoops.axes($0.numbers, with: $0.filler).map { Dimension($0) } }
  }
}
