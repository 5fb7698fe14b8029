import AITGraph

/// Slides filters over images whose channels come last:
/// `y[n, o…, f] = Σ_t Σ_c x[n, o · stride + t · dilation − padding…, g · C/G + c] · w[f, t…, c]`, where
/// g is the group of f.
///
/// x is `[N, D1…Dk, C]`, w `[O, F1…Fk, C/G]` with k = 1...3 and G = `groups`, which divides C and O;
/// C, O and the extents of w are known, N and D may be symbols. The result is `[N, E1…Ek, O]` with
/// `E = ⌊(D′ + before + after − dilation · (F − 1) − 1) / stride⌋ + 1`, where `D′ = D` unless zeros
/// lie between the elements of x: `D′ = (D − 1) · inputDilation + 1`. Positions outside x, and
/// those between its elements, are 0; a negative padding leaves elements out. A window is not
/// longer than what it slides over. x, w and the result have one element type, float32, float64,
/// float16 or bfloat16; half-precision products accumulate in float32.
///
/// A transposed convolution is one with `inputDilation`, see `Graph.transposedConvolution`.
/// A bias is fused like other pointwise work. Source: `torch.nn.functional.conv1d`, `conv2d`,
/// `conv3d`.
package struct Convolution: Operator {
  package static let name = "convolution"
  package static let summary = "convolution of [N, …, C] by [O, …, C/groups], 1 to 3 spatial axes"

  /// How far windows are apart, along each spatial axis.
  package let stride: [Int]
  /// How many positions lie before and behind x, along each spatial axis.
  package let padding: [Padding]
  /// How far the taps of a window are apart, along each spatial axis.
  package let dilation: [Int]
  /// How far the elements of x are apart, along each spatial axis.
  package let inputDilation: [Int]
  package let groups: Int

  /// Positions of padding before and behind an axis.
  package struct Padding: Hashable, Sendable {
    package let before: Int
    package let after: Int

    package init(_ before: Int, _ after: Int) {
      self.before = before
      self.after = after
    }
  }

  /// Lists that are left out are 1s, or 0s for padding.
  package init(
    stride: [Int],
    padding: [Padding]? = nil,
    dilation: [Int]? = nil,
    inputDilation: [Int]? = nil,
    groups: Int = 1
  ) {
    self.stride = stride
    self.padding = padding ?? stride.map { _ in Padding(0, 0) }
    self.dilation = dilation ?? stride.map { _ in 1 }
    self.inputDilation = inputDilation ?? stride.map { _ in 1 }
    self.groups = groups
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    func list(_ name: String, _ count: Int, default value: Int) throws(Diagnostic) -> [Int] {
      attributes.contains(name)
        ? try attributes.integers(name) : Array(repeating: value, count: count)
    }
    stride = try attributes.integers("stride")
    let amounts = try list("padding", stride.count, default: 0)
    padding =
      amounts.count == 2 * stride.count
      ? stride.indices.map { Padding(amounts[2 * $0], amounts[2 * $0 + 1]) }
      : amounts.map { Padding($0, $0) }
    dilation = try list("dilation", stride.count, default: 1)
    inputDilation = try list("input_dilation", stride.count, default: 1)
    groups = try attributes.integer("groups", default: 1)
  }

  /// Padding is one number for each axis, or, where its sides differ, two.
  package var attributes: [Attribute] {
    let isEven = padding.allSatisfy { $0.before == $0.after }
    let amounts = isEven ? padding.map(\.before) : padding.flatMap { [$0.before, $0.after] }
    return [Attribute("stride", .integers(stride))]
      + (amounts.contains { $0 != 0 } ? [Attribute("padding", .integers(amounts))] : [])
      + (dilation.contains { $0 != 1 } ? [Attribute("dilation", .integers(dilation))] : [])
      + (inputDilation.contains { $0 != 1 }
        ? [Attribute("input_dilation", .integers(inputDilation))] : [])
      + (groups == 1 ? [] : [Attribute("groups", .integer(groups))])
  }

  package var traits: OperatorTraits { .acceptsEpilogue }

  /// The number of spatial axes.
  package var spatialRank: Int { stride.count }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 2...2)
    let (x, weight) = (operands[0], operands[1])
    try checkAttributes()
    guard x.rank == spatialRank + 2, weight.rank == x.rank else {
      throw Diagnostic(
        .rankMismatch,
        "convolution of \(x) by \(weight), expected rank \(spatialRank + 2) of both",
        hint: "x is [N, …, C] and the weight [O, …, C / groups], with an axis for each stride"
      )
    }
    guard x.dtype == weight.dtype, x.dtype.isFloatingPoint else {
      throw Diagnostic(
        .dtypeMismatch,
        "convolution of \(x) by \(weight)",
        hint: "both have one floating-point type: convert with a cast"
      )
    }
    let known = weight.shape.dimensions.compactMap(\.constant)
    guard let channels = x.shape[x.rank - 1].constant, known.count == weight.rank,
      known.dropFirst().dropLast().allSatisfy({ $0 >= 1 })
    else {
      throw Diagnostic(
        .shapeMismatch,
        "convolution of \(x) by \(weight): channels, filters and taps are not all known",
        hint: "only N and the spatial extents of x may be symbols, and every window has a tap"
      )
    }
    guard channels == known[known.count - 1] * groups, known[0].isMultiple(of: groups) else {
      throw Diagnostic(
        .shapeMismatch,
        "convolution of \(x) by \(weight) in \(groups) group\(groups == 1 ? "" : "s"): the weight "
          + "has \(known[known.count - 1]) channels in \(known[0]) filters",
        hint: "x has groups · C channels, and the number of groups divides that of filters"
      )
    }
    let extents = (0..<spatialRank).map { axis in
      (paddedExtent(x, axis) - reach(weight, axis)).floorDivided(by: Dimension(stride[axis])) + 1
    }
    return [TensorType(x.dtype, Shape([x.shape[0]] + extents + [weight.shape[0]]))]
  }

  private func checkAttributes() throws(Diagnostic) {
    guard (1...3).contains(spatialRank), padding.count == spatialRank,
      dilation.count == spatialRank, inputDilation.count == spatialRank, groups >= 1,
      (stride + dilation + inputDilation).allSatisfy({ (1...(1 << 20)).contains($0) }),
      padding.allSatisfy({ max($0.before.magnitude, $0.after.magnitude) <= 1 << 20 })
    else {
      throw Diagnostic(
        .invalidAttribute,
        "convolution with stride \(stride), padding \(padding.map { [$0.before, $0.after] }), "
          + "dilation \(dilation), input dilation \(inputDilation), \(groups) groups",
        hint: "give one number of at least 1 for each of 1 to 3 spatial axes, and two of padding"
      )
    }
  }

  /// What windows slide over along an axis.
  private func paddedExtent(_ x: TensorType, _ axis: Int) -> Dimension {
    (x.shape[axis + 1] - 1) * Dimension(inputDilation[axis]) + 1
      + Dimension(padding[axis].before + padding[axis].after)
  }

  /// The extent of a window along an axis, from its first tap to its last.
  private func reach(_ weight: TensorType, _ axis: Int) -> Dimension {
    (weight.shape[axis + 1] - 1) * Dimension(dilation[axis]) + 1
  }

  package func sizeConstraints(_ operands: [TensorType], results: [TensorType]) -> [SizeConstraint]
  {
    // The extent is at least 0 in any case, so that there is nothing to compute where others are 0.
    (0..<spatialRank).map { axis in
      SizeConstraint(
        "the padded extent of convolution along axis \(axis + 1)",
        paddedExtent(operands[0], axis),
        is: .atLeast,
        reach(operands[1], axis),
        where: 1
      )
    }
  }
}

