import AITConformance
import AITGraph
import AITLoader
import Testing

/// Libraries for a GPU from Swift: tensors there and here, streams, graphs, and what goes wrong.
///
/// Each test runs in a process of its own, on the fake driver.
@Suite struct DeviceTests {
  /// The model `blend`, loaded, with its constants.
  struct Blend {
    let driver: FakeDriver.Control
    let module: CompiledModule

    static let x = TensorData((0..<12).map { Float($0) }, shape: [3, 4])
    static let y = TensorData((0..<12).map { 0.5 - Float($0) / 4 }, shape: [3, 4])

    init(device: String? = nil, runtimes: Int = 1) throws {
      driver = try FakeDriver.load()
      module = try Self.module(device: device, runtimes: runtimes)
    }

    static func module(device: String?, runtimes: Int = 1) throws -> CompiledModule {
      let module = try CompiledModule(
        contentsOf: FakeDriver.library,
        runtimes: runtimes,
        device: device
      )
      try module.setConstants([
        "layer.b": TensorData([1000, 2000, 3000, 4000], shape: [4]),
        "fold.q": TensorData([100, 100, 100, 100], shape: [4]),
      ])
      return module
    }

    /// What the model computes; see `models.cpp`.
    static func expected(_ bias: Float = 1000) -> (total: [Float], twice: [Float]) {
      let sums = (0..<12).map { Float($0) + 0.5 - Float($0) / 4 }
      let total = sums.enumerated().map { index, sum in
        let column = Float(index % 4 + 1)
        return sum * column + bias * column + 2 * (column + 100) + 50 * column + 20 * column
      }
      return (total, sums.map { 2 * $0 })
    }

    static func check(_ total: TensorData?, _ twice: TensorData?, bias: Float = 1000) {
      let expected = expected(bias)
      #expect(total?.doubles == expected.total.map(Double.init))
      #expect(twice?.doubles == expected.twice.map(Double.init))
    }

    /// Nothing is left on the devices, and the driver was used well.
    static func checkEnd(_ driver: FakeDriver.Control) {
      #expect(String(cString: driver.misuse()) == "")
      for device in Int32(0)...1 { #expect(driver.allocatedInBytes(device) == 0) }
      for kind in ["streams", "events", "graphs", "executables", "modules"] {
        #expect(driver.liveCount(kind) == 0, "\(kind)")
      }
    }
  }

  static func isBuilt() async throws { try await FakeDriver.isBuilt.value }

  @Test("Host tensors go to the device and results come back")
  func hostTensors() async throws {
    try await Self.isBuilt()
    await #expect(processExitsWith: .success) {
      var driver: FakeDriver.Control?
      do {
        let blend = try Blend()
        driver = blend.driver
        #expect(blend.module.deviceName == "cuda:0 'Fake 0'")
        let results = try blend.module.run(["x": Blend.x, "y": Blend.y])
        Blend.check(results["total"], results["twice"])
        let guarded = try GuardedRun.run(blend.module, [Blend.x, Blend.y])
        #expect(guarded.problem == nil)
        Blend.check(guarded.results[0], guarded.results[1])
      }
      Blend.checkEnd(try #require(driver))
    }
  }

