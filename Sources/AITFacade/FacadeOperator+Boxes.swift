import AITFrontend
import AITGraph
import AITOperators

extension FacadeOperator {
  /// The best elements, the best boxes, and what lies in boxes.
  ///
  /// A box is x1, y1, x2, y2.
  static let boxes: [FacadeOperator] = [
    FacadeOperator(
      "topk",
      "The k largest elements along the last axis, in order, and their positions as int64",
      attributes: [.integer("k")],
      [.tensor("x")],
      results: .tuple
    ) { (call) throws(Diagnostic) in
      try largest(try call.tensor("x", rank: 1...Int.max), try call.integer("k"))
    },
    FacadeOperator(
      "nms",
      "The best nmsMaxOut boxes that overlap no better one by more than iouThreshold, best first, "
        + "zeros behind the last: x [B, N, 4], scores [B, N]. The best preNmsTop are looked at, of "
        + "those at least minBoxSize wide and high",
      attributes: suppressionAttributes,
      [.tensor("x"), .tensor("scores")]
    ) { (call) throws(Diagnostic) in
      let boxes = try call.tensor("x", rank: 3...3)
      let scores = try withoutSmall(boxes, try call.tensor("scores", rank: 2...2), call)
      let kept = nonMaximumSuppression(
        boxes,
        scores: scores,
        count: Dimension(try call.integer("nmsMaxOut")),
        overlap: try call.number("iouThreshold"),
        candidates: try call.integer("preNmsTop")
      )
      return [try rows(boxes, kept.positions)]
    },
    FacadeOperator(
      "batched_nms",
      "1 for boxes that overlap no better one by more than iou_threshold, 0 for others: x [N, 4], the "
        + "best first, gives int64 [N]; the best keep_n at most, all if it is negative",
      attributes: [
        FacadeParameter("iou_threshold", .number, default: .number(0.5)),
        FacadeParameter("keep_n", .integer, default: .integer(-1)),
      ],
      [.tensor("x")]
    ) { (call) throws(Diagnostic) in [try keptMask(call)] },
    FacadeOperator(
      "efficient_nms",
      "As nms within each class, the best of all classes together: boxes [B, N, C, 4], scores "
        + "[B, N, C]. Gives their number [B, 1], boxes, scores and classes, zeros behind the last",
      attributes: suppressionAttributes,
      [.tensor("boxes"), .tensor("scores")],
      results: .tuple
    ) { (call) throws(Diagnostic) in try detections(call) },
    FacadeOperator(
      "roi_align",
      "Regions of images, resampled to pooled_size rows and columns: x [N, H, W, C], rois "
        + "[num_rois, 5] of the image, then the box",
      attributes: alignmentAttributes,
      [.tensor("x"), .tensor("rois")]
    ) { (call) throws(Diagnostic) in
      let count = Dimension(try call.integer("num_rois"))
      let regions = try matching(try call.tensor("rois", rank: 2...2), axis: 0, count)
      let scale = try call.number("spatial_scale")
      return [try aligned(try call.tensor("x"), regions, scale: scale, call)]
    },
    FacadeOperator(
      "multi_level_roi_align",
      "As roi_align, of the pyramid's level that suits the size of a region: p2 [N, H / 4, W / 4, C] "
        + "for those below 112 elements of the image, to p5 [N, H / 32, W / 32, C] for 448 and more; "
        + "rois [N · num_rois, 5]. The scales are those of the levels: spatial_scale and im_shape do "
        + "not matter",
      attributes: alignmentAttributes + [FacadeParameter("im_shape", .integers)],
      ["p2", "p3", "p4", "p5", "rois"].map { .tensor($0) }
    ) { (call) throws(Diagnostic) in [try alignedByLevel(call)] },
  ]

  private static let suppressionAttributes: [FacadeParameter] = [
    FacadeParameter("preNmsTop", .integer, default: .integer(2000)),
    FacadeParameter("nmsMaxOut", .integer, default: .integer(200)),
    FacadeParameter("iouThreshold", .number, default: .number(0.5)),
    FacadeParameter("minBoxSize", .number, default: .integer(0)),
  ]

  // MARK: - The best boxes

  /// The largest elements along the last axis, and where they were.
  private static func largest(_ x: Tensor, _ count: Int) throws(Diagnostic) -> [Tensor] {
    try Tensor.building([x], resultCount: 2) { (graph, x) throws(Diagnostic) in
      let found = try graph.topK(x[0], Dimension(count))
      return [found.values, found.positions]
    }
  }

  /// The scores, −∞ for boxes that are too small.
  private static func withoutSmall(_ boxes: Tensor, _ scores: Tensor, _ call: FacadeCall)
    throws(Diagnostic) -> Tensor
  {
    let least = try call.number("minBoxSize")
    guard boxes.extent(-1) == 4,
      scores.type
        == TensorType(
          boxes.dtype,
          Shape(
            Array(boxes.shape.dimensions.dropLast())
          )
        )
    else {
      throw call.failure(
        scores.dtype == boxes.dtype ? .shapeMismatch : .dtypeMismatch,
        "boxes \(boxes.type) with scores \(scores.type)",
        hint: "boxes have a last axis of 4 numbers, scores have none, and their types agree"
      )
    }
    guard least > 0 else { return scores }
    let sides = boxes[.ellipsis, 2...] - boxes[.ellipsis, ..<2]
    return Tensor.where((sides .< least).any(axis: -1), -Double.infinity, scores)
  }

