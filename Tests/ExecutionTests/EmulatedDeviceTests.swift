import AITConformance
import AITKernels
import Testing

/// Kernels for GPUs, run by the emulating driver on this machine's processor.
@Suite struct EmulatedDeviceTests {
  @Test("An emulated target is told from a real one by its text")
  func text() throws {
    let target = try Target("cuda:sm_80+sm_90a").emulated
    #expect("\(target)" == "emulated-cuda:sm_80+sm_90a")
    #expect(try Target("\(target)") == target)
    #expect(try Target("cuda:sm_80+sm_90a") != target)
  }

  @Test(
    "Kernels on emulated devices give the reference's results",
    arguments: ["layer_norm", "matmul", "rms_norm", "softmax"],
    ["sm_80", "sm_90a"]
  )
  func examples(_ name: String, architecture: String) async throws {
    let conformance = Conformance(
      target: try Target("emulated-cuda:\(architecture)"),
      workDirectory: TestFolder.path("emulated/\(architecture)"),
      skipsGaps: true
    )
    let outcomes = try await conformance.run(operatorNamed: name)
    #expect(outcomes.contains { !$0.isGap }, "nothing ran")
    for outcome in outcomes where !outcome.isGap { #expect(outcome.isPassed, "\(outcome)") }
  }
}
