import AITGraph
import AITOperators
import Testing

@Suite struct PointwiseBuildingTests {
  private func body(
    _ types: [TensorType],
    _ build: (inout Graph, [ValueID]) throws -> ValueID
  ) throws -> String {
    var graph = Graph(name: "g")
    var inputs: [ValueID] = []
    for (index, type) in types.enumerated() {
      inputs.append(try graph.addInput("x\(index)", type))
    }
    let result = try build(&graph, inputs)
    let node = try #require(graph.producer(of: result))
    return GraphPrinter.text(try #require(graph[node].op as? Pointwise).body)
  }

  private func half(_ shape: Shape) -> TensorType { TensorType(.float16, shape) }

  @Test func promotionIsExplicit() throws {
    #expect(
      try body([half([3]), TensorType(.int64, [3])]) { try $0.add(.value($1[0]), .value($1[1])) }
        == "(x0: float16, x1: int64) { t2 = cast(x1, float16); t3 = add(x0, t2); return t3 }"
    )
    #expect(
      try body([TensorType(.int8, [3])]) { try $0.divide(.value($1[0]), 2) }
        == "(x0: int8) { t1 = cast(x0, float32); t2 = 2.0: float32; t3 = divide(t1, t2); return t3 }"
    )
    #expect(
      try body([TensorType(.int8, [3]), TensorType(.float64, [])]) {
        try $0.pointwise(.less, [.value($1[0]), .value($1[1])])
      } == "(x0: int8, x1: float64) { t2 = cast(x0, float64); t3 = less(t2, x1); return t3 }"
    )
    #expect(
      try body([half([3])]) { try $0.multiply(.value($1[0]), .scalar(0.1)) }
        == "(x0: float16) { t1 = 0.10000000149011612: float16; t2 = multiply(x0, t1); return t2 }"
    )
  }

  @Test func aValueNamedTwiceIsReadOnce() throws {
    #expect(
      try body([half([3])]) { try $0.multiply(.value($1[0]), .value($1[0])) }
        == "(x0: float16) { t1 = multiply(x0, x0); return t1 }"
    )
  }

  @Test func choiceConvertsWhatIsChosen() throws {
    #expect(
      try body([TensorType(.bool, [3]), half([])]) { try $0.where($1[0], .value($1[1]), -1.5) }
        == "(x0: bool, x1: float16) { t2 = -1.5: float16; t3 = select(x0, x1, t2); return t3 }"
    )
    #expect(throws: Diagnostic.self) {
      try body([half([3])]) { try $0.where($1[0], 1, 2) }
    }
  }

  @Test func usualPowersAreSpelledOut() throws {
    func power(_ exponent: PointwiseOperand, _ type: DType = .float32) throws -> String {
      try body([TensorType(type, [3])]) { try $0.pointwise(.power, [.value($1[0]), exponent]) }
    }
    #expect(try power(2) == "(x0: float32) { t1 = square(x0); return t1 }")
    #expect(try power(0.5) == "(x0: float32) { t1 = sqrt(x0); return t1 }")
    #expect(try power(-1) == "(x0: float32) { t1 = reciprocal(x0); return t1 }")
    #expect(try power(2.5).contains("power"))
    #expect(throws: Diagnostic.self) { try power(-1, .int32) }
  }

  @Test func castsToTheSameTypeAddNothing() throws {
    var graph = Graph(name: "g")
    let x = try graph.addInput("x", half([3]))
    #expect(try graph.cast(x, to: .float16) == x)
    let narrow = try graph.cast(x, to: .int8)
    #expect(graph[narrow].type.dtype == .int8)
  }

  @Test func undefinedFunctionsAreRefused() {
    let refused: [(ScalarFunction, [TensorType])] = [
      (.and, [half([2]), half([2])]),
      (.subtract, [TensorType(.bool, [2]), TensorType(.bool, [2])]),
      (.gelu, [TensorType(.int32, [2])]), (.negate, [TensorType(.bool, [2])]),
      (.add, [half([2])]), (.add, [half([2]), half([3])]), (.select, [half([2]), half([2])]),
      (.shiftLeft, [half([2]), half([2])]),
    ]
    for (function, types) in refused {
      #expect(throws: Diagnostic.self, "\(function) of \(types)") {
        try body(types) { try $0.pointwise(function, $1.map { .value($0) }) }
      }
    }
  }

  @Test func resultsAreNamedAfterTheirFunction() throws {
    var graph = Graph(name: "g")
    let x = try graph.addInput("x", half([3]))
    let values = [
      try graph.pointwise(.fastGELU, x), try graph.add(.value(x), 1),
      try graph.add(.value(x), 1, name: "residual"), try graph.softmax(x, axis: 0),
    ]
    #expect(values.map { graph[$0].name } == ["fast_gelu", "add", "residual", "softmax"])
  }
}
