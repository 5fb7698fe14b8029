import AITFrontend
import AITGraph

/// What an ATen operator is in operators of ours: one entry of a family's table.
///
/// The key is the operator without its overload, `add` of `aten.add.Tensor`: overloads share the names
/// of arguments, and what is given says which it is.
struct AtenOperator: Sendable {
  let build: @Sendable (AtenCall) throws(Diagnostic) -> [AtenValue]

  /// An operator of one result.
  static func one(_ build: @escaping @Sendable (AtenCall) throws(Diagnostic) -> Tensor)
    -> AtenOperator
  {
    AtenOperator { (call) throws(Diagnostic) in [.tensor(try build(call))] }
  }

  /// An operator of several results, or of a list.
  static func many(_ build: @escaping @Sendable (AtenCall) throws(Diagnostic) -> [Tensor])
    -> AtenOperator
  {
    AtenOperator { (call) throws(Diagnostic) in try build(call).map { .tensor($0) } }
  }

  /// A function of the tensor that the operator is about.
  static func unary(_ function: @escaping @Sendable (Tensor) -> Tensor) -> AtenOperator {
    .one { (call) throws(Diagnostic) in function(try call.subject()) }
  }

  /// All operators by name; a family each in a file of its own.
  static let all: [String: AtenOperator] = {
    var all = families.reduce(into: [:]) { all, family in
      all.merge(family) { first, _ in first }
    }
    for name in alongAxes { all[name] = all[name]?.takingScalars }
    return all
  }()

  /// Operators along an axis, which PyTorch applies to tensors of rank 0 as to those of one element.
  private static let alongAxes: Set<String> = [
    "topk", "sort", "argsort", "msort", "cumsum", "cumprod", "cummax", "cummin", "logcumsumexp",
    "gather",
    "scatter", "scatter_add", "scatter_reduce", "index_select", "index_add", "index_copy",
    "index_fill", "logsumexp", "amax", "amin", "squeeze", "kthvalue", "median", "nanmedian", "mode",
  ]

  /// The operator, of tensors of rank 0 as of `[1]`.
  private var takingScalars: AtenOperator {
    AtenOperator { (call) throws(Diagnostic) in
      guard try call.subject().rank == 0 else { return try build(call) }
      var results: [AtenValue] = []
      for result in try build(call.lifted) {
        if case .tensor(let tensor) = result, tensor.rank > 0 {
          results.append(.tensor(tensor.reshape([])))
        } else {
          results.append(result)
        }
      }
      return results
    }
  }

  private static let families: [[String: AtenOperator]] = [
    pointwise, activations, comparisons, shapes, creation, indexing, products, normalizations,
    reductions, convolutions, recurrences, images, order, scalars, stacks, diagonals, differences,
    sampling, positions, losses, special, statistics, cells, bags, algebra, parts, grids,
  ]

  /// Returns the operator of a target such as `torch.ops.aten.add.Tensor` or `_operator.mul`.
  static func named(_ target: String) -> AtenOperator? { all[key(target)] }

  /// The name in the table.
  static func key(_ target: String) -> String {
    let parts = target.split(separator: ".").map(String.init)
    if parts.count >= 4, parts[0] == "torch", parts[1] == "ops" {
      let name = parts[2] == "aten" ? parts[3] : "\(parts[2]).\(parts[3])"
      guard isInPlace(target) else { return aliases[name] ?? name }
      // An update in place is the operator with a new name for the result: `__iand__` is `__and__`.
      let plain = name.hasPrefix("__i") ? "__" + name.dropFirst(3) : String(name.dropLast())
      return aliases[plain] ?? plain
    }
    // Python's own functions are on numbers of the program.
    switch parts.first {
    case "_operator": return "operator.\(parts.last ?? "")"
    case "math": return target
    default: return parts.last ?? target
    }
  }

  /// Whether the operator changes the tensor that it is about: `relu_`.
  static func isInPlace(_ target: String) -> Bool {
    let parts = target.split(separator: ".")
    guard parts.count >= 4, parts[0] == "torch", let name = parts.dropFirst(3).first else {
      return false
    }
    if name.hasPrefix("__i") { return true }
    return name.hasSuffix("_") && !name.hasPrefix("_") && !name.hasSuffix("__")
  }

  /// Other names of operators, whose arguments are called the same.
  private static let aliases: [String: String] = [
    "absolute": "abs", "negative": "neg", "clip": "clamp", "fix": "trunc", "arccos": "acos",
    "arcsin": "asin", "arctan": "atan", "arccosh": "acosh", "arcsinh": "asinh",
    "arctanh": "atanh", "arctan2": "atan2", "greater": "gt", "greater_equal": "ge", "less": "lt",
    "less_equal": "le", "not_equal": "ne", "moveaxis": "movedim", "swapdims": "transpose",
    "ger": "outer", "row_stack": "vstack", "adjoint": "mT", "mH": "mT", "matrix_H": "mT",
    "linalg_matmul": "matmul", "vdot": "dot", "special_expit": "sigmoid", "special_erf": "erf",
    "special_erfc": "erfc", "special_exp2": "exp2", "special_expm1": "expm1",
    "special_log1p": "log1p", "special_xlogy": "xlogy", "special_logsumexp": "logsumexp",
    "special_softmax": "softmax",
    "special_log_softmax": "log_softmax", "special_logit": "logit", "special_round": "round",
    "native_channel_shuffle": "channel_shuffle", "_unsafe_index": "index",
    "_unsafe_index_put": "index_put", "expand_copy": "expand",
    "permute_copy": "permute", "view_copy": "view", "slice_copy": "slice",
    "select_copy": "select", "squeeze_copy": "squeeze", "unsqueeze_copy": "unsqueeze",
    "transpose_copy": "transpose", "t_copy": "t", "detach_copy": "detach", "alias_copy": "alias",
    "positive": "alias",
  ]
}
