import AITTestSupport
import Testing

/// What the command leaves in the work directory, and what it leaves alone.
@Suite struct WorkDirectoryTests {
  @Test(
    "A library is the user's: commands that compile for themselves leave it and its sources alone",
    arguments: [
      ["verify", "mlp.ait", "-q", "--size", "batch=2"],
      ["verify", "mlp.ait", "-q", "--size", "batch=2", "--tolerance", "1e-12"],
      ["bench", "mlp.ait", "-q", "--size", "batch=2", "--seconds", "0.05"],
      ["inspect", "mlp.ait", "--emit=source"],
    ]
  )
  func librariesStay(_ arguments: [String]) async throws {
    let files = try CommandTests.Files()
    let compile = try await files.ait("compile", "mlp.ait", "-q", "--weights", "w.safetensors")
    #expect(compile.code == 0, "\(compile)")
    let before = try Self.content(of: files.folder, below: "tmp/mlp/")
    #expect(before["tmp/mlp/mlp.so"] != nil)
    // What these commands compile has other weights, and no weights file is named.
    let other = try await run(program: CommandTests.program, arguments, in: files.folder.path)
    #expect(other.code == 0 || arguments.contains("--tolerance"), "\(other)")
    #expect(try Self.content(of: files.folder, below: "tmp/mlp/") == before)
  }

  /// The bytes of every file below a folder.
  private static func content(of folder: TemporaryFolder, below prefix: String) throws
    -> [String: [UInt8]]
  {
    var result: [String: [UInt8]] = [:]
    for name in try folder.files() where name.hasPrefix(prefix) {
      result[name] = try TemporaryFolder.bytes("\(folder.path)/\(name)")
    }
    return result
  }

  @Test("Conformance keeps clear of graphs of the same name")
  func conformance() async throws {
    let files = try CommandTests.Files()
    let result = try await files.ait("conformance", "arange", "-q")
    #expect(result.code == 0, "\(result)")
    let made = try files.folder.files().filter { $0.hasSuffix(".so") }
    #expect(made == ["tmp/arange.conformance/arange.so"])
  }
}
