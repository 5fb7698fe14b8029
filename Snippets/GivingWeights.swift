// Where the values of a model's parameters come from.
import AITemplate

let model = Sequential(Linear(64, 128), ReLU(), Linear(128, 10))
let x = Tensor.input("x", [.symbol("batch", 1...256), 64], .float32)
let y = softmax(model(x), axis: -1).named("y")

// From a file, by the dotted names of the parameters: here "0.weight", "0.bias", "2.weight", "2.bias".
for (name, parameter) in model.namedParameters { print(name, parameter.shape) }

// Names of another program: take a prefix off, forgive what inference does not use.
let options = WeightMapping.Options(removedPrefix: "classifier.", allowsUnexpected: true)
let file = try Weights.load("classifier.safetensors")
let compiled = try await compile(
  y,
  named: "classifier",
  constants: file.mapped(to: model, options: options)
)

// Or when the model runs: compiled without values, the library asks for them by name.
let open = try await compile(y, named: "open_classifier")
print(try open.constantNames(unboundOnly: true))
try open.setConstants(try file.mapped(to: model, options: options))

// A single one may change later; runs see all of a change or none of it.
let bias = TensorData(.float32, [10], Array(repeating: 0.5, count: 10))
try open.setConstant("2.bias", to: bias)
