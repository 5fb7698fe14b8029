import AITBuild
import AITGraph
import AITemplate
import ArgumentParser

/// `ait compile`: a graph to a library.
struct Compile: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compile a graph to a shared library with a C interface."
  )

  @Argument(help: "The graph, as text.")
  var graph: String

  @Option(name: .shortAndLong, help: "The library; in the work directory if not given.")
  var output: String?

  @OptionGroup var flags: CompileFlags

  func run() async throws {
    let model = try flags.readGraph(graph)
    let result = try await flags.compile(model, to: output)
    let size = FileSystem.size(result.library) ?? 0
    if flags.verbose {
      Terminal.printError(result.kernelTable)
      Terminal.printError(
        "\(result.compiledUnits) units compiled, \(result.reusedUnits) reused; sources in "
          + result.sourceFolder
      )
    }
    if !flags.quiet { Terminal.printError("\(result.library)  \(Format.bytes(size))") }
    print(result.library)
  }
}