extension Convolution {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let shape = try extents(results[0])
    let sum = Window(self, operands[0], operands[1])
    let spatial = Array(shape.dropFirst().dropLast())
    var values: [Double] = []
    values.reserveCapacity(shape.reduce(1, *))
    for image in 0..<shape[0] {
      for output in Window.indices(spatial) {
        for filter in 0..<shape[shape.count - 1] { values.append(sum(image, output, filter)) }
      }
    }
    return [TensorData(results[0].dtype, shape, values)]
  }

  /// The sums of a convolution, one at a time.
  private struct Window {
    let op: Convolution
    let x: [Double]
    let weight: [Double]
    let extents: [Int]
    let strides: [Int]
    let weightStrides: [Int]
    let taps: [[Int]]
    let channels: Int
    let filtersPerGroup: Int

    init(_ op: Convolution, _ x: TensorData, _ weight: TensorData) {
      self.op = op
      self.x = x.doubles
      self.weight = weight.doubles
      extents = x.shape
      strides = Positions.rowMajorStrides(x.shape)
      weightStrides = Positions.rowMajorStrides(weight.shape)
      taps = Self.indices(Array(weight.shape.dropFirst().dropLast()))
      channels = weight.shape[weight.shape.count - 1]
      filtersPerGroup = weight.shape[0] / op.groups
    }

    /// All indices below some extents, the last axis fastest.
    static func indices(_ extents: [Int]) -> [[Int]] {
      extents.reduce([[]]) { all, extent in
        all.flatMap { index in (0..<max(0, extent)).map { index + [$0] } }
      }
    }

    func callAsFunction(_ image: Int, _ output: [Int], _ filter: Int) -> Double {
      var sum = 0.0
      for tap in taps {
        var from = image * strides[0] + filter / filtersPerGroup * channels
        var weightFrom = filter * weightStrides[0]
        var isInside = true
        for axis in tap.indices {
          let position =
            output[axis] * op.stride[axis] + tap[axis] * op.dilation[axis]
            - op.padding[axis].before
          let element = position / op.inputDilation[axis]
          isInside =
            isInside && position >= 0 && position.isMultiple(of: op.inputDilation[axis])
            && element < extents[axis + 1]
          from += element * strides[axis + 1]
          weightFrom += tap[axis] * weightStrides[axis + 1]
        }
        guard isInside else { continue }
        for channel in 0..<channels { sum += x[from + channel] * weight[weightFrom + channel] }
      }
      return sum
    }
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    // Zeros between the elements of x take no operations.
    let weight = operands[1].shape.dimensions.dropFirst().reduce(1, *)
    let share = inputDilation.reduce(1, *)
    return (results[0].shape.elementCount * weight * 2).floorDivided(by: Dimension(share))
  }
}

