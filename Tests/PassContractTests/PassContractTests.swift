import AITGraph
import AITOperators
import AITPasses
import AITReference
import AITSamples
import Testing

/// What every pass owes, and the pipeline: the result verifies, computes the same, and is settled.
@Suite struct PassContractTests {
  static let passes: [any GraphPass] = Dictionary(
    Pipeline.standard.passes.map { (type(of: $0).name, $0) },
    uniquingKeysWith: { first, _ in first }
  )
  .values.sorted { type(of: $0).name < type(of: $1).name }

  static let names = passes.map { type(of: $0).name }

  /// Casts inside round where the program says so; the rest of the error is that of intermediates.
  static let bound: @Sendable (DType) -> Double = { dtype in
    switch dtype {
    case .float64: 1e-9
    case .float32: 2e-4
    case .float16: 5e-2
    default: 3e-1
    }
  }

  static func context(_ seed: UInt64, share: Double = 0.4) -> PassContext {
    PassContext(instruments: .evaluating(seed: seed, share: share, bound: bound))
  }

  /// Runs a pass twice under all instruments; the second run must find nothing to do.
  static func check(_ pass: any GraphPass, on graph: Graph, seed: UInt64) throws {
    var graph = graph
    let pipeline = Pipeline([pass])
    var context = context(seed)
    context.limits.rounds = 1
    let text = graph.description
    do {
      try pipeline.run(on: &graph, in: context)
      let settled = graph
      let records = try pipeline.run(on: &graph, in: context)
      if records[0].changes > 0 {
        Issue.record(
          """
          \(type(of: pass).name) changes its own result (seed \(seed)):
          \(text)
          first:
          \(settled)
          second:
          \(graph)
          """
        )
      }
      let again = try Graph.parse(GraphPrinter(includesData: true).text(graph))
      #expect(again.description == graph.description)
    } catch let error {
      Issue.record(
        """
        \(error) (seed \(seed))
        before:
        \(text)
        after:
        \(graph)
        """
      )
    }
  }

  static func checkPipeline(on graph: Graph, seed: UInt64, share: Double = 0.4) throws {
    var graph = graph
    let text = graph.description
    do {
      try Pipeline.standard.run(on: &graph, in: context(seed, share: share))
      let settled = graph
      let records = try Pipeline.standard.run(on: &graph, in: context(seed, share: share))
      for record in records where record.changes > 0 {
        Issue.record(
          """
          \(record.name) changes a settled graph (seed \(seed)):
          \(text)
          first:
          \(settled)
          second:
          \(graph)
          """
        )
        break
      }
    } catch let error {
      Issue.record(
        """
        \(error) (seed \(seed))
        before:
        \(text)
        after:
        \(graph)
        """
      )
    }
  }

  @Test(arguments: names, SampleGraph.all)
  func passKeepsItsContractOnSamples(_ name: String, _ sample: SampleGraph) throws {
    let pass = try #require(Self.passes.first { type(of: $0).name == name })
    try Self.check(pass, on: sample.graph(), seed: 7)
  }

  @Test(arguments: SampleGraph.all, [0, 0.4, 1])
  func pipelineKeepsItsContractOnSamples(_ sample: SampleGraph, _ share: Double) throws {
    try Self.checkPipeline(on: sample.graph(), seed: 11, share: share)
  }

  @Test(arguments: names)
  func passKeepsItsContractOnRandomGraphs(_ name: String) throws {
    let pass = try #require(Self.passes.first { type(of: $0).name == name })
    for seed in 1...UInt64(40) {
      try Self.check(pass, on: RandomGraph.make(seed: seed), seed: seed)
    }
  }

  @Test(arguments: 0..<8)
  func pipelineKeepsItsContractOnRandomGraphs(_ part: Int) throws {
    for seed in UInt64(1 + part * 32)...UInt64(32 + part * 32) {
      try Self.checkPipeline(on: RandomGraph.make(seed: seed), seed: seed)
    }
  }
}
