// How to infer a PyTorch model: the tutorial of AITemplate, in Swift.
//
//   make demo                         on this machine's processor
//   make demo TARGET=cuda:detect      on its GPU
import AITemplate

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The model of `pytorch_model.py`: two dense layers around a GELU, a residual, a LayerNorm.
final class SimpleModel: Module {
  let dense1: Linear, dense2: Linear, layernorm: LayerNorm

  init(hidden: Int) {
    dense1 = Linear(hidden, 4 * hidden, specialization: .fastGELU)
    dense2 = Linear(4 * hidden, hidden)
    layernorm = LayerNorm(hidden)
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    layernorm(dense2(dense1(input)) + input)
  }
}

/// `Tutorial [FIXTURE] [WORK-DIRECTORY] [--target TARGET] [--set-weights]`.
struct Arguments {
  var fixture = "out/tutorial"
  var workDirectory = "tmp"
  var target = "cpu:native"
  /// Whether the library is compiled without weights, which then are set before it runs.
  var setsWeights = false

  init(_ texts: [String]) {
    var folders: [String] = []
    var rest = texts[...]
    while let text = rest.popFirst() {
      switch text {
      case "--target": target = rest.popFirst() ?? target
      case "--set-weights": setsWeights = true
      default: folders.append(text)
      }
    }
    if folders.count > 0 { fixture = folders[0] }
    if folders.count > 1 { workDirectory = folders[1] }
  }
}

@main
struct Tutorial {
  static func main() async {
    do { try await run(Arguments(Array(CommandLine.arguments.dropFirst()))) } catch {
      print(error)
      exit(1)
    }
  }

  static func run(_ arguments: Arguments) async throws {
    // The weights as PyTorch saved them, a batch, and PyTorch's own output for it.
    let fixture = arguments.fixture
    let weights = try PyTorchWeights(contentsOf: "\(fixture)/simple_model.pt")
    let input = try Safetensors.read("\(fixture)/input.safetensors").tensor(named: "X")
    let expected = try Safetensors.read("\(fixture)/output.safetensors").tensor(named: "Y")

    let model = SimpleModel(hidden: 512)
    let x = Tensor.input("X", [.symbol("batch", 1...2048), 512], .float16)
    let y = model(x).named("Y")
    print("As written:\n\(try pseudoCode(of: y))\n")
    print("As compiled:\n\(try pseudoCode(of: y, optimized: true))\n")

    let clock = ContinuousClock()
    let start = clock.now
    let constants = try weights.mapped(to: model)
    let module = try await compile(
      y,
      for: Target(arguments.target),
      in: arguments.workDirectory,
      named: "simple_model_demo",
      constants: arguments.setsWeights ? [:] : constants
    )
    print("compiled \(module.path) in \(start.duration(to: clock.now).milliseconds) ms")
    if arguments.setsWeights { try module.setConstants(constants) }

    // Where the model runs; on the processor this is the host's memory. On a GPU the run is one
    // launch of a CUDA graph.
    let onDevice = try DeviceTensor(input, on: module)
    let result = try DeviceTensor(expected.dtype, expected.shape, on: module)
    try module.run([onDevice], into: [result], graphMode: true)
    let (error, isClose) = compare(try result.read(), expected, tolerance: 1e-2)
    print("largest difference from PyTorch: \(error)")
    print("within the tutorial's tolerance (atol=1e-2, rtol=1e-2): \(isClose)")

    let time = try module.benchmark(
      [onDevice],
      into: [result],
      count: module.deviceName == nil ? 50 : 1000,
      graphMode: true
    )
    let place = module.deviceName.map { " on \($0)" } ?? ""
    let microseconds = (time * 1e5).rounded() / 100
    let milliseconds = (time * 1000).rounded() / 1000
    print(
      "AITemplate time\(place): "
        + (place.isEmpty ? "\(milliseconds) ms/iter" : "\(microseconds) us/iter")
        + " (float16, batch \(input.shape[0]))"
    )
    guard isClose else { exit(2) }
  }

  /// The largest difference, and whether all are within `tolerance + tolerance · |expected|`, as
  /// `torch.allclose` has it.
  static func compare(_ found: TensorData, _ expected: TensorData, tolerance: Double)
    -> (largest: Double, isClose: Bool)
  {
    let pairs = zip(found.doubles, expected.doubles)
    let isClose =
      found.shape == expected.shape
      && pairs.allSatisfy { abs($0 - $1) <= tolerance + tolerance * abs($1) }
    return (pairs.reduce(0) { max($0, abs($1.0 - $1.1)) }, isClose)
  }
}

extension Duration {
  /// The duration in whole milliseconds.
  var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
