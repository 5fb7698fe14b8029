import AITFrontend
import AITGraph
import AITPasses
import AITReference
import Testing

@Suite("The tutorial's model")
struct SimpleModelTests {
  private func graph(_ hidden: Int, _ dtype: DType) throws -> Graph {
    let model = SimpleModel(hidden: hidden)
    let x = Tensor.input("X", [.symbol("batch", 1...2048), Dimension(hidden)], dtype)
    let y = model(x).named("Y")
    return try Graph(name: "simple_model_demo", outputs: [y])
  }

  @Test("is a graph with the names of its layers")
  func names() throws {
    #expect(
      try graph(512, .float16).pseudoCode() == """
        def simple_model_demo(X: float16[batch, 512]):  # batch: 1...2048
            dense1 = matmul(X, dense1_weight.T)  # float16[batch, 2048]
            dense1_add = dense1 + dense1_bias  # float16[batch, 2048]
            dense1_fast_gelu = fast_gelu(dense1_add)  # float16[batch, 2048]
            dense2 = matmul(dense1_fast_gelu, dense2_weight.T)  # float16[batch, 512]
            dense2_add = dense2 + dense2_bias  # float16[batch, 512]
            add = dense2_add + X  # float16[batch, 512]
            layernorm = layer_norm(add, layernorm_weight, layernorm_bias, epsilon=1e-05)  # float16[batch, 512]
            return {"Y": layernorm}

        """
    )
  }

  @Test("becomes two products and a normalisation")
  func passes() throws {
    var graph = try graph(512, .float16)
    try Pipeline.standard.run(on: &graph)
    #expect(
      graph.pseudoCode() == """
        def simple_model_demo(X: float16[batch, 512]):  # batch: 1...2048
            dense1 = fast_gelu(matmul(X, dense1_weight.T) + dense1_bias)  # float16[batch, 2048]
            dense2 = matmul(dense1, dense2_weight.T) + dense2_bias + X  # float16[batch, 512]
            layernorm = layer_norm(dense2, layernorm_weight, layernorm_bias, epsilon=1e-05)  # float16[batch, 512]
            return {"Y": layernorm}

        """
    )
  }

  @Test("names its weights as PyTorch does, with underscores for dots")
  func weights() throws {
    let graph = try graph(8, .float16)
    let constants = graph.constants.compactMap { id in
      graph.constant(id).map { "\(graph[id].name) \($0.originalName) \(graph[id].type)" }
    }
    #expect(
      constants == [
        "dense1_weight dense1.weight float16[32, 8]", "dense1_bias dense1.bias float16[32]",
        "dense2_weight dense2.weight float16[8, 32]", "dense2_bias dense2.bias float16[8]",
        "layernorm_weight layernorm.weight float16[8]",
        "layernorm_bias layernorm.bias float16[8]",
      ]
    )
  }

  @Test("says where each node was made")
  func sources() throws {
    let graph = try graph(8, .float16)
    for id in graph.nodeIDs {
      #expect(graph[id].source?.hasPrefix("AITFrontendTests/SimpleModel.swift:") == true)
    }
  }

  @Test("is the same graph each time")
  func stability() throws {
    #expect(try graph(16, .float16).description == graph(16, .float16).description)
  }

  @Test("computes what the formula says")
  func meaning() throws {
    let data = random([3, 4])
    let model = SimpleModel(hidden: 4)
    let x = Tensor.input("X", [.symbol("batch", 1...8), 4], .float64)
    let run = try Run(model(x), ["X": data])
    let input = Matrix(data.doubles, columns: 4)
    let hidden = input.linear(try run.matrix("dense1.weight"), try run.vector("dense1.bias"))
      .map(fastGELU)
    let output = hidden.linear(try run.matrix("dense2.weight"), try run.vector("dense2.bias"))
      .zip(input, +)
      .layerNorm(try run.vector("layernorm.weight"), try run.vector("layernorm.bias"))
    #expect(run.isClose(output.values))
  }

  @Test("shares its parameters between calls")
  func twoCalls() throws {
    let model = SimpleModel(hidden: 8)
    let (a, b) = (Tensor.input("A", [2, 8], .float16), Tensor.input("B", [5, 8], .float16))
    let graph = try Graph(name: "twice", outputs: [model(a), model(b)])
    #expect(graph.constants.count == 6)
    #expect(graph.nodeCount == 14)
    #expect(graph.outputs.map(\.name) == ["output_0", "output_1"])
    let names = graph.nodeIDs.map { graph[$0].name }
    #expect(names.contains("dense1") && names.contains("dense1_1"))
  }
}
