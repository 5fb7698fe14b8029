import AITGraph

/// Resizes channels-last images by interpolation.
///
/// x is `[N, D1, …, Dk, C]` with k of 1 to 3, of a floating-point type; the result has the D given.
/// An element at the position p of an axis of n elements stands at `(p + ½) · m / n − ½` of the m that
/// the axis had; with `alignsCorners` at `p · (m − 1) / (n − 1)`; with a scale factor, the ratio m / n
/// is its reciprocal. It is
/// - `nearest`: the element at `⌊p · m / n⌋`; `nearest_exact`: at `⌊(p + ½) · m / n⌋`, both computed in
///   float32 (float64 for itself), so that those between two are those of PyTorch;
/// - `linear`: the weighted mean of the two elements around along each axis; along one whose extent
///   stays, the element itself, whatever the scale;
/// - `cubic`, of one or two axes: of four along each, by Keys' cubic with the slope −¾.
///
/// Positions outside are those of the border. Half-precision types are summed in float32. Source:
/// `torch.nn.functional.interpolate`, without antialiasing.
package struct Resize: Operator {
  package static let name = "resize"
  package static let summary = "interpolation of channels-last images: nearest, linear, cubic"

  /// How an element is made of those around.
  package enum Mode: String, CaseIterable, Hashable, Sendable {
    case nearest
    case nearestExact = "nearest_exact"
    case linear, cubic

    package var isNearest: Bool { self == .nearest || self == .nearestExact }
  }

  package let mode: Mode
  /// The D of the result.
  package let output: [Dimension]
  package let alignsCorners: Bool
  /// The scale factors that positions follow; nil for the ratio of the extents.
  package let scales: [Double]?

  package init(
    _ mode: Mode,
    output: [Dimension],
    alignsCorners: Bool = false,
    scales: [Double]? = nil
  ) {
    self.mode = mode
    self.output = output
    self.alignsCorners = alignsCorners
    self.scales = scales
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    let text = try attributes.string("mode")
    guard let mode = Mode(rawValue: text) else {
      throw Diagnostic(
        .invalidAttribute,
        "'\(text)' is not a mode of resize",
        hint: "one of \(Mode.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    let output = try attributes.dimensions("output")
    let aligns = try attributes.bool("aligns_corners", default: false)
    var scales: [Double] = []
    while attributes.contains("scale_\(scales.count)") {
      scales.append(try attributes.float("scale_\(scales.count)"))
    }
    self.init(mode, output: output, alignsCorners: aligns, scales: scales.isEmpty ? nil : scales)
  }

  package var attributes: [Attribute] {
    [Attribute("mode", .string(mode.rawValue)), Attribute("output", .dimensions(output))]
      + (alignsCorners ? [Attribute("aligns_corners", .bool(true))] : [])
      + (scales ?? []).enumerated().map { Attribute("scale_\($0.offset)", .float($0.element)) }
  }

  package var traits: OperatorTraits { .acceptsEpilogue }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    try checkImages(x)
    let axes = x.rank - 2
    guard output.count == axes, scales.map({ $0.count == axes }) ?? true,
      output.allSatisfy({ $0.lowerBound >= 0 })
    else {
      throw Diagnostic(
        .invalidAttribute,
        "resize of \(x) to \(output)" + (scales.map { " by \($0)" } ?? ""),
        hint: "give an extent, and a scale if any, for each of the \(axes) axes of the image"
      )
    }
    guard scales?.allSatisfy({ $0 > 0 && $0.isFinite }) ?? true else {
      throw Diagnostic(.invalidAttribute, "resize by \(scales ?? [])", hint: "scales are positive")
    }
    guard mode != .cubic || axes <= 2 else {
      throw Diagnostic(
        .invalidAttribute,
        "cubic resize of \(x)",
        hint: "cubic interpolation has one or two axes; take linear for three"
      )
    }
    guard !alignsCorners || (!mode.isNearest && scales == nil) else {
      throw Diagnostic(
        .invalidAttribute,
        "resize with aligned corners, \(mode.rawValue)" + (scales == nil ? "" : " by scales"),
        hint: "only linear and cubic interpolation align corners, and without scales"
      )
    }
    return [TensorType(x.dtype, Shape([x.shape[0]] + output + [x.shape[x.rank - 1]]))]
  }

  package func sizeConstraints(_ operands: [TensorType], results: [TensorType]) -> [SizeConstraint]
  {
    output.indices.map { axis in
      SizeConstraint(
        "the extent that resize interpolates (axis \(1 + axis))",
        operands[0].shape[1 + axis],
        is: .atLeast,
        1,
        where: results[0].shape.elementCount
      )
    }
  }
}

extension Resize {
  /// The positions along an axis that an element is made of, and their weights.
  private func taps(_ position: Int, _ axis: Int, in extent: Int, out count: Int, _ dtype: DType)
    -> [(position: Int, weight: Double)]
  {
    func within(_ index: Int) -> Int { min(max(index, 0), extent - 1) }
    let factor = scales?[axis]
    if mode.isNearest {
      let center = mode == .nearestExact ? 0.5 : 0
      let source: Float
      if dtype == .float64 {
        let ratio = factor.map { 1 / $0 } ?? Double(extent) / Double(count)
        source = Float((Double(position) + center) * ratio)
      } else {
        let ratio = factor.map { Float(1 / $0) } ?? Float(extent) / Float(count)
        source = (Float(position) + Float(center)) * ratio
      }
      return [(within(Int(source)), 1)]
    }
    var source: Double
    if alignsCorners {
      source = count > 1 ? Double(position) * Double(extent - 1) / Double(count - 1) : 0
    } else if mode == .linear && extent == count {
      source = Double(position)
    } else {
      let ratio = factor.map { 1 / $0 } ?? Double(extent) / Double(count)
      source = (Double(position) + 0.5) * ratio - 0.5
    }
    if mode == .linear { source = max(source, 0) }
    let first = min(Int(source.rounded(.down)), extent - 1)
    let t = min(max(source - Double(first), 0), 1)
    if mode == .linear { return [(first, 1 - t), (within(first + 1), t)] }
    let slope = -0.75
    return (-1...2).map { offset in
      let d = (t - Double(offset)).magnitude
      let weight =
        d <= 1
        ? (slope + 2) * d * d * d - (slope + 3) * d * d + 1
        : slope * d * d * d - 5 * slope * d * d + 8 * slope * d - 4 * slope
      return (within(first + offset), weight)
    }
  }

  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let x = operands[0]
    let shape = try extents(results[0])
    let strides = Positions.rowMajorStrides(x.shape)
    let channels = x.shape[x.shape.count - 1]
    let values = x.doubles
    var found: [Double] = []
    found.reserveCapacity(shape.reduce(1, *))
    for image in 0..<shape[0] {
      for place in Positions.indices(Array(shape[1..<(shape.count - 1)])) {
        var all = [(position: image * strides[0], weight: 1.0)]
        for (axis, position) in place.enumerated() {
          let taps = taps(position, axis, in: x.shape[1 + axis], out: shape[1 + axis], x.dtype)
          all = all.flatMap { base in
            taps.map { (base.position + $0.position * strides[1 + axis], base.weight * $0.weight) }
          }
        }
        for channel in 0..<channels {
          found.append(
            mode.isNearest
              ? values[all[0].position + channel]
              : all.reduce(0) { $0 + values[$1.position + channel] * $1.weight }
          )
        }
      }
    }
    return [TensorData(x.dtype, shape, found)]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    let taps =
      switch mode {
      case .nearest, .nearestExact: 0
      case .linear: 1 << output.count
      case .cubic: 1 << (2 * output.count)
      }
    return results[0].shape.elementCount * Dimension(2 * taps)
  }

  private static let height: Dimension = .symbol("h", 1...20)

  package static let examples = [
    OperatorExample(
      Resize(.nearest, output: [height * 2, 14]),
      [TensorType(.float16, [.symbol("batch", 1...4), height, 7, 5])]
    ),
    OperatorExample(
      Resize(.linear, output: [height * 2, 10]),
      [TensorType(.float32, [2, height, 5, 17])]
    ),
    OperatorExample(
      Resize(.linear, output: [3, 11], alignsCorners: true),
      [TensorType(.bfloat16, [1, 7, 4, 8])]
    ),
    OperatorExample(
      Resize(.linear, output: [7, 1, 5], scales: [1.5, 0.4, 1.3]),
      [TensorType(.float32, [1, 5, 3, 4, 3])]
    ),
    OperatorExample(Resize(.cubic, output: [9, 4]), [TensorType(.float32, [2, 4, 6, 9])]),
    OperatorExample(
      Resize(.cubic, output: [6, 13], alignsCorners: true),
      [TensorType(.float64, [1, 3, 5, 2])]
    ),
    OperatorExample(
      Resize(.nearestExact, output: [5, 9, 4]),
      [TensorType(.float32, [1, 3, 7, 6, 20])]
    ),
    OperatorExample(
      Resize(.nearest, output: [(height * 3).floorDivided(by: 2)], scales: [1.5]),
      [TensorType(.float64, [2, height, 3])]
    ),
    OperatorExample(Resize(.linear, output: [4]), [TensorType(.float32, [0, 3, 5])]),
    OperatorExample(Resize(.nearest, output: [0, 4]), [TensorType(.float32, [2, 0, 3, 5])]),
  ]
}

