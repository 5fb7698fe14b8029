import AITGraph
import AITOperators
import AITPasses
import AITReference
import AITSamples
import Foundation
import Testing

/// What every pass owes, and the pipeline: the result verifies, computes the same, reads back from
/// its text, and is settled.
@Suite struct PassContractTests {
  static let passes = Pipeline.standard.passes + Pipeline.standard.finalPasses

  /// By how much values may differ: roundings of intermediates, which grow along a program.
  static let bound: @Sendable (DType) -> Double = { dtype in
    switch dtype {
    case .float64: 1e-9
    case .float32: 2e-4
    case .float16: 5e-2
    default: 3e-1
    }
  }

  /// A program with what it computes, kept for all passes.
  struct Subject {
    let graph: Graph
    let context: PassContext

    init(_ graph: Graph, seed: UInt64, share: Double = 0.4) throws {
      self.graph = graph
      let instruments = try PassInstruments.evaluating(
        graph,
        seed: seed,
        share: share,
        bound: PassContractTests.bound
      )
      context = PassContext(instruments: instruments)
    }

    /// Runs a pipeline twice under all instruments; the second run must find nothing to do.
    func check(_ pipeline: Pipeline, _ what: String) throws {
      var changed = graph
      var settled: Graph?
      func fail(_ problem: String) {
        let second = settled.map { "\nonce:\n\($0)" } ?? ""
        Issue.record("\(what): \(problem)\nbefore:\n\(graph)\(second)\nafter:\n\(changed)")
      }
      do throws(Diagnostic) {
        try pipeline.run(on: &changed, in: context)
        settled = changed
        let records = try pipeline.run(on: &changed, in: context)
        if let record = records.first(where: { $0.changes > 0 }) {
          fail("\(record.name) finds work in its own result")
        }
        let again = try Graph.parse(GraphPrinter(includesData: true).text(changed))
        #expect(again.description == changed.description)
      } catch { fail("\(error)") }
    }

    func checkEachPass(_ what: String) throws {
      for pass in PassContractTests.passes {
        var once = self
        once.limitToOneRound()
        try once.check(Pipeline([pass]), "\(type(of: pass).name) on \(what)")
      }
    }

    private mutating func limitToOneRound() {
      var context = context
      context.limits.rounds = 1
      // Batches of all graphs are tiled.
      context.limits.tileBytes = 1
      self = Subject(graph, context)
    }

    private init(_ graph: Graph, _ context: PassContext) {
      self.graph = graph
      self.context = context
    }
  }

  @Test(arguments: SampleGraph.all)
  func passesKeepTheirContractOnSamples(_ sample: SampleGraph) throws {
    try Subject(sample.graph(), seed: 7).checkEachPass(sample.name)
  }

  @Test(arguments: SampleGraph.all, [0, 0.4, 1])
  func pipelineKeepsItsContractOnSamples(_ sample: SampleGraph, _ share: Double) throws {
    try Subject(sample.graph(), seed: 11, share: share).check(.standard, sample.name)
  }

  /// 256 graphs, 32 at a time.
  @Test(arguments: 0..<8)
  func contractHoldsOnRandomGraphs(_ part: Int) throws {
    for index in 1...32 {
      let seed = UInt64(32 * part + index)
      let subject = try Subject(
        RandomGraph.make(seed: seed),
        seed: seed,
        share: Double(seed % 3) / 2
      )
      try subject.checkEachPass("seed \(seed)")
      try subject.check(.standard, "pipeline on seed \(seed)")
    }
  }

  /// Every pass finds something to do in the random graphs, or the tests above say little of it.
  @Test func randomGraphsGiveEveryPassWork() throws {
    // Pairs of products are made for targets that ask for them: MatMulPairingTests does. Attention is
    // spelt out for targets without a kernel of it, and found in random graphs of its own:
    // AttentionDecompositionTests and AttentionRecognitionTests do, as AttentionMaskFoldingTests for its
    // masks. Batches are tiled where a target asks for it: contractHoldsOnRandomGraphs does.
    var idle = Set(Pipeline.standard.names).subtracting([
      MatMulPairing.name, AttentionDecomposition.name, AttentionRecognition.name,
      AttentionMaskFolding.name, BatchTiling.name,
    ])
    // Rows are seldom exchanged or patches convolved at random.
    let sample = try #require(SampleGraph.named("patches_and_exchanged_rows"))
    for seed in 0...UInt64(64) where !idle.isEmpty {
      var graph = seed == 0 ? try sample.graph() : try RandomGraph.make(seed: seed)
      for record in try Pipeline.standard.run(on: &graph) where record.changes > 0 {
        idle.remove(record.name)
      }
    }
    #expect(idle.isEmpty)
  }

  /// The instruments notice a pass that computes something else.
  @Test func instrumentsFindWrongResults() throws {
    struct Doubling: GraphPass {
      static let name = "doubling"

      func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
        let output = graph.outputs[0].value
        let twice = try graph.add(.value(output), .value(output))
        graph.replaceUses(of: output, with: twice)
        guard let node = graph.producer(of: twice) else { return }
        for position in graph[node].inputs.indices {
          graph.setInput(position, of: node, to: output)
        }
      }
    }
    let graph = try #require(SampleGraph.named("tutorial")).graph()
    let subject = try Subject(graph, seed: 1)
    var changed = graph
    do {
      try Pipeline([Doubling()]).run(on: &changed, in: subject.context)
      Issue.record("a wrong result passed")
    } catch let error {
      #expect(error.identity == .verificationFailed)
      #expect(error.message.hasPrefix("pass doubling changed the output 'Y': "))
    }
  }

  @Test func unknownPassesAreNamed() throws {
    var graph = try #require(SampleGraph.named("tutorial")).graph()
    do {
      try Pipeline.standard.run(on: &graph, stoppingAfter: "pointwise-fusoin")
      Issue.record("an unknown pass was taken")
    } catch let error {
      #expect(error.identity == .invalidOption)
      #expect(error.hint?.contains("pointwise-fusion") ?? false)
    }
    let records = try Pipeline.standard.run(on: &graph, stoppingAfter: "pointwise-fusion")
    #expect(records.last?.name == "pointwise-fusion")
    #expect(Set(records.map(\.name)).count == records.count)
  }

  /// Each file of `Passes/` is one pass, named after it in kebab case, and stands in the pipeline
  /// once; its header shows the graph before and after.
  @Test func filesArePassesOfThePipeline() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/AITPasses/Passes")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    let types = files.filter { $0.hasSuffix(".swift") }.map { String($0.dropLast(6)) }
    #expect(types.sorted() == Self.passes.map { "\(type(of: $0))" }.sorted())
    for pass in Self.passes {
      let words = "\(type(of: pass))".replacing("MatMul", with: "Matmul")
        .reduce(into: "") { text, letter in
          if letter.isUppercase && !text.isEmpty { text += "-" }
          text += letter.lowercased()
        }
      #expect(type(of: pass).name == words)
    }
    for type in types {
      let text = try String(contentsOf: folder.appending(path: "\(type).swift"), encoding: .utf8)
      #expect(text.contains("/// ```\n/// becomes"), "\(type)")
    }
    let rest = Pipeline.standard.without(["matmul-merging"])
    #expect(rest.passes.count + rest.finalPasses.count == Self.passes.count - 1)
  }
}
