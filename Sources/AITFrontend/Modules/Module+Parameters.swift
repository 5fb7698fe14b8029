import AITGraph

extension Module {
  /// The names and types of all parameters, as a reader of weights wants them; open element types
  /// count as `float32`.
  public final var expectedParameters: [(name: String, type: TensorType)] {
    namedParameters.map { name, parameter in
      (name, TensorType(parameter.dtype ?? .float32, Shape(parameter.shape)))
    }
  }

  /// Decides the element type of all floating-point parameters, as PyTorch's `to(dtype)`.
  ///
  /// - Returns: the module, for use in an expression.
  /// - Throws: `dtype-mismatch` if the type is not floating-point.
  @discardableResult
  public final func converted(to dtype: DType) throws(Diagnostic) -> Self {
    guard dtype.isFloatingPoint else {
      throw Diagnostic(
        .dtypeMismatch,
        "parameters of the type \(dtype.rawValue)",
        hint: "give a floating-point type"
      )
    }
    for parameter in parameters where parameter.dtype?.isFloatingPoint ?? true {
      parameter.dtype = dtype
    }
    return self
  }

  /// Gives parameters their elements by dotted path, converted to the parameters' types.
  ///
  /// - Parameters:
  ///   - weights: the elements by the path of the parameter, as in ``namedParameters``.
  ///   - strict: whether every parameter must be given and every name must be known.
  /// - Throws: `weight-mismatch` if names are missing or unknown, or extents differ.
  public final func bind(_ weights: [String: TensorData], strict: Bool = true)
    throws(Diagnostic)
  {
    let parameters = namedParameters
    if strict {
      let known = Set(parameters.map(\.name))
      if let unknown = weights.keys.filter({ !known.contains($0) }).min() {
        let nearest = Identifier.nearest(to: unknown, among: known)
        throw Diagnostic(
          .weightMismatch,
          "the model has no parameter '\(unknown)'",
          hint: nearest.isEmpty
            ? "strict: false leaves unknown weights out"
            : "did you mean \(nearest.map { "'\($0)'" }.joined(separator: ", "))?"
        )
      }
      let missing = parameters.map(\.name).filter { weights[$0] == nil }
      if let first = missing.first {
        throw Diagnostic(
          .weightMismatch,
          "no weight for the parameter '\(first)'"
            + (missing.count > 1 ? " and \(missing.count - 1) others" : ""),
          hint: "strict: false leaves them to be set in the compiled library"
        )
      }
    }
    for (name, parameter) in parameters {
      if let data = weights[name] { try parameter.bind(data) }
    }
  }
}

extension Module: CustomStringConvertible {
  /// The tree of modules as PyTorch prints it, one line for each.
  public final var description: String {
    var ancestors: Set<ObjectIdentifier> = []
    return describe(&ancestors)
  }

  private final func describe(_ ancestors: inout Set<ObjectIdentifier>) -> String {
    let name = "\(type(of: self))"
    guard ancestors.insert(ObjectIdentifier(self)).inserted else { return "\(name)(…)" }
    defer { ancestors.remove(ObjectIdentifier(self)) }
    let children = namedChildren
    if children.isEmpty { return "\(name)(\(detail))" }
    var lines = ["\(name)("]
    if !detail.isEmpty { lines.append("  \(detail)") }
    for (key, child) in children {
      let text = child.describe(&ancestors).split(separator: "\n", omittingEmptySubsequences: false)
      lines.append("  (\(key)): \(text.joined(separator: "\n  "))")
    }
    lines.append(")")
    return lines.joined(separator: "\n")
  }
}
