import AITGraph
import AITLoader

/// Times of many runs.
struct Timing {
  /// Seconds of one run, ascending: of each on the CPU, the mean of a few on a GPU.
  let sorted: [Double]
  /// How many runs were timed.
  let runCount: Int

  /// Times runs on tensors of the module's device, by the device's events where it has them.
  init(
    _ module: CompiledModule,
    _ inputs: [DeviceTensor],
    _ outputs: [DeviceTensor],
    seconds: Double,
    usesGraph: Bool = false
  ) throws(Diagnostic) {
    let isGPU = module.deviceName != nil
    let clock = ContinuousClock()
    /// The seconds of one run, and what passed on the clock.
    func measure(_ count: Int) throws(Diagnostic) -> (run: Double, clock: Double) {
      let start = clock.now
      guard isGPU else {
        try module.run(inputs, into: outputs)
        let time = start.duration(to: clock.now).inSeconds
        return (time, time)
      }
      let milliseconds = try module.benchmark(
        inputs,
        into: outputs,
        count: count,
        graphMode: usesGraph
      )
      return (milliseconds / 1e3, start.duration(to: clock.now).inSeconds)
    }
    // Warm up: caches, clock, threads, constants that are folded, graphs.
    var warm = 0.0
    var last = 0.0
    repeat {
      let (run, passed) = try measure(isGPU ? 10 : 1)
      warm += passed
      last = run
    } while warm < min(0.2, seconds / 4)
    // On a GPU so many in a row that the events' resolution of half a microsecond is nothing.
    let count = isGPU ? max(1, min(1000, Int(5e-3 / max(last, 1e-6)))) : 1
    var times: [Double] = []
    var total = 0.0
    repeat {
      let (run, passed) = try measure(count)
      times.append(run)
      total += passed
    } while (total < seconds || times.count < 5) && !Task.isCancelled
    sorted = times.sorted()
    runCount = times.count * count
  }

  var median: Double { percentile(0.5) }

  func percentile(_ share: Double) -> Double {
    sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
  }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
