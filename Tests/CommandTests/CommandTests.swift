import AITGraph
import AITOperators
import AITReference
import AITTestSupport
import AITWeights
import FoundationEssentials
import Testing

/// The command as its users have it: a program with arguments, output and exit codes.
@Suite struct CommandTests {
  /// The built program, beside the tests.
  static let program: String = {
    let folders = CommandLine.arguments.compactMap { argument in
      argument.firstRange(of: "/AITemplatePackageTests.xctest").map {
        String(argument[..<$0.lowerBound])
      }
    }
    let candidates = folders.map { "\($0)/ait" } + [".build/debug/ait"]
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "ait"
  }()

  static func ait(_ arguments: String..., in folder: TemporaryFolder? = nil) async throws
    -> ProgramResult
  {
    try await run(program: program, arguments, in: folder?.path)
  }

  static let graph = """
    graph mlp {
      symbol batch: 1...32
      input X: float32[batch, 24]
      constant dense1_weight: float32[48, 24] "dense1.weight"
      constant dense1_bias: float32[48] "dense1.bias"
      constant dense2_weight: float32[24, 48] "dense2.weight"
      hidden = matmul(X, dense1_weight) {transpose_b: true} : float32[batch, 48]
      biased = pointwise(hidden, dense1_bias) {body: (x0: float32, x1: float32) \
    { t2 = add(x0, x1); t3 = gelu(t2); return t3 }} : float32[batch, 48]
      product = matmul(biased, dense2_weight) {transpose_b: true} : float32[batch, 24]
      sum = pointwise(product, X) {body: (x0: float32, x1: float32) \
    { t2 = add(x0, x1); return t2 }} : float32[batch, 24]
      Y = softmax(sum) {axis: 1} : float32[batch, 24]
      output Y = Y
    }

    """

  /// A folder with the graph, its weights and an input.
  struct Files {
    let folder: TemporaryFolder
    let weights: [String: TensorData]
    let input: TensorData
    /// What the graph makes of them.
    let expected: TensorData

