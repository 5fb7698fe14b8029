import AITGraph
import AITOperators

// What kernels of resizing are told on every target.
extension Resize {
  /// The scale factors of three axes, 0 for the ratio of the extents.
  package var kernelDefinitions: String {
    let list = ImageLoops.axes(scales ?? output.map { _ in 0 }, with: 0)
    return """
      struct Scales {
        static constexpr double kScales[3] = {\(list.map { "\($0)" }.joined(separator: ", "))};
      };

      """
  }

  /// Mode, scales and axes, as template arguments of the preludes.
  package var kernelArguments: [String] {
    let name = mode == .nearestExact ? "nearestExact" : mode.rawValue
    return [
      "ait::ResizeMode::\(name)", alignsCorners ? "true" : "false", "Scales", "\(output.count)",
    ]
  }
}
