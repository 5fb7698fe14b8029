import AITGraph
import AITOperators
import AITReference

// Each step adds nodes and returns whether it found operands to do so.

extension RandomGraph {
  // MARK: - Views

  mutating func reshape() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { _, _ in true }) else { return false }
    let type = graph[x.value].type
    var extents = type.shape.dimensions
    switch random.integer(below: 4) {
    case 0: extents = [type.shape.elementCount]
    case 1 where type.rank >= 2:
      let axis = random.integer(below: type.rank - 1)
      extents.replaceSubrange(axis...(axis + 1), with: [extents[axis] * extents[axis + 1]])
    case 2:
      guard let (axis, extent) = knownAxis(of: type, atLeast: 4), extent.isMultiple(of: 2),
        type.rank < 5
      else { return false }
      extents.replaceSubrange(axis...axis, with: [2, Dimension(extent / 2)])
    default:
      guard type.rank < 5 else { return false }
      extents.insert(1, at: random.integer(below: type.rank + 1))
    }
    return add(try graph.reshape(x.value, extents), exact: x.isExact, x.magnitude)
  }

  mutating func permute() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { $1.rank >= 2 }) else { return false }
    var axes = Array(0..<graph[x.value].type.rank)
    let first = random.integer(below: axes.count)
    axes.swapAt(first, random.integer(below: axes.count))
    if chance(0.4) { axes.append(axes.removeFirst()) }
    var value = try graph.permute(x.value, axes)
    // Often the axes come back after some work.
    if chance(0.4), graph[value].type.dtype == float {
      value = try graph.pointwise(.tanh, value)
      var inverse = axes
      for (position, axis) in axes.enumerated() { inverse[axis] = position }
      return add(try graph.permute(value, inverse), 1)
    }
    return add(value, exact: x.isExact, x.magnitude)
  }

  mutating func slice() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { $1.rank >= 1 }) else { return false }
    let type = graph[x.value].type
    guard let (axis, extent) = knownAxis(of: type) else { return false }
    let value: ValueID
    switch random.integer(below: 4) {
    case 0: value = try graph.flip(x.value, axes: [axis])
    case 1:
      value = try graph.slice(x.value, axis: axis, SliceRange(step: 2))
    case 2: value = try graph.select(x.value, axis: axis, Dimension(random.integer(below: extent)))
    default:
      let start = random.integer(below: extent)
      let stop = start + 1 + random.integer(below: extent - start)
      value = try graph.slice(x.value, axis: axis, SliceRange(Dimension(start), Dimension(stop)))
    }
    return add(value, exact: x.isExact, x.magnitude)
  }

  mutating func expand() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { $1.rank < 5 && $1.shape.elementCount.upperBound <= 600 })
    else { return false }
    var extents = graph[x.value].type.shape.dimensions
    if let axis = extents.firstIndex(of: 1), chance(0.6) {
      extents[axis] = any([3, batch])
    } else {
      extents.insert(any([2, length]), at: 0)
    }
    return add(try graph.expand(x.value, extents), exact: x.isExact, x.magnitude)
  }

  // MARK: - Movement

  mutating func concat() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { $1.rank >= 1 && $1.shape.elementCount.upperBound <= 1500 })
    else { return false }
    let type = graph[x.value].type
    guard let y = pick(where: { $1 == type }) else { return false }
    let axis = random.integer(below: type.rank)
    var parts = [x.value, y.value]
    if chance(0.3) { parts.append(try graph.concat([y.value, x.value], axis: axis)) }
    let value = try graph.concat(parts, axis: axis)
    return add(value, exact: x.isExact && y.isExact, max(x.magnitude, y.magnitude))
  }

  /// Takes a tensor apart and joins the parts, in order or not.
  mutating func splitAndJoin() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { $1.rank >= 1 }) else { return false }
    guard let (axis, extent) = knownAxis(of: graph[x.value].type, atLeast: 2) else { return false }
    let cut = 1 + random.integer(below: extent - 1)
    var parts = try graph.split(
      x.value,
      sizes: [Dimension(cut), Dimension(extent - cut)],
      axis: axis
    )
    if chance(0.3) { parts.reverse() }
    let whole = try graph.concat(parts, axis: axis)
    if chance(0.5) { return add(whole, exact: x.isExact, x.magnitude) }
    let start = Dimension(random.integer(below: extent))
    let part = try graph.slice(whole, axis: axis, SliceRange(start, nil))
    return add(part, exact: x.isExact, x.magnitude)
  }

  mutating func pad() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { $1.rank >= 1 && $1.dtype != .bool }) else { return false }
    let value = try graph.pad(x.value, [any([0, 1]), any([0, 2])], mode: .constant(any([0, 2])))
    return add(value, exact: x.isExact, max(2, x.magnitude))
  }

  mutating func pick() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { $1.rank >= 1 && $1.rank < 5 }) else { return false }
    let type = graph[x.value].type
    let axis = random.integer(below: type.rank)
    let name = "index_\(graph.nodeCount)"
    if chance(0.5) {
      let shapes: [[Int]] = [[3], [2, 2], []]
      let shape = Shape(any(shapes))
      let index = try graph.addInput(name, TensorType(.int64, shape))
      return add(
        try graph.indexSelect(x.value, axis: axis, index),
        exact: x.isExact,
        x.magnitude
      )
    }
    var shape = type.shape
    shape[axis] = 2
    let index = try graph.addInput(name, TensorType(.int32, shape))
    return add(try graph.gather(x.value, axis: axis, index), exact: x.isExact, x.magnitude)
  }

  // MARK: - Constants

  mutating func generate() throws(Diagnostic) -> Bool {
    if chance(0.5) {
      guard let like = pickFloat() else { return false }
      let shape = chance(0.5) ? graph[like.value].type.shape : []
      let value = any([0.0, 1, 0.5, -2])
      return add(try graph.full(shape, value, float), exact: true, 2)
    }
    let range = try graph.arange(start: 0, step: 1, count: any([6, length]), .int64)
    add(range, exact: true, 6)
    return add(try graph.cast(range, to: float), exact: true, 6)
  }

  mutating func literal() throws(Diagnostic) -> Bool {
    let data = TensorData.random(float, any([[6], [1], [], [4, 6]]), using: &random)
    let literal = try graph.addLiteral(data, "literal")
    let value = chance(0.5) ? literal : try graph.pointwise(.sin, literal)
    let type = graph[value].type
    guard type.rank >= 1, chance(0.5) else {
      guard let x = pickFloat() else { return false }
      guard (try? Shape.broadcasting([graph[x.value].type.shape, type.shape])) != nil
      else { return false }
      return add(try graph.multiply(.value(x.value), .value(value)), 4 * max(x.magnitude, 1))
    }
    return add(try graph.flip(value, axes: [0]), 4)
  }

  // MARK: - Patterns

  mutating func spelledOut() throws(Diagnostic) -> Bool {
    guard let entry = pickFloat(rank: 1) else { return false }
    let x = try bounded(entry, by: 8).value
    let axis = graph[x].type.rank - 1
    switch random.integer(below: 3) {
    case 0:
      let most = try graph.maximum(x, axes: [axis], keepsDimensions: true)
      let power = try graph.pointwise(.exp, try graph.subtract(.value(x), .value(most)))
      let sum = try graph.sum(power, axes: [axis], keepsDimensions: true)
      return add(try graph.divide(.value(power), .value(sum)), 1)
    case 1:
      let mean = try graph.mean(x, axes: [axis], keepsDimensions: true)
      let centered = try graph.subtract(.value(x), .value(mean))
      let square = try graph.pointwise(.power, [.value(centered), 2.0])
      let variance = try graph.mean(square, axes: [axis], keepsDimensions: true)
      let root = try graph.pointwise(.rsqrt, try graph.add(.value(variance), 0.05))
      let normal = try graph.multiply(.value(centered), .value(root))
      guard let extent = graph[x].type.shape[axis].constant else { return add(normal, 8) }
      let weight = try parameter([extent], "scale")
      return add(try graph.multiply(.value(normal), .value(weight)), 8)
    default:
      let square = try graph.multiply(.value(x), .value(x))
      let mean = try graph.mean(square, axes: [axis], keepsDimensions: true)
      let root = try graph.pointwise(.sqrt, try graph.add(.value(mean), 0.05))
      return add(try graph.divide(.value(x), .value(root)), 8)
    }
  }

  mutating func activation() throws(Diagnostic) -> Bool {
    guard let entry = pickFloat() else { return false }
    let x = try bounded(entry, by: 6).value
    switch random.integer(below: 3) {
    case 0:
      return add(try graph.multiply(.value(try graph.pointwise(.sigmoid, x)), .value(x)), 6)
    case 1:
      let error = try graph.pointwise(.erf, try graph.multiply(.value(x), 0.7071067811865476))
      let half = try graph.multiply(.value(x), 0.5)
      return add(try graph.multiply(.value(try graph.add(.value(error), 1.0)), .value(half)), 6)
    default:
      let cube = try graph.pointwise(.power, [.value(x), 3.0])
      let sum = try graph.add(.value(x), .value(try graph.multiply(.value(cube), 0.044715)))
      let curve = try graph.pointwise(.tanh, try graph.multiply(.value(sum), 0.7978845608028654))
      let outer = try graph.add(.value(curve), 1.0)
      return add(
        try graph.multiply(.value(try graph.multiply(.value(x), 0.5)), .value(outer)),
        6
      )
    }
  }

  /// A node that is there already, once more.
  mutating func again() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { entry, _ in true }), let producer = graph.producer(of: x.value)
    else { return false }
    let node = graph[producer]
    guard node.outputs.count == 1 else { return false }
    let value = try graph.addResult(node.op, node.inputs, name: nil)
    return add(value, exact: x.isExact, x.magnitude)
  }
}
