import AITBuild
import AITGraph
import AITemplate
import ArgumentParser

/// `ait compile`: a graph to a library.
struct Compile: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compile a graph to a shared library with a C interface.",
    discussion: """
      Prints the path of the library. Constants without values are set when the library runs. \
      The generated sources, with a Makefile that builds them, stay in the work directory.
      """
  )

  @Argument(help: "The file of the graph, as text, or of a program saved by torch.export.save.")
  var graph: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Where the library goes; if not given, NAME/NAME.so in the work directory.",
      valueName: "file"
    )
  )
  var output: String?

  @Flag(
    help: """
      Of a program of torch.export, print its operators, which of them cannot be compiled, and where \
      they come from, then its inputs and their symbols; compile nothing.
      """
  )
  var dryRun = false

  @OptionGroup var options: CompileOptions

  @OptionGroup var tuning: TuningOptions

  func run() async throws {
    if dryRun { return try report() }
    if let output { try FileSystem.checkDestination(output) }
    let model = try options.graph.read(graph)
    let result = try await options.compile(model, to: output, tuning: tuning)
    let size = FileSystem.size(result.library) ?? 0
    if options.build.verbose {
      Terminal.printError(result.kernelTable)
      Terminal.printError(
        "\(result.compiledUnits) units compiled, \(result.reusedUnits) reused; sources in "
          + result.sourceFolder
      )
    }
    if !options.build.quiet { Terminal.printError("\(result.library)  \(Format.bytes(size))") }
    print(result.library)
  }
  /// Prints what the model's operators are; fails if it cannot be compiled.
  private func report() throws {
    let file = ModelFile(graph)
    if file.isProgram {
      let coverage = try file.readProgram().coverage
      print(coverage, terminator: "")
      let missing = coverage.unsupported.count
      Terminal.printError("\(coverage.uses.count) operators, \(missing) of them not supported")
      guard missing == 0 else { throw ExitCode.failure }
    }
    // Shapes and types are found while the graph is built.
    let graph = try options.graph.read(graph)
    let code = graph.pseudoCode()
    // Of a program, what --bound needs: the inputs, the symbols in them, and their bounds.
    print(file.isProgram ? "\(code.prefix { $0 != "\n" })\n" : code, terminator: "")
    Terminal.printError("\(graph.nodeCount) nodes; nothing was compiled")
  }
}
