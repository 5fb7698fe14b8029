@testable import AITGraph
import AITOperators
import Testing

/// Each way in which a graph can be illegal is found by `verify`.
@Suite struct GraphVerificationTests {
  /// `a = identity(x); b = concat(a, w); output y = b`.
  private func legal() throws -> Graph {
    var graph = Graph(name: "g")
    let x = try graph.addInput("x", TensorType(.float32, [.symbol("n", 1...8), 4]))
    let w = try graph.addConstant("w", TensorType(.float32, [2, 4]))
    let a = try graph.addNode(Identity(), [x], name: "a")[0]
    let b = try graph.addNode(Concat(axis: 0), [a, w], name: "b")[0]
    try graph.addOutput("y", b)
    return graph
  }

  private func expect(
    _ identity: Diagnostic.Identity,
    _ damage: (inout Graph) throws -> Void
  ) throws {
    var graph = try legal()
    try graph.verify()
    try damage(&graph)
    #expect { try graph.verify() } throws: { ($0 as? Diagnostic)?.identity == identity }
  }

  @Test func findsCycles() throws {
    try expect(.malformedGraph) { graph in
      let (a, b) = (graph.nodeIDs[0], graph.nodeIDs[1])
      graph.setInput(0, of: a, to: graph[b].outputs[0])
    }
  }

  @Test func findsMissingOutputs() throws {
    try expect(.missingOutput) { $0.outputs = [] }
  }

  @Test func findsConflictingSymbols() throws {
    try expect(.conflictingSymbol) { graph in
      _ = try graph.addInput("z", TensorType(.float32, [.symbol("n", 1...9)]))
    }
    try expect(.conflictingSymbol) { graph in
      _ = try graph.addInput("z", TensorType(.float32, [.symbol("no name", 1...9)]))
    }
    try expect(.conflictingSymbol) { graph in
      _ = try graph.addNode(Full([.symbol("lost", 1...9)], .float32, value: 0), [])
    }
    // A product of two symbols tells neither.
    try expect(.conflictingSymbol) { graph in
      let (p, q) = (Dimension.symbol("p", 1...9), Dimension.symbol("q", 1...9))
      _ = try graph.addInput("z", TensorType(.float32, [p * q]))
    }
  }

  @Test func findsBadNames() throws {
    try expect(.malformedGraph) { $0.values[0].name = "no name" }
    try expect(.duplicateName) { $0.values[0].name = "w" }
    try expect(.duplicateName) { $0.nodeSlots[0]?.name = "b" }
  }

  @Test func findsWrongTypes() throws {
    try expect(.malformedGraph) { graph in
      let output = graph[graph.nodeIDs[1]].outputs[0]
      graph.values[output.index].type.dtype = .float16
    }
    try expect(.malformedGraph) { graph in
      let output = graph[graph.nodeIDs[0]].outputs[0]
      graph.values[output.index].type.shape = [1, 4]
    }
    try expect(.dtypeMismatch) { graph in
      graph.values[graph.constants[0].index].type.dtype = .int32
    }
    try expect(.axisOutOfRange) { $0.nodeSlots[1]?.op = Concat(axis: 7) }
    try expect(.wrongInputCount) { graph in
      graph.nodeSlots[0]?.op = MatMul()
    }
  }

  @Test func findsLostUsers() throws {
    try expect(.malformedGraph) { $0.users[0] = [] }
    try expect(.malformedGraph) { $0.users[0].append(NodeID(index: 1)) }
    try expect(.malformedGraph) { graph in
      graph.values[graph[graph.nodeIDs[1]].outputs[0].index].origin = .input
    }
  }

  @Test func findsReadersOfErasedNodes() throws {
    try expect(.malformedGraph) { graph in
      graph.nodeSlots[0] = nil
      graph.users[0] = []
    }
    try expect(.malformedGraph) { graph in
      graph.nodeSlots[1] = nil
      graph.users[graph.nodeSlots[0]?.outputs[0].index ?? 0] = []
      graph.users[graph.constants[0].index] = []
    }
  }

  @Test func findsImpossibleFusion() throws {
    func fusion(_ change: (inout Fusion) -> Void) -> Fusion {
      var fusion = Fusion()
      change(&fusion)
      return fusion
    }
    let half = ScalarExpression.of(.negate, .float16)
    for wrong in [
      fusion { $0.exposesPrologue = true }, fusion { $0.epilogue = ScalarExpression(inputs: []) },
      fusion { $0.epilogue = half }, fusion { $0.prologue = half },
      fusion { $0.prologue = .identity([.float32, .float32]) },
      fusion { $0.epilogue = .of(.add, .float32, .float32) },
    ] {
      var graph = try legal()
      graph.nodeSlots[0]?.fusion = wrong
      #expect(throws: Diagnostic.self) { try graph.verify() }
    }
  }

  // MARK: - Editing keeps graphs legal

  @Test func replacingKeepsNamesAndReaders() throws {
    var graph = try legal()
    let a = graph.nodeIDs[0]
    try graph.replace(
      a,
      with: Slice(starts: [0, 0], sizes: [1, 4], steps: [1, 1]),
      graph[a].inputs
    )
    #expect(throws: Diagnostic.self) { try graph.verify() }  // b's type is out of date
    graph = try legal()
    try graph.replace(a, with: Permute([0, 1]), graph[a].inputs)
    try graph.verify()
    #expect(graph[graph.nodeIDs[0]].name == "b")
    #expect(graph.description.contains("a = permute(x)"))
  }

  @Test func erasingFollowsUnusedProducers() throws {
    var graph = try legal()
    let x = graph.inputs[0]
    graph.replaceUses(of: graph[graph.nodeIDs[1]].outputs[0], with: x)
    graph.eraseIfUnused(graph.nodeIDs[1])
    #expect(graph.nodeCount == 0)
    #expect(graph.useCount(of: x) == 1)
    graph.removeUnusedLiterals()
    #expect(graph.constants.count == 1)
    try graph.verify()
  }

  @Test func namesStayUnique() throws {
    var graph = try legal()
    let x = graph.inputs[0]
    let first = try graph.addNode(Identity(), [x], name: "a")[0]
    let second = try graph.addNode(Identity(), [x], name: "a")[0]
    #expect(graph[first].name == "a_1" && graph[second].name == "a_2")
    graph.rename(second, to: "x")
    #expect(graph[second].name == "x_1")
    try graph.verify()
    #expect(throws: Diagnostic.self) { try graph.addOutput("y", x) }
  }

  @Test func constantsAreBoundToDataOfTheirType() throws {
    var graph = try legal()
    let w = graph.constants[0]
    #expect(throws: Diagnostic.self) { try graph.bind(w, to: TensorData(zeros: .float32, [2, 5])) }
    #expect(throws: Diagnostic.self) {
      try graph.bind(graph.inputs[0], to: TensorData(zeros: .float32, [2, 4]))
    }
    try graph.bind(w, to: TensorData(zeros: .float32, [2, 4]))
    #expect(graph.constant(w)?.data != nil)
  }

  /// The order of execution does not depend on nodes that have nothing to do with each other.
  @Test func orderIsStable() throws {
    var graph = Graph(name: "g")
    let x = try graph.addInput("x", TensorType(.float32, [4]))
    var last = x
    for index in 0..<50 { last = try graph.addNode(Identity(), [last], name: "n\(index)")[0] }
    try graph.addOutput("y", last)
    graph.setInput(0, of: graph.nodeIDs[3], to: x)
    #expect(graph.sortedNodes() == graph.nodeIDs)
    try graph.verify()
  }
}
