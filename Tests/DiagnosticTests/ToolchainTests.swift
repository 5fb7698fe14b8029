import AITBuild
import AITGraph
import AITKernels
import AITTestSupport
import FoundationEssentials
import Testing

/// Which C++ compiler is taken for which target.
@Suite struct ToolchainTests {
  /// A program that says of itself what g++ does.
  static func gnu(in folder: TemporaryFolder) throws -> String {
    let path = try folder.write(
      "#!/bin/sh\necho 'g++ (GCC) 13.2.0'; echo 'Copyright (C) 2023 Free Software Foundation, Inc.'\n",
      as: "g++"
    )
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  @Test("g++ compiles host code for a GPU")
  func gnuForGPU() async throws {
    let folder = try TemporaryFolder()
    let path = try Self.gnu(in: folder)
    let toolchain = try await Toolchain.find(at: path, for: Target("cuda:sm_90a"))
    #expect(toolchain.compiler == path)
    #expect(!toolchain.isClang)
    #expect(!toolchain.linkFlags.contains("-fuse-ld=lld"))
    #expect(toolchain.version.contains("13.2.0"))
  }

  @Test("g++ compiles no kernels for the CPU")
  func gnuForCPU() async throws {
    let folder = try TemporaryFolder()
    let path = try Self.gnu(in: folder)
    do {
      _ = try await Toolchain.find(at: path, for: .detected())
      Issue.record("g++ was taken")
    } catch {
      #expect(error.identity == .missingCompiler)
      #expect("\(error)".contains("this compiler is not clang: 'g++"), "\(error)")
      #expect("\(error)".contains("vector extensions"), "\(error)")
    }
  }

  @Test(
    "Drivers must know the CUDA of nvcc",
    arguments: [("12.8, V12.8.93", 12000), ("13.0", 13000)]
  )
  func driverVersion(_ release: String, _ expected: Int) async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "#!/bin/sh\necho 'Cuda compilation tools, release \(release)'\n",
      as: "nvcc"
    )
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    #expect(try await DeviceToolchain.find(at: path).driverVersion == expected)
  }

  @Test("A compiler's name is looked for on PATH")
  func name() async throws {
    let toolchain = try await Toolchain.find(at: "clang++")
    #expect(toolchain.isClang && toolchain.compiler.hasSuffix("/clang++"))
    #expect(toolchain.compiler.hasPrefix("/"))
  }
}
