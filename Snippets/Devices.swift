// A library for a GPU: tensors that stay there, runs in a stream.
import AITemplate

// The first GPU; a library for the CPU takes no device.
let module = try CompiledModule(contentsOf: "tmp/simple_model/simple_model.so", device: "cuda:0")

// Host tensors are copied to the GPU, and results back.
let input = TensorData(zeros: .float16, [1024, 512])
print(try module.run(["X": input]))

// Tensors that stay there are read and written without a copy; in graph mode the run is one launch.
let x = try module.copyToDevice([input])
let y = try module.allocateOutputs(for: x)
try module.run(x, into: y, graphMode: true)
print(try y[0].read())

// Runs in a stream go on beside the program.
let stream = try DeviceStream(on: module)
for _ in 0..<3 { try module.enqueue(x, into: y, on: stream, graphMode: true) }
try stream.synchronize()
