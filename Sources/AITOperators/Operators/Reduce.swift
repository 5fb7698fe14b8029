import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reduces a tensor over a set of axes.
///
/// The axes are removed from the shape, or kept with extent 1. An empty set of axes reduces nothing
/// (each element on its own); the builder takes "all axes" apart. Half-precision values accumulate
/// in float32. Element types and empty reductions are those of PyTorch's functions of the same
/// names: `sum` and `product` of integers and bool give int64, `any` and `all` give bool, and NaN
/// propagates. Of nothing, the sum is 0, the product 1, `any` false, `all` true, `log_sum_exp`
/// −infinity, mean and variance NaN, and a norm of positive finite order or 0 is 0. Maximum, minimum
/// and the other norms have no such value: they are refused where there is a result to compute, when
/// the graph is made if the extents are known, otherwise when a run begins.
package struct Reduce: Operator {
  package static let name = "reduce"
  package static let summary = "sum, mean, product, extrema, any, all, logsumexp, variance, norm"

  /// What is computed.
  package enum Kind: String, CaseIterable, Hashable, Sendable {
    case sum, mean, product, maximum, minimum, any, all
    case logSumExp = "log_sum_exp"
    /// Σ(x − mean)² / (count − correction)
    case variance
    /// (Σ|x|^order)^(1/order); order 0 counts non-zeros, ±infinity takes the extreme magnitude
    case norm
  }

  package let kind: Kind
  /// The axes, ascending, counted from 0.
  package let axes: [Int]
  package let keepsDimensions: Bool
  /// What variance subtracts from the count: 1 for an unbiased estimate.
  package let correction: Double
  /// The exponent of a norm.
  package let order: Double

  package init(
    _ kind: Kind,
    axes: [Int],
    keepsDimensions: Bool = false,
    correction: Double = 1,
    order: Double = 2
  ) {
    self.kind = kind
    self.axes = axes.sorted()
    self.keepsDimensions = keepsDimensions
    self.correction = kind == .variance ? correction : 1
    self.order = kind == .norm ? order : 2
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    let text = try attributes.string("kind")
    guard let kind = Kind(rawValue: text) else {
      throw Diagnostic(
        .invalidAttribute,
        "'\(text)' is not a reduction",
        hint: "one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    self.init(
      kind,
      axes: try attributes.integers("axes"),
      keepsDimensions: try attributes.bool("keep_dimensions", default: false),
      correction: try attributes.float("correction", default: 1),
      order: try attributes.float("order", default: 2)
    )
  }

  package var attributes: [Attribute] {
    [Attribute("kind", .string(kind.rawValue)), Attribute("axes", .integers(axes))]
      + (keepsDimensions ? [Attribute("keep_dimensions", .bool(true))] : [])
      + (kind == .variance && correction != 1 ? [Attribute("correction", .float(correction))] : [])
      + (kind == .norm && order != 2 ? [Attribute("order", .float(order))] : [])
  }

  package var traits: OperatorTraits { [.acceptsPrologue, .acceptsEpilogue] }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 1...1)
    let x = operands[0]
    guard try x.shape.normalizedAxes(axes) == axes else {
      throw Diagnostic(
        .invalidAttribute,
        "the axes \(axes) of reduce are counted from 0 and ascend"
      )
    }
    guard correction.isFinite, !order.isNaN else {
      throw Diagnostic(
        .invalidAttribute,
        "reduce with the correction \(correction) and the order \(order)",
        hint: "the correction is a finite number, the order is not NaN"
      )
    }
    var extents: [Dimension] = []
    for (axis, extent) in x.shape.dimensions.enumerated() {
      if axes.contains(axis) {
        if keepsDimensions { extents.append(1) }
      } else {
        extents.append(extent)
      }
    }
    return [TensorType(try resultType(x), Shape(extents))]
  }

  private func resultType(_ x: TensorType) throws(Diagnostic) -> DType {
    switch kind {
    case .sum, .product: return x.dtype.isFloatingPoint ? x.dtype : .int64
    case .any, .all: return .bool
    case .maximum, .minimum: return x.dtype
    case .mean, .logSumExp, .variance, .norm:
      guard x.dtype.isFloatingPoint else {
        throw Diagnostic(
          .dtypeMismatch,
          "\(kind.rawValue) of \(x)",
          hint: "cast the operand to float32"
        )
      }
      return x.dtype
    }
  }

  /// Whether the reduction of no elements has a value.
  private var hasIdentity: Bool {
    switch kind {
    case .sum, .mean, .product, .any, .all, .logSumExp, .variance: true
    case .maximum, .minimum: false
    case .norm: order >= 0 && order.isFinite
    }
  }

  package func sizeConstraints(_ operands: [TensorType], results: [TensorType]) -> [SizeConstraint]
  {
    if hasIdentity { return [] }
    let extents = axes.map { operands[0].shape[$0] }
    return [
      SizeConstraint(
        "the number of elements in a \(kind.rawValue)",
        Shape(extents).elementCount,
        is: .atLeast,
        1,
        where: results[0].shape.elementCount
      )
    ]
  }
}

