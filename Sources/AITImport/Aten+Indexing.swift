import AITFrontend
import AITGraph

extension AtenOperator {
  static let indexing: [String: AtenOperator] = [
    "embedding": .one { (call) throws(Diagnostic) in
      embedding(try call.tensor("indices"), table: try call.tensor("weight"))
    },
    "gather": .one { (call) throws(Diagnostic) in
      try call.subject().gather(axis: try call.integer("dim"), try call.tensor("index"))
    },
    "index_select": .one { (call) throws(Diagnostic) in
      let index = try call.tensor("index")
      return try call.subject().indexSelect(
        axis: try call.integer("dim"),
        index.rank == 0 ? index.reshape([1]) : index
      )
    },
    "index": .one { (call) throws(Diagnostic) in try indexed(call) },
    "scatter": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let index = try call.tensor("index")
      let updates =
        call.has("src")
        ? try call.tensor("src") : try filled(call, "value", index.shape.dimensions, x.dtype)
      let axis = try call.integer("dim")
      switch try call.string("reduce", default: "") {
      case "": return x.scatter(axis: axis, index, updates)
      case "add": return x.scatter(axis: axis, index, updates, .add)
      case "multiply": return x.scatter(axis: axis, index, updates, .multiply)
      case let reduce: throw call.unsupported("with reduce='\(reduce)'")
      }
    },
    "scatter_add": .one { (call) throws(Diagnostic) in
      try call.subject().scatter(
        axis: try call.integer("dim"),
        try call.tensor("index"),
        try call.tensor("src"),
        .add
      )
    },
    "slice_scatter": .one { (call) throws(Diagnostic) in try sliceScattered(call) },
    "select_scatter": .one { (call) throws(Diagnostic) in
      let (x, axis) = (try call.subject(), try call.integer("dim"))
      let position = try call.dimension("index")
      let extent = try x.checkedExtent(axis)
      let start = position.upperBound < 0 ? position + extent : position
      return replaced(x, axis, start, try call.tensor("src").unsqueeze(axis: axis), 1)
    },
  ]

  static let order: [String: AtenOperator] = [
    "topk": .many { (call) throws(Diagnostic) in
      let found = try call.subject().topK(
        try call.dimension("k"),
        axis: try call.integer("dim", default: -1),
        isLargest: try call.bool("largest", default: true)
      )
      return [found.values, found.positions]
    },
    "sort": .many { (call) throws(Diagnostic) in
      let found = try call.subject().sort(
        axis: try call.integer("dim", default: -1),
        isDescending: try call.bool("descending")
      )
      return [found.values, found.positions]
    },
    "argsort": .one { (call) throws(Diagnostic) in
      try call.subject().argSort(
        axis: try call.integer("dim", default: -1),
        isDescending: try call.bool("descending")
      )
    },
    "cumsum": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let dtype = try call.elementType()
      let sum = (dtype.map { x.cast(to: $0) } ?? x).cumulativeSum(axis: try call.integer("dim"))
      return dtype.map { sum.cast(to: $0) } ?? sum
    },
    "cumprod": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let dtype = try call.elementType()
      let product = (dtype.map { x.cast(to: $0) } ?? x)
        .cumulativeProduct(axis: try call.integer("dim"))
      return dtype.map { product.cast(to: $0) } ?? product
    },
  ]

  /// Tensors of positions along some axes, as `x[:, index]` and `x[rows, columns]`.
  ///
  /// Of several, positions are joined to one along the joined axes; axes that stand apart put the result
  /// of the positions in front, as PyTorch and NumPy do.
  private static func indexed(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    let x = try call.subject()
    let given = try call.optionalTensors("indices")
    let axes = given.indices.filter { given[$0] != nil }
    let indices = given.compactMap(\.self)
    guard let first = axes.first, let last = axes.last else { return x }
    guard given.count <= x.rank else {
      throw call.unsupported("of \(x.type) by \(given.count) indices")
    }
    try checkPositions(indices, call)
    if axes.count == 1 {
      return x.indexSelect(axis: first, try positive(indices[0], try x.checkedExtent(first)))
    }
    // The axes of the positions come together.
    let isTogether = last - first + 1 == axes.count
    let rest = (0..<x.rank).filter { !axes.contains($0) }
    let place = isTogether ? first : 0
    let order = Array(rest[..<place]) + axes + Array(rest[place...])
    let permuted = order == Array(order.indices) ? x : x.permute(order)
    var extents: [Dimension] = []
    for axis in axes { extents.append(try x.checkedExtent(axis)) }
    let joined = try joined(indices, extents)
    let outer = Array(permuted.shape.dimensions[..<place])
    let inner = Array(permuted.shape.dimensions[(place + axes.count)...])
    let flat = permuted.reshape(outer + [extents.reduce(1, *)] + inner)
    return flat.indexSelect(axis: place, joined)
  }

  static func checkPositions(_ indices: [Tensor], _ call: AtenCall) throws(Diagnostic) {
    for index in indices where index.dtype != .int64 && index.dtype != .int32 {
      throw call.unsupported(
        "by a tensor \(index.type)",
        hint: "the size of what a mask selects depends on the data: use where, or positions"
      )
    }
  }

  /// Positions along several axes as those along the axes joined to one.
  ///
  /// One outside of its axis is outside of the joined one, and fails the run.
  static func joined(_ indices: [Tensor], _ extents: [Dimension]) throws(Diagnostic) -> Tensor {
    var result = try positive(indices[0], extents[0])
    guard indices.count > 1 else { return result }
    var isOutside = try outside(result, extents[0])
    for (index, extent) in zip(indices, extents).dropFirst() {
      let next = try positive(index, extent)
      isOutside = isOutside.logicalOr(try outside(next, extent))
      let size = try apply(.multiply, [result, operand(extent, result.dtype)])
      result = size + next
    }
    return `where`(isOutside, -1, result)
  }

  private static func outside(_ index: Tensor, _ extent: Dimension) throws(Diagnostic) -> Tensor {
    (index .< 0).logicalOr(
      try apply(.greaterEqual, [index, operand(extent, index.dtype)])
    )
  }

  /// Positions that may count from the end, counted from the start.
  static func positive(_ index: Tensor, _ extent: Dimension) throws(Diagnostic) -> Tensor {
    let moved = try apply(.add, [index, operand(extent, index.dtype)])
    return `where`(index .< 0, moved, index)
  }

  private static func sliceScattered(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    let (x, axis) = (try call.subject(), try call.integer("dim", default: 0))
    let extent = try x.checkedExtent(axis)
    let step = try call.integer("step", default: 1)
    guard step > 0 else { throw call.unsupported("by steps of \(step)") }
    var start = try call.dimension("start", default: 0)
    if start.upperBound < 0 { start = start + extent }
    // As a slice: what lies before the axis begins with it.
    if start.upperBound < 0 { start = 0 }
    guard start.lowerBound >= 0 else {
      throw call.unsupported("from \(start), which may lie before the axis")
    }
    let source = try call.tensor("src")
    if step > 1 {
      let places = Tensor.arange(try source.checkedExtent(axis), .int64) * step
      let moved = try apply(.add, [places, operand(start, .int64)])
      return x.scatterSlices(axis: axis, moved, source.cast(to: x.dtype))
    }
    return replaced(x, axis, start, source, try source.checkedExtent(axis))
  }

  /// x with a part along an axis replaced.
  private static func replaced(
    _ x: Tensor,
    _ axis: Int,
    _ start: Dimension,
    _ source: Tensor,
    _ length: Dimension
  ) -> Tensor {
    var parts: [Tensor] = []
    if start != 0 { parts.append(x.slice(axis: axis, to: start)) }
    parts.append(source.cast(to: x.dtype))
    if start + length != x.extent(axis) { parts.append(x.slice(axis: axis, from: start + length)) }
    return parts.count == 1 ? parts[0] : concatenate(parts, axis: axis)
  }
}
