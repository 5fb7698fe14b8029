import AITBuild
import AITGraph
import AITKernels
import AITOperators
import AITWeights
import AITemplate
import ArgumentParser

/// Options of all commands that compile.
struct CompileFlags: ParsableArguments {
  @Option(name: .shortAndLong, help: "What to compile for, such as cpu:native or cpu:x86-64-v3.")
  var target = "cpu:native"

  @Option(help: "A .safetensors, .pt or .npz-less file with the values of the graph's constants.")
  var weights: String?

  @Option(help: "The folder for generated sources.")
  var workDirectory = "tmp"

  @Option(help: "The C++ compiler, which must be clang; found on PATH by itself.")
  var compiler: String?

  @Option(name: .shortAndLong, help: "Units compiled at the same time; 0 takes one a processor.")
  var jobs = 0

  @Flag(help: "Leave the graph as it is: every operator becomes a kernel.")
  var noOptimization = false

  @Flag(help: "Check every pass: verify the graph, and evaluate it before and after.")
  var checkPasses = false

  @Flag(help: "Do not reuse compiled objects, nor keep them.")
  var noCache = false

  @Flag(name: .shortAndLong, help: "Print nothing but errors and what was asked for.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Say more: each kernel, each cached object.")
  var verbose = false

  func parsedTarget() throws(Diagnostic) -> Target { try Target(target) }

  /// The compiler's options.
  func options(_ progress: ProgressLine?) -> CompilerOptions {
    var options = CompilerOptions()
    options.compiler = compiler ?? options.compiler
    options.jobs = jobs
    options.optimizes = !noOptimization
    options.checksPasses = checkPasses
    if noCache { options.objectCache = nil }
    if let progress { options.progress = { progress.begin($0) } }
    return options
  }

  /// Reads a graph and gives its constants their values.
  func readGraph(_ path: String) throws(Diagnostic) -> Graph {
    guard let text = FileSystem.read(path) else {
      throw Diagnostic(
        .unreadableFile,
        "the graph cannot be read",
        at: path,
        hint: "see that the file is there"
      )
    }
    var graph: Graph
    do throws(Diagnostic) { graph = try Graph.parse(text) } catch {
      var located = error
      located.location = "\(path): \(error.location ?? "")"
      throw located
    }
    if let weights { try graph.bindConstants(to: try Weights.load(weights)) }
    return graph
  }

  /// Compiles a graph, with a progress line.
  func compile(
    _ graph: Graph,
    for purpose: String? = nil,
    to output: String? = nil
  ) async throws -> CompilationResult {
    let progress = ProgressLine(isQuiet: quiet)
    defer { progress.end() }
    let compiler = Compiler(target: try parsedTarget(), options: options(progress))
    return try await compiler.compile(graph, in: workDirectory, for: purpose, to: output)
  }
}
