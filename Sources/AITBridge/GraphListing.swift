import AITGraph

/// A graph as lists, for tools: values by name, nodes in order of execution.
struct GraphListing: Encodable {
  struct Value: Encodable {
    var name: String
    var dtype: String
    /// Extents as numbers, others as text.
    var shape: [Extent]
    /// `input`, `constant`, `literal` or `result`.
    var origin: String
    /// The names by which it is an output.
    var outputs: [String]
    var originalName: String?
  }

  struct Extent: Encodable {
    var i: Int?
    var text: String?
    var lower: Int?
    var upper: Int?
  }

  struct Node: Encodable {
    var name: String
    var op: String
    var attributes: [String: String]
    var inputs: [Int]
    var outputs: [Int]
    /// The functions of the fused work, by the names of `ScalarFunction`.
    var fused: [String]
    var source: String?
  }

  var name: String
  /// By the numbers that nodes use.
  var values: [Value]
  var nodes: [Node]

  init(_ graph: Graph) {
    name = graph.name
    var outputs: [ValueID: [String]] = [:]
    for output in graph.outputs { outputs[output.value, default: []].append(output.name) }
    values = graph.valueIDs.map { id in
      let value = graph[id]
      let origin =
        switch value.origin {
        case .input: "input"
        case .constant(let constant): constant.isNamed ? "constant" : "literal"
        case .node: "result"
        }
      return Value(
        name: value.name,
        dtype: value.type.dtype.rawValue,
        shape: value.type.shape.dimensions.map { dimension in
          if let extent = dimension.constant { return Extent(i: extent) }
          return Extent(
            text: "\(dimension)",
            lower: dimension.lowerBound,
            upper: dimension.upperBound
          )
        },
        origin: origin,
        outputs: outputs[id] ?? [],
        originalName: graph.constant(id)?.originalName
      )
    }
    nodes = graph.sortedNodes().map { id in
      let node = graph[id]
      let expressions = [node.fusion.prologue, node.fusion.epilogue].compactMap(\.self)
      return Node(
        name: node.name,
        op: type(of: node.op).name,
        attributes: Dictionary(
          node.op.attributes.map { ($0.name, GraphPrinter.text($0.value)) },
          uniquingKeysWith: { first, _ in first }
        ),
        inputs: node.inputs.map(\.index),
        outputs: node.outputs.map(\.index),
        fused: expressions.flatMap(Self.functions),
        source: node.source
      )
    }
  }
  private static func functions(_ expression: ScalarExpression) -> [String] {
    expression.instructions.compactMap { instruction in
      if case .call(let function, _) = instruction { function.rawValue } else { nil }
    }
  }
}
