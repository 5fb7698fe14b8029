import AITGraph
import Subprocess

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A program and its arguments.
package struct Command: Sendable {
  package let program: String
  package let arguments: [String]
  package let folder: String?

  package init(_ program: String, _ arguments: [String], in folder: String? = nil) {
    self.program = program
    self.arguments = arguments
    self.folder = folder
  }

  /// What a program printed, both streams, and whether it was content.
  package struct Output: Sendable {
    package let isSuccess: Bool
    package let text: String
  }

  /// The longest text of a program that is kept.
  private static let outputLimit = 1 << 20

  // A compiler starts others, the linker for one: together they are a group of processes. Asked to
  // end, they remove what they have written so far; after this time they are ended as they are.
  private static let timeToEnd = Duration.seconds(2)

  private static let options: PlatformOptions = {
    var options = PlatformOptions()
    #if !os(Windows)
      options.processGroupID = 0
      options.teardownSequence = [
        .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: timeToEnd)
      ]
    #endif
    return options
  }()

  /// Runs the program to its end, or until the task is cancelled, which ends the program.
  package func run() async throws(Diagnostic) -> Output {
    let result = await runUnlessCancelled()
    if case .success(let output) = result, output.isSuccess { return output }
    // A program that was ended looks like one that has failed.
    guard !Task.isCancelled else { throw .cancelled(at: program) }
    return try result.get()
  }

  private func runUnlessCancelled() async -> Result<Output, Diagnostic> {
    await ProgramSlots.shared.take()
    defer { Task { await ProgramSlots.shared.giveBack() } }
    guard !Task.isCancelled else { return .failure(.cancelled(at: program)) }
    do {
      let result = try await Subprocess.run(
        .path(FilePath(program)),
        arguments: Arguments(arguments),
        workingDirectory: folder.map { FilePath($0) },
        platformOptions: Self.options,
        output: .string(limit: Self.outputLimit),
        error: .string(limit: Self.outputLimit)
      )
      return .success(
        Output(
          isSuccess: result.terminationStatus.isSuccess,
          text: result.standardOutput + result.standardError
        )
      )
    } catch {
      return .failure(
        Diagnostic(
          .compilerFailed,
          "the program could not be run: \(error)",
          at: program,
          hint: "see that it is there and may be executed"
        )
      )
    }
  }
}

extension Diagnostic {
  /// What a cancelled task throws where it stops.
  static func cancelled(at location: String) -> Diagnostic {
    Diagnostic(.cancelled, "cancelled before it was done", at: location)
  }
}
