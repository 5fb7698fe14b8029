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
  static let all: [String: AtenOperator] = families.reduce(into: [:]) { all, family in
    all.merge(family) { first, _ in first }
  }

  private static let families: [[String: AtenOperator]] = [
    pointwise, activations, comparisons, shapes, creation, indexing, products, normalizations,
    reductions, convolutions, recurrences, images, order, scalars,
  ]

  /// Returns the operator of a target such as `torch.ops.aten.add.Tensor` or `_operator.mul`.
  static func named(_ target: String) -> AtenOperator? { all[key(target)] }

  /// The name in the table.
  static func key(_ target: String) -> String {
    let parts = target.split(separator: ".").map(String.init)
    if parts.count >= 4, parts[0] == "torch", parts[1] == "ops" {
      let name = parts[2] == "aten" ? parts[3] : "\(parts[2]).\(parts[3])"
      // An update in place is the operator with a new name for the result.
      return isInPlace(target) ? String(name.dropLast()) : name
    }
    // Python's own operators are on numbers of the program.
    return parts.first == "_operator" ? "operator.\(parts.last ?? "")" : parts.last ?? target
  }

  /// Whether the operator changes the tensor that it is about: `relu_`.
  static func isInPlace(_ target: String) -> Bool {
    let parts = target.split(separator: ".")
    guard parts.count >= 4, parts[0] == "torch", let name = parts.dropFirst(3).first else {
      return false
    }
    return name.hasSuffix("_") && !name.hasPrefix("_") && !name.hasSuffix("__")
  }
}
