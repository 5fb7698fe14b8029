import AITGraph
import AITKernels
import AITLoader

/// What the GPU that a module is on can do at most.
struct GPUPeak {
  /// Bytes read and written in a second by a copy on the device, measured.
  let copyRate: Double
  /// Dense products of float16 at the highest clock, in operations a second; nil where the
  /// architecture is not known.
  let matrixRate: Double?
  let cacheSizeInBytes: Int

  init(_ module: CompiledModule) throws(Diagnostic) {
    copyRate = try Self.measureCopy(module)
    let number = module.deviceName?.dropFirst("cuda:".count).prefix { $0.isNumber }
    let device = try? CUDADevice.all().first { $0.number == number.flatMap { Int($0) } }
    cacheSizeInBytes = device?.cacheSizeInBytes ?? 0
    let architecture = device.flatMap { try? Target.CUDA.detect([$0]).first }
    matrixRate = device.flatMap { device in
      architecture.map {
        Double(device.multiprocessorCount) * device.clockRate * $0.matrixOperationsPerClock
      }
    }
  }

  /// The best of several copies of tensors that no cache holds.
  private static func measureCopy(_ module: CompiledModule) throws(Diagnostic) -> Double {
    // 512 MB; less where there is not so much.
    for size in [1 << 29, 1 << 26, 1 << 20] {
      guard let source = try? DeviceTensor(.uint8, [size], on: module),
        let target = try? DeviceTensor(.uint8, [size], on: module)
      else { continue }
      let stream = try DeviceStream(on: module)
      let clock = ContinuousClock()
      var best = Duration.seconds(3600)
      for _ in 0..<8 {
        let start = clock.now
        // Together several milliseconds, beside which the call counts for nothing.
        for _ in 0..<10 { try target.copy(source) }
        try target.waitForCopies()
        best = min(best, start.duration(to: clock.now))
      }
      withExtendedLifetime(stream) {}
      return 10 * 2 * Double(size) / best.inSeconds
    }
    return 0
  }
}
