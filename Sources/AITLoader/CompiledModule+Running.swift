import AITGraph
import AITModelInterface

// MARK: - Tensors of the host

extension CompiledModule {
  /// Runs the model on tensors by name.
  ///
  /// On a GPU they are copied there, and the results back.
  ///
  /// - Parameters:
  ///   - inputs: one tensor for each input, of its element type, within its bounds.
  ///   - threads: at most so many threads; 0 takes the module's number.
  /// - Returns: the outputs by name, at the shapes this run gives.
  /// - Throws: `Diagnostic` with identity `invalidArgument` for wrong names, `runFailed` with the
  ///   library's own text otherwise.
  public func run(_ inputs: [String: TensorData], threads: Int = 0) throws(Diagnostic)
    -> [String: TensorData]
  {
    let ordered = try order(inputs)
    var results = try allocateOutputs(for: ordered)
    try run(ordered, into: &results, threads: threads)
    return Dictionary(
      uniqueKeysWithValues: zip(outputs, results).map { ($0.name, $1) }
    )
  }

  /// Runs the model on tensors in order, into outputs that the caller keeps.
  ///
  /// On the CPU nothing is allocated but a few words of bookkeeping. On a GPU the tensors are copied
  /// to memory that is allocated for this run: keep `DeviceTensor`s there instead.
  public func run(_ inputs: [TensorData], into results: inout [TensorData], threads: Int = 0)
    throws(Diagnostic)
  {
    guard deviceName == nil else { return try runOnDevice(inputs, into: &results) }
    var options = AITemplateRunOptions()
    options.struct_size = MemoryLayout<AITemplateRunOptions>.size
    options.num_threads = max(0, threads)
    let call = try library.function(Self.runWithOptions, as: RunWithOptions.self)
    let error = Arguments.withData(inputs, &results) { inputs, outputs in
      call(handle, inputs.baseAddress, inputs.count, outputs.baseAddress, outputs.count, &options)
    }
    try library.check(error)
  }

  private func runOnDevice(_ inputs: [TensorData], into results: inout [TensorData])
    throws(Diagnostic)
  {
    let read = try copyToDevice(inputs)
    let written = try results.map { result throws(Diagnostic) in
      try DeviceTensor(result.dtype, result.shape, on: self)
    }
    try run(read, into: written)
    for (index, output) in written.enumerated() { try output.read(into: &results[index]) }
  }

  private static var runWithOptions: String { "AITemplateModelContainerRunWithOptions" }

  private typealias RunWithOptions =
    @convention(c) (
      AITemplateModelHandle?, UnsafePointer<AITData>?, Int, UnsafeMutablePointer<AITData>?, Int,
      UnsafePointer<AITemplateRunOptions>?
    ) -> AITemplateError

  func order(_ named: [String: TensorData]) throws(Diagnostic) -> [TensorData] {
    if let unknown = named.keys.sorted().first(where: { name in
      !inputs.contains { $0.name == name }
    }) {
      let near = Identifier.nearest(to: unknown, among: inputs.map(\.name))
      throw Diagnostic(
        .invalidArgument,
        "the model has no input '\(unknown)'",
        at: path,
        hint: near.isEmpty
          ? "its inputs are \(inputs.map(\.name).joined(separator: ", "))"
          : "did you mean \(near.joined(separator: ", "))?"
      )
    }
    var ordered: [TensorData] = []
    for input in inputs {
      guard let tensor = named[input.name] else {
        throw Diagnostic(
          .invalidArgument,
          "input '\(input.name)' is missing",
          at: path,
          hint: "its inputs are \(inputs.map(\.name).joined(separator: ", "))"
        )
      }
      ordered.append(tensor)
    }
    return ordered
  }

  /// Makes output tensors of the shapes that a run on these inputs gives.
  public func allocateOutputs(for inputs: [TensorData]) throws(Diagnostic) -> [TensorData] {
    var none: [TensorData] = []
    let shapes = try outputShapes { infer in
      Arguments.withData(inputs, &none) { inputs, _ in infer(inputs) }
    }
    return zip(outputs, shapes).map { TensorData(zeros: $0.dtype, $1) }
  }

  /// The shapes that the library infers, by a closure that hands it descriptions of the inputs.
  private func outputShapes(
    _ describe: ((UnsafeBufferPointer<AITData>) -> AITemplateError) -> AITemplateError
  ) throws(Diagnostic) -> [[Int]] {
    typealias Infer =
      @convention(c) (
        AITemplateModelHandle?, UnsafePointer<AITData>?, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<Int64>?>?
      ) -> AITemplateError
    let infer = try library.function(
      "AITemplateModelContainerInferOutputShapes",
      as: Infer.self
    )
    let ranks = outputs.map(\.maximumShape.count)
    var storage = [Int64](repeating: 0, count: max(1, ranks.reduce(0, +)))
    let error = storage.withUnsafeMutableBufferPointer { storage -> AITemplateError in
      var next = storage.baseAddress
      var pointers: [UnsafeMutablePointer<Int64>?] = ranks.map { rank in
        defer { next = next?.advanced(by: rank) }
        return next
      }
      return describe { inputs in infer(handle, inputs.baseAddress, inputs.count, &pointers) }
    }
    try library.check(error)
    var start = 0
    return ranks.map { rank in
      defer { start += rank }
      return storage[start..<(start + rank)].map { Int($0) }
    }
  }
}

