import AITGraph
import AITOperators
import AITReference
import Testing

@Suite struct EvaluatorTests {
  private func identity(of error: any Error) -> Diagnostic.Identity? {
    (error as? Diagnostic)?.identity
  }

  // MARK: - Binding

  /// `y = x + w` with x `[B, 2·S]`.
  private func sum() throws -> Graph {
    var graph = Graph(name: "sum")
    let (batch, seq) = (Dimension.symbol("B", 1...4), Dimension.symbol("S", 2...8))
    let x = try graph.addInput("x", TensorType(.float32, [batch, 2 * seq]))
    _ = try graph.addInput("z", TensorType(.bool, [seq]))
    let w = try graph.addConstant("w", TensorType(.float32, [1]), originalName: "layer.w")
    try graph.addOutput("y", try graph.add(.value(x), .value(w), name: "total"))
    return graph
  }

  private func inputs(_ shape: [Int], _ seq: Int) -> [String: TensorData] {
    [
      "x": TensorData(.float32, shape, (0..<shape.reduce(1, *)).map(Double.init)),
      "z": TensorData(zeros: .bool, [seq]),
    ]
  }

  let one = TensorData(.float32, [1], [1])

  @Test func symbolsAreReadOffTheInputs() throws {
    let run = try Evaluator.run(
      try sum(),
      inputs([1, 4], 2),
      constants: ["layer.w": one],
      recordsIntermediates: true
    )
    #expect(run.symbols == ["B": 1, "S": 2])
    #expect(run.outputs["y"]?.doubles == [1, 2, 3, 4])
    #expect(Set(run.intermediates.keys) == ["x", "z", "w", "total"])
    #expect(run.intermediates["total"]?.doubles == [1, 2, 3, 4])
    let brief = try Evaluator.run(try sum(), inputs([1, 4], 2), constants: ["w": one])
    #expect(brief.intermediates.isEmpty)
  }

