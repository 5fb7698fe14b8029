import AITGraph

extension Graph {
  // MARK: - Extents

  /// Gives the elements other extents of the same product; one extent may be -1 and takes the rest.
  package mutating func reshape(_ x: ValueID, _ extents: [Dimension], name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    let shape = self[x].type.shape
    guard let open = extents.firstIndex(of: -1) else {
      return try addResult(Reshape(Shape(extents)), [x], name: name)
    }
    // The quotient may be of extents that can be 0: both sides are 0 then, and any value serves.
    var known = extents
    known.remove(at: open)
    guard known.allSatisfy({ $0 != 0 && $0.upperBound >= 0 }),
      let quotient = shape.elementCount.polynomialQuotient(by: Shape(known).elementCount)
    else {
      throw Diagnostic(
        .shapeMismatch,
        "reshape of \(self[x].type) to \(Shape(extents))",
        hint: "one extent may be -1, and the others must divide the number of elements"
      )
    }
    var resolved = extents
    resolved[open] = quotient
    return try addResult(Reshape(Shape(resolved)), [x], name: name)
  }

  /// Joins the axes from `start` to `end`, both included, into one; rank 0 becomes rank 1.
  package mutating func flatten(
    _ x: ValueID,
    start: Int = 0,
    end: Int = -1,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let shape = self[x].type.shape
    guard shape.rank > 0 else { return try reshape(x, [1], name: name ?? "flatten") }
    let (first, last) = (try shape.normalizedAxis(start), try shape.normalizedAxis(end))
    guard first <= last else {
      throw Diagnostic(
        .axisOutOfRange,
        "flatten of \(shape) from axis \(first) to the earlier axis \(last)"
      )
    }
    guard first < last else { return x }
    var extents = shape.dimensions
    extents.replaceSubrange(first...last, with: [Shape(Array(extents[first...last])).elementCount])
    return try reshape(x, extents, name: name ?? "flatten")
  }

  /// Splits an axis into several, one of which may be -1.
  package mutating func unflatten(
    _ x: ValueID,
    axis: Int,
    _ extents: [Dimension],
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let shape = self[x].type.shape
    let axis = try shape.normalizedAxis(axis)
    var resolved = shape.dimensions
    resolved.replaceSubrange(axis...axis, with: extents)
    return try reshape(x, resolved, name: name ?? "unflatten")
  }

  /// Removes those of the given axes, or of all, whose extent is 1.
  package mutating func squeeze(_ x: ValueID, axes: [Int]? = nil, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    let shape = self[x].type.shape
    let candidates = try axes.map { axes throws(Diagnostic) in try shape.normalizedAxes(axes) }
    let kept = (0..<shape.rank).filter { axis in
      shape[axis] != 1 || !(candidates?.contains(axis) ?? true)
    }
    guard kept.count < shape.rank else { return x }
    return try reshape(x, kept.map { shape[$0] }, name: name ?? "squeeze")
  }

  /// Inserts an axis of extent 1 so that it has the given position in the result.
  package mutating func unsqueeze(_ x: ValueID, axis: Int, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    var extents = self[x].type.shape.dimensions
    extents.append(1)
    let axis = try Shape(extents).normalizedAxis(axis)
    extents = self[x].type.shape.dimensions
    extents.insert(1, at: axis)
    return try reshape(x, extents, name: name ?? "unsqueeze")
  }

  // MARK: - Joining

  /// Joins tensors of one shape along a new axis.
  package mutating func stack(_ operands: [ValueID], axis: Int = 0, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    var rows: [ValueID] = []
    for operand in operands { rows.append(try unsqueeze(operand, axis: axis)) }
    guard let first = rows.first else {
      throw Diagnostic(.wrongInputCount, "stack of no tensors")
    }
    let axis = try self[first].type.shape.normalizedAxis(axis)
    return try concat(rows, axis: axis, name: name ?? "stack")
  }

  /// Repeats the tensor as a whole along each axis; more counts than axes add axes in front.
  package mutating func tile(_ x: ValueID, _ counts: [Dimension], name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    let shape = self[x].type.shape
    guard counts.count >= shape.rank else {
      throw Diagnostic(
        .rankMismatch,
        "tile of \(shape) by \(counts)",
        hint: "give a count for each axis"
      )
    }
    let padding: [Dimension] = Array(repeating: 1, count: counts.count - shape.rank)
    return try repeating(x, padding + shape.dimensions, counts, isWhole: true, name ?? "tile")
  }

  /// Repeats each element along an axis in place: `[a, b]` twice is `[a, a, b, b]`.
  package mutating func repeatInterleave(
    _ x: ValueID,
    _ count: Dimension,
    axis: Int,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let shape = self[x].type.shape
    var counts: [Dimension] = Array(repeating: 1, count: shape.rank)
    counts[try shape.normalizedAxis(axis)] = count
    return try repeating(
      x,
      shape.dimensions,
      counts,
      isWhole: false,
      name ?? "repeat_interleave"
    )
  }

  /// Repeats through an axis of the count's extent before (whole) or after each axis repeated.
  private mutating func repeating(
    _ x: ValueID,
    _ extents: [Dimension],
    _ counts: [Dimension],
    isWhole: Bool,
    _ name: String
  ) throws(Diagnostic) -> ValueID {
    var single: [Dimension] = []
    var repeated: [Dimension] = []
    for (extent, count) in zip(extents, counts) {
      if count == 1 {
        single.append(extent)
        repeated.append(extent)
      } else {
        single += isWhole ? [1, extent] : [extent, 1]
        repeated += isWhole ? [count, extent] : [extent, count]
      }
    }
    let spread = try expand(try reshape(x, single), repeated)
    return try reshape(spread, zip(extents, counts).map { $0 * $1 }, name: name)
  }
}
