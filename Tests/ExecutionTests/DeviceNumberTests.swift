import AITConformance
import AITGraph
import AITKernels
import AITOperators
import AITReference
import AITTestSupport
import AITemplate
import Testing

/// Bodies of pointwise kernels on an emulated device: every function on every type, and operands
/// that lie in every way.
@Suite struct DeviceNumberTests {
  private func verify(_ lines: String, share: Double = 1) async throws {
    let graph = try Graph.parse("graph verified {\n\(lines)\n}")
    let folder = try TemporaryFolder()
    let verification = Verification(
      compiler: Compiler(target: try Target("emulated-cuda:sm_80")),
      workDirectory: folder.path,
      threads: 1
    )
    let inputs = RandomInputs(for: graph, seed: 5, share: share).inputs
    let report = try await verification.run(graph, inputs)
    #expect(!report.outputs.isEmpty)
    for output in report.outputs {
      #expect(output.comparison.isEqual, "\(output.name): \(output.comparison)")
    }
  }

  /// The calls that an expression of a type can be made of, on its inputs `a`, `b` and `c`.
  static func calls(_ type: DType) -> [String] {
    ScalarFunction.allCases.compactMap { function in
      let operands = ["a", "b", "b", "a"].prefix(function.arity)
      if function == .select { return "select(c, a, b)" }
      guard function.resultType(operands.map { _ in type }) != nil else { return nil }
      return "\(function.rawValue)(\(operands.joined(separator: ", ")))"
    }
  }

  @Test("Every function on every type gives the reference's values", arguments: DType.allCases)
  func functions(_ type: DType) async throws {
    let calls = Self.calls(type)
    #expect(calls.count > 10)
    var lines = ["input a: \(type)[3, 37]", "input b: \(type)[3, 37]", "input c: bool[37]"]
    for (group, start) in stride(from: 0, to: calls.count, by: 8).enumerated() {
      let some = calls[start..<min(start + 8, calls.count)]
      let names = some.indices.map { "y\($0)" }.joined(separator: ", ")
      let body = some.indices.map { "r\($0) = \(calls[$0])" }.joined(separator: "; ")
      let results = some.indices.map { "r\($0)" }.joined(separator: ", ")
      lines.append(
        "\(names) = pointwise(a, b, c) {body: (a: \(type), b: \(type), c: bool) "
          + "{ \(body); return \(results) }} @group\(group)"
      )
      lines += some.indices.map { "output o\($0) = y\($0)" }
    }
    try await verify(lines.joined(separator: "\n"))
  }

  /// Tiles through shared memory, rows and columns beyond the last tile, few columns.
  @Test("Transposed operands of every width", arguments: [0.0, 0.4, 1.0])
  func transposes(_ share: Double) async throws {
    try await verify(
      """
      symbol n: 1...70
      input x: float16[3, n, 45]
      input r: float32[45, n]
      input b: uint8[130, 140]
      input d: float64[40, 50]
      input image: float32[2, 90, 3]
      input planes: float32[3, 90]
      p = permute(x) {permutation: [0, 2, 1]}
      y = pointwise(p, r) {body: (x0: float16, x1: float32) { t2 = cast(x0, float32); t3 = add(t2, x1); return t3 }}
      q = permute(b) {permutation: [1, 0]}
      e = permute(d) {permutation: [1, 0]}
      f, g = pointwise(e, e) {body: (x0: float64, x1: float64) { t3 = multiply(x0, x1); t4 = exp(t3); return t3, t4 }}
      w = permute(planes) {permutation: [1, 0]}
      z = pointwise(image, w) {body: (x0: float32, x1: float32) { t3 = multiply(x0, x1); return t3 }}
      output y = y
      output p = p
      output q = q
      output f = f
      output g = g
      output z = z
      """,
      share: share
    )
  }

