import AITFrontend
import AITGraph

extension AtenOperator {
  /// Elements by their order or number along an axis.
  static let statistics: [String: AtenOperator] = [
    "kthvalue": .many { (call) throws(Diagnostic) in
      let (x, axis) = (try call.subject(), try call.integer("dim", default: -1))
      let place = try call.integer("k") - 1
      let extent = try x.checkedExtent(axis)
      guard place >= 0, extent.constant.map({ place < $0 }) ?? true else {
        throw call.unsupported("of \(x.type) for k=\(place + 1)")
      }
      return try found(x.sort(axis: axis), axis, Dimension(place), call)
    },
    "median": .many { (call) throws(Diagnostic) in
      let given = try call.subject()
      let axis = try call.optionalInteger("dim")
      let (x, along) = axis.map { (given, $0) } ?? (given.flatten(), 0)
      let place = (try x.checkedExtent(along) - 1) / 2
      let sorted = x.sort(axis: along)
      if axis == nil {
        let median = sorted.values.select(axis: along, place)
        guard x.dtype.isFloatingPoint else { return [median] }
        // NaN comes last in order, and wins.
        return [`where`(x.isNaN().any(), Double.nan, median).cast(to: x.dtype)]
      }
      let results = try found(sorted, along, place, call)
      guard x.dtype.isFloatingPoint else { return results }
      let keeps = try call.bool("keepdim")
      let isNaN = x.isNaN()
      let hasNaN = isNaN.any(axes: [along], keepsDimensions: keeps)
      let first = isNaN.cast(to: .int32).argMax(axis: along, keepsDimensions: keeps)
      return [
        `where`(hasNaN, Double.nan, results[0]).cast(to: x.dtype),
        `where`(hasNaN, first, results[1]),
      ]
    },
    "nanmedian": .many { (call) throws(Diagnostic) in
      let given = try call.subject()
      let axis = try call.optionalInteger("dim")
      let (x, along) = axis.map { (given, $0) } ?? (given.flatten(), 0)
      let sorted = x.sort(axis: along)
      guard x.dtype.isFloatingPoint else {
        let place = (try x.checkedExtent(along) - 1) / 2
        return axis == nil
          ? [sorted.values.select(axis: along, place)] : try found(sorted, along, place, call)
      }
      let count = x.isNaN().logicalNot().cast(to: .int64).sum(axes: [along], keepsDimensions: true)
      let place = floorDivide((count - 1).clamp(min: 0), 2)
      let keeps = try call.bool("keepdim")
      let results = [sorted.values, sorted.positions].map { each in
        let one = each.gather(axis: along, place)
        return keeps ? one : one.squeeze(axis: along)
      }
      return axis == nil ? [results[0]] : results
    },
    "mode": AtenOperator { (call) throws(Diagnostic) in
      let (x, axis) = (try call.subject(), try call.integer("dim", default: -1))
      let place = try x.shape.normalizedAxis(axis)
      // The first of the most frequent in order is the smallest.
      let sorted = x.sort(axis: place).values
      let isEqual = sorted.unsqueeze(axis: place) .== sorted.unsqueeze(axis: place + 1)
      let counts = isEqual.cast(to: .int64).sum(axes: [place + 1])
      let best = counts.argMax(axis: place, keepsDimensions: true)
      let value = sorted.gather(axis: place, best)
      return [
        .tensor(try call.bool("keepdim") ? value : value.squeeze(axis: place)),
        .unavailable("the positions of \(call.target)"),
      ]
    },
    "msort": unary { $0.sort(axis: 0).values },
    "nansum": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let axes = try call.optionalIntegers("dim")
      let plain = x.dtype.isFloatingPoint ? `where`(x.isNaN(), 0, x).cast(to: x.dtype) : x
      return plain.sum(
        axes: axes == [] ? nil : axes,
        keepsDimensions: try call.bool("keepdim"),
        dtype: try call.elementType()
      )
    },
    "nanmean": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let given = try call.optionalIntegers("dim")
      let (axes, keeps) = (given == [] ? nil : given, try call.bool("keepdim"))
      let sum = `where`(x.isNaN(), 0, x).sum(axes: axes, keepsDimensions: keeps)
      let count = x.isNaN().logicalNot().cast(to: x.dtype)
      return sum / count.sum(axes: axes, keepsDimensions: keeps)
    },
    "quantile": .one { (call) throws(Diagnostic) in
      let given = try call.subject()
      guard try call.string("interpolation", default: "linear") == "linear" else {
        throw call.unsupported("with another interpolation than 'linear'")
      }
      let axis = try call.optionalInteger("dim")
      let x = axis == nil ? given.flatten() : given
      let place = try x.shape.normalizedAxis(axis ?? 0)
      let sorted = x.sort(axis: place).values
      var share = try apply(.add, [Tensor.full([], 0, x.dtype), try call.operand("q")])
      let isOne = share.rank == 0
      share = share.flatten()
      let last = try apply(.subtract, [RuntimeNumber(x.extent(place)), 1])
      let rank = share * last.cast(to: x.dtype)
      let (low, high) = (floor(rank), ceil(rank))
      let below = sorted.indexSelect(axis: place, low.cast(to: .int64))
      let above = sorted.indexSelect(axis: place, high.cast(to: .int64))
      var shape = [Dimension](repeating: 1, count: x.rank)
      shape[place] = share.extent(0)
      var y = below + (above - below) * (rank - low).reshape(shape)
      y = `where`(x.isNaN().any(axes: [place], keepsDimensions: true), Double.nan, y)
        .cast(to: x.dtype)
      // The quantiles come first.
      y = y.permute([place] + (0..<y.rank).filter { $0 != place })
      if axis != nil, try call.bool("keepdim") { y = y.unsqueeze(axis: place + 1) }
      return isOne ? y.squeeze(axis: 0) : y
    },
    "histc": .one { (call) throws(Diagnostic) in
      let x = try call.subject().flatten()
      let bins = try call.integer("bins", default: 100)
      let (least, greatest) = (
        try call.number("min", default: 0), try call.number("max", default: 0)
      )
      guard bins > 0, bins <= 1 << 16, least < greatest else {
        throw call.unsupported("without limits", hint: "give min and max")
      }
      let place = ((x - least) * (Double(bins) / (greatest - least))).cast(to: .int64)
        .clamp(max: bins - 1)
      let isInside = (x .>= least).logicalAnd(x .<= greatest)
      let index = `where`(isInside, place, bins)
      return Tensor.zeros([Dimension(bins + 1)], x.dtype)
        .scatter(axis: 0, index, .full(like: x, 1), .add)
        .slice(axis: 0, to: Dimension(bins))
    },
    "logcumsumexp": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let axis = try x.shape.normalizedAxis(try call.integer("dim"))
      guard let count = x.extent(axis).constant, count <= 1024 else {
        throw call.unsupported("along \(x.extent(axis)) elements, supported are up to 1024")
      }
      // Each sum by itself: a common factor would lose what is small beside the largest.
      let rows = Tensor.arange(Dimension(count), .int64)
      var shape = [Dimension](repeating: 1, count: x.rank - axis)
      shape[0] = Dimension(count)
      let isBefore = rows.reshape([Dimension(count)] + shape.map { _ in 1 }) .>= rows.reshape(shape)
      let all = `where`(isBefore, x.unsqueeze(axis: axis), -Double.infinity)
      return all.logSumExp(axes: [axis + 1]).cast(to: x.dtype)
    },
    "cummax": runningExtreme(isLargest: true),
    "cummin": runningExtreme(isLargest: false),
  ]

  private static func found(
    _ sorted: (values: Tensor, positions: Tensor),
    _ axis: Int,
    _ place: Dimension,
    _ call: AtenCall
  ) throws(Diagnostic) -> [Tensor] {
    let keeps = try call.bool("keepdim")
    return [sorted.values, sorted.positions].map { each in
      let one = each.select(axis: axis, place)
      return keeps ? one.unsqueeze(axis: axis) : one
    }
  }

  /// The running extremes and the position of each: the last that equals it, or is NaN with it.
  private static func runningExtreme(isLargest: Bool) -> AtenOperator {
    .many { (call) throws(Diagnostic) in
      let x = try call.subject()
      let axis = try x.shape.normalizedAxis(try call.integer("dim"))
      let values = isLargest ? x.cumulativeMax(axis: axis) : x.cumulativeMin(axis: axis)
      var isNew = x .== values
      if x.dtype.isFloatingPoint { isNew = isNew.logicalOr(x.isNaN()) }
      var shape = [Dimension](repeating: 1, count: x.rank - axis)
      shape[0] = x.extent(axis)
      let places = Tensor.arange(x.extent(axis), .int64).reshape(shape)
      return [values, `where`(isNew, places, 0).cumulativeMax(axis: axis)]
    }
  }
}
