import AITGraph
import AITOperators
import Testing

@Suite struct ArangeTests {
  private func integers(_ op: Arange) throws -> [Int64] {
    let types = try op.inferTypes([])
    return try op.evaluate([], results: types, symbols: [:])[0].integers
  }

  @Test func integersAreExactBeyondTheDoubles() throws {
    let start = Int64(1 << 53 + 1)
    #expect(
      try integers(
        Arange(start: .integer(start), step: .integer(start), count: 3, dtype: .int64)
      ) == [start, 2 * start, 3 * start]
    )
    let text = """
      graph g {
        r = arange() {start: 9223372036854775807, step: -9007199254740993, count: 2, dtype: int64}
        output y = r
      }
      """
    let graph = try Graph.parse(text)
    #expect(graph.description.contains("start: 9223372036854775807, step: -9007199254740993"))
  }

  @Test func integerTypesTruncate() throws {
    #expect(try integers(Arange(start: -1.5, step: 2.75, count: 3, dtype: .int32)) == [-1, 1, 3])
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 1e19, -1e300])
  func numbersThatAreNoneAreRefused(_ number: Double) {
    for (start, step) in [(number, 1), (0, number)] {
      let op = Arange(start: start, step: step, count: 4, dtype: .int64)
      #expect(throws: Diagnostic.self) { try op.inferTypes([]) }
    }
    let real = Arange(start: number, step: 1, count: 4, dtype: .float32)
    if number.isFinite {
      #expect(throws: Never.self) { try real.inferTypes([]) }
    } else {
      #expect(throws: Diagnostic.self) { try real.inferTypes([]) }
    }
  }
}
