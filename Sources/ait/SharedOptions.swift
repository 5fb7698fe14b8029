import AITGraph
import AITImport
import AITKernels
import AITOperators
import AITWeights
import AITemplate
import ArgumentParser

/// The option of all commands that choose kernels.
struct TargetOption: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: """
      The instruction set: cpu:native (this machine's), cpu:x86-64-v2, cpu:x86-64-v3, \
      cpu:x86-64-v4 or cpu:aarch64; or GPU architectures: cuda:sm_80, cuda:sm_86, cuda:sm_89, \
      cuda:sm_90a, several as cuda:sm_80+sm_90a, or cuda:detect (this machine's).
      """
  )
  var target = "cpu:native"

  @Flag(help: "Run the kernels of a cuda target on this machine's processor, slowly and watched.")
  var emulate = false

  func parsed() throws(Diagnostic) -> Target {
    let target = try Target(target)
    guard emulate else { return target }
    guard target.isGPU else {
      throw Diagnostic(
        .invalidOption,
        "--emulate is for a cuda target, and this is \(target)",
        hint: "name one, such as --target cuda:sm_90a"
      )
    }
    return target.emulated
  }
}

/// The option of commands that run a library: on which GPU, if it is for GPUs.
struct DeviceOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      The GPU for a library for GPUs, such as cuda:1; if not given, that of $AIT_CUDA_DEVICE, else \
      the first.
      """,
      valueName: "device"
    )
  )
  var device: String?
}

/// Options of all commands that read a graph.
struct GraphOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Values of the graph's constants: a .safetensors, .pt or .npz file.",
      valueName: "file"
    )
  )
  var weights: String?

  @Option(
    help: ArgumentHelp(
      """
      The values that a symbol of a program of torch.export may take, such as s77=1...128; may be \
      repeated. Where neither the program nor an option says, it is at most \
      \(ExportedProgram.defaultBound).
      """,
      valueName: "symbol=range"
    )
  )
  var bound: [String] = []

  @Flag(help: "Leave the graph as it is: every operator becomes a kernel.")
  var noOptimization = false

  @Flag(
    help: """
      On a GPU, let products of float32 round their factors to tf32, 10 bits of mantissa: faster, \
      with errors of some 3e-4.
      """
  )
  var tf32 = false

  @Flag(
    help: """
      On the CPU, compute all convolutions directly, none by Winograd's minimal filtering: slower, with \
      errors of some 3e-7 in place of 2e-6.
      """
  )
  var noWinograd = false

  @Flag(
    help: """
      On the CPU, compute products of float32 by definition, none by Strassen's algorithm: slower, with \
      errors of some 4e-7 in place of 8e-7.
      """
  )
  var noStrassen = false

  @Flag(help: "Check every pass: verify the graph, and evaluate it before and after.")
  var checkPasses = false

  /// Reads a graph and gives its constants their values.
  func read(_ path: String) throws(Diagnostic) -> Graph {
    let file = ModelFile(path)
    let bounds = try bounds()
    if let given = bound.first, !file.isProgram {
      throw Diagnostic(
        .invalidOption,
        "--bound \(given): '\(path)' is no program of torch.export",
        hint: "the text of a graph states the bounds of its symbols"
      )
    }
    var graph = try file.readGraph(bounds: bounds)
    if let weights { try graph.bindConstants(to: try Weights.load(weights)) }
    return graph
  }

  /// The ranges of `--bound`.
  private func bounds() throws(Diagnostic) -> [String: ClosedRange<Int>] {
    var bounds: [String: ClosedRange<Int>] = [:]
    for text in bound {
      let parts = text.split(separator: "=", maxSplits: 1)
      let ends = (parts.last ?? "").split(separator: "...", omittingEmptySubsequences: false)
      guard parts.count == 2, ends.count == 2, let least = Int(ends[0]),
        let greatest = Int(ends[1]), 0 <= least, least <= greatest
      else {
        throw Diagnostic(
          .invalidOption,
          "--bound \(text)",
          hint: "write a symbol and its least and greatest value: s77=1...128"
        )
      }
      bounds[String(parts[0])] = least...greatest
    }
    return bounds
  }

  /// Adds what the options say to a compiler's options.
  func apply(to options: inout CompilerOptions) {
    options.optimizes = !noOptimization
    options.checksPasses = checkPasses
    options.allowsTF32 = tf32
    options.allowsWinograd = !noWinograd
    options.allowsStrassen = !noStrassen
  }
}

/// Options of all commands that build libraries.
struct BuildOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder for generated sources and libraries; each model has its own in it.",
      valueName: "folder"
    )
  )
  var workDirectory = "tmp"

  @Option(
    help: ArgumentHelp(
      """
      The C++ compiler, which must be clang, or g++ for GPU targets; if not given, $AIT_CXX or the \
      first on PATH.
      """,
      valueName: "program"
    )
  )
  var compiler: String?

  @Option(
    help: ArgumentHelp(
      "The folder with the target's usr/include and usr/lib, to compile for another architecture.",
      valueName: "folder"
    )
  )
  var sysroot: String?

  @Option(
    name: .shortAndLong,
    parsing: .unconditional,
    help: ArgumentHelp(
      "Units compiled at the same time, up to 1024; 0 takes one for each processor.",
      valueName: "count"
    )
  )
  var jobs = 0

  @Flag(help: "Do not reuse compiled objects, nor keep them.")
  var noCache = false

  @Flag(name: .shortAndLong, help: "Print nothing but errors and what was asked for.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Print more: the kernels, or each example.")
  var verbose = false

  func validate() throws {
    try OptionRange.check("--jobs", jobs, in: OptionRange.threads)
  }

  /// The compiler's options, with a line that follows its progress unless `quiet`.
  func compilerOptions(_ progress: ProgressLine? = nil) -> CompilerOptions {
    var options = CompilerOptions()
    options.compiler = compiler ?? options.compiler
    options.sysroot = sysroot
    options.jobs = jobs
    if noCache { options.objectCache = nil }
    if let progress { options.progress = { progress.begin($0) } }
    if !quiet { options.remark = { Terminal.printError("note: \($0)") } }
    return options
  }
}

/// Options of all commands that compile a graph.
struct CompileOptions: ParsableArguments {
  @OptionGroup var target: TargetOption
  @OptionGroup var graph: GraphOptions
  @OptionGroup var build: BuildOptions

  /// A compiler that says how it goes on.
  func compiler(_ progress: ProgressLine, tuning: TuningOptions? = nil) throws(Diagnostic)
    -> Compiler
  {
    var options = build.compilerOptions(progress)
    graph.apply(to: &options)
    tuning?.apply(to: &options)
    return Compiler(target: try target.parsed(), options: options)
  }

  /// Compiles a graph, with a progress line.
  func compile(
    _ graph: Graph,
    for purpose: String? = nil,
    to output: String? = nil,
    tuning: TuningOptions? = nil
  ) async throws -> CompilationResult {
    let progress = ProgressLine(isQuiet: build.quiet)
    defer { progress.end() }
    return try await compiler(progress, tuning: tuning)
      .compile(graph, in: build.workDirectory, for: purpose, to: output)
  }
}

/// The option of commands that take a library: values that it was compiled without, or others.
struct ConstantOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Values of constants, in place of those in the library: a .safetensors, .pt or .npz file.",
      valueName: "file"
    )
  )
  var weights: String?
}
