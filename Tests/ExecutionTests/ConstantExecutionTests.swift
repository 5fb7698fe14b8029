import AITConformance
import AITGraph
import AITKernels
import AITLoader
import AITOperators
import AITPlan
import AITReference
import AITSamples
import AITTestSupport
import AITemplate
import Testing

/// Weights: kept in the library, set when it runs, replaced, and what is derived from them.
@Suite struct ConstantExecutionTests {
  /// A compiled sample with its graph, to be run against the evaluator.
  struct Model {
    let graph: Graph
    let module: CompiledModule
    let result: CompilationResult
    private let folder: TemporaryFolder

    init(_ sample: String, bound: UInt64?, options: CompilerOptions = CompilerOptions())
      async throws
    {
      var graph = try #require(SampleGraph.named(sample)).graph()
      if let bound {
        for (name, data) in RandomInputs(for: graph, seed: bound).constants {
          let id = try #require(graph.constants.first { graph[$0].name == name })
          try graph.bind(id, to: data)
        }
      }
      self.graph = graph
      folder = try TemporaryFolder()
      result = try await Compiler(target: .detected(), options: options)
        .compile(graph, in: folder.path)
      module = try CompiledModule(contentsOf: result.library, threads: 2)
    }

    /// Weights for the sample; other seeds give others.
    func weights(_ seed: UInt64) throws -> [String: TensorData] {
      RandomInputs(
        for: try #require(SampleGraph.named(graph.name)).graph(),
        seed: seed
      ).constants
    }

    /// Runs, and compares with the meaning of the graph under these weights.
    func check(_ weights: [String: TensorData], _ when: String) throws {
      let inputs = RandomInputs(for: graph, seed: 77).inputs
      let expected = try Evaluator.run(graph, inputs, constants: weights).outputs
      let ordered = try module.inputs.map { try #require(inputs[$0.name]) }
      let found = try GuardedRun.run(module, ordered)
      #expect(found.problem == nil)
      for (output, data) in zip(module.outputs, found.results) {
        let truth = try #require(expected[output.name])
        let bound = 2 * Tolerance.bound(truth.dtype, operatorCount: graph.nodeCount)
        let comparison = AITReference.compare(data, truth, bound: bound)
        #expect(comparison.isEqual, "\(graph.name), \(when), '\(output.name)': \(comparison)")
      }
    }
  }

  static let samples = ["bert_block", "parallel_branches", "constant_work", "swiglu_few_rows"]

  @Test("Weights kept in the library count, and those set instead", arguments: samples)
  func boundWeights(_ sample: String) async throws {
    let model = try await Model(sample, bound: 1)
    #expect(try model.module.constantNames(unboundOnly: true).isEmpty)
    try model.check(try model.weights(1), "as compiled")
    #expect(try model.module.selfTest() < 1e-3)
    // All of them; merged and packed forms follow.
    try model.module.setConstants(try model.weights(2))
    try model.check(try model.weights(2), "all replaced")
    // The library still checks itself with its own.
    #expect(try model.module.selfTest() < 1e-3)
    // One after the other: each is merged and packed with those that stay.
    var mixed = try model.weights(2)
    for (name, data) in try model.weights(3).sorted(by: { $0.key < $1.key }) {
      mixed[name] = data
      try model.module.setConstant(name, to: data)
      try model.check(mixed, "'\(name)' replaced")
    }
    // And back at once.
    try model.module.setConstants(try model.weights(1))
    try model.module.foldConstants()
    try model.check(try model.weights(1), "put back")
  }

  @Test("Weights that the library lacks are set before the first run", arguments: samples)
  func unboundWeights(_ sample: String) async throws {
    let model = try await Model(sample, bound: nil)
    let weights = try model.weights(4)
    #expect(
      Set(try model.module.constantNames(unboundOnly: true)) == Set(weights.keys)
    )
    try model.module.setConstants(weights)
    try model.check(weights, "set")
    try model.module.setConstants(try model.weights(5))
    try model.check(try model.weights(5), "set again")
  }

  /// By the names of the program, as weight files have them.
  @Test func originalNames() async throws {
    let model = try await Model("parallel_branches", bound: 1)
    var weights = try model.weights(1)
    let other = try model.weights(6)
    weights["left_weight"] = other["left_weight"]
    try model.module.setConstant("left.weight", to: try #require(other["left_weight"]))
    try model.check(weights, "'left.weight' replaced")
  }

  /// Without settable constants, sources of what was merged are left out: the library is smaller.
  @Test func constantsThatAreNotSettable() async throws {
    var options = CompilerOptions()
    options.constantsAreSettable = false
    let model = try await Model("bert_block", bound: 1, options: options)
    try model.check(try model.weights(1), "as compiled")
    let settable = try await Model("bert_block", bound: 1)
    #expect(
      try model.module.memory.constantsInImage <= settable.module.memory.constantsInImage
    )
  }

  /// What kernels fold while compiling is what the evaluator makes of it.
  @Test func foldingByKernels() async throws {
    let model = try await Model("constant_work", bound: 1)
    #expect(!model.result.plan.folded.isEmpty)
    // Nothing is left to fold when it runs: a folded value lies in the image.
    let figures = try model.module.memory
    #expect(figures.folded > 0)
    try model.check(try model.weights(1), "as compiled")
  }
}
