import AITGraph
import AITModelInterface

/// Times, and the library's test of itself.
extension CompiledModule {
  /// Times runs as AIT's benchmark does: `count` runs on each of `threads` callers.
  ///
  /// On a GPU the tensors are copied there once, and the runs are timed by events of the device.
  ///
  /// - Returns: milliseconds for one run.
  public func benchmark(
    _ inputs: [String: TensorData],
    count: Int = 100,
    callers: Int = 1,
    graphMode: Bool = false
  ) throws(Diagnostic) -> Double {
    let read = try copyToDevice(try order(inputs))
    return try benchmark(
      read,
      into: try allocateOutputs(for: read),
      count: count,
      callers: callers,
      graphMode: graphMode
    )
  }

  /// Times runs on tensors of the module's device; see `benchmark(_:count:callers:graphMode:)`.
  ///
  /// What of the tensors fits into the caches is there from the run before.
  ///
  /// - Returns: milliseconds for one run.
  public func benchmark(
    _ inputs: [DeviceTensor],
    into results: [DeviceTensor],
    count: Int = 100,
    callers: Int = 1,
    graphMode: Bool = false
  ) throws(Diagnostic) -> Double {
    typealias Benchmark =
      @convention(c) (
        AITemplateModelHandle?, UnsafePointer<AITData>?, Int, UnsafeMutablePointer<AITData>?, Int,
        AITemplateStreamHandle?, Bool, Int, Int, Bool, UnsafeMutablePointer<Float>?,
        UnsafeMutablePointer<UnsafeMutablePointer<Int64>?>?
      ) -> AITemplateError
    let call = try library.function("AITemplateModelContainerBenchmark", as: Benchmark.self)
    // Not the default stream, which waits for all others.
    let stream = try DeviceStream(on: self)
    var milliseconds: Float = 0
    let error = Arguments.withDescriptions(inputs.map(\.argument), results.map(\.argument)) {
      call(
        handle,
        $0.baseAddress,
        $0.count,
        $1.baseAddress,
        $1.count,
        stream.handle,
        graphMode,
        count,
        callers,
        deviceName != nil,
        &milliseconds,
        nil
      )
    }
    withExtendedLifetime((inputs, results, stream)) {}
    try library.check(error)
    return Double(milliseconds)
  }

  /// Times each step of a run and writes the library's report as JSON.
  ///
  /// On a GPU steps are timed by events, with nothing of the run before in the level-2 cache.
  ///
  /// - Parameters:
  ///   - inputs: a tensor for each input.
  ///   - count: how many runs to average over.
  ///   - file: where the report is written.
  /// - Throws: what the library says of a failed call, or of a file that cannot be written.
  public func profile(_ inputs: [String: TensorData], count: Int = 20, to file: String)
    throws(Diagnostic)
  {
    typealias Profile =
      @convention(c) (
        AITemplateModelHandle?, UnsafePointer<AITData>?, Int, UnsafeMutablePointer<AITData>?, Int,
        AITemplateStreamHandle?, Int, UnsafePointer<CChar>?
      ) -> AITemplateError
    let call = try library.function("AITemplateModelContainerProfile", as: Profile.self)
    let read = try copyToDevice(try order(inputs))
    let results = try allocateOutputs(for: read)
    let error = Arguments.withDescriptions(read.map(\.argument), results.map(\.argument)) {
      call(handle, $0.baseAddress, $0.count, $1.baseAddress, $1.count, nil, count, file)
    }
    withExtendedLifetime((read, results)) {}
    try library.check(error)
  }

  /// Runs the input kept in the library and compares with the outputs kept beside it.
  ///
  /// - Returns: the largest normalised error of an output.
  /// - Throws: `verificationFailed` if an output is off, or if nothing was kept.
  @discardableResult
  public func selfTest() throws(Diagnostic) -> Double {
    typealias SelfTest =
      @convention(c) (
        AITemplateModelHandle?, UnsafeMutablePointer<Double>?
      ) -> AITemplateError
    var error = 0.0
    try library.check(
      try library.function("AITemplateModelContainerSelfTest", as: SelfTest.self)(handle, &error),
      .verificationFailed
    )
    return error
  }
}