extension Convolution {
  private static func pads(_ amounts: Int...) -> [Padding] { amounts.map { Padding($0, $0) } }

  package static let examples = [
    OperatorExample(
      Convolution(stride: [1, 1], padding: pads(1, 1)),
      [TensorType(.float32, [2, 9, 14, 17]), TensorType(.float32, [37, 3, 3, 17])]
    ),
    // The batch and both extents of the image are symbols.
    OperatorExample(
      Convolution(stride: [2, 2], padding: pads(1, 1)),
      [
        TensorType(
          .float16,
          [.symbol("batch", 1...3), .symbol("h", 5...12), .symbol("w", 5...30), 24]
        ),
        TensorType(.float16, [40, 3, 3, 24]),
      ]
    ),
    // Enough of both for other algorithms than the direct one.
    OperatorExample(
      Convolution(stride: [1, 1], padding: pads(1, 1)),
      [TensorType(.float32, [1, 15, 18, 37]), TensorType(.float32, [33, 3, 3, 37])]
    ),
    // Few channels, as of the first layer of a network.
    OperatorExample(
      Convolution(stride: [2, 2], padding: pads(3, 3)),
      [TensorType(.float32, [1, 31, 33, 3]), TensorType(.float32, [8, 7, 7, 3])]
    ),
    OperatorExample(
      Convolution(stride: [3], padding: [Padding(2, 1)], dilation: [2]),
      [TensorType(.bfloat16, [2, 40, 5]), TensorType(.bfloat16, [33, 4, 5])]
    ),
    OperatorExample(
      Convolution(stride: [1, 2, 2], padding: pads(1, 0, 1)),
      [TensorType(.float32, [1, 5, 6, 15, 7]), TensorType(.float32, [9, 3, 1, 3, 7])]
    ),
    OperatorExample(
      Convolution(stride: [1, 1], padding: pads(1, 2), groups: 3),
      [TensorType(.float32, [2, 6, 7, 12]), TensorType(.float32, [21, 3, 5, 4])]
    ),
    OperatorExample(
      Convolution(stride: [2], padding: pads(1), groups: 2),
      [
        TensorType(.float16, [3, .symbol("length", 1...20), 10]), TensorType(.float16, [40, 3, 5]),
      ]
    ),
    // Depthwise: a filter for each channel.
    OperatorExample(
      Convolution(stride: [1, 1], padding: pads(1, 1), groups: 40),
      [TensorType(.float32, [2, 7, 19, 40]), TensorType(.float32, [40, 3, 3, 1])]
    ),
    OperatorExample(
      Convolution(stride: [2, 2], padding: [Padding(2, 1), Padding(2, 2)], groups: 21),
      [
        TensorType(.float16, [.symbol("batch", 1...4), 11, .symbol("w", 3...24), 21]),
        TensorType(.float16, [21, 5, 5, 1]),
      ]
    ),
    OperatorExample(
      Convolution(stride: [1, 2], padding: pads(1, 2), dilation: [2, 1], groups: 24),
      [TensorType(.float16, [2, 6, 23, 24]), TensorType(.float16, [24, 3, 3, 1])]
    ),
    // Two filters for each channel.
    OperatorExample(
      Convolution(stride: [1], groups: 6),
      [TensorType(.float32, [1, 17, 6]), TensorType(.float32, [12, 3, 1])]
    ),
    OperatorExample(
      Convolution(stride: [1, 1], padding: pads(4, 6), dilation: [4, 3]),
      [TensorType(.float64, [1, 10, 13, 4]), TensorType(.float64, [18, 3, 5, 4])]
    ),
    // Transposed: by 2 with an output padding, and of a stride beyond the taps.
    OperatorExample(
      Convolution(
        stride: [1, 1],
        padding: [Padding(1, 2), Padding(1, 1)],
        inputDilation: [2, 3]
      ),
      [
        TensorType(.float32, [2, .symbol("h", 1...9), 8, 19]),
        TensorType(.float32, [34, 3, 2, 19]),
      ]
    ),
    OperatorExample(
      Convolution(stride: [1], padding: pads(-1), dilation: [2], inputDilation: [2], groups: 16),
      [TensorType(.bfloat16, [2, 9, 16]), TensorType(.bfloat16, [16, 3, 1])]
    ),
    OperatorExample(
      Convolution(stride: [1, 1]),
      [TensorType(.float32, [3, 1, 1, 33]), TensorType(.float32, [5, 1, 1, 33])]
    ),
    OperatorExample(
      Convolution(stride: [2, 2]),
      [TensorType(.float32, [1, 9, 13, 20]), TensorType(.float32, [35, 1, 1, 20])]
    ),
    // Pixels by filters alone.
    OperatorExample(
      Convolution(stride: [1, 1]),
      [TensorType(.float16, [2, 5, 7, 24]), TensorType(.float16, [40, 1, 1, 24])]
    ),
    // Channels that Hopper's copy engine gathers: all sizes symbols; windows that differ at both ends
    // of an axis, and less than a whole step of channels; one axis, three axes, windows of one
    // element, and parts of an image that no window meets.
    OperatorExample(
      Convolution(stride: [1, 1], padding: pads(1, 1)),
      [
        TensorType(
          .float16,
          [.symbol("batch", 1...3), .symbol("h", 5...12), .symbol("w", 5...30), 64]
        ),
        TensorType(.float16, [40, 3, 3, 64]),
      ]
    ),
    OperatorExample(
      Convolution(stride: [2, 1], padding: [Padding(2, 1), Padding(1, 4)], dilation: [1, 2]),
      [TensorType(.float16, [2, 11, 9, 56]), TensorType(.float16, [72, 3, 4, 56])]
    ),
    OperatorExample(
      Convolution(stride: [3], padding: [Padding(2, 1)], dilation: [2]),
      [TensorType(.bfloat16, [2, 140, 128]), TensorType(.bfloat16, [33, 4, 128])]
    ),
    OperatorExample(
      Convolution(stride: [1, 2, 1], padding: pads(1, 0, 1)),
      [TensorType(.float16, [2, 4, 5, 6, 48]), TensorType(.float16, [16, 2, 3, 3, 48])]
    ),
    OperatorExample(
      Convolution(stride: [2, 2]),
      [TensorType(.float16, [3, 9, 13, 64]), TensorType(.float16, [136, 1, 1, 64])]
    ),
    OperatorExample(
      Convolution(stride: [1, 2], padding: pads(-1, -2)),
      [TensorType(.float16, [2, 8, 12, 64]), TensorType(.float16, [24, 2, 3, 64])]
    ),
    // Transposed, and of channels that are no whole packets.
    OperatorExample(
      Convolution(stride: [1, 1, 1], padding: pads(0, 1, 2), inputDilation: [1, 2, 1]),
      [TensorType(.float16, [1, 3, 5, 6, 12]), TensorType(.float16, [19, 2, 3, 3, 12])]
    ),
    OperatorExample(
      Convolution(stride: [1, 1], padding: pads(1, 1)),
      [TensorType(.float32, [0, 4, 5, 3]), TensorType(.float32, [7, 3, 3, 3])]
    ),
    // Nothing but padding.
    OperatorExample(
      Convolution(stride: [1], padding: pads(2)),
      [TensorType(.float32, [2, 0, 4]), TensorType(.float32, [6, 3, 4])]
    ),
  ]
}