extension Reduce {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let x = operands[0]
    let strides = Positions.rowMajorStrides(x.shape)
    let keptAxes = x.shape.indices.filter { !axes.contains($0) }
    let starts = Positions.list(keptAxes.map { x.shape[$0] }, strides: keptAxes.map { strides[$0] })
    let steps = Positions.list(axes.map { x.shape[$0] }, strides: axes.map { strides[$0] })
    if !hasIdentity, steps.isEmpty, !starts.isEmpty {
      throw Diagnostic(.runFailed, "\(kind.rawValue) over no elements is not defined")
    }
    let shape = try extents(results[0])
    if x.dtype.isFloatingPoint && kind != .any && kind != .all {
      let values = x.doubles
      let reduced = starts.map { start in reduce(steps.map { values[start + $0] }) }
      return [TensorData(results[0].dtype, shape, reduced)]
    }
    // NaN is true; otherwise truth is a number other than 0.
    let values = kind == .any || kind == .all ? x.scalars.map { $0.bool ? 1 : 0 } : x.integers
    let reduced = starts.map { start in reduce(steps.map { values[start + $0] }) }
    return [TensorData(results[0].dtype, shape, integers: reduced)]
  }

  private func reduce(_ row: [Double]) -> Double {
    switch kind {
    case .sum: return row.reduce(0, +)
    case .mean: return row.reduce(0, +) / Double(row.count)
    case .product: return row.reduce(1, *)
    case .maximum: return row.reduce(-.infinity) { $0.isNaN || $0 > $1 ? $0 : $1 }
    case .minimum: return row.reduce(.infinity) { $0.isNaN || $0 < $1 ? $0 : $1 }
    case .logSumExp:
      let largest = row.max() ?? -.infinity
      let shift = largest.isFinite ? largest : 0
      return log(row.reduce(0) { $0 + exp($1 - shift) }) + shift
    case .variance:
      let mean = row.reduce(0, +) / Double(row.count)
      let squares = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return squares / max(0, Double(row.count) - correction)
    case .norm: return norm(row)
    case .any, .all: preconditionFailure("any and all are reduced as integers")
    }
  }

  private func norm(_ row: [Double]) -> Double {
    let magnitudes = row.map(\.magnitude)
    return switch order {
    case 0: Double(magnitudes.count { $0 != 0 })
    case 1: magnitudes.reduce(0, +)
    case 2: magnitudes.reduce(0) { $0 + $1 * $1 }.squareRoot()
    case .infinity: magnitudes.reduce(0) { $0.isNaN || $0 > $1 ? $0 : $1 }
    case -.infinity: magnitudes.reduce(.infinity) { $0.isNaN || $0 < $1 ? $0 : $1 }
    default: pow(magnitudes.reduce(0) { $0 + pow($1, order) }, 1 / order)
    }
  }

  private func reduce(_ row: [Int64]) -> Int64 {
    switch kind {
    case .sum: return row.reduce(0, &+)
    case .product: return row.reduce(1, &*)
    case .maximum, .any: return row.max() ?? 0
    case .minimum, .all: return row.min() ?? 1
    case .mean, .logSumExp, .variance, .norm:
      preconditionFailure("\(kind.rawValue) is defined on floating-point types only")
    }
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    let perElement =
      switch kind {
      case .sum, .mean, .product, .maximum, .minimum, .any, .all: 1
      case .variance: 4
      case .logSumExp: 18
      case .norm: order == 0 || order == 1 || order.isInfinite ? 2 : order == 2 ? 2 : 25
      }
    return operands[0].shape.elementCount * Dimension(perElement)
  }

  package static let examples: [OperatorExample] = [
    OperatorExample(Reduce(.sum, axes: [1]), [TensorType(.float32, [3, 37, 5])]),
    OperatorExample(
      Reduce(.mean, axes: [2], keepsDimensions: true),
      [TensorType(.float16, [.symbol("batch", 1...8), .symbol("seq", 1...16), 33])]
    ),
    OperatorExample(Reduce(.product, axes: [0, 2]), [TensorType(.bfloat16, [2, 3, 4])]),
    OperatorExample(Reduce(.maximum, axes: [0, 1]), [TensorType(.int32, [5, 7])]),
    OperatorExample(Reduce(.minimum, axes: [0]), [TensorType(.float16, [9])]),
    OperatorExample(Reduce(.any, axes: [1]), [TensorType(.bool, [4, 6])]),
    OperatorExample(Reduce(.all, axes: []), [TensorType(.float32, [3])]),
    OperatorExample(Reduce(.logSumExp, axes: [1]), [TensorType(.float32, [2, 19])]),
    OperatorExample(
      Reduce(.variance, axes: [0], correction: 0),
      [TensorType(.float32, [17, 3])]
    ),
    OperatorExample(
      Reduce(.norm, axes: [1], order: 3),
      [TensorType(.float32, [.symbol("batch", 1...8), 11])]
    ),
    // Of nothing: each that has a value, and those that have none where there is no result either.
    OperatorExample(Reduce(.sum, axes: [1]), [TensorType(.float32, [2, 0, 3])]),
    OperatorExample(
      Reduce(.product, axes: [0]),
      [TensorType(.int32, [.symbol("none", 0...4), 3])]
    ),
    OperatorExample(Reduce(.mean, axes: [1]), [TensorType(.float32, [3, .symbol("none", 0...4)])]),
    OperatorExample(Reduce(.any, axes: [0]), [TensorType(.float16, [.symbol("none", 0...4), 3])]),
    OperatorExample(Reduce(.all, axes: [1]), [TensorType(.bool, [3, .symbol("none", 0...4)])]),
    OperatorExample(
      Reduce(.logSumExp, axes: [0]),
      [TensorType(.float32, [.symbol("none", 0...4), 3])]
    ),
    OperatorExample(
      Reduce(.variance, axes: [1]),
      [TensorType(.bfloat16, [3, .symbol("none", 0...4)])]
    ),
    OperatorExample(Reduce(.norm, axes: [0]), [TensorType(.float32, [.symbol("none", 0...4), 3])]),
    OperatorExample(
      Reduce(.norm, axes: [1], order: 0.5),
      [TensorType(.float32, [3, .symbol("none", 0...4)])]
    ),
    OperatorExample(Reduce(.maximum, axes: [1]), [TensorType(.float32, [0, 0, 3])]),
    OperatorExample(
      Reduce(.minimum, axes: [1]),
      [TensorType(.float32, [.symbol("none", 0...4), .symbol("none", 0...4)])]
    ),
    OperatorExample(
      Reduce(.norm, axes: [0], order: .infinity),
      [TensorType(.float32, [.symbol("none", 0...4), .symbol("none", 0...4)])]
    ),
    OperatorExample(Reduce(.sum, axes: []), [TensorType(.uint8, [])]),
  ]
}