    init() throws {
      folder = try TemporaryFolder()
      let graph = try Graph.parse(CommandTests.graph)
      try folder.write(CommandTests.graph, as: "mlp.ait")
      let random = RandomInputs(for: graph, seed: 3)
      weights = [
        "dense1.weight": try #require(random.constants["dense1_weight"]),
        "dense1.bias": try #require(random.constants["dense1_bias"]),
        "dense2.weight": try #require(random.constants["dense2_weight"]),
      ]
      try Safetensors.write(
        weights.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: $0.value) },
        to: "\(folder.path)/w.safetensors"
      )
      input = try #require(random.inputs["X"])
      try Numpy.write(input, to: "\(folder.path)/x.npy")
      expected = try #require(
        try Evaluator.run(graph, random.inputs, constants: random.constants).outputs["Y"]
      )
    }

    func ait(_ arguments: String...) async throws -> ProgramResult {
      try await run(program: CommandTests.program, arguments, in: folder.path)
    }

    func check(_ found: TensorData?) throws {
      let found = try #require(found)
      let comparison = AITReference.compare(found, expected, bound: 1e-4)
      #expect(comparison.isEqual, "\(comparison)")
    }
  }

  static func json(_ text: String) throws -> [String: Double] {
    try JSONDecoder().decode([String: Double].self, from: Data(text.utf8))
  }

  // MARK: - The flow

  @Test("From a graph to a library, its results, times and verdict")
  func flow() async throws {
    let files = try Files()
    let compile = try await files.ait(
      "compile",
      "mlp.ait",
      "--weights",
      "w.safetensors",
      "-o",
      "mlp.so"
    )
    #expect(compile.code == 0, "\(compile)")
    #expect(compile.output == "mlp.so\n")
    for stage in ["passes", "plan", "codegen", "compile", "fold", "link", "total"] {
      #expect(compile.errors.contains(stage), "\(compile)")
    }

    let run = try await files.ait(
      "run",
      "mlp.so",
      "--input",
      "X=x.npy",
      "-o",
      "out.safetensors",
      "-o",
      "Y=y.npy"
    )
    #expect(run.code == 0, "\(run)")
    #expect(run.output.hasPrefix("Y: float32["))
    try files.check(try Weights.load("\(files.folder.path)/out.safetensors")["Y"])
    try files.check(try Numpy.read("\(files.folder.path)/y.npy"))

    let bench = try await files.ait(
      "bench",
      "mlp.so",
      "--seconds",
      "0.1",
      "--json",
      "--threads",
      "1",
      "--size",
      "batch=4"
    )
    #expect(bench.code == 0, "\(bench)")
    let figures = try Self.json(bench.output)
    #expect(
      Set(figures.keys)
        == [
          "median_ms", "p90_ms", "p99_ms", "runs", "threads", "gflop_per_second",
          "peak_gflop_per_second", "share_of_peak",
        ]
    )
    #expect(figures["threads"] == 1)
    #expect(figures.values.allSatisfy { $0 > 0 }, "\(figures)")

    let profile = try await files.ait(
      "profile",
      "mlp.so",
      "--trace",
      "trace.json",
      "--svg",
      "times.svg",
      "--count",
      "3"
    )
    #expect(profile.code == 0, "\(profile)")
    #expect(profile.output.contains("matmul") && profile.output.contains("total"))
    let trace = try Data(contentsOf: URL(filePath: "\(files.folder.path)/trace.json"))
    let events = try JSONDecoder().decode(Trace.self, from: trace).traceEvents
    #expect(events.map(\.name) == ["hidden", "product", "Y"])
    #expect(events.allSatisfy { $0.ph == "X" && $0.dur >= 0 })
    #expect(try Data(contentsOf: URL(filePath: "\(files.folder.path)/times.svg")).count > 500)

    for (stage, mark) in [
      ("graph", "graph mlp {"), ("manifest", "\"arena\""), ("pseudo", "matmul"), ("dot", "digraph"),
      ("svg", "<svg"), ("kernels", "run hidden: matmul_float32_"), ("plan", "arena: "),
      ("source", "// ---- kernels/matmul_float32_"),
    ] {
      let inspect = try await files.ait("inspect", "mlp.so", "--emit", stage)
      #expect(inspect.code == 0 && inspect.output.contains(mark), "\(stage): \(inspect)")
      // A library tells what its graph does, but for the values of weights.
      guard ["kernels", "plan", "source"].contains(stage) else { continue }
      let ofGraph = try await files.ait(
        "inspect",
        "mlp.ait",
        "--emit",
        stage,
        "--weights",
        "w.safetensors"
      )
      #expect(inspect.output == ofGraph.output)
    }
    let inspect = try await files.ait("inspect", "mlp.so", "--emit=passes")
    #expect(inspect.code == 64)
    #expect(inspect.errors.contains("other stages need the graph file"), "\(inspect)")

    // Sources, the lock and the library; nothing unfinished.
    let left = try files.folder.files()
    #expect(!left.contains { $0.hasSuffix(".partial") }, "\(left)")
  }

  private struct Trace: Decodable {
    struct Event: Decodable {
      let name: String
      let ph: String
      let dur: Double
    }
    let traceEvents: [Event]
  }

  @Test("Verify tells equal from different by its exit code")
  func verify() async throws {
    let files = try Files()
    let equal = try await files.ait("verify", "mlp.ait", "--weights", "w.safetensors", "-q")
    #expect(equal.code == 0, "\(equal)")
    #expect(equal.output.contains("equal"))
    let different = try await files.ait(
      "verify",
      "mlp.ait",
      "--weights",
      "w.safetensors",
      "--tolerance",
      "1e-12",
      "-q",
      "--size",
      "batch=2"
    )
    #expect(different.code == 2, "\(different)")
    #expect(different.output.contains("exceeds"))
    #expect(different.output.contains("first node that differs: 'hidden'"), "\(different)")
    #expect(different.errors.contains("[verification-failed]"))
  }

  @Test("Weights may come with each run, and the library is the same from any process")
  func weightsAtRunTime() async throws {
    let files = try Files()
    var libraries: [[UInt8]] = []
    for work in ["a", "b"] {
      let compile = try await files.ait(
        "compile",
        "mlp.ait",
        "--work-directory",
        work,
        "-q",
        "-j",
        work == "a" ? "1" : "2"
      )
      #expect(compile.code == 0 && compile.errors.isEmpty, "\(compile)")
      #expect(compile.output == "\(work)/mlp/mlp.so\n")
      libraries.append(try TemporaryFolder.bytes("\(files.folder.path)/\(work)/mlp/mlp.so"))
    }
    // Each process has a hash seed of its own: no order may depend on it.
    #expect(libraries[0] == libraries[1])

    let missing = try await files.ait("run", "a/mlp/mlp.so", "--input", "X=x.npy")
    #expect(missing.code == 1)
    for part in ["no values for 3 constants", "'dense1.weight'", "hint: ", "--weights FILE"] {
      #expect(missing.errors.contains(part), "\(missing)")
    }
    let run = try await files.ait(
      "run",
      "a/mlp/mlp.so",
      "--weights",
      "w.safetensors",
      "--input",
      "X=x.npy",
      "-o",
      "Y=y.npy"
    )
    #expect(run.code == 0, "\(run)")
    try files.check(try Numpy.read("\(files.folder.path)/y.npy"))
  }

  // MARK: - Looking

  @Test(
    "Every stage can be printed",
    arguments: [
      ("graph", "epilogue:"), ("input", "hidden = matmul(X, dense1_weight)"), ("pseudo", "matmul"),
      ("passes", "epilogue-fusion\n"), ("graph-after=epilogue-fusion", "epilogue:"),
      ("kernels", "run hidden: matmul_float32_"), ("plan", "arena: "),
      ("source", "// ---- kernels/matmul_float32_"), ("manifest", "\"symbols\""),
      ("dot", "digraph"), ("svg", "</svg>"),
    ]
  )
  func inspect(_ stage: String, _ mark: String) async throws {
    let files = try Files()
    let result = try await files.ait("inspect", "mlp.ait", "--emit=\(stage)")
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    #expect(result.output.contains(mark), "\(result)")
    // Printing compiles nothing.
    #expect(try files.folder.files() == ["mlp.ait", "w.safetensors", "x.npy"])
  }

  @Test("The operators are listed")
  func operators() async throws {
    let table = try await Self.ait("operators")
    #expect(table.code == 0 && table.output.contains("layer_norm"), "\(table)")
    let markdown = try await Self.ait("operators", "--markdown")
    #expect(markdown.output.hasPrefix("# Operators\n"))
    #expect(markdown.output.contains("| `matmul` | kernel |"))
    let gaps = markdown.output.split(separator: "\n").filter { $0.contains("` | - |") }
    #expect(gaps.isEmpty, "operators without a kernel for the CPU")
  }

  @Test("Conformance of one operator")
  func conformance() async throws {
    let folder = try TemporaryFolder()
    let result = try await Self.ait("conformance", "arange", "--verbose", in: folder)
    #expect(result.code == 0, "\(result)")
    #expect(result.output.contains("ok   arange(") && result.output.contains(" 0 failed"))
    let unknown = try await Self.ait("conformance", "arrange", in: folder)
    #expect(unknown.code == 64)
    #expect(unknown.errors.contains("'arrange' is not an operator"))
    #expect(unknown.errors.contains("did you mean arange"))
  }
}
