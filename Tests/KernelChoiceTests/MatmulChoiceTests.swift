import AITGraph
import Testing

@testable import AITGPU

/// Which kernel serves which numbers of rows, by the model and by measurements.
@Suite struct MatmulChoiceTests {
  private let dynamic = Products.task(
    rows: .symbol("batch", 1...2048),
    columns: 512,
    depth: 2048,
    operations: 2
  )

  @Test("Parts ascend to the bound, and are few")
  func parts() {
    let parts = MatmulChoice(dynamic, on: Products.h200).parts
    #expect(parts.count > 1 && parts.count <= MatmulChoice.limit)
    #expect(parts.map(\.rows) == parts.map(\.rows).sorted())
    #expect(parts.last?.rows == 2048)
    // A weight of few columns gets more blocks by splitting K.
    guard case .hopper(let few) = parts[0].candidate else {
      Issue.record("\(parts[0].candidate)")
      return
    }
    #expect(few.isTransposed == 1 && few.splitK > 1 && parts[0].rows <= 64)
    for part in parts {
      #expect(MatmulCandidates.takes(part.candidate, rows: part.rows, of: dynamic))
    }
    for (part, next) in zip(parts, parts.dropFirst()) { #expect(part.candidate != next.candidate) }
  }

  @Test("The tutorial's products have at batch 1024 what was measured to be fastest there")
  func tutorial() throws {
    let second = MatmulChoice(dynamic, on: Products.h200).parts
    let fixed = try #require(MatmulChoice(Products.second, on: Products.h200).parts.first)
    #expect(second.first { $0.rows >= 1024 }?.candidate == fixed.candidate)
    let task = Products.task(
      rows: .symbol("batch", 1...2048),
      columns: 2048,
      depth: 512,
      operations: 8
    )
    let first = try #require(MatmulChoice(Products.first, on: Products.h200).parts.first)
    let parts = MatmulChoice(task, on: Products.h200).parts
    #expect(parts.first { $0.rows >= 1024 }?.candidate == first.candidate)
  }

  @Test("No size is expected to take a third longer than with its own best kernel")
  func regret() {
    let parts = MatmulChoice(dynamic, on: Products.h200).parts
    let model = MatmulModel(task: dynamic, facts: Products.h200)
    for rows in [17, 64, 128, 256, 512, 1000, 1024, 1500, 2048] {
      guard let part = parts.first(where: { $0.rows >= rows }) else { continue }
      let best = MatmulChoice.best(1, dynamic, on: Products.h200, rows: rows)[0].seconds
      #expect(model.seconds(part.candidate, dynamic.size(rows: rows)) < 1.34 * best, "\(rows)")
    }
  }

  @Test("One size has one kernel, the best")
  func single() {
    for task in Products.many {
      let parts = MatmulChoice(task, on: Products.h200).parts
      let rows = task.points[0]
      #expect(task.points.count == 1 && parts.count == 1)
      let best = MatmulChoice.best(2, task, on: Products.h200, rows: rows)
      #expect(parts[0].candidate == best[0].candidate)
      #expect(parts[0].runnerUp?.candidate == best[1].candidate)
      #expect(!parts[0].isMeasured)
    }
  }

  @Test("Points are within the bounds, ascend, and hold the powers of two")
  func points() {
    #expect(Products.task(rows: .symbol("m", 0...0), columns: 8, depth: 8).points == [1])
    #expect(Products.task(rows: .symbol("m", 0...5), columns: 8, depth: 8).points == [5])
    let task = Products.task(rows: .symbol("m", 100...5000), columns: 8, depth: 8)
    #expect(task.points == task.points.sorted() && Set(task.points).count == task.points.count)
    #expect(task.points.allSatisfy { (100...5000).contains($0) } && task.points.last == 5000)
    #expect(Set(task.points).isSuperset(of: [128, 256, 512, 1024, 2048, 4096]))
    let many = Products.task(rows: .symbol("m", 1...1_000_000_000), columns: 8, depth: 8)
    #expect(many.points.count < 250)
  }

  @Test("Extents that follow the rows are taken at their size")
  func sharedSymbol() {
    let length = Dimension.symbol("length", 1...512)
    var task = Products.task(rows: length, columns: 1, depth: 64)
    task = MatmulTask(
      element: task.element,
      majors: task.majors,
      alignments: task.alignments,
      columnMultiple: 1,
      isConstantB: false,
      hasEmptySums: false,
      epilogueOperations: 0,
      epilogueBytes: 2,
      epilogue: "",
      extents: (.symbol("batch", 1...8), length, length, 64)
    )
    #expect(task.size(rows: 128) == MatmulSize(batch: 8, rows: 128, columns: 128, depth: 64))
  }

  // MARK: - Measurements

  @Test("What was measured to be faster is chosen, against the model")
  func measured() {
    let rows = 1024
    let list = MatmulChoice.best(6, Products.second, on: Products.h200, rows: rows)
    var measured = MatmulMeasurements()
    for (index, entry) in list.enumerated() {
      measured.byRows[rows, default: [:]][entry.candidate] = index == 4 ? 5e-6 : 9e-6
    }
    let part = MatmulChoice(Products.second, on: Products.h200, measured: measured).parts[0]
    #expect(part.candidate == list[4].candidate && part.isMeasured)
    #expect(abs(part.seconds - 5e-6) < 1e-12)
    #expect(abs((part.runnerUp?.seconds ?? 0) - 9e-6) < 1e-12)
  }

  @Test("A candidate whose results were wrong is never chosen, however fast")
  func rejected() {
    let list = MatmulChoice.best(3, dynamic, on: Products.h200, rows: 2048)
    var measured = MatmulMeasurements()
    measured.byRows[2048] = [
      list[0].candidate: .infinity, list[1].candidate: 2e-5, list[2].candidate: 1e-5,
    ]
    let parts = MatmulChoice(dynamic, on: Products.h200, measured: measured).parts
    #expect(!parts.map(\.candidate).contains(list[0].candidate))
    #expect(parts.last?.candidate == list[2].candidate)
  }

  @Test("Measurements that share no candidate leave every size with a kernel that takes it")
  func sparse() throws {
    var measured = MatmulMeasurements()
    for (index, rows) in dynamic.measuredPoints.enumerated() {
      let list = MatmulChoice.best(20, dynamic, on: Products.h200, rows: rows)
      measured.byRows[rows] = [
        list[index * 3].candidate: 3e-6, list[index * 3 + 1].candidate: 4e-6,
      ]
    }
    let parts = MatmulChoice(dynamic, on: Products.h200, measured: measured).parts
    #expect(parts.last?.rows == 2048)
    for part in parts {
      #expect(MatmulCandidates.takes(part.candidate, rows: part.rows, of: dynamic))
      #expect(part.seconds < 1e-3)
    }
  }

  @Test("Equal inputs give equal choices")
  func determinism() {
    let texts = (0..<3).map { _ in
      MatmulChoice(dynamic, on: Products.h200).parts.map { "\($0.rows) \($0.candidate)" }
    }
    #expect(Set(texts).count == 1)
  }

  // MARK: - Text

  @Test("A configuration is read back from its text")
  func text() {
    let task = Products.task(rows: 512, columns: 512, depth: 512)
    for facts in DeviceFacts.all {
      for candidate in MatmulCandidates.all(for: task, on: facts) {
        #expect(MatmulCandidate(candidate.description) == candidate)
      }
    }
  }

  @Test(
    "Another text is no configuration",
    arguments: [
      "", "Hopper", "Hopper kTileM=128", "FewRows kRows=8 kWarps=16 kTileN=", "Other kRows=8",
      "FewRows kRows=8 kWarps=16 kTileN=32 ", "FewRows kRows=8 kWarps=-1 kTileN=32",
      "FewRows kWarps=16 kRows=8 kTileN=32", "FewRows kRows=8 kWarps=99999999 kTileN=32",
    ]
  )
  func otherText(_ text: String) { #expect(MatmulCandidate(text) == nil) }
}
