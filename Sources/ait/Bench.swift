import AITGraph
import AITLoader
import AITMeasure
import AITOperators
import AITWeights
import AITemplate
import ArgumentParser

/// `ait bench`: how fast a library runs.
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time a library: median, p90, p99, GFLOP/s and the share of this machine's peak.",
    discussion: """
      Inputs that are not given are random, and so are constants without values. The peak is that \
      of float32 multiply-adds on as many threads, measured in this run.

      On a GPU runs are timed by events of the device, many in a row, each one launch of a CUDA \
      graph unless --no-graph is given; what fits into the level-2 cache is there from the run \
      before. The sum of the steps is that of a run that finds nothing there. Copies on the device \
      are measured in this run; the peak of matrix products is the number of multiprocessors by \
      the highest clock.

      --json prints one object: median_ms, p90_ms, p99_ms (milliseconds of one run), runs, \
      gflop_per_second, peak_gflop_per_second, share_of_peak (0 to 1); on the CPU threads; on a GPU \
      device, graph, cold_steps_ms, gb_per_second, copy_gb_per_second.

      --suite times many libraries, which it compiles first: 'matmul' products with what is fused \
      into them, 'rows' what memory bounds. --prepare compiles them into a folder and ends, on any \
      machine; --from runs those of a folder.
      """
  )

  @Argument(help: "The library, or a graph to compile first.")
  var model: String?

  @OptionGroup var inputs: InputFlags
  @OptionGroup var device: DeviceOption
  @OptionGroup var options: CompileOptions
  @OptionGroup var suite: SuiteOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Seconds to measure for, up to 3600; 2, or 0.2 for each of a suite.",
      valueName: "seconds"
    )
  )
  var seconds: Double?

  @Flag(
    inversion: .prefixedNo,
    help: "On a GPU: runs as launches of a CUDA graph, or kernel by kernel."
  )
  var graph = true

  @Flag(help: "Print JSON, with each unit in the name.")
  var json = false

  func validate() throws {
    if let seconds { try OptionRange.check("--seconds", seconds, in: 0...3600) }
    if (model == nil) == (suite.suite == nil) {
      throw ValidationError("name a library or graph, or a suite with --suite")
    }
  }

  func run() async throws {
    if let name = suite.suite {
      return try await suite.run(
        name,
        options,
        device: device.device,
        seconds: seconds ?? 0.2,
        usesGraph: graph,
        asJSON: json
      )
    }
    guard let model else { return }
    let isLibrary = ModelFile(model).isLibrary
    let library = isLibrary ? model : try await compiled(model)
    try await EmulatedDevice.prepare(for: library)
    let module = try CompiledModule(
      contentsOf: library,
      threads: inputs.threads,
      device: device.device
    )
    let program = try Graph.parse(module.graphText)
    // A graph was compiled with its weights.
    try module.setConstants(
      from: isLibrary ? options.graph.weights : nil,
      of: program,
      randomSeed: inputs.seed
    )
    let tensors = try inputs.tensors(for: program)
    let read = try module.copyToDevice(module.inputs.compactMap { tensors[$0.name] })
    let written = try module.allocateOutputs(for: read)
    let timing = try Timing(
      module,
      read,
      written,
      seconds: seconds ?? 2,
      usesGraph: graph
    )
    let isGPU = module.deviceName != nil
    let steps = try ProfileReport.measure(module, tensors, count: isGPU ? 10 : 1)
    let figures =
      timeFigures(timing)
      + (isGPU
        ? try deviceFigures(timing, steps, module, tensors) : processorFigures(timing, steps))
    if json {
      print("{\(figures.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", "))}")
    } else {
      let rows = figures.compactMap { figure in figure.name.map { [$0, figure.text] } }
      print(Format.table([["figure", "value"]] + rows))
    }
  }

  private func timeFigures(_ timing: Timing) -> [Figure] {
    func time(_ name: String, _ seconds: Double) -> Figure {
      Figure(
        name: name,
        text: "\(Format.fixed(seconds * 1e3, 4)) ms",
        key: "\(name)_ms",
        value: "\(seconds * 1e3)"
      )
    }
    return [
      time("median", timing.median), time("p90", timing.percentile(0.9)),
      time("p99", timing.percentile(0.99)),
      Figure(name: "runs", key: "runs", value: "\(timing.runCount)"),
    ]
  }

  private func processorFigures(_ timing: Timing, _ steps: [ProfileReport.Step]) -> [Figure] {
    let rate = steps.reduce(0) { $0 + $1.flops } / timing.median
    let threads = inputs.threads == 0 ? Processors.count : inputs.threads
    let peak = ait_measure_fma_peak(Int32(threads), 0.2)
    return [
      Figure(name: "threads", key: "threads", value: "\(threads)"),
      Figure(
        name: "rate",
        text: "\(Format.fixed(rate / 1e9, 1)) GFLOP/s",
        key: "gflop_per_second",
        value: "\(rate / 1e9)"
      ),
      Figure(
        name: "share of peak",
        text: "\(Format.fixed(100 * rate / peak, 1)) % of \(Format.fixed(peak / 1e9, 1)) GFLOP/s",
        key: "share_of_peak",
        value: "\(rate / peak)"
      ),
      Figure(key: "peak_gflop_per_second", value: "\(peak / 1e9)"),
    ]
  }

  private func deviceFigures(
    _ timing: Timing,
    _ steps: [ProfileReport.Step],
    _ module: CompiledModule,
    _ tensors: [String: TensorData]
  ) throws(Diagnostic) -> [Figure] {
    let peak = try GPUPeak(module)
    let rate = steps.reduce(0) { $0 + $1.flops } / timing.median
    let byteRate = steps.reduce(0) { $0 + $1.bytes } / timing.median
    let cold = steps.reduce(0) { $0 + $1.milliseconds }
    let cache = Format.bytes(peak.cacheSizeInBytes)
    var figures = [
      Figure(
        name: "device",
        text: module.deviceName,
        key: "device",
        value: "\"\(module.deviceName ?? "")\""
      ),
      Figure(
        name: "launches",
        text: graph ? "one CUDA graph a run" : "kernel by kernel",
        key: "graph",
        value: "\(graph)"
      ),
      Figure(
        name: "caches",
        text: "hot: what fits into the level-2 cache (\(cache)) stays from run to run",
        key: "cache",
        value: "\"hot\""
      ),
      Figure(
        name: "steps, cold caches",
        text: "\(Format.fixed(cold, 4)) ms, with the level-2 cache flushed before each run",
        key: "cold_steps_ms",
        value: "\(cold)"
      ),
      Figure(
        name: "rate",
        text: "\(Format.fixed(rate / 1e9, 1)) GFLOP/s",
        key: "gflop_per_second",
        value: "\(rate / 1e9)"
      ),
      Figure(
        name: "bytes",
        text: "\(Format.fixed(byteRate / 1e9, 1)) GB/s; copies go at "
          + "\(Format.fixed(peak.copyRate / 1e9, 1)) GB/s",
        key: "gb_per_second",
        value: "\(byteRate / 1e9)"
      ),
      Figure(key: "copy_gb_per_second", value: "\(peak.copyRate / 1e9)"),
    ]
    if let matrixRate = peak.matrixRate {
      figures += [
        Figure(
          name: "share of peak",
          text: "\(Format.fixed(100 * rate / matrixRate, 1)) % of "
            + "\(Format.fixed(matrixRate / 1e12, 0)) TFLOP/s, of float16 at the highest clock",
          key: "share_of_peak",
          value: "\(rate / matrixRate)"
        ),
        Figure(key: "peak_gflop_per_second", value: "\(matrixRate / 1e9)"),
      ]
    }
    return figures
  }

  private func compiled(_ model: String) async throws -> String {
    try await options.compile(try options.graph.read(model), for: "bench").library
  }
}

/// One result: a row of the table, a member of the JSON.
private struct Figure {
  /// The name in the table, which leaves out what another row says.
  var name: String?
  let text: String
  /// The name in the JSON, with the unit.
  let key: String
  /// The number in the JSON.
  let value: String

  init(name: String? = nil, text: String? = nil, key: String, value: String) {
    self.name = name
    self.text = text ?? value
    self.key = key
    self.value = value
  }
}
