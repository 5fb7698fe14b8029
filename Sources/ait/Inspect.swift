import AITBuild
import AITCodegen
import AITGraph
import AITLoader
import AITOperators
import AITPasses
import AITPlan
import AITemplate
import ArgumentParser

/// `ait inspect`: every stage as text or picture.
struct Inspect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a stage of a graph's compilation, or what a library says of itself.",
    discussion: """
      --emit=graph               the graph, optimised (of a library: as compiled)
      --emit=input               the graph as it was read
      --emit=pseudo              the optimised graph as Python-like lines
      --emit=graph-after=PASS    the graph after a pass; `--emit=passes` lists them
      --emit=kernels             the kernels chosen
      --emit=plan                steps, buffers and the arena
      --emit=source              the generated C++
      --emit=manifest            inputs, outputs, steps and buffers as JSON
      --emit=dot, --emit=svg     a picture
      """
  )

  @Argument(help: "A graph, or a library.")
  var model: String

  @Option(help: "What to print.")
  var emit = "graph"

  @OptionGroup var target: TargetOption
  @OptionGroup var options: GraphOptions

  func run() async throws {
    if ModelFile(model).isLibrary {
      try inspectLibrary()
    } else {
      try inspectGraph()
    }
  }

  private func inspectLibrary() throws(Diagnostic) {
    let module = try CompiledModule(contentsOf: model)
    let text = try module.graphText
    switch emit {
    case "graph": print(text, terminator: "")
    case "manifest": print(try module.manifest)
    case "pseudo": print(try Graph.parse(text).pseudoCode())
    case "dot": print(try Graph.parse(text).dot(), terminator: "")
    case "svg": print(try Graph.parse(text).svg(), terminator: "")
    default:
      throw Diagnostic(
        .invalidOption,
        "--emit=\(emit) of a library",
        hint: "a library has graph, pseudo, manifest, dot and svg; other stages need the graph file"
      )
    }
  }

  private func inspectGraph() throws(Diagnostic) {
    let read = try options.read(model)
    if emit == "input" {
      print(read, terminator: "")
      return
    }
    if emit == "passes" {
      print(Pipeline.standard.names.joined(separator: "\n"))
      return
    }
    if emit.hasPrefix("graph-after=") {
      var graph = read
      try Pipeline.standard.run(on: &graph, stoppingAfter: String(emit.dropFirst(12)))
      print(graph, terminator: "")
      return
    }
    var compilerOptions = CompilerOptions()
    options.apply(to: &compilerOptions)
    let compiler = Compiler(target: try target.parsed(), options: compilerOptions)
    let graph = try compiler.optimize(read)
    switch emit {
    case "graph": print(graph, terminator: "")
    case "pseudo": print(graph.pseudoCode())
    case "dot": print(graph.dot(), terminator: "")
    case "svg": print(graph.svg(), terminator: "")
    case "kernels": print(try compiler.plan(graph).kernelTable, terminator: "")
    case "plan": print(try compiler.plan(graph), terminator: "")
    case "source":
      let model = try compiler.sources(try compiler.plan(graph))
      for file in model.bundle.files
      where file.path == "model.cpp" || file.path.hasPrefix("kernels/") {
        print("// ---- \(file.path)\n\(file.text)")
      }
    case "manifest":
      let model = try compiler.sources(try compiler.plan(graph))
      print(model.bundle.files.first { $0.path == "manifest.json" }?.text ?? "", terminator: "")
    default:
      throw Diagnostic(
        .invalidOption,
        "--emit=\(emit)",
        hint: "see `ait inspect --help` for what can be printed"
      )
    }
  }
}
