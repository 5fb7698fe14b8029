import AITGraph
import AITOperators
import AITReference

// Each step adds nodes and returns whether it found operands to do so.

extension RandomGraph {
  // MARK: - Pointwise

  mutating func unary() throws(Diagnostic) -> Bool {
    guard let x = pickFloat() else { return false }
    let exact: [ScalarFunction] = [.negate, .abs, .relu]
    let others: [ScalarFunction] = [
      .tanh, .sigmoid, .sin, .cos, .silu, .gelu, .erf, .softsign, .hardSwish, .fastGELU,
    ]
    let function = any(exact + others)
    let value = try graph.pointwise(function, x.value)
    return add(value, exact: x.isExact && exact.contains(function), max(1, x.magnitude))
  }

  mutating func scalar() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { $1.dtype != .bool }) else { return false }
    let isFloat = graph[x.value].type.dtype.isFloatingPoint
    if isFloat && chance(0.2) {
      let small = try bounded(x, by: 3)
      let exponent = any([1.0, 2, 3])
      let value = try graph.pointwise(.power, [.value(small.value), .scalar(exponent)])
      return add(value, 27)
    }
    let number = isFloat ? any([0.0, 1, 2, 0.5, -1, 3, 0.1, 4]) : any([0.0, 1, 2, 3])
    let operand: PointwiseOperand = isFloat ? .scalar(number) : .scalar(Int(number))
    let small = try isFloat ? bounded(x, by: 20) : x
    let value: ValueID
    switch random.integer(below: isFloat ? 5 : 4) {
    case 0: value = try graph.add(.value(small.value), operand)
    case 1: value = try graph.subtract(.value(small.value), operand)
    case 2: value = try graph.subtract(operand, .value(small.value))
    case 3: value = try graph.multiply(operand, .value(small.value))
    default:
      guard number != 0 else { return false }
      value = try graph.divide(.value(small.value), operand)
    }
    return add(value, exact: !isFloat && x.isExact, small.magnitude * 10)
  }

  mutating func binary() throws(Diagnostic) -> Bool {
    guard let left = pick(where: { $1.dtype != .bool }), let right = pickPartner(of: left)
    else { return false }
    let isFloat = graph[left.value].type.dtype.isFloatingPoint
    let (a, b) = isFloat ? (try bounded(left, by: 8), try bounded(right, by: 8)) : (left, right)
    let isExact = left.isExact && right.isExact
    switch random.integer(below: isFloat ? 6 : 5) {
    case 0:
      return add(try graph.add(.value(a.value), .value(b.value)), exact: isExact && !isFloat, 16)
    case 1:
      return add(
        try graph.subtract(.value(a.value), .value(b.value)),
        exact: isExact && !isFloat,
        16
      )
    case 2:
      return add(
        try graph.multiply(.value(a.value), .value(b.value)),
        exact: isExact && !isFloat,
        64
      )
    case 3:
      let value = try graph.pointwise(.maximum, [.value(a.value), .value(b.value)])
      return add(value, exact: isExact, 8)
    case 4:
      let value = try graph.pointwise(.minimum, [.value(a.value), .value(b.value)])
      return add(value, exact: isExact, 8)
    default:
      let divisor = try graph.add(.value(try graph.pointwise(.abs, b.value)), 1.0)
      return add(try graph.divide(.value(a.value), .value(divisor)), 8)
    }
  }

  mutating func choice() throws(Diagnostic) -> Bool {
    guard let x = pickFloat(), let y = pickPartner(of: x) else { return false }
    let condition: ValueID
    if chance(0.5), let truth = pick(where: { $1.dtype == .bool && $0.isExact }) {
      condition = truth.value
    } else {
      guard let left = pick(where: { $0.isExact && $1.dtype != .bool }),
        let right = pickPartner(of: left), right.isExact
      else { return false }
      let function = any([ScalarFunction.less, .greater, .equal, .notEqual, .lessEqual])
      condition = try graph.pointwise(function, [.value(left.value), .value(right.value)])
      add(condition, exact: true, 1)
    }
    let shapes = [condition, x.value, y.value].map { graph[$0].type.shape }
    guard (try? Shape.broadcasting(shapes)) != nil else { return false }
    let value = try graph.where(condition, .value(x.value), .value(y.value))
    return add(value, exact: x.isExact && y.isExact, max(x.magnitude, y.magnitude))
  }

  mutating func conversion() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { entry, _ in entry.isExact }) else { return false }
    let type = graph[x.value].type.dtype
    let target =
      type == float
      ? any([DType.int32, .float32, .float64, .bool, .float16]) : any([float, .int64, .float32])
    guard target != type, x.magnitude < 1000 else { return false }
    let value = try graph.cast(x.value, to: target)
    add(value, exact: true, x.magnitude)
    return target.isFloatingPoint
      ? add(try graph.cast(value, to: float), exact: true, x.magnitude) : true
  }

  // MARK: - Reductions

  mutating func reduction() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { $1.rank > 0 }) else { return false }
    let type = graph[x.value].type
    let axes = (0..<type.rank).filter { _ in chance(0.45) }
    let kinds: [Reduce.Kind] =
      type.dtype.isFloatingPoint
      ? [.sum, .mean, .maximum, .minimum, .product, .logSumExp, .variance, .norm]
      : type.dtype == .bool ? [.sum, .any, .all] : [.sum, .maximum, .minimum, .any]
    let kind = any(kinds)
    if axes.isEmpty && kind == .variance { return false }
    let isSelecting =
      [.maximum, .minimum, .any, .all].contains(kind) || !type.dtype.isFloatingPoint
    let small = isSelecting ? x : try bounded(x, by: kind == .product ? 1.2 : 4)
    let op = Reduce(kind, axes: axes, keepsDimensions: chance(0.5), correction: 0)
    let value = try graph.addResult(op, [small.value], name: nil)
    return add(value, exact: isSelecting && x.isExact, isSelecting ? x.magnitude : 200)
  }

  mutating func softmax() throws(Diagnostic) -> Bool {
    guard let x = pickFloat(rank: 1) else { return false }
    let axis = random.integer(below: graph[x.value].type.rank)
    let small = try bounded(x, by: 20)
    let value =
      chance(0.7)
      ? try graph.softmax(small.value, axis: axis) : try graph.logSoftmax(small.value, axis: axis)
    return add(value, 20)
  }

  mutating func normalization() throws(Diagnostic) -> Bool {
    guard var x = pickFloat(rank: 1) else { return false }
    x = try bounded(x, by: 20)
    let type = graph[x.value].type
    let channels = type.rank >= 2 ? type.shape[1].constant : nil
    if let channels, channels > 1, chance(0.4) {
      let groups = any((1...channels).filter { channels.isMultiple(of: $0) })
      let weight = chance(0.5) ? try parameter([channels], "group_weight") : nil
      return add(
        try graph.groupNorm(x.value, groupCount: groups, weight: weight, epsilon: 0.05),
        8
      )
    }
    let extent = type.shape[type.rank - 1].constant
    let weight = try extent.flatMap { extent throws(Diagnostic) in
      chance(0.7) ? try parameter([extent], "norm_weight") : nil
    }
    if chance(0.5) { return add(try graph.rmsNorm(x.value, weight: weight, epsilon: 0.05), 8) }
    let bias = try extent.flatMap { extent throws(Diagnostic) in
      chance(0.7) ? try parameter([extent], "norm_bias") : nil
    }
    return add(try graph.layerNorm(x.value, weight: weight, bias: bias, epsilon: 0.05), 8)
  }

  mutating func position() throws(Diagnostic) -> Bool {
    guard let x = pick(where: { $0.isExact && $1.rank > 0 && $1.dtype != .bool })
    else { return false }
    let axis = random.integer(below: graph[x.value].type.rank)
    let negated = try graph.pointwise(.negate, x.value)
    return add(try graph.argmax(negated, axis: axis, keepsDimensions: chance(0.3)), exact: true, 8)
  }

  // MARK: - Products

  mutating func linear() throws(Diagnostic) -> Bool {
    guard let x = pickFloat(rank: 2), let inner = lastExtent(of: x) else { return false }
    let columns = any([3, 6, 8])
    let small = try bounded(x, by: 8)
    let isTransposed = chance(0.5)
    let weight = try parameter(isTransposed ? [columns, inner] : [inner, columns], "weight")
    let value: ValueID
    if isTransposed {
      let bias = chance(0.6) ? try parameter([columns], "bias") : nil
      value = try graph.linear(small.value, weight, bias: bias)
    } else {
      let turned = chance(0.3) ? try graph.transpose(weight, 0, 1) : weight
      value = try graph.matmul(
        small.value,
        turned == weight ? weight : try graph.transpose(turned, 0, 1)
      )
    }
    return add(value, 20)
  }

  /// A convolution along the second axis, and perhaps what normalises its channels.
  mutating func convolution() throws(Diagnostic) -> Bool {
    let float = float
    guard
      let x = pick(where: {
        $1.dtype == float && $1.rank == 3 && $1.shape.elementCount.upperBound <= 600
      }),
      let inner = lastExtent(of: x)
    else { return false }
    let small = try bounded(x, by: 4)
    let groups = inner.isMultiple(of: 2) && chance(0.3) ? 2 : 1
    let weight = try parameter([6, 3, inner / groups], "filters")
    var value = try graph.convolution(
      small.value,
      weight,
      bias: chance(0.5) ? try parameter([6], "bias") : nil,
      stride: [any([1, 1, 2])],
      padding: [any([Convolution.Padding(1, 1), Convolution.Padding(2, 1)])],
      groups: groups
    )
    if chance(0.7) {
      let mean = try parameter([6], "mean")
      let scale = try parameter([6], "scale")
      let difference = try graph.subtract(.value(value), .value(mean))
      value = try graph.multiply(.value(difference), .value(scale))
      if chance(0.5) { value = try graph.pointwise(.relu, value) }
    }
    return add(value, 60)
  }

  private func lastExtent(of entry: Entry) -> Int? {
    let type = graph[entry.value].type
    return type.rank > 0 ? type.shape[type.rank - 1].constant : nil
  }

  /// Two or three layers that read one value, and perhaps meet.
  mutating func parallelLinear() throws(Diagnostic) -> Bool {
    guard let x = pickFloat(rank: 2), let inner = lastExtent(of: x) else { return false }
    let small = try bounded(x, by: 8)
    let hasBias = chance(0.5)
    let isMeeting = chance(0.4)
    var values: [ValueID] = []
    for _ in 0..<(2 + random.integer(below: 2)) {
      let columns = isMeeting ? 6 : any([2, 3, 6])
      let bias = hasBias ? try parameter([columns], "bias") : nil
      let weight = try parameter([columns, inner], "weight")
      values.append(try graph.linear(small.value, weight, bias: bias))
    }
    if isMeeting {
      let gate = try graph.pointwise(.silu, values[0])
      add(try graph.multiply(.value(gate), .value(try graph.pointwise(.tanh, values[1]))), 20)
    }
    for value in values { add(value, 20) }
    return true
  }

  mutating func batchedProduct() throws(Diagnostic) -> Bool {
    guard let x = pickFloat(rank: 2) else { return false }
    let shape = graph[x.value].type.shape
    let float = float
    guard let y = pick(where: { $1.dtype == float && $1.shape == shape }) else { return false }
    var (a, b) = (try bounded(x, by: 4), try bounded(y, by: 4))
    if chance(0.4) { a.value = try graph.multiply(.value(a.value), 0.125) }
    if chance(0.2) { b.value = try graph.multiply(.value(b.value), 0.5) }
    let value =
      chance(0.5)
      ? try graph.matmul(a.value, try graph.transpose(b.value, -1, -2))
      : try graph.matmul(try graph.transpose(a.value, -1, -2), b.value)
    return add(chance(0.3) ? try graph.transpose(value, -1, -2) : value, 60)
  }
}
