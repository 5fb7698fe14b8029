import AITConformance
import AITGraph
import AITKernels
import AITOperators
import AITPlan
import AITReference
import AITTestSupport
import AITemplate
import Testing

/// Products of many rows, compiled for this machine and verified, with Strassen's algorithm and
/// without.
@Suite struct ProductExecutionTests {
  /// Constants that are packed as one matrix and as several, with sizes of fewer rows than pay.
  static let text = """
    graph products {
      symbol n: 1...90
      input x: float32[n, 256]
      input z: float32[2, n, 128]
      constant w: float32[133, 256]
      constant b: float32[133]
      constant v: float32[2, 128, 96]
      y = matmul(x, w, b) {transpose_b: true, epilogue: (x0: float32, x1: float32) \
      { t2 = add(x0, x1); t3 = gelu(t2); return t3 }} : float32[n, 133]
      u = matmul(z, v) {} : float32[2, n, 96]
      output Y = y
      output U = u
    }
    """

  @Test(arguments: [true, false])
  func productsOfManyRowsEqualTheReference(_ allowsStrassen: Bool) async throws {
    var graph = try Graph.parse(Self.text)
    try graph.bindMissingConstants(seed: 11)
    var options = CompilerOptions()
    options.allowsStrassen = allowsStrassen
    let compiler = Compiler(target: .detected(), options: options)
    let kernels = try compiler.plan(graph).steps.map(\.kernel.configuration)
    #expect(kernels.count == 2)
    #expect(kernels.allSatisfy { $0.contains("seven products for eight") == allowsStrassen })
    try await compiler.expectEqualAtBothEnds(graph, outputCount: 2)
  }

  @Test("What is odd, short, narrow or no constant of float32 is multiplied by definition")
  func whereTheDefinitionIsTaken() throws {
    let products = [
      ("input x: float32[64, 129]", "constant w: float32[129, 96]"),
      ("input x: float32[63, 128]", "constant w: float32[128, 96]"),
      ("input x: float32[64, 126]", "constant w: float32[126, 96]"),
      ("input x: float32[64, 128]", "constant w: float32[128, 7]"),
      ("input x: float32[64, 128]", "input w: float32[128, 96]"),
      ("input x: float16[64, 128]", "constant w: float16[128, 96]"),
      ("input x: float64[64, 128]", "constant w: float64[128, 96]"),
    ]
    for (x, w) in products {
      let graph = try Graph.parse("graph g {\n\(x)\n\(w)\ny = matmul(x, w) {}\noutput Y = y\n}")
      let kernels = try Compiler(target: .detected()).plan(graph).steps.map(\.kernel.configuration)
      #expect(!kernels.joined().contains("seven"), "\(x) \(w)")
    }
  }
}
