import AITBuild
import AITGraph
import AITKernels
import AITTestSupport
import Testing

@testable import AITGPU

/// That the choice of kernels computes what the templates' headers do: threads, shared memory, and
/// what is legal.
@Suite struct DeviceConfigurationTests {
  @Test("Every candidate is one that the headers take, with the same threads and shared memory")
  func headers() async throws {
    let folder = try TemporaryFolder()
    for file in preludeSources {
      let path = "\(folder.path)/\(file.path)"
      let parent = path.split(separator: "/").dropLast().joined(separator: "/")
      try FileSystem.createFolder("/\(parent)")
      try FileSystem.write(file.text, to: path)
    }
    var lines = ["matmul_hopper", "matmul_multistage", "matmul_few_rows"]
      .map { "#include \"ait/gpu/\($0)_config.h\"" }
    var count = 0
    for majorB in ["k", "mn"] {
      let task = MatmulTask(
        element: "float16",
        majors: ("k", majorB),
        alignments: (8, 8),
        columnMultiple: 8,
        isConstantB: true,
        hasEmptySums: false,
        epilogueOperations: 0,
        epilogueBytes: 2,
        epilogue: "",
        extents: (1, 1024, 1024, 1024)
      )
      for facts in [DeviceFacts.a100, .a10, .h200] {
        for candidate in MatmulCandidates.all(for: task, on: facts) {
          let name = "Config\(count)"
          var config = DeviceConfig(name: name, base: "Matmul\(candidate.kernel)Defaults")
          config.types = [("Element", "ait::float16")]
          config.constants = candidate.constants
          if candidate.kernel != FewRowsConfiguration.kernel {
            let isTransposed = candidate.constants.contains { $0 == ("kIsTransposed", 1) }
            let (a, b) = isTransposed ? (majorB, "k") : ("k", majorB)
            config.majors = [("kMajorA", a), ("kMajorB", b)]
          }
          let shape = "ait::Matmul\(candidate.kernel)Shape<\(name)>"
          lines.append(config.text)
          lines.append("static_assert(\(shape)::kThreads == \(candidate.threads));")
          lines.append("static_assert(\(shape)::kSharedBytes == \(candidate.sharedSizeInBytes));")
          count += 1
        }
      }
    }
    #expect(count > 500)
    let source = "\(folder.path)/configurations.cpp"
    try FileSystem.write(lines.joined(separator: "\n") + "\n", to: source)
    let toolchain = try await Toolchain.find()
    let result = try await run(
      program: toolchain.compiler,
      ["-std=c++17", "-fsyntax-only", "-I.", source],
      in: folder.path
    )
    #expect(result.code == 0, "\(result)")
  }
}
