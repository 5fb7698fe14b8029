import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Reductions over an axis, or several; a dtype is that of the result, to which x is converted
  /// first.
  static let reductions: [FacadeOperator] = [
    reduction("reduce_sum", "The sum over axes") { x, axes, keeps in
      x.sum(axes: axes, keepsDimensions: keeps)
    },
    reduction("reduce_mean", "The mean over axes") { x, axes, keeps in
      x.dtype.isFloatingPoint
        ? x.mean(axes: axes, keepsDimensions: keeps)
        : x.mean(axes: axes, keepsDimensions: keeps, dtype: .float32)
    },
    reduction("reduce_max", "The largest element over axes, NaN if there is one") {
      x,
      axes,
      keeps in x.max(axes: axes, keepsDimensions: keeps)
    },
    reduction("reduce_min", "The smallest element over axes, NaN if there is one") {
      x,
      axes,
      keeps in x.min(axes: axes, keepsDimensions: keeps)
    },
    FacadeOperator(
      "var",
      "The variance over axes; unbiased divides by the count less 1",
      attributes: [axes, FacadeParameter("unbiased", .bool), keeps, dtype],
      [.tensor("x")]
    ) { (call) throws(Diagnostic) in
      let correction = try call.bool("unbiased") ? 1.0 : 0
      return [
        try reduced(call) { x, axes, keeps in
          x.variance(axes: axes, correction: correction, keepsDimensions: keeps)
        }
      ]
    },
    FacadeOperator(
      "vector_norm",
      "(Σ|x|^ord_kind)^(1 / ord_kind) over axes; 'inf' and '-inf' are the extremes",
      attributes: [
        FacadeParameter("ord_kind", .any, default: .integer(2)),
        FacadeParameter("dim", .integers, default: FacadeParameter.Default.none), keeps, dtype,
      ],
      [.tensor("x")]
    ) { (call) throws(Diagnostic) in
      let order = try order(call)
      guard call.isGiven("dim") else {
        throw call.failure(.invalidArgument, "no axes", hint: "give 'dim'; -1 is the last axis")
      }
      return [
        try reduced(call) { x, axes, keeps in
          x.norm(order: order, axes: axes, keepsDimensions: keeps)
        }
      ]
    },
    FacadeOperator(
      "argmax",
      "The position of the largest element along an axis, the first of equal ones: int64",
      attributes: [FacadeParameter("dim", .integer, default: .integer(0))],
      [.tensor("x")]
    ) { (call) throws(Diagnostic) in
      [try call.tensor("x").argMax(axis: try call.integer("dim"))]
    },
  ]

  private static let axes = FacadeParameter("dim", .integers)
  private static let keeps = FacadeParameter.bool("keepdim", false)
  private static let dtype = FacadeParameter(
    "dtype",
    .dtype,
    default: FacadeParameter.Default.none
  )

  private typealias Reduction = (_ x: Tensor, _ axes: [Int], _ keeps: Bool) -> Tensor

  private static func reduction(
    _ name: String,
    _ formula: String,
    _ function: @escaping @Sendable (Tensor, [Int], Bool) -> Tensor
  ) -> FacadeOperator {
    FacadeOperator(name, formula, attributes: [axes, keeps, dtype], [.tensor("x")]) {
      (call) throws(Diagnostic) in [try reduced(call, function)]
    }
  }

  /// A reduction of the argument x, in its type or the one asked for.
  private static func reduced(_ call: FacadeCall, _ function: Reduction) throws(Diagnostic)
    -> Tensor
  {
    let x = try call.tensor("x")
    let dtype = call.isGiven("dtype") ? try call.dtype("dtype") : x.dtype
    let axes = try call.integers("dim")
    guard !axes.isEmpty else { throw call.mismatch("dim", "at least one axis") }
    return function(x.cast(to: dtype), axes, try call.bool("keepdim")).cast(to: dtype)
  }

  private static func order(_ call: FacadeCall) throws(Diagnostic) -> Double {
    guard case .string(let text) = call["ord_kind"] else { return try call.number("ord_kind") }
    guard let order = Double(text) else { throw call.mismatch("ord_kind", "a number") }
    return order
  }
}