// MARK: - Tensors of a device

extension CompiledModule {
  /// Makes tensors on the device, for outputs of the shapes that a run on these inputs gives.
  public func allocateOutputs(for inputs: [DeviceTensor]) throws(Diagnostic) -> [DeviceTensor] {
    let shapes = try outputShapes { infer in
      Arguments.withDescriptions(inputs.map(\.argument), []) { inputs, _ in infer(inputs) }
    }
    var results: [DeviceTensor] = []
    for (output, shape) in zip(outputs, shapes) {
      results.append(try DeviceTensor(output.dtype, shape, on: self))
    }
    return results
  }

  /// Copies tensors to the module's device.
  public func copyToDevice(_ tensors: [TensorData]) throws(Diagnostic) -> [DeviceTensor] {
    try tensors.map { tensor throws(Diagnostic) in try DeviceTensor(tensor, on: self) }
  }

  /// Runs the model on tensors of its device, in order, and waits for the results.
  ///
  /// - Parameters:
  ///   - inputs: one tensor for each input, of its element type, within its bounds.
  ///   - results: one tensor for each output, with room for what this run gives.
  ///   - graphMode: whether the run is one launch of a CUDA graph, made at the first run of these
  ///     shapes and tensors. On the CPU it changes nothing.
  ///   - threads: on the CPU, at most so many threads; 0 takes the module's number.
  /// - Throws: `Diagnostic` with identity `runFailed` and the library's own text.
  public func run(
    _ inputs: [DeviceTensor],
    into results: [DeviceTensor],
    graphMode: Bool = false,
    threads: Int = 0
  ) throws(Diagnostic) {
    guard deviceName == nil else {
      return try run(inputs, into: results, on: nil, waits: true, graphMode: graphMode)
    }
    var options = AITemplateRunOptions()
    options.struct_size = MemoryLayout<AITemplateRunOptions>.size
    options.num_threads = max(0, threads)
    let call = try library.function(Self.runWithOptions, as: RunWithOptions.self)
    let error = Arguments.withDescriptions(inputs.map(\.argument), results.map(\.argument)) {
      call(handle, $0.baseAddress, $0.count, $1.baseAddress, $1.count, &options)
    }
    try library.check(error)
  }

  /// Puts a run into a stream and returns; `stream.synchronize()` waits for it.
  ///
  /// The tensors stay alive until then. Runs that are to go on at once need as many runtimes.
  ///
  /// - Parameters:
  ///   - inputs: one tensor for each input, of its element type, within its bounds.
  ///   - results: one tensor for each output, with room for what this run gives.
  ///   - stream: a stream of the module's device.
  ///   - graphMode: whether the run is one launch of a CUDA graph, made at the first run of these
  ///     shapes and tensors.
  /// - Throws: `Diagnostic` with identity `runFailed` for what can be told now; an error on the
  ///   device is thrown where the stream is waited for, or by a later run.
  public func enqueue(
    _ inputs: [DeviceTensor],
    into results: [DeviceTensor],
    on stream: DeviceStream,
    graphMode: Bool = false
  ) throws(Diagnostic) {
    guard deviceName != nil else { return try run(inputs, into: results) }
    stream.keep(inputs + results)
    try run(inputs, into: results, on: stream, waits: false, graphMode: graphMode)
  }

  private func run(
    _ inputs: [DeviceTensor],
    into results: [DeviceTensor],
    on stream: DeviceStream?,
    waits: Bool,
    graphMode: Bool
  ) throws(Diagnostic) {
    typealias Run =
      @convention(c) (
        AITemplateModelHandle?, UnsafePointer<AITData>?, Int, UnsafeMutablePointer<AITData>?, Int,
        AITemplateStreamHandle?, Bool, Bool, UnsafeMutablePointer<UnsafeMutablePointer<Int64>?>?
      ) -> AITemplateError
    let call = try library.function("AITemplateModelContainerRun", as: Run.self)
    let error = Arguments.withDescriptions(inputs.map(\.argument), results.map(\.argument)) {
      call(
        handle,
        $0.baseAddress,
        $0.count,
        $1.baseAddress,
        $1.count,
        stream?.handle,
        waits,
        graphMode,
        nil
      )
    }
    withExtendedLifetime((inputs, results)) {}
    try library.check(error)
  }
}

extension DeviceTensor {
  var argument: Arguments.Tensor { .init(dtype: dtype, shape: shape, pointer: address) }
}
