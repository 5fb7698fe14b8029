import AITGraph
import AITOperators

extension Graph {
  /// For each value, the floating-point types to which something on the way to it was rounded.
  ///
  /// Inputs and constants are what they are, and views change nothing. The results of nodes count,
  /// and the instructions of pointwise and fused work: a float64 that is cast from a product of
  /// float16 is no more exact than that product.
  package func roundingTypes() throws(Diagnostic) -> [ValueID: Set<DType>] {
    var types: [ValueID: Set<DType>] = [:]
    for id in sortedNodes() {
      let node = self[id]
      var found = node.inputs.reduce(into: Set<DType>()) { $0.formUnion(types[$1] ?? []) }
      if !(node.op is any ViewOperator && node.fusion.isEmpty) {
        found.formUnion(try ownRoundingTypes(of: node))
      }
      for output in node.outputs { types[output] = found }
    }
    return types
  }

  private func ownRoundingTypes(of node: Node) throws(Diagnostic) -> Set<DType> {
    let signature = try OperatorSignature(node.op, node.inputs.map { self[$0].type }, node.fusion)
    var found: [DType] = []
    if let pointwise = node.op as? Pointwise {
      found += pointwise.body.computedTypes
    } else {
      found += signature.results.map(\.dtype)
    }
    for work in [node.fusion.prologue, node.fusion.epilogue] { found += work?.computedTypes ?? [] }
    return Set(found.filter(\.isFloatingPoint))
  }
}

extension ScalarExpression {
  /// The types of what is computed, inputs and literals apart.
  fileprivate var computedTypes: [DType] {
    zip(instructions, types).compactMap { instruction, type in
      switch instruction {
      case .input, .constant: nil
      case .call, .cast: type
      }
    }
  }
}

extension Tolerance {
  /// The bound for a result of one type that was computed over roundings to others.
  package static func bound(
    _ dtype: DType,
    rounded types: some Collection<DType>,
    operatorCount: Int
  ) -> Double {
    let own = bound(dtype, operatorCount: operatorCount)
    return types.reduce(own) { max($0, bound($1, operatorCount: operatorCount)) }
  }
}
