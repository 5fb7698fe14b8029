import AITGraph
import AITOperators

/// Resamples boxes of channels-last images to one size: torchvision's `roi_align` and, per position,
/// `ps_roi_align`.
///
/// - Parameters:
///   - x: `[N, H, W, C]`, of a floating-point type.
///   - regions: `[R, 5]`: the index of an image, then x1, y1, x2, y2; an index outside 0..<N fails the
///     run.
///   - size: the rows and columns of bins that a box is cut into.
///   - sampling: the samples of a bin along each axis; 0 for as many as it has elements.
///   - scale: of the boxes' coordinates to elements.
///   - isAligned: whether coordinates are those of the elements' borders, half an element from their
///     middles; AITemplate's `continuous_coordinate`.
///   - isPerPosition: whether every bin has channels of its own; AITemplate's `position_sensitive`.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: `[R, size…, C]`, with as many channels less per position; failing with `dtype-mismatch`,
///   `shape-mismatch` or `invalid-attribute`.
public func roiAlign(
  _ x: Tensor,
  _ regions: Tensor,
  size: [Int],
  sampling: Int = 0,
  scale: Double = 1,
  isAligned: Bool = false,
  isPerPosition: Bool = false,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  let op = RoIAlign(
    output: size,
    sampling: sampling,
    scale: scale,
    isAligned: isAligned,
    isPerPosition: isPerPosition
  )
  return .make([x, regions], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.roiAlign(x[0], regions: x[1], op)
  }
}

/// Keeps the best of boxes that overlap: torchvision's `nms`, for each batch, with results of a fixed
/// size.
///
/// - Parameters:
///   - boxes: `[B, N, 4]`, x1, y1, x2, y2.
///   - scores: `[B, N]`, of the same floating-point type.
///   - count: the most boxes that are kept.
///   - overlap: a box goes that has more than this of its union with a better one in common, 0 to 1.
///   - leastScore: only scores above count.
///   - candidates: how many of the best are looked at; all if nil.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: the positions of the boxes kept, best first, `[B, count]` of int64, −1 behind the last;
///   and their number `[B]`, int64. Failing with `dtype-mismatch`, `shape-mismatch` or
///   `invalid-attribute`.
public func nonMaximumSuppression(
  _ boxes: Tensor,
  scores: Tensor,
  count: Dimension,
  overlap: Double,
  leastScore: Double = -.infinity,
  candidates: Int? = nil,
  file: String = #fileID,
  line: Int = #line
) -> (positions: Tensor, counts: Tensor) {
  let op = NMS(count, overlap: overlap, leastScore: leastScore, candidates: candidates)
  let results = Tensor.make([boxes, scores], resultCount: 2, .resolved(file, line)) {
    (graph, x) throws(Diagnostic) in
    let found = try graph.nms(boxes: x[0], scores: x[1], op)
    return [found.positions, found.counts]
  }
  return (results[0], results[1])
}
