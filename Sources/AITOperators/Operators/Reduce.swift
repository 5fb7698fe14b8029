import AITGraph

/// Reduces a tensor over a set of axes.
///
/// The axes are removed from the shape, or kept with extent 1. An empty set of axes reduces nothing
/// (each element on its own); the builder takes "all axes" apart. Half-precision values accumulate
/// in float32. Element types and empty reductions are those of PyTorch's functions of the same
/// names: `sum` and `product` of integers and bool give int64, `any` and `all` give bool, `maximum`
/// and `minimum` of nothing are refused when the extent is known to be 0, and NaN propagates.
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
    _ kind: Kind, axes: [Int], keepsDimensions: Bool = false, correction: Double = 1,
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
        .invalidAttribute, "'\(text)' is not a reduction",
        hint: "one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.init(
      kind, axes: try attributes.integers("axes"),
      keepsDimensions: try attributes.bool("keep_dimensions", default: false),
      correction: try attributes.float("correction", default: 1),
      order: try attributes.float("order", default: 2))
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
      throw Diagnostic(.invalidAttribute, "the axes \(axes) of reduce are counted from 0 and ascend")
    }
    var extents: [Dimension] = []
    for (axis, extent) in x.shape.dimensions.enumerated() {
      if axes.contains(axis) {
        if keepsDimensions { extents.append(1) }
      } else {
        extents.append(extent)
      }
    }
    return [TensorType(try resultType(x, axes), Shape(extents))]
  }

  private func resultType(_ x: TensorType, _ axes: [Int]) throws(Diagnostic) -> DType {
    switch kind {
    case .sum, .product: return x.dtype.isFloatingPoint ? x.dtype : .int64
    case .any, .all: return .bool
    case .maximum, .minimum:
      if axes.contains(where: { x.shape[$0] == 0 }) {
        throw Diagnostic(
          .shapeMismatch, "\(kind.rawValue) over an axis of extent 0 of \(x)",
          hint: "the \(kind.rawValue) of no elements is not defined")
      }
      return x.dtype
    case .mean, .logSumExp, .variance, .norm:
      guard x.dtype.isFloatingPoint else {
        throw Diagnostic(
          .dtypeMismatch, "\(kind.rawValue) of \(x)", hint: "cast the operand to float32")
      }
      return x.dtype
    }
  }
}
