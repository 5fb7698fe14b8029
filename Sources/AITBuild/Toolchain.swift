import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The C++ compiler that builds libraries: clang, of the Swift toolchain or any other.
package struct Toolchain: Sendable {
  /// The path of clang++.
  package let compiler: String
  /// What it says of itself; part of every cache key.
  package let version: String
  /// Whether LLVM's linker is there: it drops unused sections and hides the symbols of static
  /// libraries in one go, which others fail at.
  package let hasLLD: Bool
  /// The folder in which headers and libraries are looked for; nil is the machine's own.
  package let sysroot: String?

  /// Finds clang++.
  ///
  /// - Parameters:
  ///   - path: the compiler to use; nil searches `PATH`, then beside `swift`.
  ///   - sysroot: the folder of the target's headers and libraries; nil is the machine's own.
  /// - Returns: the compiler, known to be clang.
  /// - Throws: `missingCompiler`, saying where was looked and how to get one; `unreadableFile` for a
  ///   sysroot that is no folder.
  package static func find(
    at path: String? = nil,
    sysroot: String? = nil
  ) async throws(Diagnostic) -> Toolchain {
    if let sysroot, !FileSystem.isFolder(sysroot) {
      throw Diagnostic(
        .unreadableFile,
        "there is no folder here",
        at: sysroot,
        hint: "--sysroot names the folder that holds the target's usr/include and usr/lib"
      )
    }
    let advice =
      "install clang (the Swift toolchain holds one in usr/bin), or name one with --compiler"
    let compiler: String
    if let path {
      guard FileSystem.isExecutable(path) else {
        throw Diagnostic(.missingCompiler, "there is no program here", at: path, hint: advice)
      }
      // It will be started in other folders.
      compiler = FileSystem.absolute(path)
    } else {
      let folders = searchPath()
      let candidates = folders.map { "\($0)/clang++" } + besideSwift(folders)
      guard let found = candidates.first(where: FileSystem.isExecutable) else {
        throw Diagnostic(
          .missingCompiler,
          "no clang++ in \(folders.joined(separator: ":"))",
          hint: advice
        )
      }
      compiler = found
    }
    let output = try await Command(compiler, ["--version"]).run()
    guard output.text.contains("clang") else {
      throw Diagnostic(
        .missingCompiler,
        "this compiler is not clang: '\(output.text.prefix(80))'",
        at: compiler,
        hint: "kernels use clang's vector extensions; \(advice)"
      )
    }
    let folder = compiler.lastIndex(of: "/").map { String(compiler[..<$0]) } ?? "."
    let hasLLD = ([folder] + searchPath()).contains { FileSystem.isExecutable("\($0)/ld.lld") }
    return Toolchain(
      compiler: compiler,
      version: output.text,
      hasLLD: hasLLD,
      sysroot: sysroot.map(FileSystem.absolute)
    )
  }

  /// Flags of every call, compiling or linking.
  package var flags: [String] { sysroot.map { ["--sysroot=\($0)"] } ?? [] }

  /// The flags that make objects a library which needs nothing but the C library, exports the C
  /// interface alone and is the same whenever the objects are.
  package var linkFlags: [String] {
    [
      "-static-libstdc++", "-static-libgcc", "-pthread", "-Wl,--exclude-libs,ALL", "-Wl,-s",
      "-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,--no-undefined", "-lm",
    ] + (hasLLD ? ["-fuse-ld=lld", "-Wl,--gc-sections"] : [])
  }

  private static func searchPath() -> [String] {
    guard let path = getenv("PATH") else { return ["/usr/local/bin", "/usr/bin", "/bin"] }
    return String(cString: path).split(separator: ":").map(String.init)
  }

  /// Swift may be a link from elsewhere into its toolchain.
  private static func besideSwift(_ folders: [String]) -> [String] {
    folders.compactMap { folder in
      guard let real = realpath("\(folder)/swift", nil) else { return nil }
      defer { free(real) }
      let path = String(cString: real)
      return path.lastIndex(of: "/").map { "\(path[..<$0])/clang++" }
    }
  }
}
