import AITGraph
import AITLoader
import AITOperators
import AITReference
import AITSamples
import AITTestSupport
import AITemplate
import Dispatch
import Testing

/// One module used from several threads at once.
@Suite struct ConcurrencyTests {
  /// Runs at several sizes, with what is expected of them for two sets of weights.
  struct Case: Sendable {
    let inputs: [TensorData]
    let expected: [[TensorData]]
  }

  static let graph: Graph = {
    guard let graph = try? SampleGraph.named("bert_block")?.graph() else {
      preconditionFailure("the sample is there")
    }
    return graph
  }()

  static let weights = [1, 2].map { RandomInputs(for: graph, seed: $0).constants }

  static func cases(for module: CompiledModule) throws -> [Case] {
    try (0..<4).map { index in
      let inputs = RandomInputs(
        for: graph,
        seed: UInt64(10 + index),
        share: [0, 0.3, 0.7, 1][index]
      ).inputs
      let expected = try weights.map { weights in
        let outputs = try Evaluator.run(graph, inputs, constants: weights).outputs
        return try module.outputs.map { try #require(outputs[$0.name]) }
      }
      return Case(
        inputs: try module.inputs.map { try #require(inputs[$0.name]) },
        expected: expected
      )
    }
  }

  /// Which of the two sets of weights gave the results; nil if neither.
  static func weights(behind found: [TensorData], _ each: Case) -> Int? {
    let bound = 2 * Tolerance.bound(.float32, operatorCount: graph.nodeCount)
    return each.expected.firstIndex { expected in
      zip(found, expected).allSatisfy { AITReference.compare($0, $1, bound: bound).isEqual }
    }
  }

  static func module(runtimes: Int, threads: Int) async throws -> (CompiledModule, TemporaryFolder)
  {
    let folder = try TemporaryFolder()
    let result = try await Compiler(target: .detected()).compile(graph, in: folder.path)
    let module = try CompiledModule(
      contentsOf: result.library,
      runtimes: runtimes,
      threads: threads
    )
    try module.setConstants(weights[0])
    return (module, folder)
  }

  /// More callers than runtimes, at sizes that change from run to run.
  @Test(arguments: [(1, 1), (1, 2), (2, 1), (3, 2)])
  func runsFromSeveralThreads(_ runtimes: Int, _ threads: Int) async throws {
    let (module, folder) = try await Self.module(runtimes: runtimes, threads: threads)
    let cases = try Self.cases(for: module)
    DispatchQueue.concurrentPerform(iterations: 5) { caller in
      do {
        for round in 0..<12 {
          let each = cases[(caller + round) % cases.count]
          var found = try module.allocateOutputs(for: each.inputs)
          try module.run(each.inputs, into: &found, threads: round % 3)
          #expect(Self.weights(behind: found, each) == 0, "caller \(caller), round \(round)")
        }
      } catch { Issue.record("\(error)") }
    }
    withExtendedLifetime(folder) {}
  }

  /// Every run sees one set of weights whole, the merged and packed ones among them.
  @Test func weightsChangeWhileOthersRun() async throws {
    let (module, folder) = try await Self.module(runtimes: 2, threads: 2)
    let cases = try Self.cases(for: module)
    DispatchQueue.concurrentPerform(iterations: 4) { caller in
      do {
        for round in 0..<20 {
          if caller == 0 {
            try module.setConstants(Self.weights[(round + 1) % 2])
            if round.isMultiple(of: 3) { try module.foldConstants() }
            continue
          }
          let each = cases[(caller + round) % cases.count]
          var found = try module.allocateOutputs(for: each.inputs)
          try module.run(each.inputs, into: &found)
          #expect(Self.weights(behind: found, each) != nil, "caller \(caller), round \(round)")
        }
      } catch { Issue.record("\(error)") }
    }
    // Of the weights set last, none is left out.
    try module.setConstants(Self.weights[1])
    for each in cases {
      var found = try module.allocateOutputs(for: each.inputs)
      try module.run(each.inputs, into: &found)
      #expect(Self.weights(behind: found, each) == 1)
    }
    withExtendedLifetime(folder) {}
  }

  /// Modules of one library have weights and memory of their own.
  @Test func modulesOfOneLibraryAreApart() async throws {
    let (first, folder) = try await Self.module(runtimes: 1, threads: 1)
    let second = try CompiledModule(contentsOf: first.path, threads: 2)
    try second.setConstants(Self.weights[1])
    for each in try Self.cases(for: first) {
      for (module, expected) in [(first, 0), (second, 1)] {
        var found = try module.allocateOutputs(for: each.inputs)
        try module.run(each.inputs, into: &found)
        #expect(Self.weights(behind: found, each) == expected)
      }
    }
    withExtendedLifetime(folder) {}
  }

  /// A library may be built anew under its name while a module of the old one is in use.
  @Test func librariesAreRebuiltWhileInUse() async throws {
    let folder = try TemporaryFolder()
    func module(adding number: Double) async throws -> CompiledModule {
      var graph = Graph(name: "rebuilt")
      let x = try graph.addInput("x", TensorType(.float32, [4]))
      try graph.addOutput("y", try graph.add(.value(x), .scalar(number)))
      let result = try await Compiler(target: .detected()).compile(graph, in: folder.path)
      return try CompiledModule(contentsOf: result.library, threads: 1)
    }
    let x = TensorData([1, 2, 3, 4], shape: [4])
    let first = try await module(adding: 10)
    #expect(try first.run(["x": x])["y"]?.doubles == [11, 12, 13, 14])
    let second = try await module(adding: 20)
    #expect(try second.run(["x": x])["y"]?.doubles == [21, 22, 23, 24])
    #expect(try first.run(["x": x])["y"]?.doubles == [11, 12, 13, 14])
  }
}
