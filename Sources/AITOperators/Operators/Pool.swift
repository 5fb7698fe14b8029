import AITGraph

/// Takes the maximum or the average over windows of channels-last images.
///
/// x is `[N, D1, …, Dk, C]` with k of 1 to 3, of a floating-point type; the result has other D.
/// Regular windows have one size and lie at regular distances, over the image and its padding; there
/// are `⌊(D + low + high − dilation · (size − 1) − 1) / stride⌋ + 1` of them. With `roundsUp` the
/// quotient is rounded up, but the last window begins within the image or the padding before it.
/// Windows of given numbers (adaptive pools) share an axis out: window i of n holds
/// `⌊i · D / n⌋ ..< ⌈(i + 1) · D / n⌉`.
///
/// Padding is −∞ to a maximum and 0 to an average, which divides by the size of the window with as
/// much of it as lies within the padding, or without any (`countsPadding`). NaN is the largest number.
/// Half-precision averages accumulate in float32. Source: `torch.nn.functional.max_pool2d`,
/// `avg_pool2d`, `adaptive_avg_pool2d`, and those of one and three axes.
package struct Pool: Operator {
  package static let name = "pool"
  package static let summary = "maximum or average over windows of channels-last images"

  /// What is taken of a window.
  package enum Kind: String, CaseIterable, Hashable, Sendable {
    case maximum, average
  }

  /// Windows of one size at regular distances; a number for each axis of the image.
  package struct Windows: Hashable, Sendable {
    package var size: [Int]
    package var stride: [Int]
    /// Padding before and behind the image.
    package var low: [Int]
    package var high: [Int]
    /// The distance of elements within a window.
    package var dilation: [Int]
    /// Whether a window may reach beyond the padding behind.
    package var roundsUp: Bool

    package init(
      _ size: [Int],
      stride: [Int]? = nil,
      low: [Int]? = nil,
      high: [Int]? = nil,
      dilation: [Int]? = nil,
      roundsUp: Bool = false
    ) {
      self.size = size
      self.stride = stride ?? size
      self.low = low ?? size.map { _ in 0 }
      self.high = high ?? self.low
      self.dilation = dilation ?? size.map { _ in 1 }
      self.roundsUp = roundsUp
    }
  }

  /// Where the windows lie.
  package enum Placement: Hashable, Sendable {
    case regular(Windows)
    /// The number of windows along each axis.
    case adaptive([Int])
  }

  package let kind: Kind
  package let placement: Placement
  /// Whether an average counts the padding within its window.
  package let countsPadding: Bool

  package init(_ kind: Kind, _ placement: Placement, countsPadding: Bool = true) {
    self.kind = kind
    self.placement = placement
    if case .adaptive = placement {
      self.countsPadding = true
    } else {
      self.countsPadding = kind == .maximum || countsPadding
    }
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    let text = try attributes.string("kind")
    guard let kind = Kind(rawValue: text) else {
      throw Diagnostic(
        .invalidAttribute,
        "'\(text)' is not a pool",
        hint: "one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    if attributes.contains("output") {
      self.init(kind, .adaptive(try attributes.integers("output")))
      return
    }
    let windows = Windows(
      try attributes.integers("size"),
      stride: try attributes.integers("stride"),
      low: try attributes.integers("low"),
      high: try attributes.integers("high"),
      dilation: attributes.contains("dilation") ? try attributes.integers("dilation") : nil,
      roundsUp: try attributes.bool("rounds_up", default: false)
    )
    self.init(
      kind,
      .regular(windows),
      countsPadding: try attributes.bool("counts_padding", default: true)
    )
  }

  package var attributes: [Attribute] {
    let kind = [Attribute("kind", .string(kind.rawValue))]
    switch placement {
    case .adaptive(let counts): return kind + [Attribute("output", .integers(counts))]
    case .regular(let windows):
      return kind + [
        Attribute("size", .integers(windows.size)), Attribute("stride", .integers(windows.stride)),
        Attribute("low", .integers(windows.low)), Attribute("high", .integers(windows.high)),
      ]
        + (windows.dilation.allSatisfy { $0 == 1 }
          ? [] : [Attribute("dilation", .integers(windows.dilation))])
        + (windows.roundsUp ? [Attribute("rounds_up", .bool(true))] : [])
        + (countsPadding ? [] : [Attribute("counts_padding", .bool(false))])
    }
  }

  package var traits: OperatorTraits { .acceptsEpilogue }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    try checkImages(x)
    let image = Array(x.shape.dimensions[1..<(x.rank - 1)])
    let counts: [Dimension]
    switch placement {
    case .adaptive(let given):
      guard given.count == image.count, given.allSatisfy({ $0 >= 0 }) else {
        throw Diagnostic(
          .invalidAttribute,
          "pool of \(x) to \(given)",
          hint: "give a number of windows for each of the \(image.count) axes of the image"
        )
      }
      counts = given.map { Dimension($0) }
    case .regular(let windows):
      try check(windows, x)
      counts = image.indices.map { windows.count(image[$0], $0) }
    }
    return [TensorType(x.dtype, Shape([x.shape[0]] + counts + [x.shape[x.rank - 1]]))]
  }

  private func check(_ windows: Windows, _ x: TensorType) throws(Diagnostic) {
    let count = x.rank - 2
    let lists = [windows.size, windows.stride, windows.low, windows.high, windows.dilation]
    guard lists.allSatisfy({ $0.count == count }) else {
      throw Diagnostic(
        .invalidAttribute,
        "pool of \(x) with windows of \(windows.size), strides \(windows.stride), padding "
          + "\(windows.low) and \(windows.high), dilation \(windows.dilation)",
        hint: "give each of them for the \(count) axes of the image"
      )
    }
    for axis in 0..<count {
      let reach = windows.reach(axis)
      guard windows.size[axis] >= 1, windows.stride[axis] >= 1, windows.dilation[axis] >= 1,
        (0...(reach / 2)).contains(windows.low[axis]),
        (0...(reach / 2)).contains(windows.high[axis]), reach <= Int(Int32.max)
      else {
        throw Diagnostic(
          .invalidAttribute,
          "pool with windows of \(windows.size), strides \(windows.stride), padding "
            + "\(windows.low) and \(windows.high), dilation \(windows.dilation)",
          hint: "sizes, strides and dilations are positive; padding is at most half a window"
        )
      }
    }
    guard kind == .maximum || windows.dilation.allSatisfy({ $0 == 1 }) else {
      throw Diagnostic(
        .invalidAttribute,
        "an average over windows with the dilation \(windows.dilation)",
        hint: "only maxima have dilated windows"
      )
    }
  }

  package func sizeConstraints(_ operands: [TensorType], results: [TensorType]) -> [SizeConstraint]
  {
    let x = operands[0].shape
    let others = x[0] * x[x.rank - 1]
    return (0..<(x.rank - 2)).map { axis in
      switch placement {
      case .regular(let windows):
        return SizeConstraint(
          "the extent that pool has windows along, with padding (axis \(1 + axis))",
          x[1 + axis] + Dimension(windows.low[axis] + windows.high[axis]),
          is: .atLeast,
          // Rounded up, a window has its place if the next but one would not.
          Dimension(windows.reach(axis) - (windows.roundsUp ? windows.stride[axis] - 1 : 0)),
          where: others
        )
      case .adaptive:
        return SizeConstraint(
          "the extent that pool shares out (axis \(1 + axis))",
          x[1 + axis],
          is: .atLeast,
          1,
          where: results[0].shape.elementCount
        )
      }
    }
  }
}

