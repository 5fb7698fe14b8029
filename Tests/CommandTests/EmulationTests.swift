import AITReference
import AITTestSupport
import Testing

/// Commands with `--emulate`: kernels for GPUs on this machine's processor.
@Suite struct EmulationTests {
  static func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(RunTests.graph, as: "pair.ait")
    return folder
  }

  @Test("An emulated library says that it is one, and runs")
  func library() async throws {
    let folder = try Self.folder()
    let compiled = try await CommandTests.ait(
      "compile",
      "pair.ait",
      "--target",
      "cuda:sm_90a",
      "--emulate",
      "-q",
      in: folder
    )
    #expect(compiled.code == 0, "\(compiled)")
    let library = "tmp/pair/pair.so"
    let manifest = try await CommandTests.ait("inspect", library, "--emit=manifest", in: folder)
    #expect(manifest.output.contains("\"target\": \"emulated-cuda:sm_90a\""), "\(manifest)")
    let result = try await CommandTests.ait("run", library, in: folder)
    #expect(result.code == 0, "\(result)")
    #expect(result.output.contains("soft: float32[8, 3]"), "\(result)")
  }

  @Test("Kernels on an emulated device agree with the reference")
  func verify() async throws {
    let folder = try Self.folder()
    let result = try await CommandTests.ait(
      "verify",
      "pair.ait",
      "--target",
      "cuda:sm_80",
      "--emulate",
      in: folder
    )
    #expect(result.code == 0, "\(result)")
  }

  @Test("There is nothing to emulate of a CPU")
  func processor() async throws {
    let folder = try Self.folder()
    let result = try await CommandTests.ait("verify", "pair.ait", "--emulate", in: folder)
    #expect(result.code != 0)
    #expect(result.errors.contains("--emulate is for a cuda target"), "\(result)")
  }
}
