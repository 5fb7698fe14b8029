// The tutorial's model: weights that PyTorch saved, compiled to one library, run on a batch.
// `make fixture` unpacks the files.
import AITemplate

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

let model = SimpleModel(hidden: 512)
let x = Tensor.input("X", [.symbol("batch", 1...2048), 512], .float16)
let y = model(x).named("Y")
let weights = try PyTorchWeights(contentsOf: "out/tutorial/simple_model.pt")
let module = try await compile(y, named: "simple_model", constants: weights.mapped(to: model))

let batch = try Safetensors.read("out/tutorial/input.safetensors").tensor(named: "X")
let result = try module.run(["X": batch])
print(result)

print(try pseudoCode(of: y))
print(try pseudoCode(of: y, optimized: true))
