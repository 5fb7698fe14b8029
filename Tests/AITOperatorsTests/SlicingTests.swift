import AITGraph
import AITOperators
import Testing

@Suite struct SlicingTests {
  /// What Python takes of `range(extent)`, by its own definition of a slice.
  private static func python(_ extent: Int, _ start: Int?, _ stop: Int?, _ step: Int) -> [Int] {
    let (lowest, highest) = step > 0 ? (0, extent) : (-1, extent - 1)
    func position(_ value: Int?, _ fallback: Int) -> Int {
      guard let value else { return fallback }
      return min(max(value < 0 ? value + extent : value, lowest), highest)
    }
    var index = position(start, step > 0 ? lowest : highest)
    let end = position(stop, step > 0 ? highest : lowest)
    var taken: [Int] = []
    while step > 0 ? index < end : index > end {
      taken.append(index)
      index += step
    }
    return taken
  }

  private static let bounds: [Int?] = [nil, -9, -6, -4, -1, 0, 1, 3, 5, 6, 9]

  /// Ranges of an axis of known extent, and of a symbolic one, are Python's.
  @Test(arguments: [-4, -2, -1, 1, 2, 3])
  func rangesArePythons(_ step: Int) throws {
    let symbolic = Dimension.symbol("n", 0...6)
    for start in Self.bounds {
      for stop in Self.bounds {
        let range = SliceRange(
          start.map { Dimension($0) },
          stop.map { Dimension($0) },
          step: step
        )
        let (symbolicStart, symbolicSize) = try range.resolved(symbolic)
        for extent in 0...6 {
          let expected = Self.python(extent, start, stop, step)
          let (first, size) = try range.resolved(Dimension(extent))
          #expect(size.constant == expected.count)
          #expect(symbolicSize.evaluate(["n": extent]) == expected.count)
          guard let expectedFirst = expected.first else { continue }
          #expect(first.constant == expectedFirst)
          #expect(symbolicStart.evaluate(["n": extent]) == expectedFirst)
        }
      }
    }
  }

  @Test func boundsKeepSymbolicRangesSimple() throws {
    let seq = Dimension.symbol("seq", 4...128)
    #expect(try SliceRange(1).resolved(seq) == (1, seq - 1))
    #expect(try SliceRange(nil, -1).resolved(seq) == (0, seq - 1))
    #expect(try SliceRange(-3).resolved(seq) == (seq - 3, 3))
    #expect(try SliceRange(step: -1).resolved(seq) == (seq - 1, seq))
    #expect(try SliceRange(nil, nil, step: 2).resolved(2 * seq) == (0, seq))
    #expect(throws: Diagnostic.self) { try SliceRange(step: 0).resolved(seq) }
    #expect(throws: Diagnostic.self) { try SliceRange(step: Int.min).resolved(seq) }
    #expect(throws: Diagnostic.self) { try SliceRange(seq - 64).resolved(seq) }
  }

  private func graph(_ shape: Shape) throws -> (Graph, ValueID) {
    var graph = Graph(name: "g")
    let x = try graph.addInput("x", TensorType(.float32, shape))
    return (graph, x)
  }

  private func shapes(_ values: [ValueID], in graph: Graph) -> [Shape] {
    values.map { graph.type(of: $0).shape }
  }

  @Test func wholeRangesAddNothing() throws {
    var (graph, x) = try graph([3, 4])
    #expect(try graph.slice(x, [.all, SliceRange(0, 4)]) == x)
    #expect(try graph.slice(x, axis: -1, SliceRange(0, 99)) == x)
    #expect(graph.nodeCount == 0)
    #expect(throws: Diagnostic.self) { try graph.slice(x, [.all, .all, .all]) }
  }

  @Test func splitsFollowPyTorch() throws {
    var (graph, x) = try graph([10, 3])
    #expect(shapes(try graph.split(x, size: 4, axis: 0), in: graph) == [[4, 3], [4, 3], [2, 3]])
    #expect(shapes(try graph.split(x, sizes: [1, 9], axis: -2), in: graph) == [[1, 3], [9, 3]])
    #expect(
      shapes(try graph.chunk(x, 4, axis: 0), in: graph) == [[3, 3], [3, 3], [3, 3], [1, 3]]
    )
    #expect(shapes(try graph.chunk(x, 6, axis: 0), in: graph).count == 5)
    #expect(shapes(try graph.chunk(x, 2, axis: 0), in: graph) == [[5, 3], [5, 3]])
    #expect(shapes(try graph.unbind(x, axis: 1), in: graph) == [[10], [10], [10]])
    #expect(throws: Diagnostic.self) { try graph.split(x, sizes: [1, 8], axis: 0) }
    #expect(throws: Diagnostic.self) { try graph.split(x, size: 0, axis: 0) }
    #expect(throws: Diagnostic.self) { try graph.chunk(x, 0, axis: 0) }
  }

  @Test func symbolicAxesSplitEvenly() throws {
    let batch = Dimension.symbol("batch", 1...8)
    var (graph, x) = try graph([3 * batch])
    #expect(shapes(try graph.chunk(x, 3, axis: 0), in: graph) == [[batch], [batch], [batch]])
    #expect(throws: Diagnostic.self) { try graph.chunk(x, 2, axis: 0) }
    #expect(throws: Diagnostic.self) { try graph.split(x, size: 2, axis: 0) }
  }

  @Test func selectRemovesTheAxis() throws {
    let seq = Dimension.symbol("seq", 1...8)
    var (graph, x) = try graph([2, seq, 5])
    #expect(shapes([try graph.select(x, axis: 1, -1)], in: graph) == [[2, 5]])
    #expect(shapes([try graph.select(x, axis: 1, seq - 1)], in: graph) == [[2, 5]])
    #expect(throws: Diagnostic.self) { try graph.select(x, axis: 0, 2) }
    #expect(throws: Diagnostic.self) { try graph.select(x, axis: 0, -3) }
  }
}
