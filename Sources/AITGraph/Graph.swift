/// Identifies a value of a graph: an input, a constant or the result of a node.
package struct ValueID: Hashable, Sendable, Comparable {
  package let index: Int
  package static func < (left: ValueID, right: ValueID) -> Bool { left.index < right.index }
}

/// Identifies a node of a graph.
package struct NodeID: Hashable, Sendable, Comparable {
  package let index: Int
  package static func < (left: NodeID, right: NodeID) -> Bool { left.index < right.index }
}

/// A program: nodes that compute values from inputs and constants.
///
/// A value type; all changes go through `Graph+Editing`.
public struct Graph: Sendable {
  /// Something that a node can read.
  package struct Value: Sendable {
    /// A C identifier, unique in the graph.
    package var name: String
    package var type: TensorType
    package var origin: Origin
  }

  /// Where a value comes from.
  package enum Origin: Sendable {
    case input
    case constant(Constant)
    case node(NodeID, result: Int)
  }

  /// A value that is the same in every run: a weight.
  package struct Constant: Sendable {
    /// The name in the user's program, dots and all.
    package var originalName: String
    /// The elements, if they are known when compiling; set at run time otherwise.
    package var data: TensorData?
    /// Whether the library offers it by name to be set.
    ///
    /// Literals of the program are not offered.
    package var isNamed: Bool

    package init(originalName: String, data: TensorData?, isNamed: Bool = true) {
      self.originalName = originalName
      self.data = data
      self.isNamed = isNamed
    }
  }

  /// One computation.
  ///
  /// With a prologue, the first inputs make operand 0; with an epilogue, the last inputs join the
  /// results.
  package struct Node: Sendable {
    /// A C identifier, unique among the nodes.
    package var name: String
    package var op: any Operator
    package var inputs: [ValueID]
    package var outputs: [ValueID]
    package var fusion: Fusion
    /// Where the user's program made it: "Model.swift:12", a module path, or a Python line.
    package var source: String?
  }

  /// A result of the program, by the name the library gives it.
  package struct Output: Hashable, Sendable {
    package var name: String
    package var value: ValueID
  }

  /// A C identifier.
  package var name: String
  package internal(set) var values: [Value] = []
  /// Erased nodes leave nil, so that identities stay valid.
  package internal(set) var nodeSlots: [Node?] = []
  package internal(set) var inputs: [ValueID] = []
  package internal(set) var constants: [ValueID] = []
  package internal(set) var outputs: [Output] = []
  /// How often the graph has been changed since it was made, names apart: tells passes that settled.
  package internal(set) var editCount = 0
  /// For each value, the nodes that read it, once per reading input.
  var users: [[NodeID]] = []
  var valueNames: Set<String> = []
  var nodeNames: Set<String> = []

  /// Creates an empty graph.
  package init(name: String) { self.name = name }

  package subscript(id: ValueID) -> Value { values[id.index] }

  /// The node; it must not have been erased.
  package subscript(id: NodeID) -> Node {
    guard let node = nodeSlots[id.index] else {
      preconditionFailure("node \(id.index) was erased; passes drop identities of erased nodes")
    }
    return node
  }

  /// Whether the node is still there.
  package func contains(_ id: NodeID) -> Bool { nodeSlots[id.index] != nil }

  /// All nodes in the order they were added, which need not be an order of execution.
  package var nodeIDs: [NodeID] {
    nodeSlots.indices.filter { nodeSlots[$0] != nil }.map(NodeID.init)
  }

  /// All values in the order they were added, those of erased nodes included.
  package var valueIDs: [ValueID] { values.indices.map(ValueID.init) }

  /// The number of nodes.
  package var nodeCount: Int { nodeSlots.count { $0 != nil } }

  /// The node that computes a value; nil for inputs and constants.
  package func producer(of value: ValueID) -> NodeID? {
    if case .node(let node, _) = values[value.index].origin { node } else { nil }
  }

  /// The nodes that read a value, each once, in order of identity.
  package func consumers(of value: ValueID) -> [NodeID] {
    Set(users[value.index]).sorted()
  }

  /// How often a value is read by nodes, and once more for each graph output that it is.
  package func useCount(of value: ValueID) -> Int {
    users[value.index].count + outputs.count { $0.value == value }
  }

  /// Whether a value is an output of the graph.
  package func isOutput(_ value: ValueID) -> Bool { outputs.contains { $0.value == value } }

  /// The constant that a value is; nil for inputs and results.
  package func constant(_ value: ValueID) -> Constant? {
    if case .constant(let constant) = values[value.index].origin { constant } else { nil }
  }

  /// The symbols of all types and of the nodes' attributes, in order of name.
  package var symbols: [Symbol] {
    var found = values.reduce(into: Set<Symbol>()) { $0.formUnion($1.type.shape.symbols) }
    for case let node? in nodeSlots {
      for case .dimensions(let dimensions) in node.op.attributes.map(\.value) {
        for dimension in dimensions { found.formUnion(dimension.symbols) }
      }
    }
    return found.sorted { $0.name < $1.name }
  }

  /// The nodes so that each stands after those it reads from; otherwise in order of identity, so
  /// that the order of one node does not depend on unrelated ones.
  package func sortedNodes() -> [NodeID] {
    var pending: [Int: Int] = [:]
    var ready = PriorityQueue()
    for id in nodeIDs {
      let sources = Set(self[id].inputs.compactMap { producer(of: $0) })
      pending[id.index] = sources.count
      if sources.isEmpty { ready.insert(id.index) }
    }
    var order: [NodeID] = []
    order.reserveCapacity(pending.count)
    while let index = ready.removeFirst() {
      let id = NodeID(index: index)
      order.append(id)
      for consumer in Set(self[id].outputs.flatMap { users[$0.index] }) {
        let rest = (pending[consumer.index] ?? 0) - 1
        pending[consumer.index] = rest
        if rest == 0 { ready.insert(consumer.index) }
      }
    }
    return order
  }
}

/// The fused work of a node around its operator, as data.
package struct Fusion: Hashable, Sendable {
  /// Computes operand 0 (result 0) from the node's first inputs.
  package var prologue: ScalarExpression?
  /// Whether the value of the prologue is the last output of the node as well.
  package var exposesPrologue = false
  /// Computes the node's outputs from the operator's results (the first inputs) and the node's last
  /// inputs.
  package var epilogue: ScalarExpression?
  /// The number of the operator's results, of one shape, that an epilogue starts from.
  package var joinedResults = 1

  package init() {}

  /// Whether there is no fused work.
  package var isEmpty: Bool { prologue == nil && epilogue == nil }

  /// The number of the node's inputs that the prologue reads, in place of operand 0.
  package var prologueInputCount: Int? { prologue?.inputTypes.count }

  /// The number of the node's last inputs that the epilogue reads.
  package var epilogueInputCount: Int {
    epilogue.map { max(0, $0.inputTypes.count - joinedResults) } ?? 0
  }
}

/// A binary heap of integers, smallest first.
private struct PriorityQueue {
  private var heap: [Int] = []

  mutating func insert(_ value: Int) {
    heap.append(value)
    var index = heap.count - 1
    while index > 0, heap[(index - 1) / 2] > heap[index] {
      heap.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  mutating func removeFirst() -> Int? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if heap.isEmpty { return first }
    heap[0] = last
    var index = 0
    while true {
      let children = [2 * index + 1, 2 * index + 2].filter { $0 < heap.count }
      guard let least = children.min(by: { heap[$0] < heap[$1] }), heap[least] < heap[index] else {
        return first
      }
      heap.swapAt(index, least)
      index = least
    }
  }
}
