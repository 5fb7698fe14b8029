import AITFrontend
import AITGraph

extension AtenOperator {
  /// Updates at positions, and positions among sorted values.
  static let positions: [String: AtenOperator] = [
    "scatter_reduce": .one { (call) throws(Diagnostic) in
      let (x, axis) = (try call.subject(), try call.integer("dim"))
      let (index, source) = (try call.tensor("index"), try call.tensor("src"))
      return try reduced(call, x, source) { x, updates, kind, includesSelf in
        x.scatter(axis: axis, index, updates, kind, includesSelf: includesSelf)
      }
    },
    "index_reduce": .one { (call) throws(Diagnostic) in
      let (x, axis) = (try call.subject(), try call.integer("dim"))
      let (index, source) = (try call.tensor("index"), try call.tensor("source"))
      return try reduced(call, x, source) { x, updates, kind, includesSelf in
        x.scatterSlices(axis: axis, index, updates, kind, includesSelf: includesSelf)
      }
    },
    "index_add": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      var source = try call.tensor("source")
      let factor = try call.number("alpha", default: 1)
      if factor != 1 { source = (source * factor).cast(to: x.dtype) }
      let axis = try call.integer("dim")
      return x.scatterSlices(axis: axis, try call.tensor("index"), source, .add)
    },
    "index_copy": .one { (call) throws(Diagnostic) in
      try call.subject().scatterSlices(
        axis: try call.integer("dim"),
        try call.tensor("index"),
        try call.tensor("source")
      )
    },
    "index_fill": .one { (call) throws(Diagnostic) in
      let (x, axis) = (try call.subject(), try call.integer("dim"))
      let index = try positive(try call.tensor("index").flatten(), try x.checkedExtent(axis))
      var extents = x.shape.dimensions
      extents[try x.shape.normalizedAxis(axis)] = index.extent(0)
      if case .tensor(let value) = call["value"] {
        return x.scatterSlices(axis: axis, index, value.cast(to: x.dtype).expand(extents))
      }
      return x.scatterSlices(axis: axis, index, try filled(call, "value", extents, x.dtype))
    },
    "index_put": .one { (call) throws(Diagnostic) in try put(call) },
    "masked_scatter": .one { (call) throws(Diagnostic) in
      let (given, source) = (try call.subject(), try call.tensor("source"))
      let shape = try Shape.broadcasting([given.shape, try call.tensor("mask").shape]).dimensions
      let (x, mask) = (
        given.expand(shape).flatten(), try call.tensor("mask").expand(shape).flatten()
      )
      let updates = source.flatten().indexSelect(axis: 0, places(mask))
      return `where`(mask, updates, x).cast(to: x.dtype).reshape(shape)
    },
    "take": .one { (call) throws(Diagnostic) in
      let (x, index) = (try call.subject().flatten(), try call.tensor("index"))
      return x.indexSelect(axis: 0, try positive(index, x.extent(0)))
    },
    "take_along_dim": .one { (call) throws(Diagnostic) in
      let (x, index) = (try call.subject(), try call.tensor("indices"))
      guard let axis = try call.optionalInteger("dim") else {
        return x.flatten().gather(axis: 0, index.flatten())
      }
      guard x.rank == index.rank else { throw call.unsupported("of \(x.type) by \(index.type)") }
      let place = try x.shape.normalizedAxis(axis)
      var (ones, others) = (x.shape.dimensions, index.shape.dimensions)
      (ones[place], others[place]) = (1, 1)
      // All axes but the one broadcast.
      var extents = try Shape.broadcasting([Shape(ones), Shape(others)]).dimensions
      extents[place] = x.extent(place)
      let values = x.expand(extents)
      extents[place] = index.extent(place)
      return values.gather(axis: place, index.expand(extents))
    },
    "one_hot": .one { (call) throws(Diagnostic) in
      let count = try call.integer("num_classes", default: -1)
      guard count > 0 else {
        throw call.unsupported("without a number of classes", hint: "give num_classes")
      }
      let classes = Tensor.arange(Dimension(count), .int64)
      return (try call.subject().unsqueeze(axis: -1) .== classes).cast(to: .int64)
    },
    "bucketize": .one { (call) throws(Diagnostic) in
      guard case .tensor(let x) = call["self"] else { throw call.mismatch("self", "a tensor") }
      return try place(x.unsqueeze(axis: -1), among: try call.tensor("boundaries"), call)
    },
    "searchsorted": .one { (call) throws(Diagnostic) in
      let sorted = try call.tensor("sorted_sequence")
      guard !call.has("sorter") else { throw call.unsupported("with a sorter") }
      let x: Tensor
      if case .tensor(let given) = call["self"] {
        x = given
      } else {
        x = .full([], try call.number("self"), sorted.dtype)
      }
      return try place(
        x.unsqueeze(axis: -1),
        among: sorted.rank > 1 ? sorted.unsqueeze(axis: -2) : sorted,
        call
      )
    },
    "isin": .one { (call) throws(Diagnostic) in
      let (x, values) = (try call.tensor("elements"), try call.tensor("test_elements"))
      let isIn = (x.unsqueeze(axis: -1) .== values.flatten()).any(axes: [-1])
      return try call.bool("invert") ? isIn.logicalNot() : isIn
    },
  ]

  /// How many sorted values lie before a value; equal ones count if it is put to their right.
  private static func place(_ x: Tensor, among sorted: Tensor, _ call: AtenCall)
    throws(Diagnostic) -> Tensor
  {
    let side = try call.string("side", default: "left")
    let isRight = try call.bool("right") || side == "right"
    // NaN comes last.
    let isBefore = isRight ? (sorted .> x).logicalNot() : (sorted .>= x).logicalNot()
    let count = isBefore.cast(to: .int64).sum(axes: [-1])
    return try call.bool("out_int32") ? count.cast(to: .int32) : count
  }

  /// The reductions of `scatter_reduce`; the mean is a sum and a count.
  private static func reduced(
    _ call: AtenCall,
    _ x: Tensor,
    _ source: Tensor,
    _ scatter: (Tensor, Tensor, ScatterReduction, Bool) -> Tensor
  ) throws(Diagnostic) -> Tensor {
    let includesSelf = try call.bool("include_self", default: true)
    switch try call.string("reduce") {
    case "sum": return scatter(x, source, .add, includesSelf)
    case "prod": return scatter(x, source, .multiply, includesSelf)
    case "amax": return scatter(x, source, .maximum, includesSelf)
    case "amin": return scatter(x, source, .minimum, includesSelf)
    case "mean":
      let sum = scatter(x, source, .add, includesSelf)
      // An element without updates counts itself.
      let ones = Tensor.full(like: source, 1, x.dtype)
      let count = scatter(.full(like: x, 1), ones, .add, includesSelf)
      return try apply(x.dtype.isFloatingPoint ? .divide : .floorDivide, [sum, count])
    case let reduce: throw call.unsupported("with reduce='\(reduce)'")
    }
  }

  /// `x[:, rows, columns] = values`, or `+=`: positions joined to one axis, values in slices; axes that
  /// stand apart, `x[rows, :, columns]`, are brought together.
  private static func put(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    let x = try call.subject()
    let given = try call.optionalTensors("indices")
    let axes = given.indices.filter { given[$0] != nil }
    let indices = given.compactMap(\.self)
    guard let first = axes.first, let last = axes.last, given.count <= x.rank else {
      throw call.unsupported("of \(x.type) by \(axes.count) indices")
    }
    let values = try call.tensor("values").cast(to: x.dtype)
    if indices.count == 1, indices[0].dtype == .bool {
      return try masked(x, indices[0], first, values, call)
    }
    try checkPositions(indices, call)
    // Axes that stand apart come to the front, where the values have those of the positions as well.
    let isTogether = last - first + 1 == axes.count
    let order = axes + (0..<x.rank).filter { !axes.contains($0) }
    let target = isTogether ? x : x.permute(order)
    let place = isTogether ? first : 0
    let common = try Shape.broadcasting(indices.map(\.shape)).dimensions
    let extents = axes.map { x.extent($0) }
    let index = try joined(indices, extents).expand(common).flatten()
    let outer = Array(target.shape.dimensions[..<place])
    let inner = Array(target.shape.dimensions[(place + axes.count)...])
    let updates = values.expand(outer + common + inner)
      .reshape(outer + [common.reduce(1, *)] + inner)
    let written = target.reshape(outer + [extents.reduce(1, *)] + inner)
      .scatterSlices(axis: place, index, updates, try call.bool("accumulate") ? .add : .replace)
      .reshape(target.shape.dimensions)
    guard !isTogether else { return written }
    return written.permute(order.indices.map { order.firstIndex(of: $0) ?? $0 })
  }

  /// `x[:, mask] = values`, or `+=`: the values in the order of the mask's truths, or one for all.
  ///
  /// More truths than values fail the run, as a position out of range; fewer are an error of the
  /// program that PyTorch finds.
  private static func masked(
    _ x: Tensor,
    _ mask: Tensor,
    _ first: Int,
    _ values: Tensor,
    _ call: AtenCall
  ) throws(Diagnostic) -> Tensor {
    let rest = x.rank - first - mask.rank
    guard rest >= 0, values.rank <= first + 1 + rest else {
      throw call.unsupported("of \(x.type) by a mask \(mask.type) with values \(values.type)")
    }
    let shape = values.shape.dimensions
    let padded = values.reshape(
      [Dimension](repeating: 1, count: first + 1 + rest - shape.count) + shape
    )
    let outer = Array(x.shape.dimensions[..<first])
    let inner = Array(x.shape.dimensions[(first + mask.rank)...])
    let flat = x.reshape(outer + [mask.shape.elementCount] + inner)
    let isChosen = mask.flatten()
    let updates =
      padded.extent(first) == 1
      ? padded : padded.indexSelect(axis: first, places(isChosen))
    let condition = isChosen.reshape(
      [mask.shape.elementCount] + [Dimension](repeating: 1, count: rest)
    )
    let new = try call.bool("accumulate") ? flat + updates : updates
    return `where`(condition, new, flat).cast(to: x.dtype).reshape(x.shape.dimensions)
  }

  /// Which of the truths of a mask each one is; where there is none, a position that is legal if any is.
  static func places(_ isChosen: Tensor) -> Tensor {
    `where`(isChosen, isChosen.cumulativeSum(axis: 0) - 1, 0)
  }
}
