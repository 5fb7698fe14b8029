import AITGraph

/// A range along an axis as Python writes it, `start:stop:step`.
///
/// Negative positions count from the end, positions beyond an end are clamped, and what is left out
/// reaches to the end in the direction of the step.
package struct SliceRange: Hashable, Sendable {
  package let start: Dimension?
  package let stop: Dimension?
  package let step: Int

  package init(_ start: Dimension? = nil, _ stop: Dimension? = nil, step: Int = 1) {
    self.start = start
    self.stop = stop
    self.step = step
  }

  /// The whole axis.
  package static let all = SliceRange()

  /// Returns the first position and the number of elements in an axis of the given extent.
  package func resolved(_ extent: Dimension) throws(Diagnostic)
    -> (start: Dimension, size: Dimension)
  {
    guard step != 0, step != Int.min else {
      throw Diagnostic(.invalidAttribute, "a slice with step \(step)")
    }
    let first = try position(start, extent)
    let end = try position(stop, extent)
    if step > 0 {
      // min(stop, extent) − max(start, 0), as one minimum so that bounds decide most of it.
      let starts = [first ?? 0, 0]
      let stops = [end ?? extent, extent]
      let size = Self.count(stops.flatMap { stop in starts.map { stop - $0 } }, step)
      return (size == 0 ? 0 : .minimum([.maximum(starts), extent]), size)
    }
    // min(start, extent − 1) − max(stop, −1), the stop excluded.
    let starts = [first ?? extent - 1, extent - 1]
    let stops = [end ?? -1, -1]
    let size = Self.count(starts.flatMap { start in stops.map { start - $0 } }, -step)
    return (size == 0 ? 0 : .maximum([.minimum(starts), 0]), size)
  }

  /// A position counted from 0; nil stays.
  private func position(_ position: Dimension?, _ extent: Dimension) throws(Diagnostic)
    -> Dimension?
  {
    guard let position else { return nil }
    let range = position.range
    if range.lowerBound >= 0 { return position }
    if range.upperBound < 0 { return position + extent }
    throw Diagnostic(
      .invalidAttribute,
      "a slice from or to \(position), which may be negative or not",
      hint: "narrow the bounds of its symbols"
    )
  }

  private static func count(_ lengths: [Dimension], _ step: Int) -> Dimension {
    let length = Dimension.maximum([.minimum(lengths), 0])
    return (length + Dimension(step - 1)).floorDivided(by: Dimension(step))
  }
}

extension Graph {
  // MARK: - Ranges

  /// Takes a range of each of the first axes; the others stay whole.
  package mutating func slice(_ x: ValueID, _ ranges: [SliceRange], name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    let shape = self[x].type.shape
    guard ranges.count <= shape.rank else {
      throw Diagnostic(
        .rankMismatch,
        "\(ranges.count) ranges for the \(shape.rank) axes of \(shape)"
      )
    }
    var starts: [Dimension] = []
    var sizes: [Dimension] = []
    for (axis, extent) in shape.dimensions.enumerated() {
      let range = axis < ranges.count ? ranges[axis] : .all
      let (start, size) = try range.resolved(extent)
      starts.append(start)
      sizes.append(size)
    }
    let steps = shape.dimensions.indices.map { $0 < ranges.count ? ranges[$0].step : 1 }
    if sizes == shape.dimensions && steps.allSatisfy({ $0 == 1 }) { return x }
    return try addResult(Slice(starts: starts, sizes: sizes, steps: steps), [x], name: name)
  }

  /// Takes a range of one axis.
  package mutating func slice(_ x: ValueID, axis: Int, _ range: SliceRange, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    let axis = try self[x].type.shape.normalizedAxis(axis)
    return try slice(x, Array(repeating: .all, count: axis) + [range], name: name)
  }

  /// Takes one position of an axis and removes the axis.
  package mutating func select(_ x: ValueID, axis: Int, _ index: Dimension, name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    let shape = self[x].type.shape
    let axis = try shape.normalizedAxis(axis)
    let isNegative = index.upperBound < 0
    let position = isNegative ? index + shape[axis] : index
    guard position.upperBound >= 0, index.lowerBound >= 0 || isNegative,
      (shape[axis] - 1 - position).upperBound >= 0
    else {
      throw Diagnostic(
        .axisOutOfRange,
        "select of position \(index) of axis \(axis) of \(shape)",
        hint: "positions run from -\(shape[axis]) to \(shape[axis] - 1)"
      )
    }
    var (starts, sizes) = (Array<Dimension>(repeating: 0, count: shape.rank), shape.dimensions)
    starts[axis] = position
    sizes[axis] = 1
    let steps = Array(repeating: 1, count: shape.rank)
    let row = try addResult(Slice(starts: starts, sizes: sizes, steps: steps), [x], name: nil)
    return try squeeze(row, axes: [axis], name: name ?? "select")
  }

