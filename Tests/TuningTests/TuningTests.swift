import AITBuild
import AITCodegen
import AITGPU
import AITGraph
import AITKernels
import AITOperators
import AITPlan
import AITProfile
import AITTestSupport
import AITemplate
import Testing

/// From a graph's products to a record, and from a record to a library.
@Suite struct TuningTests {
  static let graph = """
    graph g {
      input x: float16[64, 72]
      input residual: float16[64, 40]
      constant w: float16[40, 72]
      constant b: float16[40]
      y = matmul(x, w, b, residual) {transpose_b: true, \
    epilogue: (x0: float16, x1: float16, x2: float16) \
    { t3 = add(x0, x1); t4 = fast_gelu(t3); t5 = add(t4, x2); return t5 }} : float16[64, 40]
      output y = y
    }
    """

  private static func options(record: String? = nil) -> CompilerOptions {
    var options = CompilerOptions()
    options.tuningRecord = record
    options.tuningCache = nil
    return options
  }

  @Test("Candidates are built, run right, and measured on an emulated device")
  func emulated() async throws {
    let folder = try TemporaryFolder()
    let target = try Target("emulated-cuda:sm_80")
    let compiler = Compiler(target: target, options: Self.options())
    let problems = try compiler.kernelProblems(try Graph.parse(Self.graph))
    #expect(problems.count == 1)
    let prepared = try await compiler.prepareTuning(
      problems,
      candidates: 2,
      in: folder.path,
      copies: 2
    )
    #expect(prepared.problems[0].candidates.count == 2)
    let session = try TuningSession(folder: folder.path)
    let (record, report) = try session.measure(seconds: 600)
    #expect(record.count == 2 && report.unmeasured.isEmpty)
    for (_, measurements) in report.problems {
      for measurement in measurements { #expect(measurement.fault == nil, "\(measurement)") }
    }
    #expect(record.keys.allSatisfy { $0.origin.templates == templateVersion })
    let none = try session.measure(seconds: 0)
    #expect(none.record.isEmpty && none.report.unmeasured.count == 1)
  }

  /// A record in which the last of a problem's candidates is the fastest.
  private static func record(
    _ problem: KernelProblem,
    architecture: Target.CUDA? = nil,
    templates: String = templateVersion
  ) -> TuningRecord {
    var record = TuningRecord()
    for (index, candidate) in problem.candidates.enumerated() {
      let key = TuningRecord.Key(
        origin: .init(gpu: "NVIDIA H200", driver: "13.0", toolchain: "V13", templates: templates),
        architecture: architecture ?? problem.architecture,
        problem: problem.text,
        configuration: candidate.configuration
      )
      record.add(key, .nanoseconds(9000 - 100 * index))
    }
    return record
  }

  @Test("A library follows its record, says so, and is the same each time")
  func recorded() throws {
    let folder = try TemporaryFolder()
    let target = Target([.sm90a])
    let graph = try Graph.parse(Self.graph)
    let plain = Compiler(target: target, options: Self.options())
    let problem = try #require(try plain.kernelProblems(graph).first)
    let file = "\(folder.path)/tuning.record"
    try FileSystem.write(Self.record(problem).description, to: file)
    let tuned = try Compiler(target: target, options: Self.options(record: file)).reading()
    let fastest = try #require(problem.candidates.last)
    let optimized = try tuned.optimize(graph)
    let plan = try tuned.plan(optimized)
    #expect(plan.steps[0].choices[0].chosen.configuration == fastest.configuration)
    #expect(plan.steps[0].choices[0].measuredOn == "NVIDIA H200")
    #expect(plan.kernelTable.contains("measured on NVIDIA H200"))
    let before = try plain.plan(optimized)
    #expect(before.steps[0].choices[0].chosen.configuration != fastest.configuration)
    #expect(before.steps[0].choices[0].measuredOn == nil)
    let files = try (0..<2).map { _ in try tuned.sources(try tuned.plan(optimized)).bundle.files }
    #expect(files[0].map(\.text) == files[1].map(\.text))
    let manifest = try #require(files[0].first { $0.path == "manifest.json" }?.text)
    #expect(manifest.contains("\"measured_on\": \"NVIDIA H200\""))
    #expect(manifest.contains(fastest.configuration))
  }

  @Test("Every architecture that shares kernels has problems of its own")
  func architectures() throws {
    let compiler = Compiler(target: Target([.sm80, .sm86]), options: Self.options())
    let problems = try compiler.kernelProblems(try Graph.parse(Self.graph))
    #expect(Set(problems.map(\.architecture)) == [.sm80, .sm86])
  }

  @Test("A record that is of no use is refused, with the reason")
  func foreign() throws {
    let folder = try TemporaryFolder()
    let plain = Compiler(target: Target([.sm90a]), options: Self.options())
    let problem = try #require(try plain.kernelProblems(try Graph.parse(Self.graph)).first)
    let file = "\(folder.path)/tuning.record"
    func expect(_ text: String, _ target: Target, _ identity: Diagnostic.Identity, _ words: String)
      throws
    {
      try FileSystem.write(text, to: file)
      #expect {
        try Compiler(target: target, options: Self.options(record: file)).reading()
      } throws: { error in
        guard let diagnostic = error as? Diagnostic else { return false }
        return diagnostic.identity == identity && diagnostic.message.contains(words)
      }
    }
    let good = Self.record(problem)
    let gpu = Target([.sm90a])
    try expect(good.description, Target([.sm80]), .invalidOption, "nothing for cuda:sm_80")
    try expect(good.description, Target(.x86_64v3), .invalidOption, "is for a GPU")
    let old = Self.record(problem, templates: "old")
    try expect(old.description, gpu, .invalidOption, "other kernel templates")
    try expect("hello", gpu, .unsupportedFormat, "no tuning record")
    try expect(good.description + "x", gpu, .corruptFile, "no measurement")
    FileSystem.remove(file)
    #expect {
      try Compiler(target: gpu, options: Self.options(record: file)).reading()
    } throws: { ($0 as? Diagnostic)?.identity == .unreadableFile }
  }

  @Test("A configuration that the templates do not have is passed over")
  func unknownConfiguration() throws {
    let compiler = Compiler(target: Target([.sm90a]), options: Self.options())
    let graph = try Graph.parse(Self.graph)
    let problem = try #require(try compiler.kernelProblems(graph).first)
    var record = Self.record(problem)
    let known = try #require(record.keys.first)
    let key = TuningRecord.Key(
      origin: known.origin,
      architecture: .sm90a,
      problem: problem.text,
      configuration: "Hopper kTileM=1"
    )
    record.add(key, .nanoseconds(1))
    let folder = try TemporaryFolder()
    let file = "\(folder.path)/tuning.record"
    try FileSystem.write(record.description, to: file)
    let tuned = try Compiler(target: Target([.sm90a]), options: Self.options(record: file))
      .reading()
    let chosen = try tuned.plan(try tuned.optimize(graph)).steps[0].choices[0].chosen
    #expect(chosen.configuration == problem.candidates.last?.configuration)
  }

  @Test("Measuring needs a GPU: without one it is said what to do")
  func withoutGPU() async throws {
    var options = Self.options()
    options.tuningSeconds = 1
    let folder = try TemporaryFolder()
    let graph = try Graph.parse(Self.graph)
    for target in [Target(.native), try Target("emulated-cuda:sm_80")] {
      await #expect {
        try await Compiler(target: target, options: options).compile(graph, in: folder.path)
      } throws: { error in
        guard let diagnostic = error as? Diagnostic else { return false }
        return diagnostic.identity == .invalidOption && diagnostic.hint?.contains("--tune") == true
      }
    }
  }

  @Test("The program that measures poses the problem on operands of their own")
  func measuringGraph() throws {
    let compiler = Compiler(target: Target([.sm90a]), options: Self.options())
    let problem = try #require(try compiler.kernelProblems(try Graph.parse(Self.graph)).first)
    #expect(MeasuringGraph.copies(of: problem) == 32)
    let graph = try MeasuringGraph.make(problem, named: "m", copies: 3)
    try graph.verify()
    #expect(graph.nodeCount == 3 && graph.outputs.count == 3 && graph.inputs.count == 7)
    #expect(graph.constants.count == 6)
    let read = graph.nodeIDs.flatMap { graph[$0].inputs }
    #expect(Set(read).count == read.count)
  }
}
