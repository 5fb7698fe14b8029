import AITConformance
import AITGraph
import AITKernels
import AITOperators
import AITPlan
import AITReference
import AITTestSupport
import AITemplate
import Testing

/// Convolutions that the compiler computes by Winograd's filtering, compiled and verified.
@Suite struct WinogradExecutionTests {
  static let text = """
    graph convolutions {
      symbol n: 1...2
      input x: float32[n, 31, 32, 24]
      constant w: float32[40, 3, 3, 24]
      constant b: float32[40]
      constant v: float32[62, 3, 3, 40]
      y = convolution(x, w, b) {stride: [1, 1], padding: [1, 1, 1, 1], epilogue: \
      (x0: float32, x1: float32) { t2 = add(x0, x1); t3 = relu(t2); return t3 }} \
      : float32[n, 31, 32, 40]
      u = convolution(y, v) {stride: [2, 2], padding: [1, 1, 1, 0]} : float32[n, 16, 16, 62]
      output Y = y
      output U = u
    }
    """

  @Test(arguments: [true, false])
  func convolutionsEqualTheReference(_ allowsWinograd: Bool) async throws {
    var graph = try Graph.parse(Self.text)
    try graph.bindMissingConstants(seed: 13)
    var options = CompilerOptions()
    options.allowsWinograd = allowsWinograd
    let compiler = Compiler(target: .detected(), options: options)
    let kernels = try compiler.plan(graph).steps.map(\.kernel.configuration)
    #expect(kernels.count == 2)
    #expect(kernels.allSatisfy { $0.contains("patches of") == allowsWinograd })
    try await compiler.expectEqualAtBothEnds(graph, outputCount: 2)
  }
}
