import AITBuild
import AITGraph
import AITLoader
import AITOperators
import AITWeights
import AITemplate
import ArgumentParser

/// `ait profile`: where the time of a run goes.
struct Profile: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time each step of a library: a table, a trace, a picture.",
    discussion: """
      Inputs that are not given are random, and so are constants without values. On a GPU steps are \
      timed by events of the device, and the level-2 cache is flushed before each run.
      """
  )

  @Argument(help: "The library.")
  var library: String

  @OptionGroup var inputs: InputFlags

  @OptionGroup var device: DeviceOption

  @OptionGroup var constants: ConstantOption

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Runs to average over, 1 to 1000000.", valueName: "runs")
  )
  var count = 50

  @Option(
    help: ArgumentHelp(
      "Write a trace here, as JSON; open it at ui.perfetto.dev or chrome://tracing.",
      valueName: "file"
    )
  )
  var trace: String?

  @Option(
    help: ArgumentHelp("Write the graph's picture, coloured by time, here.", valueName: "file")
  )
  var svg: String?

  func validate() throws {
    try OptionRange.check("--count", count, in: 1...1_000_000)
  }

  func run() async throws {
    for file in [trace, svg] {
      if let file { try FileSystem.checkDestination(file) }
    }
    try await EmulatedDevice.prepare(for: library)
    let module = try CompiledModule(
      contentsOf: library,
      threads: inputs.threads,
      device: device.device
    )
    let graph = try Graph.parse(module.graphText)
    try module.setConstants(from: constants.weights, of: graph, randomSeed: inputs.seed)
    let steps = try ProfileReport.measure(
      module,
      try inputs.tensors(for: graph),
      count: count
    )
    let total = steps.reduce(0) { $0 + $1.milliseconds }
    var rows = [["step", "operation", "ms", "%", "GFLOP/s", "GB/s", "kernel"]]
    for step in steps {
      rows.append([
        step.name, step.operation, Format.fixed(step.milliseconds, 4),
        Format.fixed(100 * step.milliseconds / max(total, 1e-9), 1),
        Format.fixed(step.flops / step.milliseconds / 1e6, 1),
        Format.fixed(step.bytes / step.milliseconds / 1e6, 1), step.kernel,
      ])
    }
    rows.append(["total", "", Format.fixed(total, 4), "100.0", "", "", ""])
    if let device = module.deviceName {
      print("\(device): time on the device, with the level-2 cache flushed before each run")
    }
    print(Format.table(rows))
    if let trace { try FileSystem.write(Self.traceText(steps, graph.name), to: trace) }
    if let svg {
      var times: [String: Double] = [:]
      for step in steps { times[step.name] = step.milliseconds }
      try FileSystem.write(graph.svg(profile: times), to: svg)
    }
  }

  /// The trace event format: complete events, one after the other, in microseconds.
  private static func traceText(_ steps: [ProfileReport.Step], _ name: String) -> String {
    var start = 0.0
    let events = steps.map { step in
      defer { start += step.milliseconds * 1e3 }
      return "{\"name\": \"\(step.name)\", \"cat\": \"\(step.operation)\", \"ph\": \"X\", "
        + "\"ts\": \(start), \"dur\": \(step.milliseconds * 1e3), \"pid\": 1, \"tid\": 1, "
        + "\"args\": {\"kernel\": \"\(step.kernel)\", \"flops\": \(step.flops), "
        + "\"bytes\": \(step.bytes)}}"
    }
    return "{\"traceEvents\": [\n\(events.joined(separator: ",\n"))\n], "
      + "\"displayTimeUnit\": \"ms\", \"otherData\": {\"model\": \"\(name)\"}}\n"
  }
}
