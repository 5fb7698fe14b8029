import AITConformance
import AITGraph
import AITKernels
import AITLoader
import AITOperators
import AITPasses
import AITReference
import AITSamples
import AITTestSupport
import AITemplate
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Whole graphs, compiled and run on this machine, give what the reference evaluator gives.
@Suite struct GraphExecutionTests {
  /// Graphs in one library, at several sizes and numbers of threads.
  static func check(_ joined: JoinedGraph, looseness: Double = 1) async throws {
    let folder = try TemporaryFolder()
    var options = CompilerOptions()
    // The members have been through the passes, or are not to.
    options.optimizes = false
    options.includesSelfTest = false
    let result = try await Compiler(target: .detected(), options: options)
      .compile(joined.graph, in: folder.path)
    let module = try CompiledModule(contentsOf: result.library, threads: 2)
    for (share, threads) in [(0.0, 2), (0.4, 1), (1.0, 2)] {
      let given = joined.members.enumerated().map { index, member in
        RandomInputs(for: member.reference, seed: UInt64(index + 1), share: share)
      }
      try module.setConstants(try joined.constants(given, for: module))
      let found = try GuardedRun.run(module, joined.inputs(given, for: module), threads: threads)
      #expect(found.problem == nil)
      var results: [String: TensorData] = [:]
      for (output, data) in zip(module.outputs, found.results) { results[output.name] = data }
      for (member, inputs) in zip(joined.members, given) {
        compare(
          joined.outputs(of: member, in: results),
          member,
          inputs,
          "\(member.name), sizes at \(share) of their bounds, \(threads) threads",
          looseness: looseness
        )
      }
    }
  }

  /// Against the graph as it was made, and, where passes have been at work, against what they made of
  /// it: there the rounding of intermediates is the same, so the bound is tight.
  static func compare(
    _ found: [String: TensorData],
    _ member: JoinedGraph.Member,
    _ inputs: RandomInputs,
    _ place: String,
    looseness: Double
  ) {
    do {
      for (graph, slack) in [(member.compiled, 1.0), (member.reference, 2.0)] {
        let expected = try Evaluator.run(graph, inputs.inputs, constants: inputs.constants).outputs
        for (name, truth) in expected {
          guard let data = found[name] else {
            Issue.record("\(place): output '\(name)' is missing")
            continue
          }
          let bound = Tolerance.bound(truth.dtype, operatorCount: graph.nodeCount)
          let comparison = AITReference.compare(data, truth, bound: bound * slack * looseness)
          if !comparison.isEqual {
            Issue.record("\(place): output '\(name)': \(comparison)\n\(member.compiled)")
          }
        }
      }
    } catch { Issue.record("\(place): \(error)") }
  }

  static func optimized(_ graph: Graph) throws -> Graph {
    var optimized = graph
    try Pipeline.standard.run(on: &optimized)
    return optimized
  }

  /// The samples in a few groups, each of which is one library.
  static let groupCount = 3

  @Test("Optimised samples give the reference's results", arguments: 0..<groupCount)
  func optimizedSamples(_ group: Int) async throws {
    var joined = JoinedGraph(name: "optimized_\(group)")
    for (index, sample) in SampleGraph.all.enumerated() where index % Self.groupCount == group {
      let graph = try sample.graph()
      try joined.add(try Self.optimized(graph), meaning: graph, as: sample.name)
    }
    try await Self.check(joined)
  }

  @Test("Samples as they were made give the reference's results", arguments: 0..<groupCount)
  func plainSamples(_ group: Int) async throws {
    var joined = JoinedGraph(name: "plain_\(group)")
    for (index, sample) in SampleGraph.all.enumerated() where index % Self.groupCount == group {
      let graph = try sample.graph()
      try joined.add(graph, meaning: graph, as: sample.name)
    }
    try await Self.check(joined)
  }

  /// Other graphs can be tried: `AIT_TEST_SEED=5000 swift test --filter randomGraphs`.
  static let firstSeed = getenv("AIT_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1001

  /// Small ones of one element type, whose kernels have much in common: compiling is what takes time.
  @Test(
    "Random graphs give the reference's results",
    arguments: [DType.float32, .float16, .bfloat16, .float64]
  )
  func randomGraphs(_ dtype: DType) async throws {
    var joined = JoinedGraph(name: "random_\(dtype.rawValue)")
    for seed in 1...UInt64(10) {
      let graph = try RandomGraph.make(seed: 1000 + seed, steps: 6, float: dtype)
      try joined.add(try Self.optimized(graph), meaning: graph, as: "seed \(1000 + seed)")
    }
    // Differences of values that were rounded apart are large beside the values themselves.
    try await Self.check(joined, looseness: 1)
  }
}