  /// Rows `[B, K, D]` of x `[B, N, D]` at positions `[B, K]`; zeros where one is negative.
  private static func rows(_ x: Tensor, _ positions: Tensor) throws(Diagnostic) -> Tensor {
    if let diagnostic = positions.diagnostic { throw diagnostic }
    let extents = positions.shape.dimensions + [x.extent(2)]
    let isPresent = (positions .>= 0).unsqueeze(axis: -1)
    let index = maximum(positions, 0).unsqueeze(axis: -1).expand(extents)
    return Tensor.where(isPresent, x.gather(axis: 1, index), 0.0)
  }

  private static func keptMask(_ call: FacadeCall) throws(Diagnostic) -> Tensor {
    let boxes = try call.tensor("x", rank: 2...2)
    let count = boxes.extent(0)
    let most = try call.integer("keep_n")
    // Of equal scores the first box is taken first.
    let kept = nonMaximumSuppression(
      boxes.unsqueeze(axis: 0),
      scores: .zeros([1, count], boxes.dtype),
      count: most < 0 ? count : .minimum([Dimension(most), count]),
      overlap: try call.number("iou_threshold")
    )
    // What is behind the last goes to a place behind all.
    let positions = kept.positions.flatten() + 1
    return try built([positions]) { (graph, x) throws(Diagnostic) in
      let none = try graph.full([count + 1], 0, .int64)
      let ones = try graph.full(like: x[0], 1)
      let mask = try graph.scatter(none, axis: 0, x[0], ones)
      return try graph.slice(mask, axis: 0, SliceRange(1))
    }
  }

  private static func detections(_ call: FacadeCall) throws(Diagnostic) -> [Tensor] {
    let boxes = try call.tensor("boxes", rank: 4...4)
    var scores = try withoutSmall(boxes, try call.tensor("scores", rank: 3...3), call)
    let most = try call.integer("nmsMaxOut")
    let (batch, count, classes) = (boxes.extent(0), boxes.extent(1), boxes.extent(2))
    // Only the best of all classes together are candidates.
    let candidates = try call.integer("preNmsTop")
    if (count * classes).lowerBound > candidates, candidates > 0 {
      let last = try largest(scores.flatten(start: 1), candidates)[0][.all, -1]
      scores = Tensor.where(scores .>= last.reshape([batch, 1, 1]), scores, -Double.infinity)
    }
    // Each class by itself: [B · C, N].
    let byClass = scores.permute([0, 2, 1]).reshape([batch * classes, count])
    let boxesByClass = boxes.permute([0, 2, 1, 3])
    let kept = nonMaximumSuppression(
      boxesByClass.reshape([batch * classes, count, 4]),
      scores: byClass,
      count: Dimension(most),
      overlap: try call.number("iouThreshold"),
      candidates: candidates
    )
    // The best of all: [B, C · M].
    let found = Tensor.where(
      kept.positions .>= 0,
      byClass.gather(axis: 1, maximum(kept.positions, 0)),
      -Double.infinity
    ).reshape([batch, classes * Dimension(most)])
    if let diagnostic = found.diagnostic { throw diagnostic }
    let best = try largest(found, most)
    let isPresent = best[0] .> -Double.infinity
    let kind = floorDivide(best[1], most)
    let place = kept.positions.reshape([batch, classes * Dimension(most)]).gather(axis: 1, best[1])
    let row: Tensor
    switch number(count, .int64) {
    case let count as Tensor: row = kind * count + place
    default: row = kind * (count.constant ?? 0) + place
    }
    return [
      isPresent.sum(axis: 1, keepsDimensions: true),
      try rows(
        boxesByClass.reshape([batch, classes * count, 4]),
        Tensor.where(isPresent, row, -1)
      ),
      Tensor.where(isPresent, best[0], 0.0),
      Tensor.where(isPresent, kind, 0),
    ]
  }

  // MARK: - What lies in boxes

  private static let alignmentAttributes: [FacadeParameter] = [
    .integer("num_rois"), .integer("pooled_size"), .integer("sampling_ratio"),
    .number("spatial_scale"), FacadeParameter("position_sensitive", .bool),
    FacadeParameter("continuous_coordinate", .bool),
  ]

  private static func aligned(
    _ x: Tensor,
    _ regions: Tensor,
    scale: Double,
    _ call: FacadeCall
  ) throws(Diagnostic) -> Tensor {
    let size = try call.integer("pooled_size")
    return roiAlign(
      x,
      regions,
      size: [size, size],
      sampling: try call.integer("sampling_ratio"),
      scale: scale,
      isAligned: try call.bool("continuous_coordinate"),
      isPerPosition: try call.bool("position_sensitive")
    )
  }

  /// The level of Lin and others 2017: 4 for a region of 224 by 224, one less for half its side.
  private static func alignedByLevel(_ call: FacadeCall) throws(Diagnostic) -> Tensor {
    let first = try call.tensor("p2", rank: 4...4)
    let count = first.extent(0) * Dimension(try call.integer("num_rois"))
    let regions = try matching(try call.tensor("rois", rank: 2...2), axis: 0, count)
    guard regions.extent(1) == 5 else {
      throw call.failure(.shapeMismatch, "'rois' is \(regions.type), expected [R, 5]")
    }
    let sides = (regions[.all, 3...] - regions[.all, 1..<3]).cast(to: .float32)
    let area = sides[.all, 0] * sides[.all, 1]
    var result = try aligned(first, regions, scale: 0.25, call)
    for (level, least) in [(3, 112.0), (4, 224), (5, 448)] {
      let isLarger = (area .>= least * least).reshape([count, 1, 1, 1])
      let scale = 1 / Double(1 << level)
      let larger = try aligned(try call.tensor("p\(level)"), regions, scale: scale, call)
      result = Tensor.where(isLarger, larger, result)
    }
    return result
  }
}
