import AITConformance
import AITGraph
import AITKernels
import AITLoader
import AITOperators
import AITReference
import AITTestSupport
import AITemplate
import Testing

/// What the examples of operators do not reach, on an emulated device: views, fused work, results
/// that blocks share, numbers that are none.
@Suite struct EmulatedOperatorTests {
  private static let target = "emulated-cuda:sm_80"

  private func verify(_ lines: String, _ inputs: [String: TensorData]? = nil) async throws {
    let graph = try Graph.parse("graph verified {\n\(lines)\n}")
    let folder = try TemporaryFolder()
    let verification = Verification(
      compiler: Compiler(target: try Target(Self.target)),
      workDirectory: folder.path,
      threads: 1
    )
    let report = try await verification.run(
      graph,
      inputs ?? RandomInputs(for: graph, seed: 3).inputs
    )
    #expect(report.outputs.count == graph.outputs.count)
    for output in report.outputs {
      #expect(output.comparison.isEqual, "\(output.name): \(output.comparison)")
    }
  }

  @Test func reductionsOfViewsWithFusedWork() async throws {
    try await verify(
      """
      symbol batch: 1...6
      input x: float16[batch, 24, 40]
      input scale: float16[batch, 24, 1]
      input bias: float32[24]
      turned = permute(x) {permutation: [2, 0, 1]} : float16[40, batch, 24]
      part = slice(x) {starts: [0, 0, 3], sizes: [batch, 24, 17]} : float16[batch, 24, 17]
      a, scaled = reduce(x, scale, bias) {kind: "mean", axes: [2], \
      prologue: (x0: float16, x1: float16) { t2 = multiply(x0, x1); return t2 }, \
      exposes_prologue: true, \
      epilogue: (x0: float16, x1: float32) \
      { t2 = cast(x0, float32); t3 = add(t2, x1); return t3 }} \
      : float32[batch, 24], float16[batch, 24, 40]
      b = reduce(turned) {kind: "variance", axes: [0]} : float16[batch, 24]
      c = reduce(part) {kind: "log_sum_exp", axes: [0, 2]} : float16[24]
      d = arg_reduce(turned) {maximum: true, axis: 1} : int64[40, 24]
      e = reduce(turned) {kind: "minimum", axes: [1, 2]} : float16[40]
      output a = a
      output scaled = scaled
      output b = b
      output c = c
      output d = d
      output e = e
      """
    )
  }

  @Test func fewResultsThatBlocksShare() async throws {
    try await verify(
      """
      input x: float32[3, 4, 15001]
      input rows: float16[900, 130]
      input image: float32[1, 4, 64, 260]
      input weight: float32[4]
      a = reduce(x) {kind: "sum", axes: [0, 1, 2]} : float32[]
      b = reduce(x) {kind: "variance", axes: [2]} : float32[3, 4]
      c = arg_reduce(x) {maximum: false, axis: 2} : int64[3, 4]
      d = reduce(rows) {kind: "mean", axes: [0]} : float16[130]
      e = group_norm(image, weight) {groups: 2, epsilon: 1e-5, bias: false} \
      : float32[1, 4, 64, 260]
      output a = a
      output b = b
      output c = c
      output d = d
      output e = e
      """
    )
  }

  @Test func numbersThatAreNone() async throws {
    let special: [Double] = [.nan, .infinity, -.infinity, 1, -1, 0]
    // Rows and columns of every pair, among them all that is infinite.
    var values: [Double] = []
    for first in special {
      for second in special { values += [first, second, 2, -Double.infinity, first] }
    }
    let kinds = ["sum", "maximum", "minimum", "log_sum_exp", "variance", "product", "norm"]
    var lines = ["input x: float32[36, 5]"]
    for (axis, count) in [(1, 36), (0, 5)] {
      for kind in kinds {
        lines.append(
          "\(kind)\(axis) = reduce(x) {kind: \"\(kind)\", axes: [\(axis)]} : float32[\(count)]"
        )
        lines.append("output \(kind)\(axis)_o = \(kind)\(axis)")
      }
      for isMaximum in [true, false] {
        let name = "position_\(isMaximum)\(axis)"
        lines.append(
          "\(name) = arg_reduce(x) {maximum: \(isMaximum), axis: \(axis)} : int64[\(count)]"
        )
        lines.append("output \(name)_o = \(name)")
      }
    }
    try await verify(
      lines.joined(separator: "\n"),
      ["x": TensorData(.float32, [36, 5], values)]
    )
  }

  @Test func anIndexOutsideItsExtentIsNamed() async throws {
    let graph = try Graph.parse(
      """
      graph lookup {
        input table: float16[5, 8]
        input index: int64[3]
        rows = index_select(table, index) {axis: 0} : float16[3, 8]
        output rows = rows
      }
      """
    )
    let folder = try TemporaryFolder()
    let library = try await Compiler(target: try Target(Self.target)).compile(
      graph,
      in: folder.path
    ).library
    let module = try CompiledModule(contentsOf: library, threads: 1)
    let table = TensorData(.float16, [5, 8], (0..<40).map(Double.init))
    for outside in [5, -1] as [Int64] {
      let index = TensorData(.int64, [3], integers: [0, outside, 4])
      do {
        _ = try module.run(["table": table, "index": index])
        Issue.record("the index \(outside) went unnoticed")
      } catch {
        #expect("\(error)".contains("'rows'"), "\(error)")
        #expect("\(error)".contains("found index \(outside), expected 0 to 4"), "\(error)")
      }
    }
    let index = TensorData(.int64, [3], integers: [4, 0, 4])
    let found = try module.run(["table": table, "index": index])
    let rows = [4, 0, 4].flatMap { row in (0..<8).map { Double(8 * row + $0) } }
    #expect(found["rows"]?.doubles == rows)
  }
}