  @Test("Tensors stay on the device between runs, which are launches of one graph")
  func deviceTensors() async throws {
    try await Self.isBuilt()
    await #expect(processExitsWith: .success) {
      var driver: FakeDriver.Control?
      do {
        let blend = try Blend()
        driver = blend.driver
        let inputs = try blend.module.copyToDevice([Blend.x, Blend.y])
        let outputs = try blend.module.allocateOutputs(for: inputs)
        #expect(outputs.map(\.shape) == [[3, 4], [3, 4]])
        try blend.module.run(inputs, into: outputs)
        Blend.check(try outputs[0].read(), try outputs[1].read())
        let copies = blend.driver.callCount("cuMemcpyHtoDAsync_v2")
        for output in outputs { try output.write(TensorData(zeros: .float32, [3, 4])) }
        for _ in 0..<3 { try blend.module.run(inputs, into: outputs, graphMode: true) }
        #expect(blend.driver.callCount("cuGraphLaunch") == 3)
        #expect(blend.driver.liveCount("executables") == 1)
        #expect(blend.driver.callCount("cuMemcpyHtoDAsync_v2") == copies + 2)
        Blend.check(try outputs[0].read(), try outputs[1].read())

        // A constant that lies on the device is read there.
        let bias = try DeviceTensor(TensorData([1, 2, 3, 4], shape: [4]), on: blend.module)
        try blend.module.setConstants(["layer.b": bias])
        try blend.module.run(inputs, into: outputs, graphMode: true)
        Blend.check(try outputs[0].read(), try outputs[1].read(), bias: 1)
        try inputs[0].write(Blend.y)
        try inputs[1].write(Blend.x)
        try blend.module.run(inputs, into: outputs)
        Blend.check(try outputs[0].read(), try outputs[1].read(), bias: 1)

        #expect(throws: Diagnostic.self) { try bias.write(TensorData(zeros: .float32, [3])) }
        #expect(throws: Diagnostic.self) {
          try blend.module.run(inputs, into: [outputs[0], inputs[0]])
        }
      }
      Blend.checkEnd(try #require(driver))
    }
  }

  @Test("Runs in streams go on beside the program, and keep their tensors")
  func streams() async throws {
    try await Self.isBuilt()
    await #expect(processExitsWith: .success) {
      var driver: FakeDriver.Control?
      do {
        let blend = try Blend(runtimes: 2)
        driver = blend.driver
        // The first run folds constants, which is waited for.
        _ = try blend.module.run(["x": Blend.x, "y": Blend.y])
        blend.driver.setDelay(2000)
        let streams = [try DeviceStream(on: blend.module), try DeviceStream(on: blend.module)]
        var results: [[DeviceTensor]] = []
        for round in 0..<4 {
          let inputs = try blend.module.copyToDevice([Blend.x, Blend.y])
          let outputs = try blend.module.allocateOutputs(for: inputs)
          try blend.module.enqueue(
            inputs,
            into: outputs,
            on: streams[round % 2],
            graphMode: round > 1
          )
          results.append(outputs)
        }
        for stream in streams { try stream.synchronize() }
        blend.driver.setDelay(0)
        for outputs in results { Blend.check(try outputs[0].read(), try outputs[1].read()) }

        // A stream that is let go of ends its runs first.
        let outputs = results[0]
        for output in outputs { try output.write(TensorData(zeros: .float32, [3, 4])) }
        do {
          let stream = try DeviceStream(on: blend.module)
          let inputs = try blend.module.copyToDevice([Blend.x, Blend.y])
          try blend.module.enqueue(inputs, into: outputs, on: stream)
        }
        Blend.check(try outputs[0].read(), try outputs[1].read())
      }
      Blend.checkEnd(try #require(driver))
    }
  }

  @Test("Benchmarks and profiles take host tensors to the device once")
  func measuring() async throws {
    try await Self.isBuilt()
    await #expect(processExitsWith: .success) {
      var driver: FakeDriver.Control?
      do {
        let blend = try Blend()
        driver = blend.driver
        let copies = blend.driver.callCount("cuMemcpyHtoDAsync_v2")
        let inputs = ["x": Blend.x, "y": Blend.y]
        #expect(try blend.module.benchmark(inputs, count: 10, graphMode: true) > 0)
        #expect(blend.driver.callCount("cuMemcpyHtoDAsync_v2") == copies + 2)
        #expect(blend.driver.callCount("cuGraphLaunch") == 11)
        #expect(try blend.module.benchmark(inputs, count: 10) > 0)
        #expect(blend.driver.callCount("cuGraphLaunch") == 11)
      }
      Blend.checkEnd(try #require(driver))
    }
  }

