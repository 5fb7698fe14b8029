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

      --json prints one object: median_ms, p90_ms, p99_ms (milliseconds of one run), runs, threads, \
      gflop_per_second, peak_gflop_per_second, share_of_peak (0 to 1).
      """
  )

  @Argument(help: "The library, or a graph to compile first.")
  var model: String

  @OptionGroup var inputs: InputFlags
  @OptionGroup var options: CompileOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Seconds to measure for, up to 3600.", valueName: "seconds")
  )
  var seconds = 2.0

  @Flag(help: "Print JSON, with each unit in the name.")
  var json = false

  func validate() throws {
    try OptionRange.check("--seconds", seconds, in: 0...3600)
  }

  func run() async throws {
    let isLibrary = ModelFile(model).isLibrary
    let library = isLibrary ? model : try await compiled()
    let module = try CompiledModule(contentsOf: library, threads: inputs.threads)
    let graph = try Graph.parse(module.graphText)
    // A graph was compiled with its weights.
    try module.setConstants(
      from: isLibrary ? options.graph.weights : nil,
      of: graph,
      randomSeed: inputs.seed
    )
    let tensors = try inputs.tensors(for: graph)
    let timing = try Timing(module, tensors, seconds: seconds)
    let steps = try ProfileReport.measure(module, tensors, count: 1)
    let flops = steps.reduce(0) { $0 + $1.flops }
    let threads = inputs.threads == 0 ? Processors.count : inputs.threads
    let peak = ait_measure_fma_peak(Int32(threads), 0.2)
    let rate = flops / timing.median
    func time(_ name: String, _ seconds: Double) -> Figure {
      Figure(
        name: name,
        text: "\(Format.fixed(seconds * 1e3, 4)) ms",
        key: "\(name)_ms",
        value: "\(seconds * 1e3)"
      )
    }
    let figures = [
      time("median", timing.median), time("p90", timing.percentile(0.9)),
      time("p99", timing.percentile(0.99)),
      Figure(name: "runs", key: "runs", value: "\(timing.sorted.count)"),
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
    if json {
      print("{\(figures.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", "))}")
    } else {
      let rows = figures.compactMap { figure in figure.name.map { [$0, figure.text] } }
      print(Format.table([["figure", "value"]] + rows))
    }
  }

  private func compiled() async throws -> String {
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

/// Times of many runs.
struct Timing {
  /// Seconds of each run, ascending.
  let sorted: [Double]

  init(_ module: CompiledModule, _ inputs: [String: TensorData], seconds: Double)
    throws(Diagnostic)
  {
    let ordered = module.inputs.compactMap { inputs[$0.name] }
    var outputs = try module.allocateOutputs(for: ordered)
    let clock = ContinuousClock()
    func runOnce() throws(Diagnostic) -> Double {
      let start = clock.now
      try module.run(ordered, into: &outputs)
      let (whole, fraction) = start.duration(to: clock.now).components
      return Double(whole) + Double(fraction) * 1e-18
    }
    // Warm up: caches, clock, threads.
    var warm = 0.0
    repeat { warm += try runOnce() } while warm < min(0.2, seconds / 4)
    var times: [Double] = []
    var total = 0.0
    repeat {
      let time = try runOnce()
      times.append(time)
      total += time
    } while (total < seconds || times.count < 5) && !Task.isCancelled
    sorted = times.sorted()
  }

  var median: Double { percentile(0.5) }

  func percentile(_ share: Double) -> Double {
    sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
  }
}
