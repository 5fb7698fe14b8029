import AITGraph
import AITOperators

/// Tensors for the inputs of a graph and for its constants without data, for runs in tests.
package struct RandomInputs: Sendable {
  /// By name of the input.
  package private(set) var inputs: [String: TensorData] = [:]
  /// By name of the constant.
  package private(set) var constants: [String: TensorData] = [:]

  /// Makes tensors for a graph, the same ones for the same seed.
  ///
  /// Symbols take the value that lies at `share` (0...1) of their bounds. Integers that the graph
  /// uses as positions along an axis stay below its extent. Constants are scaled so that products
  /// with them stay of the order of 1.
  package init(for graph: Graph, seed: UInt64, share: Double = 0.4) {
    var generator = RandomGenerator(seed: seed)
    var symbols: [String: Int] = [:]
    for symbol in graph.symbols {
      let (low, high) = (symbol.bounds.lowerBound, symbol.bounds.upperBound)
      symbols[symbol.name] = low + Int((Double(high - low) * share).rounded())
    }
    let bounds = Self.positionBounds(of: graph, symbols)
    for id in graph.inputs {
      let type = graph[id].type
      inputs[graph[id].name] = .random(
        type.dtype,
        type.shape.evaluate(symbols) ?? [],
        using: &generator,
        indexBound: bounds[id]
      )
    }
    for id in graph.constants {
      guard let constant = graph.constant(id), constant.data == nil else { continue }
      let type = graph[id].type
      let extents = type.shape.evaluate(symbols) ?? []
      let terms = extents.count > 1 ? extents.min() ?? 1 : 1
      constants[graph[id].name] = .random(
        type.dtype,
        extents,
        using: &generator,
        scale: 1 / Double(max(terms, 1)).squareRoot(),
        indexBound: bounds[id]
      )
    }
  }

  /// The least extent that each input and constant is a position along, seen through views.
  private static func positionBounds(of graph: Graph, _ symbols: [String: Int]) -> [ValueID: Int] {
    var bounds: [ValueID: Int] = [:]
    for id in graph.nodeIDs {
      let node = graph[id]
      guard let (operand, axis) = node.op.indexOperand else { continue }
      var index = node.inputs[operand]
      while let producer = graph.producer(of: index), graph[producer].op is any ViewOperator {
        index = graph[producer].inputs[0]
      }
      let extent = graph[node.inputs[0]].type.shape[axis].evaluate(symbols) ?? 1
      bounds[index] = min(bounds[index] ?? extent, extent)
    }
    return bounds
  }
}
