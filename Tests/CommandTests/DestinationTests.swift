import AITTestSupport
import FoundationEssentials
import Testing

/// Where the command puts files: whole or not at all, and never in the place of what is no file.
@Suite struct DestinationTests {
  /// Commands that write a file, to whatever path they are given.
  static let writers: [(arguments: [String], makes: String)] = [
    (["compile", "mlp.ait", "-q", "-o"], ".so"),
    (["run", "tmp/mlp/mlp.so", "--weights", "w.safetensors", "--output"], ".safetensors"),
    (["profile", "tmp/mlp/mlp.so", "--count", "1", "--trace"], ".json"),
    (["profile", "tmp/mlp/mlp.so", "--count", "1", "--svg"], ".svg"),
  ]

  private static func compiled() async throws -> CommandTests.Files {
    let files = try CommandTests.Files()
    let result = try await files.ait("compile", "mlp.ait", "-q")
    #expect(result.code == 0, "\(result)")
    return files
  }

  @Test("A path where no file can be put is told before the work begins", arguments: writers)
  func refused(_ arguments: [String], _ makes: String) async throws {
    let files = try await Self.compiled()
    try FileManager.default.createDirectory(
      atPath: "\(files.folder.path)/folder\(makes)",
      withIntermediateDirectories: false
    )
    try FileManager.default.removeItem(atPath: "\(files.folder.path)/tmp/mlp/model.cpp")
    let before = try files.folder.files()
    for (path, says) in [
      ("/nonexistent/dir/x\(makes)", "'/nonexistent/dir/' is not there"),
      ("mlp.ait/x\(makes)", "'mlp.ait/' is not there"),
      ("folder\(makes)", "a folder, not a file"),
      ("pipe\(makes)", "a device, pipe or socket"),
    ] {
      if path.hasPrefix("pipe") {
        let made = try await run(program: "/usr/bin/mkfifo", [path], in: files.folder.path)
        #expect(made.code == 0)
      }
      let result = try await run(
        program: CommandTests.program,
        arguments + [path],
        in: files.folder.path
      )
      #expect(result.code == 1 && result.output.isEmpty, "\(result)")
      #expect(result.errors.contains(path) && result.errors.contains(says), "\(result)")
      #expect(result.errors.contains("[unwritable-file]") && result.errors.contains("hint: "))
      // Compiling would have written the sources anew, a run would have printed its results.
      #expect(try files.folder.files().filter { !$0.hasPrefix("pipe") } == before)
    }
  }

  @Test("What a link leads to is replaced, not the link", arguments: writers)
  func links(_ arguments: [String], _ makes: String) async throws {
    let files = try await Self.compiled()
    let target = try files.folder.write("old", as: "target\(makes)")
    let link = "\(files.folder.path)/link\(makes)"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
    let result = try await run(
      program: CommandTests.program,
      arguments + [link],
      in: files.folder.path
    )
    #expect(result.code == 0, "\(result)")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == target)
    #expect(try TemporaryFolder.bytes(target).count > 3)
  }

  /// A limit on the size of files fails where a full disk does: in the middle of writing.
  @Test(
    "A disk without room is told, and nothing half-written is left",
    arguments: [2, 6]
  )
  func fullDisk(_ kilobytes: Int) async throws {
    let files = try CommandTests.Files()
    let script = """
      trap '' XFSZ; ulimit -f \(kilobytes); \
      exec "$0" compile mlp.ait --weights w.safetensors --no-cache
      """
    let result = try await run(
      program: "/bin/bash",
      ["-c", script, CommandTests.program],
      in: files.folder.path
    )
    #expect(result.code == 1, "\(result)")
    #expect(result.errors.contains("hint: "), "\(result)")
    let left = try files.folder.files()
    #expect(!left.contains { $0.hasSuffix(".so") || $0.hasSuffix(".partial") }, "\(left)")
  }
}