  @Test(arguments: [([1, 5], 2), ([5, 4], 2), ([0, 4], 2), ([1, 2], 1), ([1, 4], 3), ([4], 2)])
  func extentsThatDoNotFitAreRefused(_ shape: [Int], _ seq: Int) throws {
    let graph = try sum()
    #expect {
      try Evaluator.run(graph, inputs(shape, seq), constants: ["w": one])
    } throws: {
      identity(of: $0) == .invalidArgument
    }
  }

  @Test func tensorsThatDoNotFitAreRefused() throws {
    let graph = try sum()
    let good = inputs([1, 4], 2)
    let cases: [([String: TensorData], [String: TensorData])] = [
      (good, [:]), (good, ["w": TensorData(.float16, [1], [1])]),
      (good, ["w": TensorData(.float32, [], [1])]),
      (good.filter { $0.key == "x" }, ["w": one]),
      (good.merging(["q": one]) { $1 }, ["w": one]),
      (good.merging(["x": TensorData(zeros: .float16, [1, 4])]) { $1 }, ["w": one]),
    ]
    for (inputs, constants) in cases {
      #expect { try Evaluator.run(graph, inputs, constants: constants) } throws: {
        identity(of: $0) == .invalidArgument
      }
    }
  }

  @Test func failuresNameTheNode() throws {
    var graph = Graph(name: "lookup")
    let index = try graph.addInput("i", TensorType(.int64, [2]))
    let table = try graph.addInput("t", TensorType(.float32, [3, 2]))
    try graph.addOutput("y", try graph.embedding(index, table: table, name: "tokens"))
    for bad in [-1, 3] {
      #expect {
        try Evaluator.run(
          graph,
          [
            "i": TensorData(.int64, [2], integers: [0, Int64(bad)]),
            "t": TensorData(zeros: .float32, [3, 2]),
          ]
        )
      } throws: {
        identity(of: $0) == .runFailed && "\($0)".hasPrefix("node 'tokens'")
      }
    }
  }

  // MARK: - Fused work

  private func fusion(
    prologue: ScalarExpression? = nil,
    epilogue: ScalarExpression? = nil,
    exposes: Bool = false
  ) -> Fusion {
    var fusion = Fusion()
    fusion.prologue = prologue
    fusion.epilogue = epilogue
    fusion.exposesPrologue = exposes
    return fusion
  }

  /// 300² exceeds float16; the epilogue sees it before it is rounded.
  @Test func epiloguesTakeTheUnroundedResult() throws {
    let scaled = ScalarExpression(inputs: [.float16, .float16]) { e, x in
      [e.call(.multiply, x[0], x[1]), e.call(.isInfinite, x[0])]
    }
    var graph = Graph(name: "fused")
    let a = try graph.addInput("a", TensorType(.float16, [2, 1]))
    let b = try graph.addInput("b", TensorType(.float16, [1, 2]))
    let c = try graph.addInput("c", TensorType(.float16, [2]))
    let fused = try graph.addNode(MatMul(), [a, b, c], fusion: fusion(epilogue: scaled))
    let plain = try graph.addNode(MatMul(), [a, b])
    try graph.addOutput("fused", fused[0])
    try graph.addOutput("infinite", fused[1])
    try graph.addOutput("plain", plain[0])
    let run = try Evaluator.run(
      graph,
      [
        "a": TensorData(.float16, [2, 1], [300, 1]),
        "b": TensorData(.float16, [1, 2], [300, 400]),
        "c": TensorData(.float16, [2], [0.0625, 2]),
      ]
    )
    #expect(run.outputs["plain"]?.doubles == [.infinity, .infinity, 300, 400])
    #expect(run.outputs["fused"]?.doubles == [5624, .infinity, 18.75, 800])
    #expect(run.outputs["infinite"]?.doubles == [0, 0, 0, 0])
  }

  /// The operand that a prologue makes stays unrounded; the one it exposes is rounded.
  @Test func prologuesGiveTheUnroundedOperand() throws {
    let shifted = ScalarExpression(inputs: [.float16, .float16]) { e, x in
      [e.call(.multiply, x[0], x[1])]
    }
    var graph = Graph(name: "fused")
    let a = try graph.addInput("a", TensorType(.float16, [2]))
    let b = try graph.addInput("b", TensorType(.float16, []))
    let results = try graph.addNode(
      Reduce(.sum, axes: [0]),
      [a, b],
      fusion: fusion(prologue: shifted, exposes: true)
    )
    try graph.addOutput("sum", results[0])
    try graph.addOutput("operand", results[1])
    let run = try Evaluator.run(
      graph,
      ["a": TensorData(.float16, [2], [60000, -59968]), "b": TensorData(.float16, [], [2])]
    )
    #expect(run.outputs["operand"]?.doubles == [.infinity, -.infinity])
    #expect(run.outputs["sum"]?.doubles == [64])
  }

  @Test func prologuesOfSeveralInputsAndEpiloguesMeet() throws {
    var graph = Graph(name: "fused")
    let x = try graph.addInput("x", TensorType(.bfloat16, [.symbol("n", 1...4), 8]))
    let residual = try graph.addInput("r", TensorType(.bfloat16, [.symbol("n", 1...4), 8]))
    let weight = try graph.addInput("w", TensorType(.bfloat16, [8]))
    let node = try graph.addNode(
      RMSNorm(axisCount: 1, epsilon: 1e-6, hasWeight: true),
      [x, residual, weight, residual],
      fusion: fusion(
        prologue: .of(.add, .bfloat16, .bfloat16),
        epilogue: .of(.subtract, .bfloat16, .bfloat16),
        exposes: true
      )
    )
    let added = try graph.add(.value(x), .value(residual))
    let normal = try graph.rmsNorm(added, weight: weight, epsilon: 1e-6)
    try graph.addOutput("fused", node[0])
    try graph.addOutput("sum", node[1])
    try graph.addOutput("plain", try graph.subtract(.value(normal), .value(residual)))
    try graph.addOutput("total", added)
    try graph.verify()
    var generator = RandomGenerator(seed: 1)
    let run = try Evaluator.run(
      graph,
      [
        "x": .random(.bfloat16, [3, 8], using: &generator),
        "r": .random(.bfloat16, [3, 8], using: &generator),
        "w": .random(.bfloat16, [8], using: &generator),
      ]
    )
    let (fused, plain) = try (
      #require(run.outputs["fused"]), #require(run.outputs["plain"])
    )
    #expect(compare(fused, plain).isEqual, "\(compare(fused, plain))")
    let (sum, total) = try (#require(run.outputs["sum"]), #require(run.outputs["total"]))
    #expect(sum.isIdentical(to: total))
  }

  // MARK: - Size

  /// Ten million products take a fraction of a second even without optimisation.
  @Test func largeProductsAreFeasible() throws {
    var graph = Graph(name: "large")
    let a = try graph.addInput("a", TensorType(.float32, [256, 160]))
    let b = try graph.addInput("b", TensorType(.float32, [256, 160]))
    try graph.addOutput(
      "y",
      try graph.pointwise(.gelu, try graph.linear(a, b))
    )
    var generator = RandomGenerator(seed: 1)
    let run = try Evaluator.run(
      graph,
      [
        "a": .random(.float32, [256, 160], using: &generator),
        "b": .random(.float32, [256, 160], using: &generator),
      ]
    )
    #expect(run.outputs["y"]?.elementCount == 65536)
  }
}
