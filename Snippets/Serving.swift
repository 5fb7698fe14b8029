// A library in a server: several runs at once, memory kept from run to run.
import AITemplate

// Four runs may go on at once, each on two threads.
let module = try CompiledModule(
  contentsOf: "tmp/simple_model/simple_model.so",
  runtimes: 4,
  threads: 2
)

// On a machine the library was not built on: does it compute what the reference evaluator did?
print("largest error of the self test: \(try module.selfTest())")
print("bytes of intermediates for each run: \(try module.memory.arenaBound)")

// Outputs that the caller keeps are written again and again; a run allocates nothing.
let input = TensorData(zeros: .float16, [32, 512])
var outputs = try module.allocateOutputs(for: [input])
for _ in 0..<3 { try module.run([input], into: &outputs) }

// A smaller batch with fewer threads; outputs come back at the shape of this run.
let single = try module.run(["X": TensorData(zeros: .float16, [1, 512])], threads: 1)
print(single)
