import AITGraph
import AITOperators
import AITPasses
import Testing

/// Programs whose compilation takes seconds if it is linear in their length, and minutes if not.
@Suite struct LongProgramTests {
  private func chain(_ count: Int) -> String {
    var lines = ["input x: float32[4]"]
    for index in 0..<count {
      let operand = index == 0 ? "x" : "a\(index - 1)"
      lines.append(
        "a\(index) = pointwise(\(operand)) {body: (a: float32) { b = sin(a); return b }}"
      )
    }
    return "graph chain {\n\(lines.joined(separator: "\n"))\noutput y = a\(count - 1)\n}"
  }

  /// A chain becomes as few nodes as the limit of a fused body allows.
  @Test func chainsAreCutAtTheLimit() throws {
    var graph = try Graph.parse(chain(1000))
    try Pipeline.standard.run(on: &graph)
    let limit = PassLimits().instructions
    let lengths = graph.sortedNodes().compactMap { id in
      (graph[id].op as? Pointwise).map { $0.body.instructions.count - $0.body.inputTypes.count }
    }
    #expect(lengths.reduce(0, +) == 1000)
    #expect(lengths.count == (1000 + limit - 1) / limit)
    try graph.verify()
  }

  /// One body of many statements, deeper than a stack of calls would be.
  @Test func longBodiesAreRead() throws {
    let statements = (0..<20_000).map { "b\($0 + 1) = add(b\($0), b\($0))" }
    let text = """
      graph body {
        input x: float32[4]
        y = pointwise(x) {body: (b0: float32) { \(statements.joined(separator: "; ")); return b20000 }}
        output y = y
      }
      """
    var graph = try Graph.parse(text)
    try Pipeline.standard.run(on: &graph)
    #expect(try Graph.parse(graph.description).description == graph.description)
    #expect((graph[graph.nodeIDs[0]].op as? Pointwise)?.body.instructions.count == 20_001)
  }

  /// Casts ask whether extrema and choices of earlier values are rounded: each is asked once.
  @Test func sharedTermsAreVisitedOnce() {
    let body = ScalarExpression(inputs: [.float16, .float16]) { e, x in
      var (low, high) = (x[0], x[1])
      for _ in 0..<100 {
        (low, high) = (e.call(.minimum, low, high), e.call(.maximum, low, high))
      }
      return [e.cast(e.cast(low, to: .float32), to: .float16)]
    }
    var graph = Graph(name: "g")
    #expect(throws: Never.self) {
      let x = try graph.addInput("x", TensorType(.float16, [2]))
      let y = try graph.addNode(Pointwise(body), [x, x])[0]
      try graph.addOutput("y", y)
      try Pipeline.standard.run(on: &graph)
    }
  }

  /// Readers of one value are joined until a node has all the results it may have.
  @Test func manyReadersAreJoinedInGroups() throws {
    var lines = ["input x: float32[4]"]
    for index in 0..<400 {
      lines.append(
        "y\(index) = pointwise(x) {body: (a: float32) { k = \(index).5: float32; "
          + "b = multiply(a, k); return b }}"
      )
      lines.append("output o\(index) = y\(index)")
    }
    var graph = try Graph.parse("graph fan {\n\(lines.joined(separator: "\n"))\n}")
    try Pipeline.standard.run(on: &graph)
    #expect(graph.nodeCount == 400 / PassLimits().results)
  }
}
