import AITGraph

/// What a border is filled with, by PyTorch's names.
package enum PaddingMode: Hashable, Sendable {
  case constant(Double)
  /// Mirrored at the edge element, which is not repeated; less than the extent.
  case reflect
  /// The edge element repeated.
  case replicate
  /// The other end of the axis; at most the extent.
  case circular
}

extension Graph {
  /// Grows axes by amounts in PyTorch's order: before and after the last axis, before and after the
  /// one ahead of it, and so on.
  ///
  /// Negative amounts cut, in the mode `constant`.
  package mutating func pad(
    _ x: ValueID,
    _ amounts: [Dimension],
    mode: PaddingMode = .constant(0),
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let shape = self[x].type.shape
    guard amounts.count.isMultiple(of: 2), amounts.count <= 2 * shape.rank else {
      throw Diagnostic(
        .invalidAttribute,
        "pad of \(shape) by \(amounts)",
        hint: "give two amounts for each of the last axes, the last axis first"
      )
    }
    var low: [Dimension] = Array(repeating: 0, count: shape.rank)
    var high = low
    for index in 0..<(amounts.count / 2) {
      low[shape.rank - 1 - index] = amounts[2 * index]
      high[shape.rank - 1 - index] = amounts[2 * index + 1]
    }
    guard case .constant(let value) = mode else {
      return try padByParts(x, low, high, mode, name ?? "pad")
    }
    return try padConstant(x, low, high, value, name ?? "pad")
  }

  private mutating func padConstant(
    _ x: ValueID,
    _ low: [Dimension],
    _ high: [Dimension],
    _ value: Double,
    _ name: String
  ) throws(Diagnostic) -> ValueID {
    let shape = self[x].type.shape
    var ranges: [SliceRange] = []
    for axis in 0..<shape.rank {
      let cut = try [low[axis], high[axis]].map { amount throws(Diagnostic) -> Dimension in
        let range = amount.range
        guard range.lowerBound >= 0 || range.upperBound <= 0 else {
          throw Diagnostic(
            .invalidAttribute,
            "pad of axis \(axis) of \(shape) by \(amount)",
            hint: "an amount is never both positive and negative; narrow its symbols"
          )
        }
        return range.lowerBound >= 0 ? 0 : amount * -1
      }
      // A low cut beyond the axis leaves nothing to the high one.
      guard (shape[axis] - cut[0] - cut[1]).upperBound >= 0 else {
        throw Diagnostic(.shapeMismatch, "pad of \(shape) by \(low) before and \(high) after")
      }
      ranges.append(SliceRange(cut[0], shape[axis] - cut[1]))
    }
    let inner = try slice(x, ranges)
    let (before, after) = (low.map(Self.positivePart), high.map(Self.positivePart))
    if (before + after).allSatisfy({ $0 == 0 }) {
      return inner == x ? try identity(x, name: name) : inner
    }
    return try addResult(Pad(low: before, high: after, value: value), [inner], name: name)
  }

  private static func positivePart(_ amount: Dimension) -> Dimension {
    amount.lowerBound >= 0 ? amount : 0
  }

  /// Joins each axis with a mirrored, repeated or opposite part of itself.
  private mutating func padByParts(
    _ x: ValueID,
    _ low: [Dimension],
    _ high: [Dimension],
    _ mode: PaddingMode,
    _ name: String
  ) throws(Diagnostic) -> ValueID {
    var result = x
    for axis in low.indices {
      let (before, after) = (low[axis], high[axis])
      if before == 0 && after == 0 { continue }
      let shape = self[result].type.shape
      let extent = shape[axis]
      let limit =
        switch mode {
        case .reflect: extent - 1
        case .replicate: extent * Dimension(Int(Int32.max))
        case .circular, .constant: extent
        }
      for amount in [before, after] {
        guard amount.lowerBound >= 0, (limit - amount).upperBound >= 0 else {
          throw Diagnostic(
            .invalidAttribute,
            "pad of axis \(axis) of \(shape) by \(amount), mode \(mode)",
            hint: "amounts run from 0 to \(limit)"
          )
        }
      }
      var parts: [ValueID] = []
      if before != 0 { parts.append(try border(result, axis, before, mode, isLow: true)) }
      parts.append(result)
      if after != 0 { parts.append(try border(result, axis, after, mode, isLow: false)) }
      result = try concat(parts, axis: axis, name: name)
    }
    return result == x ? try identity(x, name: name) : result
  }

  private mutating func border(
    _ x: ValueID,
    _ axis: Int,
    _ amount: Dimension,
    _ mode: PaddingMode,
    isLow: Bool
  ) throws(Diagnostic) -> ValueID {
    let shape = self[x].type.shape
    let extent = shape[axis]
    var starts: [Dimension] = Array(repeating: 0, count: shape.rank)
    var sizes = shape.dimensions
    var steps = Array(repeating: 1, count: shape.rank)
    sizes[axis] = amount
    switch mode {
    case .reflect:
      starts[axis] = isLow ? amount : extent - 2
      steps[axis] = -1
    case .circular, .constant:
      starts[axis] = isLow ? extent - amount : 0
    case .replicate:
      starts[axis] = isLow ? 0 : extent - 1
      sizes[axis] = 1
      let edge = try addResult(Slice(starts: starts, sizes: sizes, steps: steps), [x], name: nil)
      sizes[axis] = amount
      return try expand(edge, sizes)
    }
    return try addResult(Slice(starts: starts, sizes: sizes, steps: steps), [x], name: nil)
  }
}
