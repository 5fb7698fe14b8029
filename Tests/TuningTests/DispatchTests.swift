import AITGPU
import AITGraph
import AITKernels
import AITLoader
import AITOperators
import AITPlan
import AITReference
import AITTestSupport
import AITemplate
import Testing

/// A product of several kernels, run on emulated devices at sizes on both sides of each bound.
@Suite struct DispatchTests {
  private static let graph = """
    graph g {
      symbol batch: 1...192
      input x: float16[batch, 64]
      constant w: float16[48, 64]
      constant b: float16[48]
      y = matmul(x, w, b) {transpose_b: true, epilogue: (x0: float16, x1: float16) \
    { t2 = add(x0, x1); t3 = fast_gelu(t2); return t3 }} : float16[batch, 48]
      output y = y
    }
    """

  @Test(
    "Results are right at every bound and beyond it",
    arguments: ["emulated-cuda:sm_80", "emulated-cuda:sm_90a"]
  )
  func bounds(_ target: String) async throws {
    let folder = try TemporaryFolder()
    let graph = try Graph.parse(Self.graph)
    var options = CompilerOptions()
    options.includesSelfTest = false
    let compiler = Compiler(target: try Target(target), options: options)
    let choices = try compiler.plan(try compiler.optimize(graph)).steps[0].choices
    let bounds = choices.compactMap { $0.domain.split(separator: " ").first.flatMap { Int($0) } }
    #expect(bounds.count > 1 && bounds.last == 192)
    let library = try await compiler.compile(graph, in: folder.path).library
    let module = try CompiledModule(contentsOf: library)
    var random = RandomGenerator(seed: 3)
    let constants = [
      "w": TensorData.random(.float16, [48, 64], using: &random, scale: 0.3),
      "b": TensorData.random(.float16, [48], using: &random),
    ]
    try module.setConstants(constants)
    for rows in Set(bounds.dropLast().flatMap { [$0, $0 + 1] } + [1, 192]).sorted() {
      let x = TensorData.random(.float16, [rows, 64], using: &random)
      let found = try #require(try module.run(["x": x])["y"])
      let expected = try Evaluator.run(graph, ["x": x], constants: constants).outputs["y"]
      let comparison = compare(found, try #require(expected), reductionLength: 64)
      #expect(comparison.isEqual, "\(rows) rows: \(comparison)")
    }
  }
}
