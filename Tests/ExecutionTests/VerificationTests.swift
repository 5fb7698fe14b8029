import AITConformance
import AITGraph
import AITKernels
import AITOperators
import AITReference
import AITTestSupport
import AITemplate
import Testing

/// Graphs as text, optimised, compiled and verified as `ait verify` does it.
@Suite struct VerificationTests {
  private func verify(_ lines: String, _ inputs: [String: TensorData]? = nil) async throws
    -> Verification.Report
  {
    let graph = try Graph.parse("graph verified {\n\(lines)\n}")
    let folder = try TemporaryFolder()
    let verification = Verification(
      compiler: Compiler(target: .detected()),
      workDirectory: folder.path,
      threads: 1
    )
    return try await verification.run(graph, inputs ?? RandomInputs(for: graph, seed: 3).inputs)
  }

  /// Casts of what an integer cannot hold, in whole vectors and in the elements after them.
  @Test(arguments: [DType.float16, .bfloat16, .float32, .float64])
  func castsAgree(_ type: DType) async throws {
    let values = [
      -2147483649.0, 2147483653, 4294967553, -4294967299, 1e12 + 3, 300, -300, 9.3e18, -9.3e18,
      .nan, .infinity, -.infinity, 0x1p40 + 5, -0.75, 0, -0.0, 65535.9, 0x1p31, -0x1p31,
    ]
    let targets = [DType.bool, .uint8, .int8, .int16, .int32, .int64]
    let nodes = targets.map {
      "\($0)_y = pointwise(x) {body: (a: \(type)) { r = cast(a, \($0)); return r }}\n"
        + "output \($0)_o = \($0)_y"
    }
    let report = try await verify(
      "input x: \(type)[\(values.count)]\n\(nodes.joined(separator: "\n"))",
      ["x": TensorData(type, [values.count], values)]
    )
    #expect(report.outputs.count == targets.count)
    for output in report.outputs {
      #expect(output.comparison.isEqual, "\(output.name): \(output.comparison)")
    }
  }

  /// Vectors in products, with work before and behind, as `torch.matmul`.
  @Test func vectorsMultiply() async throws {
    let report = try await verify(
      """
      symbol n: 1...40
      input v: float32[37]
      input m: float32[n, 37]
      input b: float32[4, 37, 5]
      input bias: float32[n]
      input row: float32[5]
      constant w: float32[37, 21] = ...
      dot = matmul(v, v)
      column = matmul(m, v)
      shifted = pointwise(column, bias) {body: (a: float32, b: float32) { s = add(a, b); t = tanh(s); return t }}
      rows = matmul(v, b)
      turned = permute(rows) {permutation: [1, 0]}
      biased = pointwise(rows, row) {body: (a: float32, b: float32) { s = add(a, b); return s }}
      columns = matmul(b, row)
      packed = matmul(v, w)
      output dot = dot
      output shifted = shifted
      output turned = turned
      output biased = biased
      output columns = columns
      output packed = packed
      """
      .replacing("= ...", with: "= {" + (0..<777).map { "\($0 % 13)" }.joined(separator: ",") + "}")
    )
    #expect(report.outputs.count == 6)
    for output in report.outputs {
      #expect(output.comparison.isEqual, "\(output.name): \(output.comparison)")
    }
  }

  // MARK: - Half precision

  /// 300² is no float16, but the kernel never stores it.
  @Test func overflowsWithinFusedWorkAreNoDifference() async throws {
    let report = try await verify(
      """
      input x: float16[4]
      y = pointwise(x, x) {body: (a: float16, b: float16) { r = multiply(a, b); return r }}
      z = pointwise(y) {body: (a: float16) { k = 0.001: float16; r = multiply(a, k); return r }}
      i = pointwise(y) {body: (a: float16) { k = 0.001: float16; r = multiply(a, k); s = cast(r, int32); return s }}
      output z = z
      output i = i
      """,
      ["x": TensorData(.float16, [4], [300, 2, -500, 60000])]
    )
    for output in report.outputs {
      #expect(output.comparison.isEqual, "\(output.name): \(output.comparison)")
      #expect(output.comparison.remark != nil)
    }
  }

  /// What is float16 at the end overflows in the kernel as in the reference.
  @Test func overflowsThatAreStoredAreCompared() async throws {
    let report = try await verify(
      """
      input x: float16[2]
      y = pointwise(x, x) {body: (a: float16, b: float16) { r = multiply(a, b); return r }}
      output y = y
      """,
      ["x": TensorData(.float16, [2], [300, 2])]
    )
    #expect(report.isEqual)
    #expect(report.outputs[0].comparison.remark == nil)
  }

  /// A float64 is no more exact than the product of float16 that it is cast from.
  @Test func boundsAreThoseOfTheLoosestTypeOnTheWay() async throws {
    let report = try await verify(
      """
      symbol m: 1...100
      input x: float16[m, 32]
      constant w: float16[32, 4] = {\((0..<128).map { "0.\($0 + 1)" }.joined(separator: ", "))}
      p = matmul(x, w)
      q = pointwise(p) {body: (p: float16) { g = cast(p, float64); return g }}
      e = pointwise(x) {body: (x: float16) { g = cast(x, float64); h = exp(g); return h }}
      output q = q
      output e = e
      """
    )
    #expect(report.isEqual)
    #expect(report.outputs[0].comparison.bound > Tolerance.bound(.float16))
    #expect(report.outputs[1].comparison.bound < Tolerance.bound(.float32))
  }
}
