import AITTestSupport
import FoundationEssentials
import Testing

/// `ait bench --suite`: many libraries, compiled here and timed there.
@Suite struct SuiteTests {
  /// One line of the times.
  struct Time: Decodable {
    let name: String
    let group: String
    let microseconds: Double
    let tflop_per_second: Double
  }

  @Test("A suite is compiled into a folder, and timed from there")
  func prepareAndRun() async throws {
    let folder = try TemporaryFolder()
    let prepared = try await CommandTests.ait(
      "bench",
      "--suite",
      "matmul",
      "--only",
      "33x65x129",
      "--prepare",
      "made",
      in: folder
    )
    #expect(prepared.code == 0, "\(prepared)")
    #expect(prepared.output == "2 libraries in made\n")
    let index = try String(
      contentsOf: URL(filePath: "\(folder.path)/made/suite.json"),
      encoding: .utf8
    )
    #expect(index.contains("matmul_33x65x129_bias_gelu_bfloat16"))
    let timed = try await CommandTests.ait(
      "bench",
      "--suite",
      "matmul",
      "--only",
      "33x65x129_bias_gelu_float16,tutorial",
      "--from",
      "made",
      "--seconds",
      "0.01",
      "--json",
      in: folder
    )
    #expect(timed.code == 0, "\(timed)")
    // The head, and the case that is in the folder.
    let lines = timed.output.split(separator: "\n")
    #expect(lines.count == 2, "\(timed)")
    let time = try JSONDecoder().decode(Time.self, from: Data(lines[1].utf8))
    #expect(time.name == "matmul_33x65x129_bias_gelu_float16" && time.group == "odd")
    #expect(time.microseconds > 0 && time.tflop_per_second > 0)
  }

  @Test("The graphs of rows are understood")
  func rows() async throws {
    let folder = try TemporaryFolder()
    // Graphs are read before a compiler is looked for.
    let result = try await CommandTests.ait(
      "bench",
      "--suite",
      "rows",
      "--prepare",
      "made",
      "--compiler",
      "/nowhere/clang++",
      in: folder
    )
    #expect(result.code == 1, "\(result)")
    #expect(result.errors.contains("24 of 24 cases failed"), "\(result)")
    #expect(!result.errors.contains("[unknown-operator]"), "\(result)")
    #expect(!result.errors.contains("[syntax-error]"), "\(result)")
  }

  @Test(
    "Mistakes are told",
    arguments: [
      (["--suite", "everything"], "there are matmul and rows"),
      (["--suite", "rows", "--only", "nothing"], "the groups are gelu, layer_norm"),
      (["--prepare", "made", "m.so"], "name one with --suite"),
      (["--suite", "rows", "m.so"], "name a library or graph, or a suite"),
      (["--suite", "rows", "--prepare", "a", "--from", "b"], "give one of them"),
    ]
  )
  func mistakes(_ arguments: [String], _ text: String) async throws {
    let result = try await run(program: CommandTests.program, ["bench"] + arguments)
    #expect(result.code == 64, "\(result)")
    #expect(result.errors.contains(text), "\(result)")
  }
}