extension Graph {
  /// Resizes channels-last images to the extents given.
  package mutating func resize(
    _ x: ValueID,
    to output: [Dimension],
    _ mode: Resize.Mode,
    alignsCorners: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try addResult(
      Resize(mode, output: output, alignsCorners: alignsCorners),
      [x],
      name: name ?? "resize"
    )
  }

  /// Resizes channels-last images by scale factors: extents become `⌊scale · extent⌋`.
  ///
  /// Positions follow the factors, as in PyTorch; with `recomputesScales`, or where corners are
  /// aligned, the ratio of the extents.
  package mutating func resize(
    _ x: ValueID,
    by scales: [Double],
    _ mode: Resize.Mode,
    alignsCorners: Bool = false,
    recomputesScales: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let type = self[x].type
    guard scales.count == type.rank - 2 else {
      throw Diagnostic(
        .invalidAttribute,
        "resize of \(type) by \(scales)",
        hint: "give a scale for each axis between the first and the last"
      )
    }
    var output: [Dimension] = []
    for (axis, scale) in scales.enumerated() {
      output.append(try Self.scaled(type.shape[1 + axis], by: scale))
    }
    let op = Resize(
      mode,
      output: output,
      alignsCorners: alignsCorners,
      scales: recomputesScales || alignsCorners ? nil : scales
    )
    return try addResult(op, [x], name: name ?? "resize")
  }

  /// `⌊scale · extent⌋`; a symbolic extent needs a scale that is a fraction of small numbers.
  private static func scaled(_ extent: Dimension, by scale: Double) throws(Diagnostic) -> Dimension
  {
    guard scale > 0, scale < 0x1p31 else {
      throw Diagnostic(.invalidAttribute, "resize by \(scale)", hint: "scales are positive")
    }
    if let known = extent.constant {
      let scaled = (Double(known) * scale).rounded(.down)
      guard scaled < 0x1p62 else {
        throw Diagnostic(
          .sizeLimit,
          "resize of the extent \(known) by \(scale)",
          hint: "an extent is far below 2^62"
        )
      }
      return Dimension(Int(scaled))
    }
    for denominator in 1...1024 {
      let numerator = (scale * Double(denominator)).rounded()
      if numerator / Double(denominator) == scale {
        return (extent * Dimension(Int(numerator))).floorDivided(by: Dimension(denominator))
      }
    }
    throw Diagnostic(
      .invalidAttribute,
      "resize of the extent \(extent) by \(scale)",
      hint:
        "of an extent that a symbol decides, a scale is a fraction with a denominator up to 1024"
    )
  }
}
