import AITGraph
import AITOperators

/// Computes once what is computed twice.
///
/// ```
/// a = pointwise(x, y) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
/// b = pointwise(y, x) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
/// z = matmul(a, b)
/// ```
/// becomes
/// ```
/// a = pointwise(x, y) {body: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }}
/// z = matmul(a, a)
/// ```
///
/// Two nodes are the same if their operators are, with every attribute and literal, their fused
/// work, and their operands in order. Pointwise nodes are compared in a canonical form, in which
/// operands of commutative functions may change places: `x − 1` and `1 − x`, `2x` and `3x` stay
/// apart. Literals of equal bytes are merged; named constants never, as each can be set on its own.
///
/// Runs before patterns are matched, since these ask whether two terms are one value. Visits each
/// node once, in order of execution, so that merged operands make readers equal.
package struct CommonSubexpressionElimination: GraphPass {
  package static let name = "common-subexpression-elimination"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    mergeLiterals(in: &graph)
    var known: [Key: NodeID] = [:]
    for id in graph.sortedNodes() {
      let key = Key(graph[id])
      guard let first = known[key] else {
        known[key] = id
        continue
      }
      for (duplicate, original) in zip(graph[id].outputs, graph[first].outputs) {
        graph.replaceUses(of: duplicate, with: original)
      }
      graph.eraseIfUnused(id)
    }
    graph.removeUnusedLiterals()
  }

  /// What a node computes.
  private struct Key: Hashable {
    let op: AnyHashable
    let inputs: [ValueID]
    let fusion: Fusion

    init(_ node: Graph.Node) {
      fusion = node.fusion
      guard let pointwise = node.op as? Pointwise, node.fusion.isEmpty else {
        op = AnyHashable(node.op)
        inputs = node.inputs
        return
      }
      let ordered = Set(node.inputs).sorted()
      let mapping = node.inputs.map { ordered.firstIndex(of: $0) ?? 0 }
      var types = pointwise.body.inputTypes.prefix(ordered.count).map(\.self)
      for (index, position) in mapping.enumerated() {
        types[position] = pointwise.body.inputTypes[index]
      }
      op = AnyHashable(pointwise.body.remappingInputs(mapping, newTypes: types).canonical())
      inputs = ordered
    }
  }

  private func mergeLiterals(in graph: inout Graph) {
    var known: [LiteralKey: [ValueID]] = [:]
    for id in graph.constants {
      guard let constant = graph.constant(id), !constant.isNamed, let data = constant.data,
        graph.useCount(of: id) > 0
      else { continue }
      let key = LiteralKey(data)
      let original = known[key, default: []].first { other in
        graph.constant(other)?.data?.hasSameBytes(as: data) ?? false
      }
      if let original {
        graph.replaceUses(of: id, with: original)
      } else {
        known[key, default: []].append(id)
      }
    }
  }

  /// Tells most unequal literals apart without reading all their bytes.
  private struct LiteralKey: Hashable {
    let dtype: DType
    let shape: [Int]
    let sample: [UInt8]

    init(_ data: TensorData) {
      dtype = data.dtype
      shape = data.shape
      sample = data.withUnsafeBytes { bytes in
        guard !bytes.isEmpty else { return [] }
        let step = max(1, bytes.count / 64)
        return stride(from: 0, to: bytes.count, by: step).map { bytes[$0] }
      }
    }
  }
}

extension TensorData {
  /// Whether the elements of two tensors of one type have the same bytes, found eight at a time.
  fileprivate func hasSameBytes(as other: TensorData) -> Bool {
    guard dtype == other.dtype, shape == other.shape else { return false }
    return withUnsafeBytes { left in
      other.withUnsafeBytes { right in
        let words = left.count / 8
        for index in 0..<words {
          let offset = index * 8
          let first = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          let second = right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          if first != second { return false }
        }
        return left[(words * 8)...].elementsEqual(right[(words * 8)...])
      }
    }
  }
}
