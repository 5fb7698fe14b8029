import AITGraph
import AITOperators
import AITReference
import Testing

/// Sizes that only a run knows are checked when it begins.
@Suite struct SizeConstraintTests {
  private func graph(_ statement: String) throws -> Graph {
    try Graph.parse(
      """
      graph g {
        symbol n: 0...64
        symbol m: 1...100000
        input x: float32[n, 4]
        input y: float32[m]
        input index: int64[m, 4]
        \(statement)
        output o = z
      }
      """
    )
  }

  private func run(_ statement: String, n: Int, m: Int) throws -> TensorData? {
    let inputs = [
      "x": TensorData(zeros: .float32, [n, 4]), "y": TensorData(zeros: .float32, [m]),
      "index": TensorData(zeros: .int64, [m, 4]),
    ]
    return try Evaluator.run(try graph(statement), inputs).outputs["o"]
  }

  @Test(arguments: [
    ("z = slice(x) {starts: [m - 1, 0], sizes: [1, 4]}", 4, 4),
    ("z = slice(x) {starts: [m - 1, 0], sizes: [m, 4], steps: [-1, 1]}", 4, 3),
    ("z = slice(x) {starts: [m, 0], sizes: [n - n, 4]}", 0, 7),
    ("z = gather(x, index) {axis: 1}", 5, 5),
    ("z = arg_reduce(x) {maximum: true, axis: 0}", 1, 1),
    ("z = arg_reduce(x) {maximum: true, axis: 1}", 0, 1),
    ("z = reduce(x) {kind: \"maximum\", axes: [1]}", 0, 1),
    ("z = reduce(x) {kind: \"norm\", axes: [0], order: 3}", 0, 1),
  ])
  func sizesThatFitRun(_ statement: String, _ n: Int, _ m: Int) throws {
    #expect(try run(statement, n: n, m: m) != nil)
  }

  @Test(arguments: [
    (
      "z = slice(x) {starts: [m - 1, 0], sizes: [1, 4]}", 4, 5,
      "found m - 1 = 4 for the highest position of slice along axis 0, expected at most n - 1 = 3"
    ),
    (
      "z = slice(x) {starts: [n - 3, 0], sizes: [1, 4]}", 2, 1,
      "found n - 3 = -1 for the lowest position of slice along axis 0, expected at least 0"
    ),
    (
      "z = slice(x) {starts: [m - 1, 0], sizes: [m + 1, 4], steps: [-1, 1]}", 9, 3,
      "found -1 for the lowest position of slice along axis 0, expected at least 0"
    ),
    (
      "z = gather(x, index) {axis: 1}", 4, 5,
      "found m = 5 for the extent of gather's index along axis 0, expected at most n = 4"
    ),
    (
      "z = arg_reduce(x) {maximum: false, axis: 0}", 0, 1,
      "found n = 0 for the extent that arg_reduce searches, expected at least 1"
    ),
    (
      "z = reduce(x) {kind: \"minimum\", axes: [0, 1]}", 0, 1,
      "found 4*n = 0 for the number of elements in a minimum, expected at least 1"
    ),
    (
      "z = reduce(x) {kind: \"norm\", axes: [0], order: -1}", 0, 1,
      "found n = 0 for the number of elements in a norm, expected at least 1"
    ),
  ])
  func sizesThatDoNotFitFailTheRun(_ statement: String, _ n: Int, _ m: Int, _ message: String)
    throws
  {
    if message.hasPrefix("found -1") {
      // No run can comply: refused when the graph is made.
      let error = try #require(throws: Diagnostic.self) { try graph(statement) }
      #expect(error.identity == .shapeMismatch)
      return
    }
    let error = try #require(throws: Diagnostic.self) { try run(statement, n: n, m: m) }
    #expect(error.identity == .runFailed)
    #expect(error.message == message)
    #expect(error.location == "node 'z'")
    #expect(error.hint != nil)
  }

  /// What the bounds of the symbols decide costs a run nothing.
  @Test(arguments: [
    "z = slice(x) {starts: [0, 1], sizes: [n, 2]}",
    "z = slice(y) {starts: [m - 1], sizes: [m], steps: [-1]}",
    "z = reduce(y) {kind: \"maximum\", axes: [0]}",
    "z = arg_reduce(x) {maximum: true, axis: 1}",
    "z = softmax(x) {axis: 0}",
  ])
  func whatIsDecidedIsNotAsked(_ statement: String) throws {
    #expect(try graph(statement).sizeConstraints().isEmpty)
  }

  @Test func constraintsAreAskedOnce() throws {
    let two = try graph(
      """
      a = slice(x) {starts: [m - 1, 0], sizes: [1, 4]}
      b = slice(x) {starts: [m - 1, 1], sizes: [1, 2]}
      z = slice(b) {starts: [0, 0], sizes: [1, 1]}
      """
    )
    #expect(try two.sizeConstraints().map(\.node) == ["a"])
    #expect(try two.sizeConstraints().map(\.margin.description) == ["-m + n"])
  }

  /// The reductions without a value are refused where an extent is known to be 0.
  @Test(arguments: [Reduce.Kind.maximum, .minimum])
  func extremaOfNothingAreRefused(_ kind: Reduce.Kind) throws {
    var graph = Graph(name: "g")
    let x = try graph.addInput("x", TensorType(.float32, [3, 0]))
    #expect(throws: Diagnostic.self) { try graph.addNode(Reduce(kind, axes: [1]), [x]) }
    #expect(throws: Never.self) { try graph.addNode(Reduce(kind, axes: [0]), [x]) }
    #expect(throws: Diagnostic.self) { try graph.argmax(x, axis: 1) }
  }

  @Test(arguments: [
    (Reduce(.sum, axes: [0]), 0.0), (Reduce(.product, axes: [0]), 1), (Reduce(.any, axes: [0]), 0),
    (Reduce(.all, axes: [0]), 1), (Reduce(.logSumExp, axes: [0]), -.infinity),
    (Reduce(.mean, axes: [0]), .nan), (Reduce(.variance, axes: [0]), .nan),
    (Reduce(.norm, axes: [0]), 0), (Reduce(.norm, axes: [0], order: 0), 0),
  ])
  func reductionsOfNothingAreThoseOfPyTorch(_ op: Reduce, _ expected: Double) throws {
    var graph = Graph(name: "g")
    let x = try graph.addInput("x", TensorType(.float32, [.symbol("n", 0...4)]))
    try graph.addOutput("y", try graph.addNode(op, [x])[0])
    let found = try Evaluator.run(graph, ["x": TensorData(zeros: .float32, [0])]).outputs["y"]
    let value = try #require(found?.doubles.first)
    #expect(value == expected || (value.isNaN && expected.isNaN))
  }
}
