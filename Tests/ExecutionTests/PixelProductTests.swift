import AITConformance
import AITGraph
import AITKernels
import AITOperators
import AITPlan
import AITReference
import AITTestSupport
import AITemplate
import Testing

/// Products of the pixels of images by constants, which convolutions of one tap compute.
@Suite struct PixelProductTests {
  /// Either operand order of the constant, a shortcut and a number for each filter, a part of an
  /// image, channels that fill no vector.
  static let text = """
    graph pixels {
      symbol n: 1...3
      input x: float32[n, 9, 13, 40]
      input r: float32[n, 9, 13, 24]
      constant w: float32[24, 40]
      constant b: float32[24]
      constant v: float32[24, 17]
      y = matmul(x, w, b, r) {transpose_b: true, epilogue: \
      (x0: float32, x1: float32, x2: float32) \
      { t3 = add(x0, x1); t4 = add(t3, x2); t5 = relu(t4); return t5 }} : float32[n, 9, 13, 24]
      p = slice(y) {starts: [0, 1, 2, 0], sizes: [n, 7, 11, 24]} : float32[n, 7, 11, 24]
      u = matmul(p, v) {} : float32[n, 7, 11, 17]
      output Y = y
      output U = u
    }
    """

  @Test func pixelsAreMultipliedWhereTheyLie() async throws {
    var graph = try Graph.parse(Self.text)
    try graph.bindMissingConstants(seed: 5)
    let compiler = Compiler(target: .detected())
    let kernels = try compiler.plan(graph).steps.map(\.kernel.configuration)
    #expect(kernels.count == 2)
    #expect(kernels.allSatisfy { $0.contains("image in place") })
    let folder = try TemporaryFolder()
    let verification = Verification(compiler: compiler, workDirectory: folder.path, threads: 2)
    for share in [0.0, 1] {
      let inputs = RandomInputs(for: graph, seed: 3, share: share).inputs
      let report = try await verification.run(graph, inputs)
      #expect(report.outputs.count == 2)
      for output in report.outputs {
        #expect(output.comparison.isEqual, "\(output.name) at \(share): \(output.comparison)")
      }
    }
  }

  @Test("Few pixels, many results, other types and matrices that change are products")
  func whereAProductIsTaken() throws {
    let products = [
      ("input x: float32[1, 1, 1, 40]", "constant w: float32[40, 24]"),
      ("input x: float32[1, 9, 6, 40]", "constant w: float32[40, 24]"),
      ("input x: float32[1, 9, 13, 24]", "constant w: float32[24, 40]"),
      ("input x: float32[1, 9, 13, 40]", "input w: float32[40, 24]"),
      ("input x: float32[9, 13, 40]", "constant w: float32[40, 24]"),
      ("input x: float16[1, 9, 13, 40]", "constant w: float16[40, 24]"),
    ]
    for (x, w) in products {
      let graph = try Graph.parse("graph g {\n\(x)\n\(w)\ny = matmul(x, w) {}\noutput Y = y\n}")
      let kernels = try Compiler(target: .detected()).plan(graph).steps.map(\.kernel.configuration)
      #expect(!kernels.joined().contains("image in place"), "\(x) \(w)")
    }
  }
}
