import AITGraph
import AITLoader
import AITOperators
import AITWeights
import AITemplate
import ArgumentParser

/// `ait run`: a library on tensors.
struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a library on tensors from .npy or .safetensors files."
  )

  @Argument(help: "The library.")
  var library: String

  @OptionGroup var inputs: InputFlags

  @Option(help: "Values of constants: a .safetensors or .pt file.")
  var weights: String?

  @Option(
    name: .shortAndLong,
    help: "Where the outputs go: a .safetensors file, or NAME=file.npy, several times."
  )
  var output: [String] = []

  func run() async throws {
    let module = try CompiledModule(contentsOf: library, threads: inputs.threads)
    if let weights { try module.setConstants(try Weights.load(weights).tensorsByName) }
    let graph = try Graph.parse(module.graphText)
    let results = try module.run(try inputs.tensors(for: graph))
    for name in results.keys.sorted() {
      if let tensor = results[name] { print("\(name): \(tensor)") }
    }
    for target in output { try write(results, to: target) }
  }

  private func write(_ results: [String: TensorData], to target: String) throws(Diagnostic) {
    guard let equals = target.firstIndex(of: "="), !target[..<equals].contains("/") else {
      try Safetensors.write(
        results.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: $0.value) },
        to: target
      )
      return
    }
    let name = String(target[..<equals])
    guard let tensor = results[name] else {
      throw Diagnostic(
        .invalidOption,
        "--output \(target): the model has no output '\(name)'",
        hint: "its outputs are \(results.keys.sorted().joined(separator: ", "))"
      )
    }
    try Numpy.write(tensor, to: String(target[target.index(after: equals)...]))
  }
}
