import AITGraph
import AITKernels
import AITOperators

// What kernels of suppression are told on every target.
extension NMS {
  package var kernelDefinitions: String {
    let score =
      leastScore.isInfinite
      ? "\(leastScore < 0 ? "-" : "")__builtin_huge_val()" : "\(leastScore)"
    return """
      struct Thresholds {
        static constexpr double kOverlap = \(overlap);
        static constexpr double kScore = \(score);
      };

      """
  }

  /// Extents, then the strides of boxes, scores, positions and counts.
  package func kernelSizes(_ node: NodeContext) -> [Dimension] {
    let shape = node.inputs[1].type.shape
    return [shape[0], shape[1], count, candidates.map { Dimension($0) } ?? shape[1]]
      + (node.inputs + node.outputs).flatMap(\.layout.strides)
  }
}
