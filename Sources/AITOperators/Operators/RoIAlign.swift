import AITGraph

/// Resamples boxes of channels-last images to one size.
///
/// images `[N, H, W, C]`, boxes `[R, 4]` (x1, y1, x2, y2) of floating-point types, the image of each
/// box `[R]` of int32 or int64; the result is `[R, P1, P2, C]`. A box, times `scale`, is cut into P1
/// by P2 bins; an element is the mean over samples of its bin, each interpolated between the four
/// elements around; a sample farther than 1 outside the image is 0. A bin has `sampling` samples along
/// each axis, or with 0 as many as it has elements, rounded up (none if that is more than 32768, or
/// not a number). With `isAligned`, coordinates are those of the elements' borders, half an element
/// from their middles; without, boxes are at least 1 wide and high.
///
/// With `isPerPosition`, C is P1 · P2 times that of the result, whose channel c of bin (i, j) is made
/// of channel (c · P1 + i) · P2 + j. An index outside 0..<N fails the run. float32 inside (float64 for
/// itself). Source: He and others 2017; `torchvision.ops.roi_align`, `ps_roi_align`.
package struct RoIAlign: Operator {
  package static let name = "roi_align"
  package static let summary = "boxes of channels-last images, resampled to one size"

  /// P1 and P2.
  package let output: [Int]
  package let sampling: Int
  package let scale: Double
  package let isAligned: Bool
  package let isPerPosition: Bool

  package init(
    output: [Int],
    sampling: Int = 0,
    scale: Double = 1,
    isAligned: Bool = false,
    isPerPosition: Bool = false
  ) {
    self.output = output
    self.sampling = max(sampling, 0)
    self.scale = scale
    self.isAligned = isAligned
    self.isPerPosition = isPerPosition
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    self.init(
      output: try attributes.integers("output"),
      sampling: try attributes.integer("sampling", default: 0),
      scale: try attributes.float("scale", default: 1),
      isAligned: try attributes.bool("aligned", default: false),
      isPerPosition: try attributes.bool("per_position", default: false)
    )
  }

  package var attributes: [Attribute] {
    [Attribute("output", .integers(output))]
      + (sampling == 0 ? [] : [Attribute("sampling", .integer(sampling))])
      + (scale == 1 ? [] : [Attribute("scale", .float(scale))])
      + (isAligned ? [Attribute("aligned", .bool(true))] : [])
      + (isPerPosition ? [Attribute("per_position", .bool(true))] : [])
  }

  package var traits: OperatorTraits { .acceptsEpilogue }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 3...3)
    let (x, boxes, index) = (operands[0], operands[1], operands[2])
    guard x.dtype.isFloatingPoint, boxes.dtype.isFloatingPoint else {
      throw Diagnostic(
        .dtypeMismatch,
        "roi_align of \(x) with boxes \(boxes)",
        hint: "cast both to floating-point types"
      )
    }
    try checkIndex(index)
    guard x.rank == 4, boxes.rank == 2, boxes.shape[1] == 4, index.shape == [boxes.shape[0]] else {
      throw Diagnostic(
        .shapeMismatch,
        "roi_align of \(x) with boxes \(boxes) of images \(index)",
        hint: "images are [N, H, W, C], boxes [R, 4], and their images [R]"
      )
    }
    guard output.count == 2, output.allSatisfy({ (1...Int(Int16.max)).contains($0) }),
      scale.isFinite, sampling <= Int(Int16.max)
    else {
      throw Diagnostic(
        .invalidAttribute,
        "roi_align to \(output) bins with \(sampling) samples and the scale \(scale)",
        hint: "bins are two positive numbers, samples at most \(Int16.max), the scale finite"
      )
    }
    var channels = x.shape[3]
    if isPerPosition {
      guard let own = channels.exactQuotient(by: Dimension(output[0] * output[1])) else {
        throw Diagnostic(
          .shapeMismatch,
          "roi_align of \(x) with channels for each of \(output) bins",
          hint: "the channels are a multiple of \(output[0] * output[1])"
        )
      }
      channels = own
    }
    let bins = output.map { Dimension($0) }
    return [TensorType(x.dtype, Shape([boxes.shape[0]] + bins + [channels]))]
  }
}

