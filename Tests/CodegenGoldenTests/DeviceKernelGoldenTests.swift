import AITBuild
import AITCodegen
import AITGPU
import AITGraph
import AITKernels
import AITLoader
import AITOperators
import AITPlan
import AITTestSupport
import AITemplate
import FoundationEssentials
import Testing

/// Kernels for GPUs as text, and that nvcc takes them without putting anything into local memory.
@Suite struct DeviceKernelGoldenTests {
  static let target = Target([.sm80, .sm90a])

  /// A graph, by the name of its golden file.
  static let cases = productsAndRows + DeviceKernelCases.kept
  /// Those whose text is kept, and more that are compiled.
  static let compiled = cases + DeviceKernelCases.reducers

  private static let productsAndRows: [DeviceKernelCases.Case] = [
    (
      "pointwise.cuda.gate",
      """
      symbol batch: 1...64
      input x: float16[batch, 96]
      input row: float32[96]
      y = pointwise(x, row) {body: (x0: float16, x1: float32) \
      { t2 = cast(x0, float32); t3 = sigmoid(t2); t4 = multiply(t3, x1); return t4 }} \
      : float32[batch, 96]
      output y = y
      """
    ),
    (
      "pointwise.cuda.types",
      """
      symbol batch: 1...64
      input x: float16[batch, 96]
      input levels: uint8[batch, 96]
      input scale: float64[96]
      y, mask, low = pointwise(x, levels, scale) \
      {body: (x0: float16, x1: uint8, x2: float64) \
      { t3 = cast(x0, float64); t4 = multiply(t3, x2); t5 = cast(x1, float64); t6 = add(t4, t5); \
      t7 = less(x2, t6); t8 = not(t7); t9 = cast(t6, uint8); t10 = add(t9, x1); return t6, t8, t10 }} \
      : float64[batch, 96], bool[batch, 96], uint8[batch, 96]
      output y = y
      output mask = mask
      output low = low
      """
    ),
    (
      "pointwise.cuda.transposition",
      """
      symbol batch: 1...8
      input x: bfloat16[batch, 64, 96]
      input scale: float32[64]
      turned = permute(x) {permutation: [0, 2, 1]}
      y = pointwise(turned, scale) {body: (x0: bfloat16, x1: float32) \
      { t2 = cast(x0, float32); t3 = multiply(t2, x1); t4 = tanh(t3); return t4 }} \
      : float32[batch, 96, 64]
      output y = y
      """
    ),
    (
      "matmul.cuda.epilogue",
      """
      symbol batch: 1...2048
      input x: float16[batch, 512]
      input residual: float16[batch, 256]
      constant w: float16[256, 512]
      constant b: float16[256]
      y = matmul(x, w, b, residual) {transpose_b: true, \
      epilogue: (x0: float16, x1: float16, x2: float16) \
      { t3 = add(x0, x1); t4 = fast_gelu(t3); t5 = add(t4, x2); return t5 }} : float16[batch, 256]
      output y = y
      """
    ),
    (
      "matmul.cuda.batch",
      """
      symbol batch: 1...8
      symbol length: 17...32
      input scores: bfloat16[batch, 4, length, 33]
      input values: bfloat16[batch, 4, 33, 16]
      y = matmul(scores, values) {} : bfloat16[batch, 4, length, 16]
      output y = y
      """
    ),
    (
      "matmul.cuda.float32",
      """
      symbol batch: 1...2048
      input x: float32[batch, 512]
      constant w: float32[250, 512]
      constant b: float32[250]
      y = matmul(x, w, b) {transpose_b: true, \
      epilogue: (x0: float32, x1: float32) { t2 = add(x0, x1); return t2 }} : float32[batch, 250]
      output y = y
      """
    ),
    (
      "matmul.cuda.tf32",
      """
      symbol batch: 1...2048
      input x: float32[batch, 512]
      constant w: float32[512, 256]
      y = matmul(x, w) {} : float32[batch, 256]
      output y = y
      """
    ),
    (
      "matmul.cuda.odd",
      """
      symbol length: 8...512
      input scores: float16[4, 24, length]
      input values: float16[4, length, 64]
      constant w: float16[64, 31]
      x = matmul(scores, values) {} : float16[4, 24, 64]
      y = matmul(x, w) {} : float16[4, 24, 31]
      output y = y
      """
    ),
    (
      "parallel_matmul.cuda.swiglu",
      """
      symbol batch: 1...2048
      input x: float16[batch, 512]
      constant wg: float16[1024, 512]
      constant wu: float16[1024, 512]
      y = parallel_matmul(x, wg, wu) {transpose_b: true, joined_results: 2, \
      epilogue: (x0: float16, x1: float16) { t2 = silu(x0); t3 = multiply(t2, x1); return t3 }} \
      : float16[batch, 1024]
      output y = y
      """
    ),
    (
      "matmul.cuda.axes",
      """
      input x: float16[2, 1, 3, 1, 24, 64]
      input y: float16[1, 4, 1, 5, 64, 32]
      z = matmul(x, y) {} : float16[2, 4, 3, 5, 24, 32]
      output z = z
      """
    ),
    (
      "layer_norm.cuda.residual",
      """
      symbol batch: 1...64
      input x: float16[batch, 96]
      input residual: float16[batch, 96]
      constant weight: float16[96]
      constant bias: float16[96]
      y, sum = layer_norm(x, residual, weight, bias) {epsilon: 1e-05, prologue: (x0: float16, x1: float16) \
      { t2 = add(x0, x1); return t2 }, exposes_prologue: true} \
      : float16[batch, 96], float16[batch, 96] @both
      output y = y
      output sum = sum
      """
    ),
    (
      "softmax.cuda.across",
      """
      symbol batch: 1...8
      input scores: float64[batch, 40, 6]
      y = softmax(scores) {axis: 1} : float64[batch, 40, 6]
      output y = y
      """
    ),
    (
      "layer_norm.cuda.columns",
      """
      symbol batch: 1...64
      input x: float16[batch, 6, 40]
      input weight: float16[40, 6]
      turned = permute(x) {permutation: [0, 2, 1]}
      y = layer_norm(turned, weight) {axis_count: 2, epsilon: 1e-05, bias: false} \
      : float16[batch, 40, 6]
      output y = y
      """
    ),
    (
      "softmax.cuda.masked",
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
  ]

  /// The sources of a case; tf32 is allowed where its name says so.
  static func bundle(_ index: Int) throws -> ModelBundle {
    let (name, text) = compiled[index]
    let graph = try Graph.parse("graph g {\n\(text)\n}")
    try graph.verify()
    var numerics = Numerics()
    numerics.allowsTF32 = name.hasSuffix("tf32")
    return try ModelBundle(
      try Planner.plan(graph, for: GPUBackend(target, numerics)),
      compiler: "compiler"
    )
  }

  @Test(arguments: cases.indices)
  func text(_ index: Int) throws {
    let name = Self.cases[index].name
    let text = try Self.bundle(index).bundle.files.filter { $0.path.hasPrefix("kernels/") }
      .map { "// ---- \($0.path)\n\($0.text)" }.joined(separator: "\n")
    try Golden.expect(text, equals: "\(name).txt")
    expectNoTrace(text)
  }

  @Test("Kernels are chosen by size, and it is said what else there was")
  func choices() throws {
    let graph = try Graph.parse(
      """
      graph tutorial {
        symbol batch: 1...2048
        input x: float16[batch, 512]
        constant w: float16[2048, 512]
        constant b: float16[2048]
        constant v: float16[512, 2048]
        constant c: float16[512]
        h = matmul(x, w, b) {transpose_b: true, epilogue: (x0: float16, x1: float16) \
      { t2 = add(x0, x1); t3 = fast_gelu(t2); return t3 }} : float16[batch, 2048]
        y = matmul(h, v, c, x) {transpose_b: true, epilogue: (x0: float16, x1: float16, x2: float16) \
      { t3 = add(x0, x1); t4 = add(t3, x2); return t4 }} : float16[batch, 512]
        output y = y
      }
      """
    )
    for target in [Target([.sm90a]), Self.target] {
      let plan = try Planner.plan(graph, for: GPUBackend(target))
      let name = target.gpus.map(\.rawValue).joined(separator: "+")
      try Golden.expect(plan.kernelTable, equals: "choices.\(name).txt")
      for step in plan.steps { #expect(step.kernel.entries.count <= 8) }
    }
  }

  /// Where there is no nvcc, only the text is compared; CI has one.
  static let hasCompiler: Bool = {
    let environment = ProcessInfo.processInfo.environment
    let folders = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/nvcc" }
    return ([environment["AIT_NVCC"] ?? ""] + folders).contains(where: FileSystem.isExecutable)
  }()

  @Test(
    "nvcc takes every kernel, and none spills",
    .enabled(if: hasCompiler),
    arguments: compiled.indices
  )
  func compiles(_ index: Int) async throws {
    let bundle = try Self.bundle(index).bundle
    let folder = try TemporaryFolder()
    let builder = Builder(
      toolchain: try await Toolchain.find(),
      target: Self.target,
      cache: ObjectCache(folder: nil),
      jobs: 2
    )
    try builder.write(bundle, to: folder.path)
    let device = try await DeviceToolchain.find(at: ProcessInfo.processInfo.environment["AIT_NVCC"])
    for unit in bundle.deviceUnits {
      let arguments = device.arguments(
        unit.path,
        for: unit.architecture,
        hostCompiler: builder.toolchain.compiler,
        includePaths: bundle.includePaths,
        to: "kernel.cubin"
      )
      let result = try await run(program: device.compiler, arguments, in: folder.path)
      #expect(result.code == 0, "\(result)")
      let report = "\(result)"
      #expect(report.contains("0 bytes stack frame, 0 bytes spill stores"), "\(report)")
    }
  }

  /// g++, where it is there, compiles the host code as clang does.
  static let hostCompilers: [String?] =
    [nil] + ["/usr/bin/g++"].filter(FileSystem.isExecutable)

  @Test(
    "A library for a GPU loads where there is none, tells of itself, and says what is missing",
    .enabled(if: hasCompiler),
    arguments: hostCompilers
  )
  func libraryWithoutDriver(_ compiler: String?) async throws {
    let folder = try TemporaryFolder()
    let graph = try Graph.parse("graph g {\n\(Self.cases[0].graph)\n}")
    var options = CompilerOptions()
    options.compiler = compiler
    let result = try await Compiler(target: Self.target, options: options)
      .compile(graph, in: folder.path)
    let library = result.library
    // The sources build it without the rest of the compiler.
    let make = try await run(
      program: "/usr/bin/env",
      ["make", "-C", result.sourceFolder, "CXX=\(try await Toolchain.find().compiler)"]
    )
    #expect(make.code == 0, "\(make)")
    #expect(
      try TemporaryFolder.bytes("\(result.sourceFolder)/libg.so").count > 100_000
    )
    // In a process of its own: others have loaded the driver of emulated devices.
    await #expect(processExitsWith: .success) { [library = library as String] in
      do {
        _ = try CompiledModule(contentsOf: library)
      } catch {
        #expect("\(error)".contains("CUDA"), "\(error)")
      }
    }
  }
}
