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
    abstract: "Time a library: median, p90, p99, GFLOP/s and the share of this machine's peak."
  )

  @Argument(help: "The library, or a graph to compile first.")
  var model: String

  @OptionGroup var inputs: InputFlags
  @OptionGroup var flags: CompileFlags

  @Option(help: "Seconds to measure for.")
  var seconds = 2.0

  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    let library = model.hasSuffix(".so") ? model : try await compiled()
    let module = try CompiledModule(contentsOf: library, threads: inputs.threads)
    if model.hasSuffix(".so"), let weights = flags.weights {
      try module.setConstants(try Weights.load(weights).tensorsByName)
    }
    let graph = try Graph.parse(module.graphText)
    try module.setMissingConstants(of: graph, seed: inputs.seed)
    let tensors = try inputs.tensors(for: graph)
    let timing = try Timing(module, tensors, seconds: seconds)
    let steps = try ProfileReport.measure(module, tensors, count: 1)
    let flops = steps.reduce(0) { $0 + $1.flops }
    let threads = inputs.threads == 0 ? Processors.count : inputs.threads
    let peak = ait_measure_fma_peak(Int32(threads), 0.2)
    let rate = flops / timing.median
    let rows: [(String, String, String)] = [
      ("median", "\(Format.fixed(timing.median * 1e3, 4)) ms", "\(timing.median * 1e3)"),
      (
        "p90", "\(Format.fixed(timing.percentile(0.9) * 1e3, 4)) ms",
        "\(timing.percentile(0.9) * 1e3)"
      ),
      (
        "p99", "\(Format.fixed(timing.percentile(0.99) * 1e3, 4)) ms",
        "\(timing.percentile(0.99) * 1e3)"
      ),
      ("runs", "\(timing.sorted.count)", "\(timing.sorted.count)"),
      ("threads", "\(threads)", "\(threads)"),
      ("gflops", "\(Format.fixed(rate / 1e9, 1)) GFLOP/s", "\(rate / 1e9)"),
      (
        "share_of_peak",
        "\(Format.fixed(100 * rate / peak, 1)) % of \(Format.fixed(peak / 1e9, 1)) GFLOP/s",
        "\(rate / peak)"
      ),
    ]
    if json {
      print("{\(rows.map { "\"\($0.0)\": \($0.2)" }.joined(separator: ", "))}")
    } else {
      print(Format.table([["figure", "value"]] + rows.map { [$0.0, $0.1] }))
    }
  }

  private func compiled() async throws -> String {
    try await flags.compile(try flags.readGraph(model), for: "bench").library
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
    while total < seconds || times.count < 5 {
      let time = try runOnce()
      times.append(time)
      total += time
    }
    sorted = times.sorted()
  }

  var median: Double { percentile(0.5) }

  func percentile(_ share: Double) -> Double {
    sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
  }
}
