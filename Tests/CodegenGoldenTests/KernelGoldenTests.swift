import AITBuild
import AITCPU
import AITCodegen
import AITGraph
import AITKernels
import AITOperators
import AITPlan
import AITTestSupport
import AITemplate
import Testing

/// The text of generated kernels, and that compilers take it without a warning.
@Suite struct KernelGoldenTests {
  /// A graph of one node or a few, whose kernels are kept.
  struct Case: Sendable, CustomTestStringConvertible {
    /// The file: operator, target and case.
    let name: String
    let target: Target.CPU
    let graph: String

    init(_ name: String, on target: Target.CPU = .x86_64v3, _ graph: String) {
      self.name = name
      self.target = target
      self.graph = graph
    }

    var testDescription: String { name }
    var file: String { "\(name.replacing(" ", with: ".cpu-\(target.rawValue).")).cpp" }

    func bundle() throws -> ModelBundle {
      let graph = try Graph.parse("graph g {\n\(graph)\n}")
      try graph.verify()
      return try ModelBundle(
        try Planner.plan(graph, for: CPUBackend(Target(target))),
        compiler: "compiler"
      )
    }

    /// The kernels' files, one after the other.
    func text() throws -> String {
      try bundle().bundle.files.filter { $0.path.hasPrefix("kernels/") }.map(\.text)
        .joined(separator: "\n")
    }
  }

  static let cases = [
    Case(
      "pointwise two_outputs",
      """
      symbol batch: 1...64
      input x: float16[batch, 96]
      input row: float32[96]
      input scale: float16[]
      wide, half = pointwise(x, row, scale) {body: (x0: float16, x1: float32, x2: float16) \
      { t3 = cast(x0, float32); t4 = multiply(t3, x1); t5 = gelu(t4); t6 = 0.1: float32; \
      t7 = add(t5, t6); t8 = multiply(x0, x2); return t7, t8 }} \
      : float32[batch, 96], float16[batch, 96] @both
      output wide = wide
      output half = half
      """
    ),
    Case(
      "pointwise integers",
      on: .x86_64v4,
      """
      input x: int32[5, 7]
      input t: bool[7]
      y = pointwise(x, t) {body: (x0: int32, x1: bool) { t2 = 3: int32; t3 = floor_divide(x0, t2); \
      t4 = select(x1, t3, x0); t5 = less(t4, t2); t6 = or(t5, x1); return t6 }} : bool[5, 7]
      output y = y
      """
    ),
    Case(
      "pointwise transposition",
      """
      symbol batch: 1...64
      input x: float32[batch, 40, 24]
      t = permute(x) {permutation: [0, 2, 1]} : float32[batch, 24, 40]
      output y = t
      """
    ),
    Case(
      "matmul packed_epilogue",
      """
      symbol batch: 1...64
      input x: float16[batch, 48]
      input residual: float16[batch, 40]
      constant w: float16[40, 48]
      constant b: float16[40]
      y = matmul(x, w, b, residual) {transpose_b: true, \
      epilogue: (x0: float16, x1: float16, x2: float16) \
      { t3 = add(x0, x1); t4 = fast_gelu(t3); t5 = add(t4, x2); return t5 }} : float16[batch, 40]
      output y = y
      """
    ),
    Case(
      "matmul strided_epilogue",
      """
      symbol batch: 1...8
      symbol length: 1...32
      input q: float32[batch, 4, length, 16]
      input k: float32[batch, 4, length, 16]
      scores = matmul(q, k) {transpose_b: true, \
      epilogue: (x0: float32) { t1 = 0.25: float32; t2 = multiply(x0, t1); return t2 }} \
      : float32[batch, 4, length, length]
      output scores = scores
      """
    ),
    Case(
      "convolution residual",
      on: .x86_64v4,
      """
      symbol batch: 1...8
      input x: float32[batch, 14, 14, 48]
      input residual: float32[batch, 7, 7, 40]
      constant w: float32[40, 3, 3, 48]
      constant b: float32[40]
      y = convolution(x, w, b, residual) {stride: [2, 2], padding: [1, 1], \
      epilogue: (x0: float32, x1: float32, x2: float32) \
      { t3 = add(x0, x1); t4 = add(t3, x2); t5 = relu(t4); return t5 }} : float32[batch, 7, 7, 40]
      output y = y
      """
    ),
    Case(
      "convolution depthwise",
      """
      symbol batch: 1...8
      input x: float16[batch, 14, 14, 48]
      constant w: float16[48, 3, 3, 1]
      y = convolution(x, w) {stride: [1, 1], padding: [1, 1], groups: 48} : float16[batch, 14, 14, 48]
      output y = y
      """
    ),
    Case(
      "softmax masked",
      on: .x86_64v4,
      """
      symbol batch: 1...8
      symbol length: 1...32
      input scores: float16[batch, 4, length, length]
      input mask: float16[batch, 1, 1, length]
      y = softmax(scores, mask) {axis: 3, prologue: (x0: float16, x1: float16) \
      { t2 = 0.125: float16; t3 = multiply(x0, t2); t4 = add(t3, x1); return t4 }} \
      : float16[batch, 4, length, length]
      output y = y
      """
    ),
    Case(
      "layer_norm exposed_residual",
      """
      symbol batch: 1...64
      input x: bfloat16[batch, 96]
      input residual: bfloat16[batch, 96]
      constant weight: bfloat16[96]
      constant bias: bfloat16[96]
      y, sum = layer_norm(x, residual, weight, bias) {epsilon: 1e-05, prologue: (x0: bfloat16, x1: bfloat16) \
      { t2 = add(x0, x1); return t2 }, exposes_prologue: true} \
      : bfloat16[batch, 96], bfloat16[batch, 96] @norm
      output y = y
      output sum = sum
      """
    ),
    Case(
      "group_norm pixels",
      """
      symbol batch: 1...64
      input x: float32[batch, 9, 10, 64]
      constant weight: float32[64]
      constant bias: float32[64]
      channels = permute(x) {permutation: [0, 3, 1, 2]} : float32[batch, 64, 9, 10]
      normal = group_norm(channels, weight, bias) {groups: 32, epsilon: 1e-05} \
      : float32[batch, 64, 9, 10] @norm
      y = permute(normal) {permutation: [0, 2, 3, 1]} : float32[batch, 9, 10, 64]
      output y = y
      """
    ),
    Case(
      "reduce rows",
      """
      symbol batch: 1...64
      input x: float32[batch, 96]
      y = reduce(x) {kind: "mean", axes: [1], prologue: (x0: float32) \
      { t1 = square(x0); return t1 }} : float32[batch]
      output y = y
      """
    ),
    Case(
      "reduce across",
      """
      symbol batch: 1...64
      input x: int8[batch, 96]
      y = reduce(x) {kind: "sum", axes: [0], keep_dimensions: true} : int64[1, 96]
      output y = y
      """
    ),
    Case(
      "index_select embedding",
      """
      symbol length: 1...64
      input ids: int64[2, length]
      constant table: float16[100, 48]
      y = index_select(table, ids) {axis: 0} : float16[2, length, 48]
      output y = y
      """
    ),
  ]

