import AITFrontend
import AITGraph
import Testing

/// The text of what a closure throws.
private func problem(_ body: () throws(Diagnostic) -> Void) -> Diagnostic? {
  do throws(Diagnostic) {
    try body()
    return nil
  } catch { return error }
}

/// A program on X `float32[2, 3]` that is refused.
struct Refusal: Sendable {
  let identity: Diagnostic.Identity
  let build: @Sendable (Tensor) -> Tensor

  init(_ identity: Diagnostic.Identity, _ build: @escaping @Sendable (Tensor) -> Tensor) {
    self.identity = identity
    self.build = build
  }
}

@Suite("Graphs from tensors")
struct GraphOutputsTests {
  private let x = Tensor.input("X", [2, 3], .float32)

  // MARK: - Problems

  @Test("throw the first problem of a tensor, with the line of its call")
  func poison() throws {
    let line = #line + 1
    let broken = x.reshape(4)
    let after = (broken * 2 + x).softmax(axis: 7)
    #expect(broken.diagnostic?.identity == .shapeMismatch)
    #expect(after.diagnostic == broken.diagnostic)
    #expect(after.shape == [] && after.extent(3) == 1)
    let thrown = try #require(
      problem { () throws(Diagnostic) in
        _ = try Graph(name: "broken", outputs: [after])
      }
    )
    #expect(thrown == broken.diagnostic)
    #expect(thrown.location?.hasPrefix("AITFrontendTests/GraphOutputsTests.swift:\(line)") == true)
  }

  @Test("name the module in which a problem arose, and the line of its call")
  func poisonInModule() {
    let model = Sequential(Linear(3, 4), Linear(5, 2))
    let line = #line + 1
    let y = model(x)
    #expect(
      y.diagnostic?.location?
        .hasPrefix("AITFrontendTests/GraphOutputsTests.swift:\(line): 1: node ") == true,
      "\(y)"
    )
  }

  @Test("name the line of the nearest operand for an operator")
  func poisonOfOperator() {
    let line = #line + 1
    let other = Tensor.input("Z", [7], .float32)
    let sum = other + x
    #expect(
      sum.diagnostic?.location?
        .hasPrefix("AITFrontendTests/GraphOutputsTests.swift:\(line)") == true
    )
  }

  @Test("hand a problem to all parts")
  func poisonOfParts() {
    let parts = x.split(sizes: [1, 1], axis: 1)
    #expect(parts.count == 2)
    #expect(parts[1].diagnostic?.identity == .shapeMismatch)
    #expect(x.chunk(3, axis: 9).count == 3)
  }

  @Test(
    "refuse calls that PyTorch refuses",
    arguments: [
      Refusal(.axisOutOfRange) { $0.softmax(axis: 2) },
      Refusal(.axisOutOfRange) { $0[5] },
      Refusal(.rankMismatch) { $0[0, 0, 0] },
      Refusal(.invalidAttribute) { $0[.ellipsis, .ellipsis] },
      Refusal(.dtypeMismatch) { $0 & 1 },
      Refusal(.dtypeMismatch) { $0.cast(to: .int32).softmax(axis: 0) },
      Refusal(.shapeMismatch) { matmul($0, $0) },
      Refusal(.wrongInputCount) { _ in concatenate([]) },
      Refusal(.sizeLimit) { _ in .input("L", [.symbol("n", 1...(1 << 50))], .float32) },
    ]
  )
  func refusals(_ row: Refusal) {
    #expect(row.build(x).diagnostic?.identity == row.identity)
  }

  @Test("refuse two inputs or two outputs of one name")
  func duplicates() {
    let other = Tensor.input("X", [2, 3], .float32)
    #expect(
      problem { () throws(Diagnostic) in _ = try Graph(name: "g", outputs: [x + other]) }?.identity
        == .duplicateName
    )
    let y = (x + 1).named("Y")
    #expect(
      problem { () throws(Diagnostic) in _ = try Graph(name: "g", outputs: [y, (x + 2).named("Y")])
      }?
      .identity == .duplicateName
    )
  }

  @Test("refuse no outputs, and symbols that no input tells")
  func missing() {
    #expect(
      problem { () throws(Diagnostic) in _ = try Graph(name: "g", outputs: []) }?.identity
        == .missingOutput
    )
    let loose = Tensor.zeros([.symbol("n", 1...4)], .float32)
    #expect(
      problem { () throws(Diagnostic) in _ = try Graph(name: "g", outputs: [loose]) }?.identity
        == .conflictingSymbol
    )
    let (a, b) = (
      Tensor.input("A", [.symbol("n", 1...4)], .float32),
      Tensor.input("B", [.symbol("n", 1...8)], .float32)
    )
    #expect(
      problem { () throws(Diagnostic) in _ = try Graph(name: "g", outputs: [a, b]) }?.identity
        == .conflictingSymbol
    )
  }

  // MARK: - Names and order

  @Test("number outputs without a name by their place")
  func outputNames() throws {
    let graph = try Graph(name: "my graph", outputs: [x + 1, (x + 2).named("my.result"), x + 3])
    #expect(graph.name == "my_graph")
    #expect(graph.outputs.map(\.name) == ["output_0", "my_result", "output_2"])
  }

  @Test("take inputs in the order given, used or not")
  func inputOrder() throws {
    let (a, b, c) = (
      Tensor.input("A", [2], .float32), Tensor.input("B", [2], .float32),
      Tensor.input("C", [2], .float32)
    )
    func names(_ graph: Graph) -> [String] { graph.inputs.map { graph[$0].name } }
    #expect(names(try Graph(name: "g", outputs: [b - a])) == ["B", "A"])
    #expect(names(try Graph(name: "g", inputs: [c, a], outputs: [b - a])) == ["C", "A", "B"])
  }

  @Test("name nodes inside after the names that tensors were given")
  func innerNames() throws {
    let scores = matmul(x, x.mT).named("scores")
    let graph = try Graph(name: "g", outputs: [scores.softmax(axis: -1).named("Y"), scores + 1])
    #expect(
      graph.pseudoCode(withShapes: false) == """
        def g(X):
            transpose = permute(X, permutation=[1, 0])
            scores = matmul(X, transpose)
            softmax = softmax(scores, axis=1)
            add = scores + 1.0
            return {"Y": softmax, "output_1": add}

        """
    )
  }

  @Test("compute a tensor once, however often it is used")
  func sharing() throws {
    let y = exp(x)
    let graph = try Graph(name: "g", outputs: [y * y + y, y])
    #expect(graph.nodeCount == 3)
  }

  @Test("keep literals apart from constants that the library offers")
  func constants() throws {
    let table = TensorData([1, 2, 3], shape: [3])
    let graph = try Graph(
      name: "g",
      outputs: [
        x * .constant(table) + .constant(table, name: "my.table")
          + .weight("my.weight", [3], .float32)
      ]
    )
    #expect(
      graph.constants.compactMap { id in
        graph.constant(id).map { "\(graph[id].name) \($0.originalName) \($0.isNamed)" }
      } == ["my_table my.table true", "my_weight my.weight true", "literal literal false"]
    )
  }

  @Test("tell the parameters of two models apart")
  func twoModels() throws {
    let (first, second) = (Linear(3, 3), Linear(3, 3))
    let graph = try Graph(name: "g", outputs: [second(first(x))])
    #expect(
      graph.constants.compactMap { graph.constant($0)?.originalName }
        == ["weight", "bias", "weight_1", "bias_1"]
    )
  }

  @Test("refuse a parameter that is used in two types")
  func twoTypes() throws {
    let layer = Linear(3, 3, bias: false)
    let first = layer(x)
    try layer.converted(to: .float64)
    let second = layer(x.cast(to: .float64))
    #expect(
      problem { () throws(Diagnostic) in _ = try Graph(name: "g", outputs: [first, second]) }?
        .identity == .dtypeMismatch
    )
  }

  @Test("may be deep")
  func depth() throws {
    var y = x
    for _ in 0..<1500 { y = y + 1 }
    let graph = try Graph(name: "deep", outputs: [y])
    #expect(graph.nodeCount == 1500)
  }

  @Test("are released without recursion")
  func release() {
    var y = x
    for _ in 0..<10_000 { y = y + 1 }
    #expect(y.diagnostic == nil)
    y = x
  }
}
