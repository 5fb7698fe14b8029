import AITCPU
import AITGraph
import AITKernels
import AITOperators
import AITPasses
import AITPlan
import AITReference
import AITSamples
import Testing

/// What holds for the plan of any graph, seen on random ones, on the samples, optimised and not.
@Suite struct PlanPropertyTests {
  static let backend = CPUBackend(Target(.x86_64v3))

  /// Plans a graph as it is and after the passes, and checks both.
  static func check(_ graph: Graph, seed: UInt64) {
    var isOptimized = false
    do {
      try check(try Planner.plan(graph, for: backend), seed: seed)
      var optimized = graph
      try Pipeline.standard.run(on: &optimized)
      isOptimized = true
      try check(try Planner.plan(optimized, for: backend), seed: seed)
    } catch {
      Issue.record(
        "\(error) (seed \(seed), \(isOptimized ? "optimised" : "as it was made"))\n\(graph)"
      )
    }
  }

  @Test("sizes that no run has are not verified")
  func refusedSizes() throws {
    let graph = try Graph.parse(
      """
      graph reflect {
        symbol n: 1...64
        input x: float32[n]
        s = softmax(x) {axis: 0}
        border = slice(s) {starts: [n - 2], sizes: [1], steps: [-1]}
        y = concat(s, border) {axis: 0}
        output y = y
      }
      """
    )
    let plan = try Planner.plan(graph, for: Self.backend)
    #expect(plan.sizeConstraints.contains { $0.margin.evaluate(["n": 1]).map { $0 < 0 } ?? false })
  }

  static func check(_ plan: Plan, seed: UInt64) throws {
    var random = RandomGenerator(seed: seed)
    let symbols = plan.graph.symbols
    func values(_ choose: (Symbol) -> Int) -> [String: Int] {
      Dictionary(uniqueKeysWithValues: symbols.map { ($0.name, choose($0)) })
    }
    var all = [values(\.bounds.lowerBound), values(\.bounds.upperBound)]
    for _ in 0..<4 {
      all.append(values { $0.bounds.lowerBound + random.integer(below: $0.bounds.count) })
    }
    for sizes in all {
      try plan.verify(symbols: sizes)
      try checkArena(plan, sizes)
      try checkOperands(plan, sizes)
    }
    // The bound is not only above the arena, it is reached.
    #expect(plan.arenaSize.evaluate(all[1]) == plan.arenaBoundInBytes, "seed \(seed)\n\(plan)")
    #expect(try Planner.plan(plan.graph, for: backend).description == plan.description)
  }

  /// At least what is alive at once, at most everything side by side.
  static func checkArena(_ plan: Plan, _ symbols: [String: Int]) throws {
    let arena = try #require(plan.arenaSize.evaluate(symbols))
    let sizes = try plan.buffers.map { try #require($0.sizeInBytes.evaluate(symbols)) }
    for step in plan.steps.indices {
      let alive = zip(plan.buffers, sizes).filter { $0.0.lifetime.contains(step) }
      let sum = alive.reduce(0) { $0 + $1.1 }
      #expect(arena >= sum, "\(sum) bytes are alive in step \(step), for \(symbols):\n\(plan)")
    }
    // Sizes are rounded up to cache lines; of symbolic ones the coefficient, which is 1 KiB or more.
    let most = sizes.reduce(0) { sum, size in
      sum + (size + size / 16 + MemoryPlanner.alignment - 1)
        / MemoryPlanner.alignment * MemoryPlanner.alignment
    }
    #expect(arena <= most, "all buffers together take \(most), for \(symbols):\n\(plan)")
    #expect(arena <= plan.arenaBoundInBytes)
    if symbols.isEmpty { #expect(plan.arenaSize.constant == plan.arenaBoundInBytes) }
  }

  /// Every buffer is written before it is read, and operands name storage that exists.
  static func checkOperands(_ plan: Plan, _ symbols: [String: Int]) throws {
    var written: Set<Plan.Storage> = []
    for step in plan.foldSteps + plan.steps {
      for (position, operand) in step.operands.enumerated() {
        let isRead = position < step.readCount
        switch operand.storage {
        case .input(let index): #expect(isRead && plan.graph.inputs.indices.contains(index))
        case .constant(let index): #expect(isRead && plan.constants.indices.contains(index))
        case .output(let index): #expect(plan.graph.outputs.indices.contains(index))
        case .folded, .buffer: break
        }
        switch operand.storage {
        case .output, .folded, .buffer:
          if isRead {
            #expect(
              written.contains(operand.storage),
              "'\(step.name)' reads what nobody wrote\n\(plan)"
            )
          } else {
            written.insert(operand.storage)
          }
        case .input, .constant: break
        }
        let offset = try #require(operand.offsetInBytes.evaluate(symbols))
        let count = try #require(operand.type.shape.elementCount.evaluate(symbols))
        if count > 0 { #expect(offset >= 0, "'\(step.name)' reads before its storage\n\(plan)") }
      }
    }
    for index in plan.graph.outputs.indices {
      #expect(written.contains(.output(index)), "output \(index) is not written\n\(plan)")
    }
  }

  @Test("Plans of random graphs are sound", arguments: 0..<8)
  func randomGraphs(_ part: Int) throws {
    for seed in UInt64(1 + part * 32)...UInt64(32 + part * 32) {
      Self.check(try RandomGraph.make(seed: seed), seed: seed)
    }
  }

  @Test("Plans of the samples are sound", arguments: SampleGraph.all)
  func samples(_ sample: SampleGraph) throws {
    Self.check(try sample.graph(), seed: 5)
  }
}
