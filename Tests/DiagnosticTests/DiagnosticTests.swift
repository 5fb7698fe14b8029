import AITBuild
import AITCodegen
import AITConformance
import AITGraph
import AITKernels
import AITLoader
import AITOperators
import AITPlan
import AITReference
import AITTestSupport
import AITemplate
import Testing

/// Programs that provoke the diagnostics of building, loading and running; those of graphs, files and
/// weights are provoked by the tests of their modules.
@Suite struct DiagnosticTests {
  /// The diagnostic that a closure throws.
  private func diagnostic(_ body: () async throws(Diagnostic) -> Void) async -> Diagnostic? {
    do throws(Diagnostic) {
      try await body()
      return nil
    } catch { return error }
  }

  private func check(_ found: Diagnostic?, _ identity: Diagnostic.Identity, _ words: String...) {
    #expect(found?.identity == identity)
    for word in words {
      #expect(
        found?.description.contains(word) == true,
        "'\(word)' in: \(found?.description ?? "")"
      )
    }
  }

  /// y = relu(x + w) with w unbound.
  private func graph(_ name: String) throws(Diagnostic) -> Graph {
    var graph = Graph(name: name)
    let type = TensorType(.float32, [.symbol("n", 1...8), 3])
    let x = try graph.addInput("x", type)
    let w = try graph.addConstant("w", TensorType(.float32, [3]))
    let sum = try graph.add(.value(x), .value(w))
    try graph.addOutput("y", try graph.pointwise(.relu, sum))
    return graph
  }

  @Test("Text that is no graph") func syntax() async {
    let found = await diagnostic { () throws(Diagnostic) in _ = try Graph.parse("graph g { 3 }") }
    check(found, .syntax, "line 1")
  }

  @Test("An operator that there is not, with a near one") func unknownOperator() async {
    let text = "graph g { input x: float32[2] y = sofmax(x) output y = y }"
    let found = await diagnostic { () throws(Diagnostic) in _ = try Graph.parse(text) }
    check(found, .unknownOperator, "sofmax", "softmax")
  }

  @Test("A target that there is not, with those there are") func unknownTarget() async {
    let found = await diagnostic { () throws(Diagnostic) in _ = try Target("tpu:v4") }
    check(found, .unknownTarget, "tpu:v4", "cpu:native")
  }

  @Test("A compiler that is not there, and a program that is none") func missingCompiler() async {
    let absent = await diagnostic { () async throws(Diagnostic) in
      _ = try await Toolchain.find(at: "/nowhere/clang++")
    }
    check(absent, .missingCompiler, "/nowhere/clang++", "--compiler")
    let other = await diagnostic { () async throws(Diagnostic) in
      _ = try await Toolchain.find(at: "/bin/echo")
    }
    check(other, .missingCompiler, "not clang")
  }

  @Test("C++ that the compiler rejects is reported with the command") func compilerFailed()
    async throws
  {
    let folder = try TemporaryFolder()
    let toolchain = try await Toolchain.find()
    let builder = Builder(
      toolchain: toolchain,
      target: .detected(),
      cache: ObjectCache(folder: nil),
      jobs: 1
    )
    let bundle = SourceBundle(
      name: "broken",
      files: [.init(path: "broken.cpp", text: "int x = ;\n")],
      units: [.init(path: "broken.cpp", flags: [])],
      includePaths: []
    )
    try builder.write(bundle, to: folder.path)
    let found = await diagnostic { () async throws(Diagnostic) in
      _ = try await builder.compile(bundle.units, of: bundle, in: folder.path)
    }
    check(found, .compilerFailed, "broken.cpp", "report")
  }

  @Test("Two compilations in one folder") func busyDirectory() async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/model"
    try FileSystem.createFolder(path)
    let lock = try FileSystem.Lock(folder: path)
    let model = try graph("model")
    let found = await diagnostic { () async throws(Diagnostic) in
      _ = try await Compiler(target: .detected()).compile(model, in: folder.path)
    }
    check(found, .busyDirectory, "another compilation")
    _ = consume lock
    #expect(!FileSystem.exists("\(path)/model.so"))
  }

  @Test("A folder that cannot be made") func unwritableFolder() async throws {
    let model = try graph("model")
    let found = await diagnostic { () async throws(Diagnostic) in
      _ = try await Compiler(target: .detected()).compile(model, in: "/proc/nowhere")
    }
    check(found, .unwritableFile, "/proc/nowhere")
  }

  @Test("A full disk leaves no file behind") func fullDisk() async {
    let found = await diagnostic { () throws(Diagnostic) in
      try FileSystem.write(String(repeating: "x", count: 1 << 16), to: "/dev/full/file")
    }
    check(found, .unwritableFile, "/dev/full")
  }

  @Test("A library that is not there, and a file that is none") func loadFailed() async throws {
    let absent = await diagnostic { () throws(Diagnostic) in
      _ = try CompiledModule(contentsOf: "/nowhere/model.so")
    }
    check(absent, .loadFailed, "/nowhere/model.so")
    let folder = try TemporaryFolder()
    try FileSystem.write("no library", to: "\(folder.path)/text.so")
    let other = await diagnostic { () throws(Diagnostic) in
      _ = try CompiledModule(contentsOf: "\(folder.path)/text.so")
    }
    check(other, .loadFailed, "text.so")
  }

  @Test("Runs with wrong names, shapes and missing constants") func wrongRuns() async throws {
    let folder = try TemporaryFolder()
    let result = try await Compiler(target: .detected()).compile(
      try graph("wrong_runs"),
      in: folder.path
    )
    let module = try CompiledModule(contentsOf: result.library)
    let input = TensorData([1, 2, 3], shape: [1, 3])
    let unset = await diagnostic { () throws(Diagnostic) in _ = try module.run(["x": input]) }
    check(unset, .runFailed, "'w'")
    try module.setConstants(["w": TensorData([1, 1, 1], shape: [3])])
    #expect(try module.run(["x": input])["y"]?.doubles == [2, 3, 4])
    let name = await diagnostic { () throws(Diagnostic) in _ = try module.run(["z": input]) }
    check(name, .invalidArgument, "'z'", "x")
    let bounds = await diagnostic { () throws(Diagnostic) in
      _ = try module.run(["x": TensorData(zeros: .float32, [9, 3])])
    }
    check(bounds, .runFailed, "9", "1...8")
    let type = await diagnostic { () throws(Diagnostic) in
      _ = try module.run(["x": TensorData(zeros: .float64, [1, 3])])
    }
    check(type, .runFailed, "float32")
    let constant = await diagnostic { () throws(Diagnostic) in
      try module.setConstants(["w": TensorData(zeros: .float32, [4])])
    }
    check(constant, .invalidArgument, "'w'")
  }

  @Test("A library without a self test says so") func verificationFailed() async throws {
    let folder = try TemporaryFolder()
    let result = try await Compiler(target: .detected()).compile(
      try graph("untested"),
      in: folder.path
    )
    let module = try CompiledModule(contentsOf: result.library)
    let found = await diagnostic { () throws(Diagnostic) in try module.selfTest() }
    check(found, .verificationFailed, "untested.so")
  }

  @Test("A plan that lies about its memory") func internalInconsistency() async throws {
    var graph = try graph("plan")
    try graph.bindMissingConstants(seed: 1)
    var plan = try Compiler(target: .detected()).plan(graph)
    try plan.verify(symbols: ["n": 8])
    try #require(!plan.buffers.isEmpty)
    plan.buffers[0].offset = 3
    let bad = plan
    let found = await diagnostic { () throws(Diagnostic) in try bad.verify(symbols: ["n": 8]) }
    check(found, .internalInconsistency, "plan")
  }
}
