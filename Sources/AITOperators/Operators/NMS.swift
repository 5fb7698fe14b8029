import AITGraph

/// Keeps the best of boxes that overlap: non-maximum suppression.
///
/// boxes `[B, N, 4]` (x1, y1, x2, y2) and scores `[B, N]` of one floating-point type. Boxes are taken
/// from the best score down, of equal scores the one at the lower position first; a box is kept unless
/// its intersection with one that is kept already is more than `overlap` of their union. At most
/// `count` are kept; only scores above `leastScore` count (NaN is not), and of those only the best
/// `candidates`. The results are the positions of the boxes kept, `[B, count]` of int64, −1 behind the
/// last, and their number `[B]`, int64.
///
/// A box that is turned inside out has the area of its signs, as in torchvision. Half-precision boxes
/// are computed with in float32. Source: `torchvision.ops.nms`; the sizes are fixed as in ONNX and
/// TensorFlow (`non_max_suppression_padded`).
package struct NMS: Operator {
  package static let name = "nms"
  package static let summary = "non-maximum suppression of boxes, best score first"

  package let count: Dimension
  package let overlap: Double
  package let leastScore: Double
  /// nil for all.
  package let candidates: Int?

  package init(
    _ count: Dimension,
    overlap: Double,
    leastScore: Double = -.infinity,
    candidates: Int? = nil
  ) {
    self.count = count
    self.overlap = overlap
    self.leastScore = leastScore
    self.candidates = candidates
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    count = try attributes.dimension("count")
    overlap = try attributes.float("overlap")
    leastScore = try attributes.float("least_score", default: -.infinity)
    candidates = attributes.contains("candidates") ? try attributes.integer("candidates") : nil
  }

  package var attributes: [Attribute] {
    [Attribute("count", .dimensions([count])), Attribute("overlap", .float(overlap))]
      + (leastScore == -.infinity ? [] : [Attribute("least_score", .float(leastScore))])
      + (candidates.map { [Attribute("candidates", .integer($0))] } ?? [])
  }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 2...2)
    let (boxes, scores) = (operands[0], operands[1])
    guard boxes.dtype.isFloatingPoint, scores.dtype == boxes.dtype else {
      throw Diagnostic(
        .dtypeMismatch,
        "nms of boxes \(boxes) with scores \(scores)",
        hint: "cast both to one floating-point type"
      )
    }
    guard boxes.rank == 3, boxes.shape[2] == 4,
      scores.shape == [boxes.shape[0], boxes.shape[1]]
    else {
      throw Diagnostic(
        .shapeMismatch,
        "nms of boxes \(boxes) with scores \(scores)",
        hint: "boxes are [B, N, 4], scores [B, N]"
      )
    }
    guard count.lowerBound >= 0, (0...1).contains(overlap), !leastScore.isNaN,
      candidates ?? 0 >= 0
    else {
      throw Diagnostic(
        .invalidAttribute,
        "nms of \(count) boxes with the overlap \(overlap) above the score \(leastScore)",
        hint: "the number is not negative, the overlap lies in 0...1"
      )
    }
    return [TensorType(.int64, [boxes.shape[0], count]), TensorType(.int64, [boxes.shape[0]])]
  }
}

extension NMS {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let (corners, scores) = (operands[0].doubles, operands[1].doubles)
    let (batches, boxCount) = (operands[1].shape[0], operands[1].shape[1])
    let most = try extents(results[0])[1]
    func corner(_ box: Int, _ index: Int) -> Double { corners[4 * box + index] }
    func area(_ box: Int) -> Double {
      (corner(box, 2) - corner(box, 0)) * (corner(box, 3) - corner(box, 1))
    }
    func isOverlapping(_ a: Int, _ b: Int) -> Bool {
      let width = min(corner(a, 2), corner(b, 2)) - max(corner(a, 0), corner(b, 0))
      let height = min(corner(a, 3), corner(b, 3)) - max(corner(a, 1), corner(b, 1))
      let common = max(width, 0) * max(height, 0)
      return common / (area(a) + area(b) - common) > overlap
    }
    var positions: [Int64] = []
    var counts: [Int64] = []
    for batch in 0..<batches {
      let first = batch * boxCount
      let order = (first..<(first + boxCount)).filter { scores[$0] > leastScore }
        .sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }
      var kept: [Int] = []
      for box in order.prefix(candidates ?? boxCount)
      where kept.count < most && !kept.contains(where: { isOverlapping(box, $0) }) {
        kept.append(box)
      }
      positions += kept.map { Int64($0 - first) }
      positions += Array(repeating: -1, count: most - kept.count)
      counts.append(Int64(kept.count))
    }
    return [
      TensorData(.int64, [batches, most], integers: positions),
      TensorData(.int64, [batches], integers: counts),
    ]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    // Every box against those kept before, at worst.
    operands[1].shape.elementCount * count * 12
  }

  package static let examples = [
    OperatorExample(
      NMS(10, overlap: 0.1),
      [TensorType(.float32, [2, 50, 4]), TensorType(.float32, [2, 50])]
    ),
    OperatorExample(
      NMS(7, overlap: 0.3, leastScore: 0, candidates: 20),
      [
        TensorType(.float16, [.symbol("batch", 1...4), .symbol("boxes", 0...60), 4]),
        TensorType(.float16, [.symbol("batch", 1...4), .symbol("boxes", 0...60)]),
      ]
    ),
    OperatorExample(
      NMS(.symbol("boxes", 1...90), overlap: 0),
      [
        TensorType(.bfloat16, [1, .symbol("boxes", 1...90), 4]),
        TensorType(.bfloat16, [1, .symbol("boxes", 1...90)]),
      ]
    ),
    OperatorExample(
      NMS(33, overlap: 0.5),
      [TensorType(.float64, [3, 33, 4]), TensorType(.float64, [3, 33])]
    ),
    OperatorExample(
      NMS(300, overlap: 0.6, leastScore: -0.5),
      [TensorType(.float32, [1, 700, 4]), TensorType(.float32, [1, 700])]
    ),
    OperatorExample(
      NMS(3, overlap: 0.5),
      [TensorType(.float32, [0, 5, 4]), TensorType(.float32, [0, 5])]
    ),
    OperatorExample(
      NMS(0, overlap: 0.5),
      [TensorType(.float32, [2, 5, 4]), TensorType(.float32, [2, 5])]
    ),
  ]
}

extension Graph {
  /// The positions of the boxes that are kept, and how many there are.
  package mutating func nms(boxes: ValueID, scores: ValueID, _ op: NMS, name: String? = nil)
    throws(Diagnostic) -> (positions: ValueID, counts: ValueID)
  {
    let results = try addNode(op, [boxes, scores], name: name ?? "nms")
    return (results[0], results[1])
  }
}
