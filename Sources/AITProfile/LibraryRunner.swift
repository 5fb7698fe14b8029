import AITGraph
import AITLoader
import AITOperators
import AITReference

/// Runs the candidates in a library that `MeasuringGraph` was compiled to, on the device.
///
/// A measurement replays a graph of as many launches as the problem has copies, so that launches
/// overlap as they do in a model, and operands come from memory.
package struct LibraryRunner: CandidateRunner {
  private let module: CompiledModule
  private let inputs: [DeviceTensor]
  private let outputs: [DeviceTensor]
  private let selector: Int
  private let copies: Int
  private let sample: SampledReference

  /// The device's name, such as `NVIDIA H200`.
  package var device: String { Self.model(of: module.deviceName ?? "") }

  /// What a label such as `cuda:0 'NVIDIA H200'` says of the kind of device, without its number.
  package static func model(of label: String) -> String {
    guard let first = label.firstIndex(of: "'"), let last = label.lastIndex(of: "'"), first < last
    else { return label }
    return String(label[label.index(after: first)..<last])
  }

  /// How long a measurement takes, about, in seconds.
  private static let duration = 10e-3

  /// Loads a library and puts its operands onto the device.
  ///
  /// - Throws: `loadFailed`, or what the driver says.
  package init(contentsOf path: String) throws(Diagnostic) {
    let module = try CompiledModule(contentsOf: path)
    let graph = try Graph.parse(module.graphText)
    guard let node = graph.nodeIDs.first.map({ graph[$0] }), let op = node.op as? MatMul,
      let selector = module.inputs.firstIndex(where: { $0.name == MeasuringGraph.selectorName })
    else {
      throw Diagnostic(
        .loadFailed,
        "the library measures nothing",
        at: path,
        hint: "`ait tune prepare FOLDER GRAPH` makes libraries that do"
      )
    }
    self.module = module
    self.selector = selector
    copies = graph.nodeIDs.count
    var random = RandomGenerator(seed: 0x7e57)
    let operands = node.inputs.map { Self.numbers(graph[$0].type, &random) }
    let named = Dictionary(
      zip(node.inputs.map { graph[$0].name }, operands),
      uniquingKeysWith: { first, _ in first }
    )
    /// The operand of any copy: its name ends with the number of the copy.
    func operand(_ name: String) -> TensorData? {
      named[name.split(separator: "_").first.map { "\($0)_0" } ?? ""]
    }
    var constants: [String: TensorData] = [:]
    for name in try module.constantNames() { constants[name] = operand(name) }
    if !constants.isEmpty { try module.setConstants(constants) }
    var inputs: [DeviceTensor] = []
    for input in module.inputs {
      let tensor = operand(input.name) ?? TensorData(zeros: .uint8, [1])
      inputs.append(try DeviceTensor(tensor, on: module))
    }
    self.inputs = inputs
    var outputs: [DeviceTensor] = []
    for output in module.outputs {
      outputs.append(try DeviceTensor(output.dtype, output.maximumShape, on: module))
    }
    self.outputs = outputs
    sample = try SampledReference(
      op,
      node.fusion,
      operands,
      shape: module.outputs[0].maximumShape,
      &random
    )
  }

  /// Random numbers of the size of a normalised activation; large tensors repeat themselves, at a
  /// distance that no extent is a multiple of.
  private static func numbers(_ type: TensorType, _ random: inout RandomGenerator) -> TensorData {
    let shape = type.shape.constants ?? []
    let count = shape.reduce(1, *)
    let period = 1_048_573
    let some = TensorData.random(type.dtype, [min(count, period)], using: &random, scale: 0.5)
    guard count > period else { return some.reshaped(shape) }
    var result = TensorData(zeros: type.dtype, shape)
    result.withUnsafeMutableBytes { target in
      some.withUnsafeBytes { source in
        var start = 0
        while start < target.count {
          let size = min(source.count, target.count - start)
          target[start..<(start + size)].copyBytes(from: source[..<size])
          start += size
        }
      }
    }
    return result
  }

  private func inputs(selecting number: Int) throws(Diagnostic) -> [DeviceTensor] {
    var inputs = inputs
    inputs[selector] = try DeviceTensor(.uint8, [number], on: module)
    return inputs
  }

  package func results(of number: Int) throws(Diagnostic) -> [TensorData] {
    let firstCopy = outputs.prefix(outputs.count / copies)
    for output in firstCopy {
      var poison = TensorData(zeros: output.dtype, output.shape)
      poison.withUnsafeMutableBytes { bytes in
        for index in bytes.indices { bytes[index] = 0xff }
      }
      try output.write(poison)
    }
    try module.run(try inputs(selecting: number), into: outputs)
    var results: [TensorData] = []
    for output in firstCopy { results.append(try output.read()) }
    return results
  }

  package func seconds(of number: Int) throws(Diagnostic) -> Double {
    let inputs = try inputs(selecting: number)
    func time(_ count: Int) throws(Diagnostic) -> Double {
      try module.benchmark(inputs, into: outputs, count: count, graphMode: true) * 1e-3
    }
    let once = try time(2)
    let count = min(1000, max(2, Int(Self.duration / max(once, 1e-7))))
    return try time(count) / Double(copies)
  }

  package func fault(of results: [TensorData]) throws(Diagnostic) -> String? {
    sample.fault(of: results)
  }
}
