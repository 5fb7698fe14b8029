import AITGraph
import ArgumentParser

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  @preconcurrency import Musl
#elseif canImport(Darwin)
  @preconcurrency import Darwin
#endif

/// The command `ait`.
@main
struct AIT: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ait",
    abstract: "Compiles neural networks ahead of time into self-contained shared libraries.",
    discussion: """
      Exit codes: 0 all went well; 1 the model, a file or the run failed, with a message that says \
      what to do; 2 results differ from the reference; 64 the command line is wrong: an option, its \
      value, or a name in it that the model does not have.
      """,
    version: "0.1.0",
    subcommands: [
      Compile.self, Run.self, Bench.self, Profile.self, Inspect.self, Verify.self,
      ConformanceCommand.self, Operators.self, Tune.self,
    ]
  )

  static func main() async {
    // Lines appear as they are printed, into a pipe as well.
    setvbuf(stdout, nil, _IOLBF, 0)
    // A task of its own, which a signal can cancel.
    let work = Task { try await runCommand() }
    Interruption.watch { work.cancel() }
    do {
      try await work.value
      Interruption.endIfReceived()
    } catch {
      // What a cancelled command says is of no interest.
      Interruption.endIfReceived()
      guard let diagnostic = error as? Diagnostic else { exit(withError: error) }
      Terminal.printError("\(diagnostic)")
      endProcess(diagnostic.exitCode)
    }
  }

  private static func runCommand() async throws {
    var command = try parseAsRoot()
    if var asynchronous = command as? any AsyncParsableCommand {
      try await asynchronous.run()
    } else {
      try command.run()
    }
  }
}

extension Diagnostic {
  /// What the process ends with, as `--help` says.
  fileprivate var exitCode: Int32 {
    if identity == .verificationFailed { return 2 }
    // Names and values that stand in the command line itself.
    return identity == .invalidOption || identity == .unknownTarget ? 64 : 1
  }
}

/// Ends the process; within the command `exit` is its own.
private func endProcess(_ code: Int32) -> Never {
  fflush(stdout)
  _exit(code)
}