  @Test("Kernels are generated as the golden files have them", arguments: cases)
  func kernels(_ each: Case) throws {
    let text = try each.text()
    try Golden.expect(text, equals: each.file)
    // Twice the same, and nothing of the machine or the day.
    #expect(try each.text() == text)
    expectNoTrace(text)
  }

  /// Every file of the bundles, on the targets that this compiler has headers for.
  @Test("Generated C++ passes the compiler's checks", arguments: [Target.CPU.x86_64v3, .x86_64v4])
  func syntax(_ cpu: Target.CPU) async throws {
    let folder = try TemporaryFolder()
    let target = Target(cpu)
    let toolchain = try await Toolchain.find()
    let builder = Builder(
      toolchain: toolchain,
      target: target,
      cache: ObjectCache(folder: nil),
      jobs: 1
    )
    var paths: [String] = []
    for (index, each) in Self.cases.enumerated() {
      let bundle = try Case(each.name, on: cpu, each.graph).bundle().bundle
      // The runtime and the prelude are the same for all.
      let files = bundle.files.filter { index == 0 || $0.path.hasPrefix("kernels/") }
      try builder.write(
        SourceBundle(name: "g", files: files, units: [], includePaths: []),
        to: folder.path
      )
      paths += files.map(\.path).filter { $0.hasPrefix("kernels/") }
    }
    let flags = Builder.commonFlags + target.compilerFlags
    let result = try await run(
      program: toolchain.compiler,
      ["-fsyntax-only", "-Werror"] + flags + ["-Iruntime/include", "-Iprelude"] + paths,
      in: folder.path
    )
    #expect(result.code == 0, "\(result)")
  }
}

/// Generated text must be the same on every machine and day.
func expectNoTrace(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
  let words = text.split { " \t\n\"'(),;=".contains($0) }
  for word in words
  where word.count > 1 && word.hasPrefix("/") && !word.hasPrefix("//")
    && !word.hasPrefix("/*")
  {
    Issue.record("'\(word)' may be a path", sourceLocation: sourceLocation)
  }
  #expect(
    text.firstMatch(of: /20\d\d-\d\d-\d\d|\d\d:\d\d:\d\d/) == nil,
    sourceLocation: sourceLocation
  )
}
