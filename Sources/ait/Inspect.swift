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
      --emit=graph               the optimised graph
      --emit=pseudo              the same as Python-like lines
      --emit=kernels             the kernels chosen, step by step
      --emit=plan                steps, buffers and the arena
      --emit=source              the generated C++
      --emit=manifest            inputs, outputs, steps and buffers as JSON
      --emit=dot, --emit=svg     a picture of the optimised graph

      A library holds these as it was compiled; the options below are for graphs, \
      which have besides:

      --emit=input               the graph as it was read
      --emit=graph-after=PASS    the graph after a pass
      --emit=passes              the names of the passes, in order
      """
  )

  @Argument(help: "The file of a graph, as text, or a library.")
  var model: String

  @Option(help: ArgumentHelp("What to print, of the list above.", valueName: "stage"))
  var emit = "graph"

  @OptionGroup var target: TargetOption
  @OptionGroup var options: GraphOptions

  @Option(
    help: ArgumentHelp(
      "Choose kernels by measurements of this file, as `ait compile` does.",
      valueName: "file"
    )
  )
  var tuningRecord: String?

  func run() async throws {
    if ModelFile(model).isLibrary {
      try inspectLibrary()
    } else {
      try inspectGraph()
    }
  }

  private func inspectLibrary() throws(Diagnostic) {
    switch emit {
    case "kernels", "plan", "source":
      // Read from the file: it need not be a library for this machine.
      let section = StageListing.sectionName(emit)
      guard let text = try LibrarySections.text(of: section, in: model) else {
        throw Diagnostic(
          .unsupportedFormat,
          "the library does not hold the stage '\(emit)'",
          at: model,
          hint: "it was made by an older compiler, or its sections were removed; compile it again"
        )
      }
      print(text, terminator: "")
    case "graph": print(try library.graphText, terminator: "")
    case "manifest": print(try library.manifest)
    case "pseudo": print(try graph.pseudoCode())
    case "dot": print(try graph.dot(), terminator: "")
    case "svg": print(try graph.svg(), terminator: "")
    default:
      throw Diagnostic(
        .invalidOption,
        "--emit=\(emit) of a library",
        hint: "a library has graph, pseudo, kernels, plan, source, manifest, dot and svg; other "
          + "stages need the graph file"
      )
    }
  }

  private var library: LibraryTexts {
    get throws(Diagnostic) { try LibraryTexts(contentsOf: model) }
  }

  /// The graph that the library was made from.
  private var graph: Graph {
    get throws(Diagnostic) { try Graph.parse(try library.graphText) }
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
    compilerOptions.tuningRecord = tuningRecord
    let compiler = try Compiler(target: try target.parsed(), options: compilerOptions).reading()
    let graph = try compiler.optimize(read)
    switch emit {
    case "graph": print(graph, terminator: "")
    case "pseudo": print(graph.pseudoCode())
    case "dot": print(graph.dot(), terminator: "")
    case "svg": print(graph.svg(), terminator: "")
    case "kernels", "plan", "source":
      let stages = try compiler.sources(try compiler.plan(graph)).stages
      print(stages.text(emit) ?? "", terminator: "")
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
