import AITFrontend
import AITGraph

extension AtenOperator {
  static let shapes: [String: AtenOperator] = [
    "view": .one { (call) throws(Diagnostic) in try reshaped(call, "size") },
    "_unsafe_view": .one { (call) throws(Diagnostic) in try reshaped(call, "size") },
    "reshape": .one { (call) throws(Diagnostic) in try reshaped(call, "shape") },
    "view_as": .one { (call) throws(Diagnostic) in
      try call.subject().reshape(try call.tensor("other").shape.dimensions)
    },
    "reshape_as": .one { (call) throws(Diagnostic) in
      try call.subject().reshape(try call.tensor("other").shape.dimensions)
    },
    "flatten": .one { (call) throws(Diagnostic) in
      try call.subject().flatten(
        start: try call.integer("start_dim", default: 0),
        end: try call.integer("end_dim", default: -1)
      )
    },
    "unflatten": .one { (call) throws(Diagnostic) in
      try call.subject().unflatten(
        axis: try call.integer("dim"),
        try call.dimensions("sizes")
      )
    },
    "permute": .one { (call) throws(Diagnostic) in
      try call.subject().permute(try call.integers("dims"))
    },
    "transpose": .one { (call) throws(Diagnostic) in
      try call.subject().transpose(try call.integer("dim0"), try call.integer("dim1"))
    },
    "swapaxes": .one { (call) throws(Diagnostic) in
      try call.subject().transpose(try call.integer("axis0"), try call.integer("axis1"))
    },
    "t": unary { $0.rank == 2 ? $0.transpose(0, 1) : $0 },
    "numpy_T": unary { $0.permute(Array((0..<$0.rank).reversed())) },
    "mT": unary { $0.mT },
    "movedim": .one { (call) throws(Diagnostic) in try moved(call) },
    "squeeze": .one { (call) throws(Diagnostic) in
      try call.subject().squeeze(axes: try call.optionalIntegers("dim"))
    },
    "unsqueeze": .one { (call) throws(Diagnostic) in
      try call.subject().unsqueeze(axis: try call.integer("dim"))
    },
    "expand": .one { (call) throws(Diagnostic) in
      try call.subject().expand(try call.dimensions("size"))
    },
    "expand_as": .one { (call) throws(Diagnostic) in
      try call.subject().expand(try call.tensor("other").shape.dimensions)
    },
    "repeat": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let counts = try call.dimensions("repeats")
      let missing = counts.count - x.rank
      let shaped =
        missing > 0
        ? x.reshape([Dimension](repeating: 1, count: missing) + x.shape.dimensions) : x
      return shaped.tile(counts)
    },
    "tile": .one { (call) throws(Diagnostic) in
      let (x, counts) = (try call.subject(), try call.dimensions("dims"))
      return x.tile([Dimension](repeating: 1, count: max(x.rank - counts.count, 0)) + counts)
    },
    "broadcast_to": .one { (call) throws(Diagnostic) in
      try call.subject().expand(try call.dimensions("size"))
    },
    "repeat_interleave": .one { (call) throws(Diagnostic) in
      // Of counts alone, the positions to take.
      if call.overload == "Tensor" { return try repeatedPlaces(call) }
      let x = try call.subject()
      guard case .integer(let count) = call["repeats"] else {
        return try repeated(x, call)
      }
      // Without an axis, the elements in order.
      guard call.has("dim") else { return x.flatten().repeatInterleave(count, axis: 0) }
      return x.repeatInterleave(count, axis: try call.integer("dim"))
    },
    "slice": .one { (call) throws(Diagnostic) in
      try call.subject().slice(
        axis: try call.integer("dim", default: 0),
        from: try bound(call, "start"),
        to: try bound(call, "end"),
        by: try call.integer("step", default: 1)
      )
    },
    "narrow": .one { (call) throws(Diagnostic) in
      let axis = try call.integer("dim")
      var start = try call.dimension("start")
      if start.upperBound < 0 { start = start + (try call.subject().checkedExtent(axis)) }
      return try call.subject().slice(
        axis: axis,
        from: start,
        to: start + (try call.dimension("length"))
      )
    },
    "select": .one { (call) throws(Diagnostic) in
      try call.subject().select(axis: try call.integer("dim"), try call.dimension("index"))
    },
    "cat": .one { (call) throws(Diagnostic) in try concatenated(call) },
    "concat": .one { (call) throws(Diagnostic) in try concatenated(call) },
    "concatenate": .one { (call) throws(Diagnostic) in try concatenated(call) },
    "stack": .one { (call) throws(Diagnostic) in
      stack(try call.tensors("tensors"), axis: try call.integer("dim", default: 0))
    },
    "split": .many { (call) throws(Diagnostic) in
      let axis = try call.integer("dim", default: 0)
      if case .list = call["split_size"] {
        return try call.subject().split(sizes: try call.dimensions("split_size"), axis: axis)
      }
      return try parts(call, of: try call.integer("split_size"), along: axis)
    },
    "unsafe_split": .many { (call) throws(Diagnostic) in
      try parts(
        call,
        of: try call.integer("split_size"),
        along: try call.integer("dim", default: 0)
      )
    },
    "split_with_sizes": .many { (call) throws(Diagnostic) in
      try call.subject().split(
        sizes: try call.dimensions("split_sizes"),
        axis: try call.integer("dim", default: 0)
      )
    },
    "chunk": .many { (call) throws(Diagnostic) in
      let count = try call.integer("chunks")
      try call.checkCount(count)
      return try call.subject().chunk(count, axis: try call.integer("dim", default: 0))
    },
    "unbind": .many { (call) throws(Diagnostic) in
      let (x, axis) = (try call.subject(), try call.integer("dim", default: 0))
      try call.checkCount(try x.checkedExtent(axis).constant ?? 0)
      return x.unbind(axis: axis)
    },
    "flip": .one { (call) throws(Diagnostic) in
      try call.subject().flip(axes: try call.integers("dims"))
    },
    "roll": .one { (call) throws(Diagnostic) in try rolled(call) },
    "constant_pad_nd": .one { (call) throws(Diagnostic) in
      try call.subject().pad(
        try call.dimensions("pad"),
        value: try call.number("value", default: 0)
      )
    },
    "pad": .one { (call) throws(Diagnostic) in
      let (x, amounts) = (try call.subject(), try call.dimensions("pad"))
      switch try call.string("mode", default: "constant") {
      case "constant": return x.pad(amounts, value: try call.number("value", default: 0))
      case "reflect": return padded(x, amounts, .reflect)
      case "replicate": return padded(x, amounts, .replicate)
      case "circular": return padded(x, amounts, .circular)
      case let mode: throw call.unsupported("of mode '\(mode)'")
      }
    },
    "reflection_pad1d": padding(.reflect),
    "reflection_pad2d": padding(.reflect),
    "reflection_pad3d": padding(.reflect),
    "replication_pad1d": padding(.replicate),
    "replication_pad2d": padding(.replicate),
    "replication_pad3d": padding(.replicate),
    "pixel_shuffle": .one { (call) throws(Diagnostic) in
      let (x, factor) = (try call.subject(), Dimension(try call.integer("upscale_factor")))
      guard x.rank >= 3, factor.lowerBound > 0 else { throw call.unsupported("of \(x.type)") }
      let (outer, c, h, w) = (leading(x), x.extent(-3), x.extent(-2), x.extent(-1))
      let (channels, n) = (c / (factor * factor), outer.count)
      return x.reshape(outer + [channels, factor, factor, h, w])
        .permute(Array(0..<n) + [0, 3, 1, 4, 2].map { $0 + n })
        .reshape(outer + [channels, h * factor, w * factor])
    },
    "pixel_unshuffle": .one { (call) throws(Diagnostic) in
      let (x, factor) = (try call.subject(), Dimension(try call.integer("downscale_factor")))
      guard x.rank >= 3, factor.lowerBound > 0 else { throw call.unsupported("of \(x.type)") }
      let (outer, c, h, w) = (leading(x), x.extent(-3), x.extent(-2), x.extent(-1))
      let n = outer.count
      return x.reshape(outer + [c, h / factor, factor, w / factor, factor])
        .permute(Array(0..<n) + [0, 2, 4, 1, 3].map { $0 + n })
        .reshape(outer + [c * factor * factor, h / factor, w / factor])
    },
    "channel_shuffle": .one { (call) throws(Diagnostic) in
      let (x, groups) = (try call.subject(), Dimension(try call.integer("groups")))
      guard x.rank >= 3, groups != 0 else { throw call.unsupported("of \(x.type)") }
      let rest = Array(x.shape.dimensions.dropFirst(2))
      let axes = [0, 2, 1] + (0..<rest.count).map { $0 + 3 }
      return x.reshape([x.extent(0), groups, x.extent(1) / groups] + rest).permute(axes)
        .reshape(x.shape.dimensions)
    },
    "contiguous": unary { $0 },
    "clone": unary { $0 },
    "detach": unary { $0 },
    "detach_": unary { $0 },
    "alias": unary { $0 },
    "lift_fresh": unary { $0 },
    "lift_fresh_copy": unary { $0 },
    "to": .one { (call) throws(Diagnostic) in try cast(call) },
    "_to_copy": .one { (call) throws(Diagnostic) in try cast(call) },
    "type_as": .one { (call) throws(Diagnostic) in
      try call.subject().cast(to: try call.tensor("other").dtype)
    },
    "prims.convert_element_type": .one { (call) throws(Diagnostic) in try cast(call) },
  ]

  /// The extents ahead of channels and an image.
  private static func leading(_ x: Tensor) -> [Dimension] { Array(x.shape.dimensions.dropLast(3)) }

  private static func reshaped(_ call: AtenCall, _ name: String) throws(Diagnostic) -> Tensor {
    // A view as another element type has its type in the place of the sizes.
    if call.has("dtype") { throw call.unsupported("as another element type") }
    return try call.subject().reshape(try call.dimensions(name))
  }

  private static func parts(_ call: AtenCall, of size: Int, along axis: Int) throws(Diagnostic)
    -> [Tensor]
  {
    let x = try call.subject()
    try call.checkCount(try x.checkedExtent(axis).constant.map { $0 / max(size, 1) } ?? 0)
    return x.split(size: size, axis: axis)
  }

  private static func cast(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    if case .tensor(let other) = call["other"] {
      return try call.subject().cast(to: other.dtype)
    }
    guard let dtype = try call.elementType() else { return try call.subject() }
    return try call.subject().cast(to: dtype)
  }

  /// A bound of a slice; PyTorch writes the greatest integer for the end of the axis.
  private static func bound(_ call: AtenCall, _ name: String) throws(Diagnostic) -> Dimension? {
    guard call.has(name) else { return nil }
    let value = try call.dimension(name)
    if let constant = value.constant, constant >= 1 << 61 { return nil }
    return value
  }

  private static func concatenated(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    let all = try call.tensors("tensors")
    // PyTorch passes over empty tensors of rank 1.
    let tensors = all.filter { !($0.rank == 1 && $0.shape[0] == 0) }
    guard let first = tensors.first ?? all.first else { throw call.unsupported("of nothing") }
    // Their element types count all the same.
    let dtype = all.dropFirst().reduce(all[0].dtype) { .promoting($0, $1.dtype) }
    if tensors.count <= 1 { return first.cast(to: dtype) }
    return concatenate(tensors, axis: try call.integer("dim", default: 0)).cast(to: dtype)
  }

  /// Elements repeated by counts of their own.
  private static func repeated(_ given: Tensor, _ call: AtenCall) throws(Diagnostic) -> Tensor {
    let (x, axis) = call.has("dim") ? (given, try call.integer("dim")) : (given.flatten(), 0)
    return x.indexSelect(axis: axis, try repeatedPlaces(call))
  }

  /// Positions, each as often as its count, where the program says how many there are in all.
  private static func repeatedPlaces(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    guard call.has("output_size"), case .tensor(let counts) = call["repeats"], counts.rank == 1
    else {
      throw call.unsupported(
        "by counts of a tensor, whose size depends on the data",
        hint: "give output_size"
      )
    }
    let places = Tensor.arange(try call.dimension("output_size"), .int64)
    // The element of a place is the first whose end lies behind it.
    let isBefore = counts.cumulativeSum(axis: 0) .<= places.unsqueeze(axis: 1)
    return isBefore.cast(to: .int64).sum(axes: [1])
  }

  private static func moved(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    let x = try call.subject()
    var sources: [Int] = []
    var targets: [Int] = []
    for axis in try call.integers("source") { sources.append(try x.shape.normalizedAxis(axis)) }
    for axis in try call.integers("destination") {
      targets.append(try x.shape.normalizedAxis(axis))
    }
    guard sources.count == targets.count, Set(targets).count == targets.count else {
      throw call.unsupported("of \(sources) to \(targets)")
    }
    var rest = (0..<x.rank).filter { !sources.contains($0) }[...]
    let axes = (0..<x.rank).map { place -> Int in
      if let index = targets.firstIndex(of: place) { return sources[index] }
      return rest.popFirst() ?? place
    }
    return x.permute(axes)
  }

  private static func rolled(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    let (x, shifts) = (try call.subject(), try call.dimensions("shifts"))
    let axes = try call.integers("dims", default: [])
    if axes.isEmpty, shifts.count == 1 {
      // Without axes, the elements in order.
      return try rolled(x.flatten(), shifts, [0]).reshape(x.shape.dimensions)
    }
    guard axes.count == shifts.count else {
      throw call.unsupported("by \(shifts.count) shifts along \(axes.count) axes")
    }
    return try rolled(x, shifts, axes)
  }

  private static func rolled(_ x: Tensor, _ shifts: [Dimension], _ axes: [Int])
    throws(Diagnostic) -> Tensor
  {
    var result = x
    for (axis, shift) in zip(axes, shifts) {
      let extent = try result.checkedExtent(axis)
      guard extent != 0, shift != 0 else { continue }
      guard let start = firstRolled(shift, extent) else {
        // How often the shift goes round the axis is known at run time only.
        let moved = try apply(
          .subtract,
          [Tensor.arange(extent, .int64), operand(shift, .int64)]
        )
        let positions = try apply(.remainder, [moved, operand(extent, .int64)])
        result = result.indexSelect(axis: axis, positions)
        continue
      }
      if start == 0 { continue }
      // The last elements come first.
      let parts = result.split(sizes: [start, extent - start], axis: axis)
      result = concatenate(Array(parts.reversed()), axis: axis)
    }
    return result
  }

  /// The position of the element that a shift brings to the front; nil if that depends on the extent.
  private static func firstRolled(_ shift: Dimension, _ extent: Dimension) -> Dimension? {
    if shift.upperBound <= 0, (extent + shift).lowerBound >= 0 { return 0 - shift }
    if shift.lowerBound >= 0, (extent - shift).lowerBound >= 0 { return extent - shift }
    return extent.isConstant && shift.isConstant ? (0 - shift) % extent : nil
  }

  private static func padding(_ mode: Tensor.PaddingMode) -> AtenOperator {
    .one { (call) throws(Diagnostic) in
      padded(try call.subject(), try call.dimensions("padding"), mode)
    }
  }

  /// What a negative amount takes away goes first.
  private static func padded(_ x: Tensor, _ amounts: [Dimension], _ mode: Tensor.PaddingMode)
    -> Tensor
  {
    var cut = x
    for (index, amount) in amounts.enumerated() where amount.upperBound < 0 {
      let axis = x.rank - 1 - index / 2
      guard axis >= 0 else { break }
      cut =
        index % 2 == 0
        ? cut.slice(axis: axis, from: 0 - amount)
        : cut.slice(axis: axis, to: cut.extent(axis) + amount)
    }
    return cut.pad(amounts.map { $0.upperBound < 0 ? 0 : $0 }, mode: mode)
  }
}