  /// Reverses axes.
  package mutating func flip(_ x: ValueID, axes: [Int], name: String? = nil)
    throws(Diagnostic) -> ValueID
  {
    let shape = self[x].type.shape
    let reversed = try shape.normalizedAxes(axes)
    let ranges = (0..<shape.rank).map { SliceRange(step: reversed.contains($0) ? -1 : 1) }
    return try slice(x, ranges, name: name ?? "flip")
  }

  // MARK: - Parts

  /// Cuts an axis into parts of the given extents, which sum up to that of the axis.
  package mutating func split(_ x: ValueID, sizes: [Dimension], axis: Int, name: String? = nil)
    throws(Diagnostic) -> [ValueID]
  {
    let shape = self[x].type.shape
    let axis = try shape.normalizedAxis(axis)
    guard sizes.reduce(0, +) == shape[axis] else {
      throw Diagnostic(
        .shapeMismatch,
        "split of axis \(axis) of \(shape) into \(sizes)",
        hint: "the parts sum up to \(shape[axis])"
      )
    }
    let steps = Array(repeating: 1, count: shape.rank)
    var starts = Array<Dimension>(repeating: 0, count: shape.rank)
    var parts: [ValueID] = []
    for (index, size) in sizes.enumerated() {
      var extents = shape.dimensions
      extents[axis] = size
      let op = Slice(starts: starts, sizes: extents, steps: steps)
      parts.append(try addResult(op, [x], name: "\(name ?? "split")_\(index)"))
      starts[axis] = starts[axis] + size
    }
    return parts
  }

  /// Cuts an axis into parts of one extent, the last of which may be smaller.
  package mutating func split(_ x: ValueID, size: Int, axis: Int, name: String? = nil)
    throws(Diagnostic) -> [ValueID]
  {
    let shape = self[x].type.shape
    let normalized = try shape.normalizedAxis(axis)
    guard let extent = shape[normalized].constant, size > 0 || (size == 0 && extent == 0) else {
      throw Diagnostic(
        .invalidAttribute,
        "split of axis \(axis) of \(shape) by \(size)",
        hint: "the size is positive and the extent known; give the sizes of a symbolic one"
      )
    }
    guard extent > 0 else { return [x] }
    let sizes = stride(from: 0, to: extent, by: size).map { Dimension(min(size, extent - $0)) }
    return try split(x, sizes: sizes, axis: axis, name: name)
  }

  /// Cuts an axis into a number of equal parts.
  ///
  /// As in PyTorch the last is smaller, and there may be fewer parts, if the number does not divide
  /// the extent.
  package mutating func chunk(_ x: ValueID, _ count: Int, axis: Int, name: String? = nil)
    throws(Diagnostic) -> [ValueID]
  {
    let shape = self[x].type.shape
    let normalized = try shape.normalizedAxis(axis)
    guard count > 0 else { throw Diagnostic(.invalidAttribute, "chunk into \(count) parts") }
    if let part = shape[normalized].exactQuotient(by: Dimension(count)) {
      let sizes = Array(repeating: part, count: count)
      return try split(x, sizes: sizes, axis: axis, name: name ?? "chunk")
    }
    guard let extent = shape[normalized].constant else {
      throw Diagnostic(
        .shapeMismatch,
        "chunk of axis \(axis) of \(shape) into \(count) parts",
        hint: "the number of parts divides a symbolic extent"
      )
    }
    let size = (extent + count - 1) / count
    return try split(x, size: size, axis: axis, name: name ?? "chunk")
  }

  /// Takes every position of an axis of known extent, the axis removed.
  package mutating func unbind(_ x: ValueID, axis: Int = 0, name: String? = nil)
    throws(Diagnostic) -> [ValueID]
  {
    let shape = self[x].type.shape
    guard let extent = shape[try shape.normalizedAxis(axis)].constant else {
      throw Diagnostic(.shapeMismatch, "unbind of axis \(axis) of \(shape), which is symbolic")
    }
    var rows: [ValueID] = []
    for index in 0..<extent {
      rows.append(
        try select(x, axis: axis, Dimension(index), name: "\(name ?? "unbind")_\(index)")
      )
    }
    return rows
  }
}
