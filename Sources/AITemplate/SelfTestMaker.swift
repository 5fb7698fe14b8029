import AITCodegen
import AITGraph
import AITReference

/// Makes the input and expected output that a library keeps to check itself on a new machine.
enum SelfTestMaker {
  /// The work that the reference evaluator may be given, in operations: a second or so.
  private static let operationLimit = 50_000_000
  /// The bytes that the pair may take.
  private static let sizeLimit = 256 << 10

  /// A seeded random input at the least sizes and what the graph makes of it by its reference
  /// meaning; nil if a constant has no data, or if it is too much work.
  static func make(_ graph: Graph) -> ConstantImage.SelfTest? {
    let symbols = graph.symbols
    var values: [String: Int] = [:]
    for symbol in symbols { values[symbol.name] = max(1, symbol.bounds.lowerBound) }
    guard graph.constants.allSatisfy({ graph.constant($0)?.data != nil }),
      isAffordable(graph, values)
    else { return nil }
    var generator = RandomGenerator(seed: 1)
    var named: [String: TensorData] = [:]
    var inputs: [TensorData] = []
    for id in graph.inputs {
      guard let extents = graph[id].type.shape.evaluate(values) else { return nil }
      // Zeros where the numbers may be indices.
      let isIndex = graph[id].type.dtype.category == .integer
      let tensor = TensorData.random(
        graph[id].type.dtype,
        extents,
        using: &generator,
        indexBound: isIndex ? 1 : nil
      )
      named[graph[id].name] = tensor
      inputs.append(tensor)
    }
    guard let outputs = try? Evaluator.run(graph, named).outputs else { return nil }
    let ordered = graph.outputs.compactMap { outputs[$0.name] }
    let size = (inputs + ordered).reduce(0) { $0 + $1.sizeInBytes }
    guard size <= sizeLimit, ordered.allSatisfy({ $0.doubles.allSatisfy(\.isFinite) }) else {
      return nil
    }
    return ConstantImage.SelfTest(
      symbols: symbols.map { values[$0.name] ?? 1 },
      inputs: inputs,
      outputs: ordered,
      tolerances: ordered.map { Tolerance.bound($0.dtype, operatorCount: graph.nodeCount) }
    )
  }

  private static func isAffordable(_ graph: Graph, _ values: [String: Int]) -> Bool {
    var total = 0
    for id in graph.sortedNodes() {
      let node = graph[id]
      guard node.fusion.isEmpty else { return false }
      let count = node.op.operationCount(
        node.inputs.map { graph[$0].type },
        results: node.outputs.map { graph[$0].type }
      )
      total += count.evaluate(values) ?? operationLimit
      if total > operationLimit { return false }
    }
    return true
  }
}
