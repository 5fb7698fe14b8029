import Subprocess

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// What a program that ended left behind.
package struct ProgramResult: Sendable, CustomStringConvertible {
  /// The exit code; for a program that a signal ended, 256 and the signal's number.
  package let code: Int
  /// What it printed.
  package let output: String
  /// What it printed to the error stream.
  package let errors: String

  package var description: String { "exit code \(code)\n\(output)\n\(errors)" }
}

/// Runs a program to its end.
package func run(
  program: String,
  _ arguments: [String],
  in folder: String? = nil,
  environment: [String: String] = [:]
) async throws -> ProgramResult {
  var changes: [Environment.Key: String?] = [:]
  for (name, value) in environment { changes[Environment.Key(stringLiteral: name)] = value }
  let result = try await Subprocess.run(
    .path(FilePath(program)),
    arguments: Arguments(arguments),
    environment: .inherit.updating(changes),
    workingDirectory: folder.map { FilePath($0) },
    output: .string(limit: 1 << 22),
    error: .string(limit: 1 << 22)
  )
  let code =
    switch result.terminationStatus {
    case .exited(let code): Int(code)
    case .signaled(let signal): 256 + Int(signal)
    }
  return ProgramResult(code: code, output: result.standardOutput, errors: result.standardError)
}
