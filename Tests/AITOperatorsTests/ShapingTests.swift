import AITGraph
import AITOperators
import AITReference
import Testing

@Suite struct ShapingTests {
  static let B = Dimension.symbol("B", 0...8)
  static let S = Dimension.symbol("S", 1...16)

  private func shape(
    of input: Shape,
    _ build: (inout Graph, ValueID) throws -> ValueID
  ) throws -> Shape {
    var graph = Graph(name: "g")
    let x = try graph.addInput("x", TensorType(.float32, input))
    let result = try build(&graph, x)
    return graph[result].type.shape
  }

  // MARK: - Reshape

  @Test(
    arguments: [
      ([2, 3, 4], [6, -1], [6, 4]), ([2, 3, 4], [-1], [24]), ([2, 0], [0, 5], [0, 5]),
      ([], [-1], [1]), ([1], [], []), ([0], [-1, 4], [0, 4]),
      ([B, S, 12], [B, S, 3, -1], [B, S, 3, 4]), ([B, S, 12], [-1, 12], [B * S, 12]),
      ([B, S, 12], [B, -1], [B, 12 * S]), ([B * S, 12], [B, S, -1], [B, S, 12]),
      ([B, 4 * S], [B, -1, 4], [B, S, 4]), ([B, S], [S, -1], [S, B]),
    ] as [(Shape, [Dimension], Shape)]
  )
  func openExtentsAreFound(_ input: Shape, _ extents: [Dimension], _ expected: Shape) throws {
    #expect(try shape(of: input) { try $0.reshape($1, extents) } == expected)
  }

  @Test(
    arguments: [
      ([2, 3], [-1, 4]), ([2, 3], [-1, -1]), ([2, 3], [5]), ([0], [0, -1]), ([B, S], [-1, 3]),
      ([2, 3], [-6, -1]), ([2, 3], [-2, -3]), ([B, 3], [S, -1]),
    ] as [(Shape, [Dimension])]
  )
  func impossibleExtentsAreRefused(_ input: Shape, _ extents: [Dimension]) {
    #expect(throws: Diagnostic.self) { try shape(of: input) { try $0.reshape($1, extents) } }
  }

