import AITGraph
import AITKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The C++ compiler that builds libraries: clang, of the Swift toolchain or any other.
///
/// The host code of GPU targets is plain C++, which g++ compiles too.
package struct Toolchain: Sendable {
  /// The path of clang++ or g++.
  package let compiler: String
  /// What it says of itself; part of every cache key.
  package let version: String
  /// Whether it is clang; otherwise it is g++.
  package let isClang: Bool
  /// What a person may want to know of the choice: that one compiler stands in for another.
  package let note: String?
  /// Whether LLVM's linker is there, which clang alone is asked to use: it drops unused sections and
  /// hides the symbols of static libraries in one go, which others fail at.
  package let hasLLD: Bool
  /// The folder in which headers and libraries are looked for; nil is the machine's own.
  package let sysroot: String?

  /// Finds clang++; for GPU targets g++, where there is no clang++.
  ///
  /// - Parameters:
  ///   - path: the compiler to use; nil searches `PATH`, then beside `swift`.
  ///   - sysroot: the folder of the target's headers and libraries; nil is the machine's own.
  ///   - target: what it is to compile for.
  /// - Returns: the compiler, known to be one of the two.
  /// - Throws: `missingCompiler`, saying where was looked and how to get one; `unreadableFile` for a
  ///   sysroot that is no folder.
  package static func find(
    at path: String? = nil,
    sysroot: String? = nil,
    for target: Target = .detected()
  ) async throws(Diagnostic) -> Toolchain {
    if let sysroot, !FileSystem.isFolder(sysroot) {
      throw Diagnostic(
        .unreadableFile,
        "there is no folder here",
        at: sysroot,
        hint: "--sysroot names the folder that holds the target's usr/include and usr/lib"
      )
    }
    let (compiler, note) = try choose(path, for: target)
    let output = try await Command(compiler, ["--version"]).run()
    let isClang = output.text.contains("clang")
    let isGNU = !isClang && output.text.contains("Free Software Foundation")
    guard isClang || (target.takesGNU && isGNU) else {
      throw Diagnostic(
        .missingCompiler,
        "this compiler is not clang\(target.takesGNU ? " or g++" : ""): '\(output.text.prefix(80))'",
        at: compiler,
        hint: target.takesGNU
          ? advice(for: target)
          : "kernels use clang's vector extensions; \(advice(for: target))"
      )
    }
    let folder = compiler.lastIndex(of: "/").map { String(compiler[..<$0]) } ?? "."
    let hasLLD = ([folder] + searchPath()).contains { FileSystem.isExecutable("\($0)/ld.lld") }
    return Toolchain(
      compiler: compiler,
      version: output.text,
      isClang: isClang,
      note: note,
      hasLLD: isClang && hasLLD,
      sysroot: sysroot.map(FileSystem.absolute)
    )
  }

  private static func advice(for target: Target) -> String {
    target.takesGNU
      ? "install g++ or clang, or name one with --compiler"
      : "install clang (the Swift toolchain holds one in usr/bin), or name one with --compiler"
  }

  /// The compiler that is named, or the first that is there.
  private static func choose(_ path: String?, for target: Target) throws(Diagnostic) -> (
    compiler: String, note: String?
  ) {
    let folders = searchPath()
    if let path {
      // A name without a folder is looked for as a shell does.
      let places = path.contains("/") ? [path] : folders.map { "\($0)/\(path)" } + [path]
      guard let found = places.first(where: FileSystem.isExecutable) else {
        throw Diagnostic(
          .missingCompiler,
          "there is no program here",
          at: path,
          hint: advice(for: target)
        )
      }
      // It will be started in other folders.
      return (FileSystem.absolute(found), nil)
    }
    let candidates = folders.map { "\($0)/clang++" } + besideSwift(folders)
    if let found = candidates.first(where: FileSystem.isExecutable) { return (found, nil) }
    let others = target.takesGNU ? folders.map { "\($0)/g++" } : []
    if let found = others.first(where: FileSystem.isExecutable) {
      return (found, "there is no clang++: host code is compiled by \(found)")
    }
    throw Diagnostic(
      .missingCompiler,
      "no clang++\(target.takesGNU ? " and no g++" : "") in \(folders.joined(separator: ":"))",
      hint: advice(for: target)
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

extension Target {
  /// Whether g++ will do: where the compiler makes host code alone.
  ///
  /// Kernels that run on the processor use clang's vector extensions.
  fileprivate var takesGNU: Bool { isGPU && !isEmulated }
}
