import AITGraph
import AITLoader
import AITOperators
import AITReference
import AITTestSupport
import AITemplate
import Testing

/// What the evaluator refuses at run time, compiled libraries refuse before their first step.
@Suite struct SizeConstraintExecutionTests {
  @Test func sizesThatDoNotFitTogetherAreRefused() async throws {
    let graph = try Graph.parse(
      """
      graph constrained {
        symbol n: 0...64
        symbol m: 1...100000
        input x: float32[n]
        input y: float32[m]
        s = slice(x) {starts: [m - 1], sizes: [1]}
        tail = slice(x) {starts: [m - 1], sizes: [n - n + 1]}
        unread = reduce(x) {kind: "maximum", axes: [0]}
        z = pointwise(s, tail) {body: (a: float32, b: float32) { t = add(a, b); u = exp(t); return u }}
        output o = z
      }
      """
    )
    let folder = try TemporaryFolder()
    let result = try await Compiler(target: .detected()).compile(graph, in: folder.path)
    let module = try CompiledModule(contentsOf: result.library)
    func inputs(_ n: Int, _ m: Int) -> [String: TensorData] {
      ["x": TensorData(zeros: .float32, [n]), "y": TensorData(zeros: .float32, [m])]
    }
    for (n, m) in [(4, 4), (1, 1), (64, 3)] {
      #expect(try module.run(inputs(n, m))["o"]?.doubles == [1])
    }
    for (n, m) in [(4, 100000), (4, 5), (0, 1), (63, 64), (1, 2)] {
      let expected = try #require(throws: Diagnostic.self) {
        try Evaluator.run(graph, inputs(n, m))
      }
      let found = try #require(throws: Diagnostic.self) { try module.run(inputs(n, m)) }
      #expect(found.identity == .runFailed)
      #expect(found.message.contains("\(expected.location ?? ""): \(expected.message)"), "\(found)")
    }
  }
}