extension Pool.Windows {
  /// From the first element of a window to behind its last.
  package func reach(_ axis: Int) -> Int {
    let (product, overflows) = dilation[axis].multipliedReportingOverflow(by: size[axis] - 1)
    return overflows ? Int.max : product &+ 1
  }

  /// The number of windows along an axis; 0 for an extent that none fits into.
  func count(_ extent: Dimension, _ axis: Int) -> Dimension {
    let step = Dimension(stride[axis])
    let room = extent + Dimension(low[axis] + high[axis] - reach(axis))
    guard roundsUp else { return .maximum([room.floorDivided(by: step) + 1, 0]) }
    let rounded = (room + step - 1).floorDivided(by: step) + 1
    // The last window begins before the padding behind.
    let begun = (extent + Dimension(low[axis] - 1)).floorDivided(by: step) + 1
    return .maximum([.minimum([rounded, begun]), 0])
  }
}

extension Operator {
  /// Throws unless the type is that of channels-last images with 1 to 3 axes.
  func checkImages(_ x: TensorType) throws(Diagnostic) {
    guard (3...5).contains(x.rank) else {
      throw Diagnostic(
        .rankMismatch,
        "\(Self.name) of \(x)",
        hint: "images are channels-last, [N, …, C] with 1 to 3 axes between"
      )
    }
    guard x.dtype.isFloatingPoint else {
      throw Diagnostic(
        .dtypeMismatch,
        "\(Self.name) of \(x)",
        hint: "cast the operand to float32"
      )
    }
  }
}