extension RoIAlign {
  /// The samples of a bin along an axis: two neighbours and the weight of the second; nil outside.
  private func samples(_ low: Double, _ high: Double, bins: Int, bin: Int, extent: Int)
    -> [(low: Int, high: Int, weight: Double)?]
  {
    let offset = isAligned ? 0.5 : 0
    let start = low * scale - offset
    var size = high * scale - offset - start
    if !isAligned { size = size.isNaN ? size : max(size, 1) }
    let width = size / Double(bins)
    let wanted = width.rounded(.up)
    let count = sampling > 0 ? sampling : wanted > 0 && wanted <= 32768 ? Int(wanted) : 0
    return (0..<count).map { sample in
      let at = start + Double(bin) * width + (Double(sample) + 0.5) * width / Double(count)
      guard at >= -1, at <= Double(extent), extent > 0 else { return nil }
      let position = max(at, 0)
      let low = Int(position)
      if low >= extent - 1 { return (extent - 1, extent - 1, 0) }
      return (low, low + 1, position - Double(low))
    }
  }

  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let (x, corners) = (operands[0], operands[1].doubles)
    let images = try checkedIndices(operands[2], below: x.shape[0])
    let shape = try extents(results[0])
    let strides = Positions.rowMajorStrides(x.shape)
    let values = x.doubles
    var found: [Double] = []
    found.reserveCapacity(shape.reduce(1, *))
    for place in Positions.indices(Array(shape.prefix(3))) {
      let (box, i, j) = (place[0], place[1], place[2])
      let corner = (0..<4).map { corners[4 * box + $0] }
      let rows = samples(corner[1], corner[3], bins: output[0], bin: i, extent: x.shape[1])
      let columns = samples(corner[0], corner[2], bins: output[1], bin: j, extent: x.shape[2])
      let count = Double(max(rows.count * columns.count, 1))
      for channel in 0..<shape[3] {
        let own = isPerPosition ? (channel * output[0] + i) * output[1] + j : channel
        func element(_ row: Int, _ column: Int) -> Double {
          values[images[box] * strides[0] + row * strides[1] + column * strides[2] + own]
        }
        var sum = 0.0
        for case .some(let y) in rows {
          for case .some(let x) in columns {
            sum += (1 - y.weight) * (1 - x.weight) * element(y.low, x.low)
            sum += (1 - y.weight) * x.weight * element(y.low, x.high)
            sum += y.weight * (1 - x.weight) * element(y.high, x.low)
            sum += y.weight * x.weight * element(y.high, x.high)
          }
        }
        found.append(sum / count)
      }
    }
    return [TensorData(x.dtype, shape, found)]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    let samples = sampling == 0 ? 2 : sampling
    return results[0].shape.elementCount * Dimension(8 * samples * samples)
  }

  private static let boxes: Dimension = .symbol("boxes", 0...20)

  package static let examples = [
    OperatorExample(
      RoIAlign(output: [3, 2], sampling: 2, scale: 4),
      [
        TensorType(.float32, [2, 9, 11, 5]), TensorType(.float32, [7, 4]),
        TensorType(.int64, [7]),
      ],
      indexBound: 2
    ),
    OperatorExample(
      RoIAlign(output: [2, 2], scale: 5, isAligned: true),
      [
        TensorType(.float16, [3, 8, 6, 32]), TensorType(.float16, [boxes, 4]),
        TensorType(.int32, [boxes]),
      ],
      indexBound: 3
    ),
    OperatorExample(
      RoIAlign(output: [2, 3], sampling: 1, scale: 3, isAligned: true, isPerPosition: true),
      [
        TensorType(.float32, [1, .symbol("h", 1...12), 7, 18]), TensorType(.float32, [4, 4]),
        TensorType(.int64, [4]),
      ],
      indexBound: 1
    ),
    OperatorExample(
      RoIAlign(output: [1, 4], scale: 6),
      [
        TensorType(.float64, [2, 5, 9, 3]), TensorType(.float32, [6, 4]), TensorType(.int64, [6]),
      ],
      indexBound: 2
    ),
    OperatorExample(
      RoIAlign(output: [2, 2]),
      [
        TensorType(.bfloat16, [1, 4, 4, 0]), TensorType(.bfloat16, [2, 4]),
        TensorType(.int64, [2]),
      ],
      indexBound: 1
    ),
  ]
}

extension Graph {
  /// Resamples boxes `[R, 4]` of channels-last images to one size.
  package mutating func roiAlign(
    _ x: ValueID,
    boxes: ValueID,
    images: ValueID,
    _ op: RoIAlign,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try addResult(op, [x, boxes, images], name: name ?? "roi_align")
  }

  /// Resamples regions `[R, 5]` of channels-last images to one size: the index of the image, then
  /// x1, y1, x2, y2.
  package mutating func roiAlign(
    _ x: ValueID,
    regions: ValueID,
    _ op: RoIAlign,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let type = self[regions].type
    guard type.rank == 2, type.shape[1] == 5 else {
      throw Diagnostic(
        .shapeMismatch,
        "roi_align with regions \(type)",
        hint: "regions are [R, 5]: the image, x1, y1, x2, y2"
      )
    }
    let image = try cast(try select(regions, axis: 1, 0), to: .int64)
    let boxes = try slice(regions, axis: 1, SliceRange(1))
    return try roiAlign(x, boxes: boxes, images: image, op, name: name)
  }
}
