import AITTestSupport
import Testing

/// `ait conformance` on a GPU, as far as it can be seen without one.
@Suite struct ConformanceTests {
  @Test("On a GPU each operator has its own process, and one that fails ends itself alone")
  func processes() async throws {
    let folder = try TemporaryFolder()
    let result = try await CommandTests.ait(
      "conformance",
      "softmax",
      "layer_norm",
      "--target",
      "cuda:sm_80",
      "--compiler",
      "/nowhere/clang++",
      in: folder
    )
    #expect(result.code == 2, "\(result)")
    for name in ["softmax", "layer_norm"] {
      #expect(result.output.contains("FAIL \(name): /nowhere/clang++"), "\(result)")
    }
    #expect(result.output.contains("0 passed, 2 failed"), "\(result)")
  }
}
