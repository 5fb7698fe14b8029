import AITTestSupport
import FoundationEssentials
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a command leaves behind that is asked to end while it compiles.
@Suite struct InterruptionTests {
  /// Starts `ait compile` with a compiler that never ends, sends a signal once that runs, and waits.
  ///
  /// The compiler notes its process and that of a program it starts, as clang starts the linker.
  /// `trap` is what it does when asked to end.
  private static func interrupt(
    _ signal: String,
    _ files: CommandTests.Files,
    trap: String
  ) async throws -> ProgramResult {
    let compiler = """
      #!/bin/bash
      test "$1" = --version && echo clang version 1 && exit
      \(trap)
      for x in "$@"; do test "$before" = -o && echo half > "$x.tmp" && rm "$x.tmp"; before=$x; done
      sleep 600 &
      echo $$ $! >> "$AIT_TEST_NOTES"
      wait
      """
    let path = try files.folder.write(compiler, as: "clang++")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    // Background processes of such a shell ignore SIGINT, unless it controls jobs.
    let script = """
      set -m
      "$0" compile mlp.ait -q --no-cache --compiler ./clang++ & command=$!
      while test ! -s "$AIT_TEST_NOTES"; do sleep 0.05; done
      kill -\(signal) $command
      wait $command
      """
    return try await run(
      program: "/bin/bash",
      ["-c", script, CommandTests.program],
      in: files.folder.path,
      environment: ["AIT_TEST_NOTES": "\(files.folder.path)/notes"]
    )
  }

  /// The processes that the compilers noted and that still run.
  private static func survivors(_ files: CommandTests.Files) throws -> [Int32] {
    let notes = try TemporaryFolder.bytes("\(files.folder.path)/notes")
    let numbers = String(decoding: notes, as: UTF8.self).split { $0.isWhitespace }
      .compactMap { Int32($0) }
    #expect(numbers.count >= 2)
    return numbers.filter { process in
      // One that has ended and that nobody has waited for is no survivor.
      let path = "/proc/\(process)/stat"
      guard kill(process, 0) == 0, let status = try? TemporaryFolder.bytes(path) else {
        return false
      }
      return !String(decoding: status, as: UTF8.self).contains(") Z ")
    }
  }

  @Test(
    "A command that is asked to end takes its compilers with it, and ends by the signal",
    arguments: [("TERM", SIGTERM), ("INT", SIGINT), ("HUP", SIGHUP)]
  )
  func signals(_ name: String, _ number: Int32) async throws {
    let files = try CommandTests.Files()
    let result = try await Self.interrupt(name, files, trap: "")
    // As the shell shows an end by a signal.
    #expect(result.code == 128 + Int(number), "\(result)")
    #expect(!result.errors.contains("error:"), "\(result)")
    #expect(try Self.survivors(files).isEmpty)
    let left = try files.folder.files()
    #expect(!left.contains { $0.hasSuffix(".partial") || $0.hasSuffix(".so") }, "\(left)")
  }

  @Test("A compiler that will not end is ended")
  func stubbornCompilers() async throws {
    let files = try CommandTests.Files()
    let result = try await Self.interrupt("TERM", files, trap: "trap '' TERM")
    #expect(result.code == 128 + Int(SIGTERM), "\(result)")
    #expect(try Self.survivors(files).isEmpty)
  }
}