  @Test func axesAreJoinedSplitAddedAndRemoved() throws {
    let input: Shape = [Self.B, 2, 1, 6]
    let B = Self.B
    #expect(try shape(of: input) { try $0.flatten($1) } == [12 * B])
    #expect(try shape(of: input) { try $0.flatten($1, start: 1, end: -2) } == [B, 2, 6])
    #expect(try shape(of: []) { try $0.flatten($1) } == [1])
    #expect(try shape(of: input) { try $0.unflatten($1, axis: 3, [2, -1]) } == [B, 2, 1, 2, 3])
    #expect(try shape(of: input) { try $0.squeeze($1) } == [B, 2, 6])
    #expect(try shape(of: input) { try $0.squeeze($1, axes: [0, 2]) } == [B, 2, 6])
    #expect(try shape(of: input) { try $0.squeeze($1, axes: [1]) } == input)
    #expect(try shape(of: input) { try $0.unsqueeze($1, axis: -1) } == [B, 2, 1, 6, 1])
    #expect(try shape(of: input) { try $0.unsqueeze($1, axis: 0) } == [1, B, 2, 1, 6])
    #expect(try shape(of: []) { try $0.unsqueeze($1, axis: -1) } == [1])
    #expect(try shape(of: input) { try $0.transpose($1, 0, -1) } == [6, 2, 1, B])
    #expect(try shape(of: input) { try $0.expand($1, [3, -1, 2, 5, -1]) } == [3, B, 2, 5, 6])
    for wrong in [4, -6] {
      #expect(throws: Diagnostic.self) {
        try shape(of: [2, 3, 4]) { try $0.unsqueeze($1, axis: wrong) }
      }
    }
    #expect(throws: Diagnostic.self) {
      try shape(of: input) { try $0.flatten($1, start: 2, end: 1) }
    }
    #expect(throws: Diagnostic.self) { try shape(of: input) { try $0.expand($1, [-1, 2, 1]) } }
  }

  // MARK: - Values

  /// Runs a graph on the numbers 0, 1, 2, ….
  private func values(
    _ input: [Int],
    _ build: (inout Graph, ValueID) throws -> ValueID
  ) throws -> [Double] {
    var graph = Graph(name: "g")
    let data = TensorData(.float32, input, (0..<input.reduce(1, *)).map(Double.init))
    let x = try graph.addInput("x", data.type)
    try graph.addOutput("y", try build(&graph, x))
    return try #require(try Evaluator.run(graph, ["x": data]).outputs["y"]).doubles
  }

  @Test func tensorsAreRepeated() throws {
    #expect(try values([2]) { try $0.tile($1, [3]) } == [0, 1, 0, 1, 0, 1])
    #expect(try values([2]) { try $0.tile($1, [2, 1]) } == [0, 1, 0, 1])
    #expect(try values([2]) { try $0.repeatInterleave($1, 2, axis: 0) } == [0, 0, 1, 1])
    #expect(
      try values([2, 2]) { try $0.repeatInterleave($1, 2, axis: -1) } == [0, 0, 1, 1, 2, 2, 3, 3]
    )
    #expect(try values([2]) { try $0.tile($1, [0]) } == [])
  }

  @Test func tensorsAreStackedAndFlipped() throws {
    #expect(try values([2]) { try $0.stack([$1, $1], axis: -1) } == [0, 0, 1, 1])
    #expect(try values([2]) { try $0.stack([$1, $1]) } == [0, 1, 0, 1])
    #expect(try values([2, 2]) { try $0.flip($1, axes: [0, -1]) } == [3, 2, 1, 0])
  }

  @Test func numbersAreCounted() throws {
    func count(_ start: Double, _ end: Double, _ step: Double, _ type: DType) throws -> [Double] {
      var graph = Graph(name: "g")
      let y = try graph.arange(from: start, to: end, by: step, type)
      try graph.addOutput("y", y)
      return try #require(try Evaluator.run(graph, [:]).outputs["y"]).doubles
    }
    #expect(try count(0, 5, 2, .int64) == [0, 2, 4])
    #expect(try count(5, 0, -2, .int64) == [5, 3, 1])
    #expect(try count(1, 2, 0.25, .float32) == [1, 1.25, 1.5, 1.75])
    #expect(try count(3, 3, 1, .int32) == [])
    #expect(throws: Diagnostic.self) { try count(0, 5, 0, .int64) }
    #expect(throws: Diagnostic.self) { try count(0, 5, -1, .int64) }
    #expect(throws: Diagnostic.self) { try count(0, .infinity, 1, .int64) }
    #expect(throws: Diagnostic.self) { try count(0, .nan, 1, .int64) }
  }

  @Test func bordersStayWithinTheirAxis() throws {
    let n = Dimension.symbol("n", 1...8)
    func pad(_ amounts: [Dimension], _ mode: PaddingMode) throws -> Shape {
      try shape(of: [2, n]) { try $0.pad($1, amounts, mode: mode) }
    }
    #expect(try pad([1, 2], .constant(0)) == [2, n + 3])
    #expect(try pad([0, 8 - n], .constant(0)) == [2, 8])
    #expect(try pad([1, 0], .replicate) == [2, n + 1])
    #expect(try pad([n, 0], .circular) == [2, 2 * n])
    #expect(try pad([], .reflect) == [2, n])
    #expect(throws: Diagnostic.self) { try pad([8, 0], .reflect) }
    #expect(throws: Diagnostic.self) { try pad([9, 0], .circular) }
    #expect(throws: Diagnostic.self) { try pad([-1, 0], .replicate) }
    #expect(throws: Diagnostic.self) { try pad([1], .constant(0)) }
    #expect(throws: Diagnostic.self) { try pad([1, 1, 1, 1, 1, 1], .constant(0)) }
    #expect(throws: Diagnostic.self) { try pad([n - 4, 0], .constant(0)) }
    #expect(throws: Diagnostic.self) { try pad([-9, 0], .constant(0)) }
  }
}
