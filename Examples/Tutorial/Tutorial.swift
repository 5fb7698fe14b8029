// How to infer a PyTorch model: the tutorial of AITemplate, in Swift.
//
//   make demo
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

@main
struct Tutorial {
  static func main() async {
    let arguments = CommandLine.arguments
    do {
      try await run(
        fixture: arguments.count > 1 ? arguments[1] : "out/tutorial",
        workDirectory: arguments.count > 2 ? arguments[2] : "tmp"
      )
    } catch {
      print(error)
      exit(1)
    }
  }

  static func run(fixture: String, workDirectory: String) async throws {
    // The weights as PyTorch saved them, a batch, and PyTorch's own output for it.
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
    let module = try await compile(
      y,
      for: .detected(),
      in: workDirectory,
      named: "simple_model_demo",
      constants: weights.mapped(to: model)
    )
    print("compiled \(module.path) in \(start.duration(to: clock.now).milliseconds) ms")

    let result = try module.run(["X": input])
    guard let found = result["Y"] else { return }
    let (error, isClose) = compare(found, expected, tolerance: 1e-2)
    print("largest difference from PyTorch: \(error)")
    print("within the tutorial's tolerance (atol=1e-2, rtol=1e-2): \(isClose)")

    let time = try module.benchmark(["X": input], count: 50)
    let milliseconds = (time * 1000).rounded() / 1000
    print("AITemplate time: \(milliseconds) ms/iter (float16, batch \(input.shape[0]))")
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
