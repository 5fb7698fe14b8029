import AITFrontend
import AITGraph

extension AtenOperator {
  /// Windows of images as columns and back, samples at positions, resizing without aliases.
  static let sampling: [String: AtenOperator] = [
    "unfold": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let axis = try x.shape.normalizedAxis(try call.integer("dimension"))
      let (size, step) = (try call.integer("size"), try call.integer("step"))
      guard size >= 0, step > 0 else { throw call.unsupported("of \(size) by \(step)") }
      let count = (x.extent(axis) - Dimension(size)) / Dimension(step) + 1
      guard count.lowerBound >= 0 else { throw call.unsupported("of \(x.type) by \(size)") }
      // The windows lie along the axis, their elements behind all others.
      let windows = x.indexSelect(axis: axis, windows(count, step, size, 1))
      let order = (0..<windows.rank).filter { $0 != axis + 1 } + [axis + 1]
      return windows.permute(order)
    },
    "im2col": .one { (call) throws(Diagnostic) in try columns(call) },
    "col2im": .one { (call) throws(Diagnostic) in try image(call) },
    "_upsample_bilinear2d_aa": .one { (call) throws(Diagnostic) in
      try smoothed(call, support: 1) { max(0, 1 - abs($0)) }
    },
    "_upsample_bicubic2d_aa": .one { (call) throws(Diagnostic) in
      try smoothed(call, support: 2) { (x) in
        // Keys' cubic with the slope −½, as Pillow has it.
        let d = abs(x)
        if d < 1 { return (1.5 * d - 2.5) * d * d + 1 }
        return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0
      }
    },
  ]

  /// Positions `[count, size]`: window i begins at `i · step`, its elements `dilation` apart.
  private static func windows(_ count: Dimension, _ step: Int, _ size: Int, _ dilation: Int)
    -> Tensor
  {
    let starts = Tensor.arange(count, .int64) * step
    return starts.unsqueeze(axis: 1) + Tensor.arange(Dimension(size), .int64) * dilation
  }

  private struct Windows {
    let size, dilation, padding, stride: [Int]

    init(_ call: AtenCall) throws(Diagnostic) {
      size = try call.perAxis("kernel_size", 2, default: 1)
      dilation = try call.perAxis("dilation", 2, default: 1)
      padding = try call.perAxis("padding", 2, default: 0)
      stride = try call.perAxis("stride", 2, default: 1)
      let bound = 1 << 20
      guard size.allSatisfy({ (1...bound).contains($0) }),
        dilation.allSatisfy({ (1...bound).contains($0) }),
        padding.allSatisfy({ (0...bound).contains($0) }),
        stride.allSatisfy({ (1...bound).contains($0) })
      else { throw call.unsupported("by windows of \(size), \(dilation), \(padding), \(stride)") }
    }

    /// How many windows an axis has.
    func count(_ extent: Dimension, _ axis: Int) -> Dimension {
      let reach = dilation[axis] * (size[axis] - 1) + 1 - 2 * padding[axis]
      return (extent - Dimension(reach)) / Dimension(stride[axis]) + 1
    }
  }

  /// `[N, C, H, W]` as `[N, C · kernel, windows]`.
  private static func columns(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    let (x, w) = (try call.subject(), try Windows(call))
    guard x.rank == 4 else { throw call.unsupported("of \(x.type)") }
    let (rows, columns) = (w.count(x.extent(2), 0), w.count(x.extent(3), 1))
    let (top, left) = (Dimension(w.padding[0]), Dimension(w.padding[1]))
    let parts = x.pad([left, left, top, top])
      .indexSelect(axis: 2, windows(rows, w.stride[0], w.size[0], w.dilation[0]))
      .indexSelect(axis: 4, windows(columns, w.stride[1], w.size[1], w.dilation[1]))
    // [N, C, rows, height, columns, width]
    let joined = x.extent(1) * Dimension(w.size[0] * w.size[1])
    return parts.permute([0, 1, 3, 5, 2, 4]).reshape([x.extent(0), joined, rows * columns])
  }

  /// The sum of overlapping windows: a transposed convolution of each channel by filters of a single 1.
  private static func image(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    let (x, w) = (try call.subject(), try Windows(call))
    let extents = try call.dimensions("output_size")
    let places = w.size[0] * w.size[1]
    // A filter has a number for each pair of places.
    guard x.rank == 3, extents.count == 2, places <= 1 << 12, let joined = x.extent(1).constant,
      joined % places == 0, let height = extents[0].constant, let width = extents[1].constant
    else { throw call.unsupported("of \(x.type) to \(extents)") }
    let (rows, columns) = (w.count(extents[0], 0), w.count(extents[1], 1))
    guard let countedRows = rows.constant, let countedColumns = columns.constant, countedRows > 0,
      countedColumns > 0
    else { throw call.unsupported("of \(x.type) to \(extents)") }
    let channels = joined / places
    var filters = [Double](repeating: 0, count: places * places)
    for place in 0..<places { filters[place * places + place] = 1 }
    let filter = Tensor.constant(TensorData(x.dtype, [places, 1, w.size[0], w.size[1]], filters))
    // What the strides do not reach is added at the end.
    var rest: [Int] = []
    for (axis, (extent, count)) in [(height, countedRows), (width, countedColumns)].enumerated() {
      let reach = (count - 1) * w.stride[axis] + w.dilation[axis] * (w.size[axis] - 1) + 1
      rest.append(extent - (reach - 2 * w.padding[axis]))
    }
    return transposedConvolution(
      x.reshape([x.extent(0), Dimension(joined), rows, columns]),
      filter.tile([Dimension(channels), 1, 1, 1]),
      stride: w.stride,
      padding: w.padding,
      outputPadding: rest,
      dilation: w.dilation,
      groups: channels
    )
  }

  // MARK: - Resizing as products

  /// Resizing with a filter as wide as an element of the result: two products with matrices of weights.
  private static func smoothed(
    _ call: AtenCall,
    support: Double,
    _ filter: @escaping (Double) -> Double
  ) throws(Diagnostic) -> Tensor {
    try resampled(call) { extent, count, ratio, _ in
      var weights = [Double](repeating: 0, count: count * extent)
      let width = max(ratio, 1)
      for position in 0..<count {
        let center = ratio * (Double(position) + 0.5)
        let first = max(Int(center - support * width + 0.5), 0)
        let end = min(Int(center + support * width + 0.5), extent)
        guard first < end else { continue }
        let taps = (first..<end).map { filter((Double($0) - center + 0.5) / width) }
        let sum = taps.reduce(0, +)
        for (tap, source) in zip(taps, first..<end) {
          weights[position * extent + source] = tap / sum
        }
      }
      return weights
    }
  }

  /// Bytes resized by two elements along each axis, or four (Keys' cubic with the slope −¾), of which those
  /// outside are the outermost.
  static func resampledBytes(_ call: AtenCall, isCubic: Bool) throws(Diagnostic) -> Tensor {
    try resampled(call) { extent, count, ratio, aligns in
      var weights = [Double](repeating: 0, count: count * extent)
      for position in 0..<count {
        var place =
          aligns ? ratio * Double(position) : ratio * (Double(position) + 0.5) - 0.5
        if !isCubic { place = max(place, 0) }
        let first = Int(place.rounded(.down))
        let part = place - Double(first)
        let a = -0.75
        let near = { (d: Double) in ((a + 2) * d - (a + 3)) * d * d + 1 }
        let far = { (d: Double) in ((a * d - 5 * a) * d + 8 * a) * d - 4 * a }
        let taps =
          isCubic ? [far(part + 1), near(part), near(1 - part), far(2 - part)] : [1 - part, part]
        for (index, tap) in taps.enumerated() {
          let source = min(max(first + index - (isCubic ? 1 : 0), 0), extent - 1)
          weights[position * extent + source] += tap
        }
      }
      return weights
    }
  }

  /// `[N, C, H, W]` times matrices of weights, made of the extents before and after, their ratio, and whether
  /// corners are aligned.
  private static func resampled(
    _ call: AtenCall,
    _ weights: (Int, Int, Double, Bool) -> [Double]
  ) throws(Diagnostic) -> Tensor {
    let x = try call.subject()
    guard x.rank == 4, let height = x.extent(2).constant, let width = x.extent(3).constant else {
      throw call.unsupported("of \(x.type), whose extents are not known")
    }
    guard x.dtype.isFloatingPoint || x.dtype == .uint8 else {
      throw call.unsupported("of \(x.type)", hint: "convert the image to float32")
    }
    let aligns = try call.bool("align_corners")
    var matrices: [(values: [Double], shape: [Int])] = []
    for (axis, extent) in [height, width].enumerated() {
      var (count, scale): (Int, Double?) = (0, nil)
      if call.has("scale_factors"), case .list(let scales) = call["scale_factors"],
        axis < scales.count, case .float(let factor) = scales[axis]
      {
        guard factor > 0, Double(extent) * factor <= 0x1p16 else {
          throw call.unsupported("by \(factor)")
        }
        (count, scale) = (Int((Double(extent) * factor).rounded(.down)), 1 / factor)
      } else {
        let counts = try call.integers("output_size")
        guard counts.count == 2 else { throw call.mismatch("output_size", "two integers") }
        count = counts[axis]
        let factor = try call.optionalNumber(axis == 0 ? "scales_h" : "scales_w")
        if let factor, factor > 0 { scale = 1 / factor }
      }
      guard count > 0, extent > 0, count <= 1 << 16, extent <= 1 << 16,
        count * extent <= 1 << 22
      else {
        throw call.unsupported("of \(x.type) to \(count)")
      }
      var ratio = scale ?? Double(extent) / Double(count)
      if aligns { ratio = count > 1 ? Double(extent - 1) / Double(count - 1) : 0 }
      matrices.append((weights(extent, count, ratio, aligns), [count, extent]))
    }
    if x.dtype == .uint8 {
      let (rows, rowBits) = fixedPoint(matrices[0].values, matrices[0].shape)
      let (columns, columnBits) = fixedPoint(matrices[1].values, matrices[1].shape)
      let wide = bytes(matmul(x.cast(to: .int32), columns.mT), columnBits)
      return bytes(matmul(rows, wide), rowBits).cast(to: .uint8)
    }
    let constants = matrices.map { Tensor.constant(TensorData(x.dtype, $0.shape, $0.values)) }
    return matmul(constants[0], matmul(x, constants[1].mT))
  }

  /// Weights in as many bits behind the point as 16 have room for the largest, as PyTorch resizes bytes.
  private static func fixedPoint(_ weights: [Double], _ shape: [Int]) -> (Tensor, bits: Int) {
    let largest = weights.max() ?? 1
    var bits = 0
    while bits < 22, Int(0.5 + largest * Double(1 << (bits + 1))) < 1 << 15 { bits += 1 }
    let scaled = weights.map { weight in
      Int64((weight < 0 ? -0.5 : 0.5) + weight * Double(1 << bits))
    }
    return (.constant(TensorData(.int32, shape, integers: scaled)), bits)
  }

  private static func bytes(_ sums: Tensor, _ bits: Int) -> Tensor {
    let rounded = bits > 0 ? (sums + (1 << (bits - 1))) >> bits : sums
    return rounded.clamp(min: 0, max: 255)
  }
}