  @Test("A module is on the device that was asked for, and so are its tensors")
  func deviceIsChosen() async throws {
    try await Self.isBuilt()
    await #expect(processExitsWith: .success) {
      var driver: FakeDriver.Control?
      do {
        let blend = try Blend(device: "cuda:1")
        driver = blend.driver
        #expect(blend.module.deviceName == "cuda:1 'Fake 1'")
        let before = blend.driver.allocatedInBytes(1)
        let inputs = try blend.module.copyToDevice([Blend.x, Blend.y])
        #expect(blend.driver.allocatedInBytes(1) >= before + 96)
        #expect(blend.driver.allocatedInBytes(0) == 0)
        let outputs = try blend.module.allocateOutputs(for: inputs)
        try blend.module.run(inputs, into: outputs, graphMode: true)
        Blend.check(try outputs[0].read(), try outputs[1].read())

        // Tensors of another device's module are refused.
        let other = try Blend.module(device: "0")
        do throws(Diagnostic) {
          try other.run(inputs, into: outputs)
          Issue.record("the tensors are on cuda:1")
        } catch {
          #expect("\(error)".contains("memory of cuda:1, expected memory of the device cuda:0"))
        }
      }
      Blend.checkEnd(try #require(driver))
    }
  }

  @Test("A device without memory says so and leaves the module usable")
  func outOfMemory() async throws {
    try await Self.isBuilt()
    await #expect(processExitsWith: .success) {
      var driver: FakeDriver.Control?
      do {
        let blend = try Blend()
        driver = blend.driver
        do throws(Diagnostic) {
          _ = try DeviceTensor(.float32, [1 << 30], on: blend.module)
          Issue.record("there is no such memory")
        } catch {
          #expect(error.identity == .runFailed)
          let text = "\(error)"
          #expect(text.contains("found no 4294967296 bytes of memory on cuda:0"), "\(text)")
          #expect(text.contains("free some"), "\(text)")
        }
        let results = try blend.module.run(["x": Blend.x, "y": Blend.y])
        Blend.check(results["total"], results["twice"])
        // In the middle of a run's copies, too.
        blend.driver.failCall("cuMemAlloc_v2", 2, 2)
        #expect(throws: Diagnostic.self) { try blend.module.run(["x": Blend.x, "y": Blend.y]) }
        let again = try blend.module.run(["x": Blend.x, "y": Blend.y])
        Blend.check(again["total"], again["twice"])
      }
      Blend.checkEnd(try #require(driver))
    }
  }

  @Test("A machine that cannot run the library is told so, with advice")
  func machineLacks() async throws {
    try await Self.isBuilt()
    await #expect(processExitsWith: .success) {
      let driver = try FakeDriver.load()
      func refusal(device: String? = nil) -> String {
        do throws(Diagnostic) {
          _ = try CompiledModule(contentsOf: FakeDriver.library, device: device)
          return "none"
        } catch { return error.identity == .loadFailed ? "\(error)" : "another identity" }
      }
      #expect(refusal(device: "cuda:7").contains("this machine has 2"))
      driver.setCapability(0, 7, 5)
      #expect(refusal().contains("compile the model for cuda:sm_75, or choose another device"))
      driver.reset()
      driver.setDriverVersion(12020)
      #expect(refusal().contains("found a driver for CUDA 12.2, expected one for CUDA 12.8"))
      #expect(refusal().contains("update the NVIDIA driver"))
      driver.reset()
      driver.setDeviceCount(0)
      #expect(refusal().contains("found no CUDA device"))
      driver.reset()
      #expect(refusal() == "none")
      Blend.checkEnd(driver)
    }
  }

  @Test("Shapes out of bounds are refused in graph mode, too")
  func shapesInGraphMode() async throws {
    try await Self.isBuilt()
    await #expect(processExitsWith: .success) {
      let blend = try Blend()
      let large = TensorData(zeros: .float32, [9, 4])
      let inputs = try blend.module.copyToDevice([large, large])
      let outputs = try blend.module.copyToDevice([large, large])
      do throws(Diagnostic) {
        try blend.module.run(inputs, into: outputs, graphMode: true)
        Issue.record("9 is beyond the bound of 8")
      } catch { #expect("\(error)".contains("found shape [9, 4], expected [1...8, 4]")) }
      #expect(blend.driver.callCount("cuGraphLaunch") == 0)
    }
  }
}
