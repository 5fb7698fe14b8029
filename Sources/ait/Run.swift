import AITGraph
import AITLoader
import AITOperators
import AITemplate
import ArgumentParser

/// `ait run`: a library on tensors.
struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a library on tensors of files, or on random ones, and print its outputs.",
    discussion: """
      Prints the type and the first elements of each output. Inputs that are not given are random, \
      of the largest size that the model and the given inputs allow.
      """
  )

  @Argument(help: "The library.")
  var library: String

  @OptionGroup var inputs: InputFlags

  @OptionGroup var device: DeviceOption

  @OptionGroup var constants: ConstantOption

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      """
      Where outputs go: NAME=FILE.npy for one of them, FILE.npy where there is only one, or \
      FILE.safetensors for all. May be given several times.
      """,
      valueName: "[name=]file"
    )
  )
  var output: [String] = []

  func run() async throws {
    try await EmulatedDevice.prepare(for: library)
    let module = try CompiledModule(
      contentsOf: library,
      threads: inputs.threads,
      device: device.device
    )
    let files = try OutputFiles(output, of: module.outputs.map(\.name))
    let graph = try Graph.parse(module.graphText)
    let tensors = try inputs.tensors(for: graph)
    try module.setConstants(from: constants.weights, of: graph)
    let results = try module.run(tensors)
    for name in results.keys.sorted() {
      if let tensor = results[name] { print("\(name): \(tensor)") }
    }
    try files.write(results)
  }
}
