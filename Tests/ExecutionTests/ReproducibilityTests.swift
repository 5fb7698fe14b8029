import AITBuild
import AITConformance
import AITGraph
import AITKernels
import AITLoader
import AITReference
import AITSamples
import AITTestSupport
import AITemplate
import Testing

/// The same graph gives the same library, whatever the folder, the cache and the order of work; and
/// its sources give it without us.
@Suite struct ReproducibilityTests {
  /// A sample with weights of its own.
  static func graph(_ name: String) throws -> Graph {
    var graph = try #require(SampleGraph.named(name)).graph()
    try graph.bindMissingConstants(seed: 9)
    return graph
  }

  @Test(
    "Libraries are byte-identical, with the object cache and without, in any folder",
    arguments: ["tutorial", "literals"]
  )
  func identicalLibraries(_ name: String) async throws {
    let graph = try Self.graph(name)
    var libraries: [[UInt8]] = []
    let cache = try TemporaryFolder()
    let settings: [(objects: String?, jobs: Int)] = [
      (cache.path, 1), (cache.path, 2), (nil, 3),
    ]
    for (objects, jobs) in settings {
      let folder = try TemporaryFolder()
      var options = CompilerOptions()
      options.objectCache = objects
      options.jobs = jobs
      let result = try await Compiler(target: .detected(), options: options)
        .compile(graph, in: "\(folder.path)/below")
      // The second compilation finds every object of the first.
      let isSecond = libraries.count == 1
      #expect((result.reusedUnits > 0) == isSecond)
      #expect((result.compiledUnits == 0) == isSecond)
      libraries.append(try TemporaryFolder.bytes(result.library))
      let text = String(decoding: libraries[libraries.count - 1], as: UTF8.self)
      #expect(!text.contains(folder.path), "the library holds the path of its work directory")
    }
    #expect(libraries[0] == libraries[1], "the cache makes a difference")
    #expect(libraries[0] == libraries[2], "the folder makes a difference")
  }

  @Test("A bundle builds with make and the compiler alone", arguments: ["tutorial"])
  func makeAlone(_ name: String) async throws {
    let graph = try Self.graph(name)
    let folder = try TemporaryFolder()
    let result = try await Compiler(target: .detected()).compile(graph, in: folder.path)
    let compiler = try await Toolchain.find().compiler
    let make = try await run(
      program: "/usr/bin/env",
      ["make", "-s", "-j2", "CXX=\(compiler)"],
      in: result.sourceFolder
    )
    #expect(make.code == 0, "\(make)")
    let module = try CompiledModule(contentsOf: "\(result.sourceFolder)/lib\(name).so", threads: 2)
    let inputs = RandomInputs(for: graph, seed: 3).inputs
    let expected = try Evaluator.run(graph, inputs).outputs
    for (output, data) in try module.run(inputs) {
      let truth = try #require(expected[output])
      let bound = 2 * Tolerance.bound(truth.dtype, operatorCount: graph.nodeCount)
      #expect(AITReference.compare(data, truth, bound: bound).isEqual)
    }
    try module.selfTest()
  }

  /// Make's own idea of a C++ compiler is not clang.
  @Test func makeTakesClangByItself() async throws {
    let folder = try TemporaryFolder()
    let result = try await Compiler(target: .detected()).compile(
      try Self.graph("causal_mask"),
      in: folder.path
    )
    let make = try await run(
      program: "/usr/bin/env",
      ["make", "-n"],
      in: result.sourceFolder,
      environment: ["MAKEFLAGS": ""]
    )
    #expect(make.code == 0, "\(make)")
    let compilations = make.output.split(separator: "\n").filter { $0.contains(" -c ") }
    #expect(!compilations.isEmpty)
    for line in compilations { #expect(line.hasPrefix("clang++ "), "\(line)") }
  }
}
