import AITBuild
import AITCPU
import AITCodegen
import AITGPU
import AITGraph
import AITKernels
import AITLoader
import AITPasses
import AITPlan

/// Turns a graph into a library: the whole flow, from top to bottom.
package struct Compiler: Sendable {
  /// What libraries say they were made by.
  package static let version = "AITemplate for Swift 0.1.0"

  let target: Target
  let options: CompilerOptions
  /// How kernels are chosen where there are several.
  let choice: DeviceChoice

  package init(target: Target, options: CompilerOptions = CompilerOptions()) {
    self.init(target: target, options: options, choosing: .recorded(TuningRecord()))
  }

  init(target: Target, options: CompilerOptions, choosing choice: DeviceChoice) {
    self.target = target
    self.options = options
    self.choice = choice
  }

  /// The graph after the passes.
  package func optimize(_ graph: Graph) throws(Diagnostic) -> Graph {
    try graph.verify()
    guard options.optimizes else { return graph }
    var optimized = graph
    var context = PassContext()
    context.computesAttention = computesAttention
    // The matrix units' kernels take pairs.
    if target.isGPU { context.limits.pairedTypes = [.float16, .bfloat16] }
    // Some level-2 caches, and a share of the next: an image of 224 x 224 in ResNet-50 takes 7 MiB.
    if !target.isGPU { context.limits.tileBytes = 8 << 20 }
    if options.checksPasses { context.instruments.verifies = true }
    try Pipeline.standard.run(on: &optimized, in: context)
    return optimized
  }

  /// Which attention the target has a kernel for.
  private var computesAttention: PassContext.AttentionSupport {
    let isGPU = target.isGPU
    return { op, types in isGPU ? op.isComputedOnGPU(types) : op.isComputedOnCPU(types) }
  }

  /// The same compiler without the passes: every node becomes kernels as it is.
  package var withoutPasses: Compiler {
    var options = options
    options.optimizes = false
    return Compiler(target: target, options: options, choosing: choice)
  }

  /// What kernels may do to numbers.
  package var numerics: Numerics {
    var numerics = Numerics()
    numerics.allowsTF32 = options.allowsTF32 && target.isGPU
    numerics.allowsWinograd = options.allowsWinograd
    numerics.allowsStrassen = options.allowsStrassen
    return numerics
  }

  /// The plan of a graph as it is; runs also check what the program it was made of asks of sizes.
  package func plan(_ graph: Graph, asked constraints: [SizeConstraint] = []) throws(Diagnostic)
    -> Plan
  {
    // Also what the passes have not seen is to run.
    var graph = graph
    var context = PassContext()
    context.computesAttention = computesAttention
    try AttentionDecomposition().run(on: &graph, in: context)
    let backend: any Backend =
      target.isGPU ? GPUBackend(target, numerics, choosing: choice) : CPUBackend(target, numerics)
    return try Planner.plan(graph, for: backend, asked: constraints)
  }

  /// The sources of a plan.
  package func sources(_ plan: Plan) throws(Diagnostic) -> ModelBundle {
    try ModelBundle(plan, compiler: Self.version)
  }

  /// Compiles a graph to `<workDirectory>/<graph's name>/<graph's name>.so`, or to `output`.
  ///
  /// Nothing appears under that name before all is done; sources stay beside it. A library made for
  /// a purpose of the command's own, such as `verify`, lies in `<graph's name>.<purpose>/`, so that
  /// it never takes the place of the user's: graphs' names have no dot.
  package func compile(
    _ graph: Graph,
    in workDirectory: String,
    for purpose: String? = nil,
    to output: String? = nil
  ) async throws(Diagnostic) -> CompilationResult {
    var compiler = try reading()
    if let seconds = options.tuningSeconds {
      let folder = "\(workDirectory)/\(graph.name).tuning"
      compiler = try await compiler.tuned(graph, seconds: seconds, in: folder)
    }
    return try await compiler.build(graph, in: workDirectory, for: purpose, to: output)
  }

  private func build(
    _ graph: Graph,
    in workDirectory: String,
    for purpose: String?,
    to output: String?
  ) async throws(Diagnostic) -> CompilationResult {
    var timer = StageTimer(options.progress)
    let folder = "\(workDirectory)/\(graph.name)\(purpose.map { ".\($0)" } ?? "")"
    if let output { try FileSystem.checkDestination(output) }
    try FileSystem.createFolder(folder)
    let lock = try FileSystem.Lock(folder: folder)
    let toolchain = try await Toolchain.find(
      at: options.compiler,
      sysroot: options.sysroot,
      for: target
    )
    if let note = toolchain.note { options.remark?(note) }
    if target.gpus.contains(.sm90) && !target.gpus.contains(.sm90a) {
      options.remark?("sm_90 leaves Hopper's warp groups and copy engine unused; sm_90a uses them")
    }

    timer.begin(.passes)
    let optimized = try optimize(graph)
    timer.begin(.plan)
    let plan = try plan(optimized, asked: try graph.sizeConstraints())
    timer.begin(.codegen)
    let model = try sources(plan)
    let builder = Builder(
      toolchain: toolchain,
      target: target,
      cache: ObjectCache(folder: options.objectCache),
      jobs: options.jobs == 0 ? Processors.count : options.jobs
    )
    try builder.write(model.bundle, to: folder)

    timer.begin(.compile)
    let (objects, report) = try await builder.compile(
      model.codeUnits,
      of: model.bundle,
      in: folder
    )

    let deviceObjects = try await DeviceStage(builder: builder, model: model, folder: folder)
      .compile(compiler: options.deviceCompiler)

    timer.begin(.fold)
    let constants = ConstantStage(builder: builder, model: model, folder: folder, target: target)
    let image = constants.image(
      try await constants.fold(objects),
      selfTest: options.includesSelfTest ? SelfTestMaker.make(graph) : nil,
      areSettable: options.constantsAreSettable
    )

    timer.begin(.link)
    let constantObjects = try await constants.compile(consume image)
    let library = output ?? "\(folder)/\(graph.name).so"
    try await builder.link(objects + deviceObjects + constantObjects, to: library)
    timer.end()
    _ = consume lock
    return CompilationResult(
      library: library,
      sourceFolder: folder,
      stageSeconds: timer.seconds,
      compiledUnits: report.compiled,
      reusedUnits: report.reused,
      plan: plan
    )
  }
}

/// Times the stages and tells the progress line of them.
private struct StageTimer {
  private let report: (@Sendable (CompilationStage) -> Void)?
  private let clock = ContinuousClock()
  private var current: (stage: CompilationStage, start: ContinuousClock.Instant)?
  private(set) var seconds: [(stage: CompilationStage, seconds: Double)] = []

  init(_ report: (@Sendable (CompilationStage) -> Void)?) { self.report = report }

  mutating func begin(_ stage: CompilationStage) {
    end()
    current = (stage, clock.now)
    report?(stage)
  }

  mutating func end() {
    guard let current else { return }
    let (whole, fraction) = (clock.now - current.start).components
    seconds.append((current.stage, Double(whole) + Double(fraction) * 1e-18))
    self.current = nil
  }
}
