import AITGraph
import AITKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The compiler of device code: nvcc, of a CUDA toolkit or of NVIDIA's packages for Python; or, for
/// an emulated device, clang.
package struct DeviceToolchain: Sendable {
  /// The path of the compiler.
  package let compiler: String
  /// What it says of itself; part of every cache key.
  package let version: String

  /// The part of it that tells releases apart, such as `V13.0.88`; all of it if there is no such.
  package var release: String {
    let words = version.split(whereSeparator: { $0 == " " || $0.isNewline || $0 == "," })
    return words.last { $0.hasPrefix("V") && $0.dropFirst().first?.isNumber == true }
      .map(String.init) ?? version
  }

  /// Flags by which clang makes images for the emulating driver; nil of nvcc.
  private let emulation: [String]?

  /// What compiles kernels for an emulated device: the compiler of the host's code.
  ///
  /// Variables without a value are NaN, so that what a kernel forgets to set shows.
  package static func emulating(_ host: Toolchain) -> DeviceToolchain {
    DeviceToolchain(
      compiler: host.compiler,
      version: "emulated \(host.version)",
      emulation: host.flags + [
        "-x", "c++", "-std=c++17", "-O1", "-shared", "-fPIC", "-fvisibility=hidden", "-fno-ident",
        "-fno-math-errno", "-ftrivial-auto-var-init=pattern", "-Wl,--build-id=none",
      ] + (host.hasLLD ? ["-fuse-ld=lld"] : [])
    )
  }

  /// The version of CUDA that drivers must be for at least, such as 13000, to load what nvcc makes:
  /// within a major version they load what any of its compilers made.
  package var driverVersion: Int {
    let words = version.split { $0 == " " || $0 == "," || $0 == "." }
    guard let release = words.firstIndex(of: "release"),
      words.index(after: release) < words.endIndex,
      let major = Int(words[words.index(after: release)])
    else { return 13000 }
    return 1000 * major
  }

  /// Where NVIDIA's packages for Python put nvcc, below `site-packages`.
  private static let packagePaths = ["nvidia/cu13/bin/nvcc", "nvidia/cuda_nvcc/bin/nvcc"]

  /// How to get one: 340 MB, without the rest of the toolkit.
  private static let advice = """
    install a CUDA toolkit, or, for the compiler alone: pip install --no-deps \
    nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 \
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85; or name one with --device-compiler
    """

  /// Finds nvcc.
  ///
  /// - Parameter path: the compiler to use; nil searches `PATH`, `CUDA_HOME`, `CUDA_PATH`,
  ///   `/usr/local/cuda`, and the packages of the Python environment at hand.
  /// - Returns: the compiler, known to be nvcc.
  /// - Throws: `missingCompiler`, saying where was looked and how to get one.
  package static func find(at path: String? = nil) async throws(Diagnostic) -> DeviceToolchain {
    let found: String
    if let path {
      guard FileSystem.isExecutable(path) else {
        throw Diagnostic(.missingCompiler, "there is no program here", at: path, hint: advice)
      }
      found = FileSystem.absolute(path)
    } else {
      var places = candidates()
      if !places.contains(where: FileSystem.isExecutable) { places += await packages() }
      guard let first = places.first(where: FileSystem.isExecutable) else {
        throw Diagnostic(
          .missingCompiler,
          "no nvcc in \(places.joined(separator: ", "))",
          hint: advice
        )
      }
      found = first
    }
    let output = try await Command(found, ["--version"]).run()
    guard output.isSuccess, output.text.contains("release") else {
      throw Diagnostic(
        .missingCompiler,
        "this program is not nvcc: '\(output.text.prefix(80))'",
        at: found,
        hint: advice
      )
    }
    return DeviceToolchain(compiler: found, version: output.text, emulation: nil)
  }

  private static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  private static var searchPath: [Substring] { (environment("PATH") ?? "").split(separator: ":") }

  private static func candidates() -> [String] {
    let homes = ["CUDA_HOME", "CUDA_PATH"].compactMap(environment) + ["/usr/local/cuda"]
    return searchPath.map { "\($0)/nvcc" } + homes.map { "\($0)/bin/nvcc" }
  }

  /// Where Python keeps packages, if there is a Python.
  private static func packages() async -> [String] {
    guard let python = searchPath.map({ "\($0)/python3" }).first(where: FileSystem.isExecutable)
    else { return [] }
    let script = "import sys; print('\\n'.join(sys.path))"
    guard let output = try? await Command(python, ["-c", script]).run(), output.isSuccess else {
      return []
    }
    let paths = output.text.split(separator: "\n").filter { $0.hasSuffix("-packages") }
    return paths.flatMap { path in packagePaths.map { "\(path)/\($0)" } }
  }

  /// The arguments that make machine code for an architecture from a file.
  ///
  /// The compiler of host code preprocesses, so that no other need be there.
  package func arguments(
    _ source: String,
    for architecture: Target.CUDA,
    hostCompiler: String,
    includePaths: [String],
    to output: String
  ) -> [String] {
    if let emulation {
      return emulation + ["-DAIT_EMULATED_ARCHITECTURE=\(architecture.capability * 10)"]
        + includePaths.map { "-I\($0)" } + [source, "-o", output, "-lm"]
    }
    return [
      "-cubin", "-std=c++17", "-O3", architecture.compilerFlag, "-ccbin", hostCompiler,
      "-allow-unsupported-compiler", "--resource-usage", "--diag-suppress=177",
    ] + includePaths.map { "-I\($0)" } + [source, "-o", output]
  }
}
