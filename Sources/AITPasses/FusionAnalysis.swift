import AITGraph
import AITOperators

/// What fusion asks of a graph, kept right while nodes are merged.
struct FusionAnalysis {
  private(set) var reachability: Reachability
  private var invariant: [Bool]

  init(_ graph: Graph) {
    reachability = Reachability(graph)
    invariant = graph.invariantValues()
  }

  /// Whether a node computes the same in every run.
  func isInvariant(_ node: NodeID, in graph: Graph) -> Bool {
    graph[node].outputs.first.map(isInvariant) ?? false
  }

  /// Whether a value is the same in every run.
  func isInvariant(_ value: ValueID) -> Bool {
    value.index < invariant.count && invariant[value.index]
  }

  /// Records that a node does the work of others.
  mutating func merge(_ old: [NodeID], into new: NodeID, in graph: Graph) {
    reachability.merge(old, into: new)
    let isFixed = graph[new].inputs.allSatisfy(isInvariant)
    while invariant.count < graph.values.count { invariant.append(false) }
    if isFixed { for output in graph[new].outputs { invariant[output.index] = true } }
  }

  /// Records a view that was added.
  mutating func addView(_ value: ValueID, of source: ValueID, in graph: Graph) {
    while invariant.count < graph.values.count { invariant.append(false) }
    invariant[value.index] = isInvariant(source)
    if let view = graph.producer(of: value), let producer = graph.producer(of: source) {
      reachability.alias(view, to: producer)
    }
  }
}

extension Graph {
  /// Whether pointwise work takes less time than reading its result would: one operation at most on
  /// one operand, which is no larger in bytes.
  func isCheaperToRecompute(_ id: NodeID) -> Bool {
    let node = self[id]
    guard let work = node.op as? Pointwise, node.inputs.count == 1, node.outputs.count == 1
    else { return false }
    let (operand, result) = (self[node.inputs[0]].type, self[node.outputs[0]].type)
    return work.body.operationCount <= 1 && operand.shape == result.shape
      && operand.dtype.sizeInBytes <= result.dtype.sizeInBytes
  }
}