extension Pool {
  /// The positions of a window along an axis, and its size with padding.
  private func window(_ axis: Int, _ position: Int, of count: Int, in extent: Int)
    -> (positions: [Int], length: Int)
  {
    switch placement {
    case .adaptive:
      let (first, last) = (position * extent / count, ((position + 1) * extent + count - 1) / count)
      return (Array(first..<last), last - first)
    case .regular(let windows):
      let begin = position * windows.stride[axis] - windows.low[axis]
      let all = (0..<windows.size[axis]).map { begin + $0 * windows.dilation[axis] }
      return (
        all.filter { $0 >= 0 && $0 < extent },
        all.count { $0 < extent + windows.high[axis] }
      )
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
    let values = x.doubles
    let channels = x.shape[x.shape.count - 1]
    var found: [Double] = []
    found.reserveCapacity(shape.reduce(1, *))
    for image in 0..<shape[0] {
      for place in Positions.indices(Array(shape[1..<(shape.count - 1)])) {
        var positions = [image * strides[0]]
        var length = 1
        for (axis, index) in place.enumerated() {
          let window = window(axis, index, of: shape[1 + axis], in: x.shape[1 + axis])
          positions = positions.flatMap { base in
            window.positions.map { base + $0 * strides[1 + axis] }
          }
          length *= window.length
        }
        for channel in 0..<channels {
          let row = positions.map { values[$0 + channel] }
          switch kind {
          case .maximum: found.append(row.reduce(-.infinity) { $0.isNaN || $0 > $1 ? $0 : $1 })
          case .average:
            let count = Double(countsPadding ? length : row.count)
            found.append(row.isEmpty ? 0 : row.reduce(0, +) / count)
          }
        }
      }
    }
    return [TensorData(x.dtype, shape, found)]
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    switch placement {
    case .regular(let windows):
      return results[0].shape.elementCount * Dimension(windows.size.reduce(1, *))
    // Windows that do not overlap hold every element once.
    case .adaptive: return operands[0].shape.elementCount
    }
  }

  package static let examples = [
    OperatorExample(
      Pool(.maximum, .regular(Windows([3, 3], stride: [2, 2], low: [1, 1]))),
      [TensorType(.float32, [2, 9, 12, 5])]
    ),
    OperatorExample(
      Pool(.average, .regular(Windows([2, 3], stride: [2, 2], low: [1, 0], high: [0, 1]))),
      [TensorType(.float16, [.symbol("batch", 1...8), .symbol("h", 4...40), 11, 16])]
    ),
    OperatorExample(
      Pool(
        .average,
        .regular(Windows([3, 3], stride: [2, 2], low: [1, 1], roundsUp: true)),
        countsPadding: false
      ),
      [TensorType(.float32, [1, .symbol("h", 2...40), 6, 19])]
    ),
    OperatorExample(
      Pool(.average, .regular(Windows([3], stride: [2], low: [1], roundsUp: true))),
      [TensorType(.float64, [2, .symbol("t", 1...50), 3])]
    ),
    OperatorExample(
      Pool(.maximum, .regular(Windows([2, 3, 2], stride: [1, 2, 2], dilation: [2, 1, 3]))),
      [TensorType(.bfloat16, [1, 5, 7, 8, 33])]
    ),
    OperatorExample(Pool(.average, .adaptive([3, 4])), [TensorType(.float32, [2, 7, 10, 9])]),
    OperatorExample(
      Pool(.maximum, .adaptive([5])),
      [TensorType(.float16, [3, .symbol("t", 1...40), 8])]
    ),
    OperatorExample(
      Pool(.maximum, .regular(Windows([2], stride: [2]))),
      [TensorType(.float32, [.symbol("none", 0...2), 6, 3])]
    ),
    OperatorExample(
      Pool(.average, .regular(Windows([2, 2], stride: [2, 2]))),
      [TensorType(.float32, [2, 6, 6, 0])]
    ),
  ]
}

extension Graph {
  /// The largest element of each window of channels-last images: `torch.nn.functional.max_pool2d`
  /// and those of one and three axes.
  package mutating func maxPool(_ x: ValueID, _ windows: Pool.Windows, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    try addResult(Pool(.maximum, .regular(windows)), [x], name: name ?? "max_pool")
  }

  /// The average of each window of channels-last images: `torch.nn.functional.avg_pool2d` and those
  /// of one and three axes.
  package mutating func averagePool(
    _ x: ValueID,
    _ windows: Pool.Windows,
    countsPadding: Bool = true,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let op = Pool(.average, .regular(windows), countsPadding: countsPadding)
    return try addResult(op, [x], name: name ?? "avg_pool")
  }

  /// The average, or the largest element, of windows of given numbers:
  /// `torch.nn.functional.adaptive_avg_pool2d` and its like.
  package mutating func adaptivePool(
    _ x: ValueID,
    _ kind: Pool.Kind,
    counts: [Int],
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    try addResult(Pool(kind, .adaptive(counts)), [x], name: name ?? "adaptive_pool")
  }
}