  /// Every kind of broadcasting, strides that are not 1, a result in a part of another, many axes.
  @Test("Operands that lie in every way", arguments: [0.0, 1.0])
  func layouts(_ share: Double) async throws {
    try await verify(
      """
      symbol n: 1...9
      input x: float16[n, 4, 1, 34]
      input row: float32[34]
      input column: int8[4, 1]
      input one: int64[]
      input many: float32[2, 3, 2, 3, 2, 3, 2, 5]
      every = slice(x) {starts: [0, 0, 0, 1], steps: [1, 2, 1, 3], sizes: [n, 2, 1, 11]}
      y = pointwise(x, row, column, one) {body: (a: float16, b: float32, c: int8, d: int64) \
      { a2 = cast(a, float32); c2 = cast(c, float32); d2 = cast(d, float32); e = add(a2, b); \
      f = multiply(e, c2); g = subtract(f, d2); return g }}
      z = pointwise(every) {body: (a: float16) { b = negate(a); return b }}
      two = concat(z, z) {axis: 3}
      turned = permute(many) {permutation: [0, 2, 4, 6, 1, 3, 5, 7]}
      last = permute(many) {permutation: [7, 0, 2, 4, 6, 1, 3, 5]}
      output y = y
      output z = z
      output two = two
      output turned = turned
      output last = last
      """,
      share: share
    )
  }

  /// Rows side by side, kept and too long to be kept, odd ones, and in float64.
  @Test("Softmax along every axis", arguments: [0.0, 0.4, 1.0])
  func softmaxAlongAxes(_ share: Double) async throws {
    try await verify(
      """
      symbol n: 1...90
      input x: float16[2, n, 70]
      input y: float32[3, n, 33]
      input mask: float32[1, n, 1]
      input long: float32[2000, 3]
      input wide: float64[3, 40, n]
      a = softmax(x) {axis: 1}
      b, both = softmax(y, mask) {axis: 1, prologue: (p: float32, q: float32) \
      { t = add(p, q); return t }, exposes_prologue: true} : float32[3, n, 33], float32[3, n, 33]
      c = softmax(long) {axis: 0, log: true}
      d = softmax(wide) {axis: 1}
      e = softmax(wide) {axis: 2, log: true}
      turned = permute(y) {permutation: [1, 2, 0]}
      f = softmax(turned) {axis: 1}
      output a = a
      output b = b
      output both = both
      output c = c
      output d = d
      output e = e
      output f = f
      """,
      share: share
    )
  }

  /// Columns of several axes that do not join, rows side by side, float64.
  @Test("Normalisations of rows in every layout", arguments: [0.0, 0.4, 1.0])
  func normalisations(_ share: Double) async throws {
    try await verify(
      """
      symbol n: 1...20
      input x: float16[n, 6, 7, 24]
      input y: float32[2, 300, n]
      input z: float64[n, 50]
      input weight: float32[300]
      input bias: float32[300]
      input wide: float64[50]
      input spread: float16[24, 6]
      turned = permute(x) {permutation: [0, 2, 3, 1]}
      a = layer_norm(turned, spread, spread) {epsilon: 1e-05, axis_count: 2}
      b = rms_norm(turned) {axis_count: 3, epsilon: 1e-05, weight: false}
      some = slice(x) {starts: [0, 0, 0, 1], sizes: [n, 6, 7, 21]}
      c = layer_norm(some) {axis_count: 2, epsilon: 1e-05, weight: false, bias: false}
      columns = permute(y) {permutation: [0, 2, 1]}
      d = layer_norm(columns, weight, bias) {epsilon: 1e-05, axis_count: 1}
      e = rms_norm(columns, weight) {epsilon: 1e-05, axis_count: 1}
      f = layer_norm(z, wide, wide) {epsilon: 1e-05, axis_count: 1}
      output a = a
      output b = b
      output c = c
      output d = d
      output e = e
      output f = f
      """,
      share: share
    )
  }
}
