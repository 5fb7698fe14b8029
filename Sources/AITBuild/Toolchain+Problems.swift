import AITGraph
import AITKernels

/// What the machine lacks, judged by what the compiler says.
extension Toolchain {
  /// A diagnostic for what is no fault of the code that was compiled; nil for anything else.
  func problem(in text: String, for target: Target, at location: String) -> Diagnostic? {
    let noRoom = ["No space left on device", "Disk quota exceeded", "File too large"]
    if noRoom.contains(where: { text.contains($0) }) {
      return Diagnostic(
        .unwritableFile,
        "the compiler could not write its result:\n\(text.prefix(1000))",
        at: location,
        hint: "see that the disk has room, or choose another folder with --work-directory"
      )
    }
    guard let missing = Self.missingHeader(text) ?? Self.missingLibrary(text) else { return nil }
    return Diagnostic(
      .missingCompiler,
      "\(isClang ? "clang" : "g++") finds no \(missing) for \(target.crossArchitecture ?? "this machine")",
      at: compiler,
      hint: advice(for: target)
    )
  }

  /// `'atomic'`, of "fatal error: 'atomic' file not found"; nil for a header of ours, all of which
  /// are in the bundle.
  private static func missingHeader(_ text: String) -> String? {
    guard let end = text.firstRange(of: "' file not found"),
      let start = text[..<end.lowerBound].lastIndex(of: "'")
    else { return nil }
    let name = text[text.index(after: start)..<end.lowerBound]
    let isOurs = name.hasPrefix("ait/") || name == "constants.h"
    return isOurs ? nil : "header '\(name)' of the C or C++ library"
  }

  /// What LLVM's linker and GNU's say of a file that every library is linked with.
  private static func missingLibrary(_ text: String) -> String? {
    for (before, after) in [
      ("unable to find library -l", ""), ("cannot find -l", ""), ("cannot open ", ": No such file"),
      ("cannot find ", ": No such file"),
    ] {
      guard let start = text.firstRange(of: before)?.upperBound else { continue }
      let name = text[start...].prefix { !$0.isWhitespace && $0 != ":" }
      let rest = text[start...].dropFirst(name.count)
      guard rest.hasPrefix(after), !name.isEmpty else { continue }
      return before.hasSuffix("-l") ? "library 'lib\(name)'" : "file '\(name)'"
    }
    return nil
  }

  private func advice(for target: Target) -> String {
    if let sysroot {
      return "see that \(sysroot) holds the target's C++ library, in usr/include and usr/lib"
    }
    guard let architecture = target.crossArchitecture else {
      return "install a C++ library (Debian and Ubuntu: g++; Fedora: gcc-c++ libstdc++-static), or "
        + "name the folder that holds one with --sysroot"
    }
    let package = "g++-\(architecture.replacing("_", with: "-"))-linux-gnu"
    return "install a C++ library for \(architecture) (Debian and Ubuntu: \(package)), or name a "
      + "folder that holds its usr/include and usr/lib with --sysroot"
  }
}
