import AITGraph
import AITOperators
import AITReference
import Testing

@Suite struct EvaluatorTests {
  @Test func addsTwoTensors() throws {
    var graph = Graph(name: "sum")
    let x = try graph.addInput("x", TensorType(.float32, [.symbol("B", 1...4), 2]))
    try graph.addOutput("y", try graph.add(.value(x), 1.5))
    let result = try Evaluator.run(graph, ["x": TensorData(.float32, [1, 2], [1, 2])])
    #expect(result.outputs["y"]?.doubles == [2.5, 3.5])
  }
}
