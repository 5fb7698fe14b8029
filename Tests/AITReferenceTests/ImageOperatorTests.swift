import AITGraph
import AITOperators
import AITReference
import Testing

/// Operators on images and on order against what PyTorch 2.13 computes of the same numbers.
@Suite struct ImageOperatorTests {
  /// Eighths that are neither ordered nor symmetric, so that sums of few of them are exact.
  private static func data(_ shape: [Int]) -> TensorData {
    let count = shape.reduce(1, *)
    return TensorData(.float64, shape, (0..<count).map { Double(($0 * 7919 + 13) % 101 - 50) / 8 })
  }

  private func check(
    _ shape: [Int],
    _ build: (inout Graph, ValueID) throws(Diagnostic) -> ValueID,
    _ expected: [Double],
    line: Int = #line
  ) throws {
    let x = Self.data(shape)
    var graph = Graph(name: "operator")
    let id = try graph.addInput("x", x.type)
    try graph.addOutput("y", try build(&graph, id))
    let found = try #require(try Evaluator.run(graph, ["x": x]).outputs["y"]).doubles
    #expect(found.count == expected.count, "line \(line)")
    for (index, (a, b)) in zip(found, expected).enumerated() {
      #expect((a - b).magnitude < 1e-8, "line \(line), element \(index): \(a), not \(b)")
    }
  }

  @Test func pools() throws {
    try check(
      [1, 5, 6, 2],
      { (graph, x) throws(Diagnostic) in
        try graph.maxPool(
          x,
          Pool.Windows([3, 2], stride: [2, 2], low: [1, 1], dilation: [1, 2], roundsUp: true)
        )
      },
      [
        5.625, -1.875, 5.625, 6.0, 0.875, 6.0, -3.875, 1.25, 4.0, 5.875, 4.0, 5.875, 5.5, 4.375,
        5.5, -0.375, 0.75, 5.875, 0.75, 5.875, 3.875, 1.125, 3.875, -3.625,
      ]
    )
    try check(
      [1, 5, 6, 2],
      { (graph, x) throws(Diagnostic) in
        try graph.averagePool(
          x,
          Pool.Windows([3, 2], stride: [2, 3], low: [1, 1], roundsUp: true),
          countsPadding: true
        )
      },
      [
        -1.8125, -0.104166667, 0.833333333, 0.041666667, -1.5625, 0.145833333, 0.270833333,
        -1.375, -1.1875, 1.833333333, 0.645833333, -1.0, 0.770833333, -1.729166667, -2.416666667,
        1.0, 1.020833333, -1.479166667,
      ]
    )
    try check(
      [1, 5, 6, 2],
      { (graph, x) throws(Diagnostic) in
        try graph.averagePool(
          x,
          Pool.Windows([3, 2], stride: [2, 3], low: [1, 1], roundsUp: true),
          countsPadding: false
        )
      },
      [
        -5.4375, -0.3125, 1.25, 0.0625, -4.6875, 0.4375, 0.541666667, -2.75, -1.1875,
        1.833333333, 1.291666667, -2.0, 2.3125, -5.1875, -3.625, 1.5, 3.0625, -4.4375,
      ]
    )
    try check(
      [1, 5, 6, 2],
      { (graph, x) throws(Diagnostic) in
        try graph.adaptivePool(x, .average, counts: [3, 4])
      },
      [
        -0.3125, -1.5, 3.625, -3.875, -1.125, 4.0, -3.5, 1.625, 1.458333333, -1.833333333,
        1.1875, 0.0, -1.458333333, 1.5625, 0.375, -0.8125, 1.125, -0.0625, -1.25, 3.875, 0.3125,
        -0.875, 4.25, -3.25,
      ]
    )
  }

  @Test func resizes() throws {
    try check(
      [1, 3, 4, 1],
      { (graph, x) throws(Diagnostic) in
        try graph.resize(x, to: [5, 3], .linear)
      },
      [
        -3.770833333, 3.0625, -0.625, -1.4625, 1.1625, 1.683333333, 2.0, -1.6875, 5.145833333,
        0.4125, -0.75, 2.295833333, -0.645833333, -0.125, 0.395833333,
      ]
    )
    try check(
      [1, 3, 4, 1],
      { (graph, x) throws(Diagnostic) in
        try graph.resize(x, to: [5, 3], .linear, alignsCorners: true)
      },
      [
        -4.625, 3.0625, -1.875, -0.6875, 0.6875, 2.0625, 3.25, -1.6875, 6.0, 0.875, -0.90625,
        3.625, -1.5, -0.125, 1.25,
      ]
    )
    try check(
      [1, 3, 4, 1],
      { (graph, x) throws(Diagnostic) in
        try graph.resize(x, by: [1.7, 0.6], .linear)
      },
      [
        -2.916666667, 5.625, -1.514705882, 3.808823529, 0.642156863, 1.014705882, 0.447303922,
        -1.779411765, 0.208333333, -3.875,
      ]
    )
    try check(
      [1, 3, 4, 1],
      { (graph, x) throws(Diagnostic) in
        try graph.resize(x, to: [4, 5], .cubic)
      },
      [
        -5.556641312, -1.406790588, 4.756946564, 4.185646912, -2.950922562, 1.197590347,
        -2.911267715, -0.608098984, 3.987052811, 3.719047394, 2.667011734, -0.787351349,
        -2.663452148, 0.521789825, 5.549108871, -2.207337112, 3.434327194, 0.072107315,
        -3.712849716, 1.220401367,
      ]
    )
    try check(
      [1, 3, 4, 1],
      { (graph, x) throws(Diagnostic) in
        try graph.resize(x, to: [5, 7], .nearest)
      },
      [
        -4.625, -4.625, 0.5, 0.5, 5.625, 5.625, -1.875, -4.625, -4.625, 0.5, 0.5, 5.625, 5.625,
        -1.875, 3.25, 3.25, -4.25, -4.25, 0.875, 0.875, 6.0, 3.25, 3.25, -4.25, -4.25, 0.875,
        0.875, 6.0, -1.5, -1.5, 3.625, 3.625, -3.875, -3.875, 1.25,
      ]
    )
    try check(
      [1, 3, 4, 1],
      { (graph, x) throws(Diagnostic) in
        try graph.resize(x, to: [5, 7], .nearestExact)
      },
      [
        -4.625, -4.625, 0.5, 5.625, 5.625, -1.875, -1.875, -4.625, -4.625, 0.5, 5.625, 5.625,
        -1.875, -1.875, 3.25, 3.25, -4.25, 0.875, 0.875, 6.0, 6.0, -1.5, -1.5, 3.625, -3.875,
        -3.875, 1.25, 1.25, -1.5, -1.5, 3.625, -3.875, -3.875, 1.25, 1.25,
      ]
    )
  }

  @Test func scans() throws {
    try check(
      [3, 4],
      { (graph, x) throws(Diagnostic) in
        try graph.scan(x, .sum, axis: 1)
      },
      [
        -4.625, -4.125, 1.5, -0.375, 3.25, -1.0, -0.125, 5.875, -1.5, 2.125, -1.75, -0.5,
      ]
    )
    try check(
      [3, 4],
      { (graph, x) throws(Diagnostic) in
        try graph.scan(x, .product, axis: 0)
      },
      [
        -4.625, 0.5, 5.625, -1.875, -15.03125, -2.125, 4.921875, -11.25, 22.546875, -7.703125,
        -19.072265625, -14.0625,
      ]
    )
    try check(
      [3, 4],
      { (graph, x) throws(Diagnostic) in
        try graph.scan(x, .maximum, axis: -1)
      },
      [
        -4.625, 0.5, 5.625, 5.625, 3.25, 3.25, 3.25, 6.0, -1.5, 3.625, 3.625, 3.625,
      ]
    )
  }

  @Test func scatters() throws {
    try check(
      [3, 4],
      { (graph, x) throws(Diagnostic) in
        try Self.scatter(&graph, x, .add, includesSelf: true)
      },
      [
        -3.625, 0.5, 7.625, -1.875, 3.25, 2.75, 0.875, 6.0, -7.5, 3.625, -3.875, 6.25,
      ]
    )
    try check(
      [3, 4],
      { (graph, x) throws(Diagnostic) in
        try Self.scatter(&graph, x, .add, includesSelf: false)
      },
      [
        1.0, 0.5, 2.0, -1.875, 3.25, 7.0, 0.875, 6.0, -6.0, 3.625, -3.875, 5.0,
      ]
    )
    try check(
      [3, 4],
      { (graph, x) throws(Diagnostic) in
        try Self.scatter(&graph, x, .multiply, includesSelf: true)
      },
      [
        -4.625, 0.5, 11.25, -1.875, 3.25, -51.0, 0.875, 6.0, 9.0, 3.625, -3.875, 6.25,
      ]
    )
    try check(
      [3, 4],
      { (graph, x) throws(Diagnostic) in
        try Self.scatter(&graph, x, .multiply, includesSelf: false)
      },
      [
        1.0, 0.5, 2.0, -1.875, 3.25, 12.0, 0.875, 6.0, -6.0, 3.625, -3.875, 5.0,
      ]
    )
    try check(
      [3, 4],
      { (graph, x) throws(Diagnostic) in
        try Self.scatter(&graph, x, .maximum, includesSelf: true)
      },
      [
        1.0, 0.5, 5.625, -1.875, 3.25, 4.0, 0.875, 6.0, -1.5, 3.625, -3.875, 5.0,
      ]
    )
    try check(
      [3, 4],
      { (graph, x) throws(Diagnostic) in
        try Self.scatter(&graph, x, .maximum, includesSelf: false)
      },
      [
        1.0, 0.5, 2.0, -1.875, 3.25, 4.0, 0.875, 6.0, -6.0, 3.625, -3.875, 5.0,
      ]
    )
    try check(
      [3, 4],
      { (graph, x) throws(Diagnostic) in
        try Self.scatter(&graph, x, .minimum, includesSelf: true)
      },
      [
        -4.625, 0.5, 2.0, -1.875, 3.25, -4.25, 0.875, 6.0, -6.0, 3.625, -3.875, 1.25,
      ]
    )
    try check(
      [3, 4],
      { (graph, x) throws(Diagnostic) in
        try Self.scatter(&graph, x, .minimum, includesSelf: false)
      },
      [
        1.0, 0.5, 2.0, -1.875, 3.25, 3.0, 0.875, 6.0, -6.0, 3.625, -3.875, 5.0,
      ]
    )
  }

  private static func scatter(
    _ graph: inout Graph,
    _ x: ValueID,
    _ kind: Scatter.Kind,
    includesSelf: Bool
  ) throws(Diagnostic) -> ValueID {
    let index = try graph.addLiteral(
      TensorData(.int64, [3, 2], [0.0, 2, 1, 1, 3, 0])
    )
    let updates = try graph.addLiteral(TensorData(.float64, [3, 2], [1.0, 2, 3, 4, 5, -6]))
    return try graph.scatter(x, axis: 1, index, updates, kind, includesSelf: includesSelf)
  }

  @Test func orders() throws {
    let x = TensorData(.float64, [2, 5], [3, .nan, 1, 3, -2, 0, -1, .infinity, -1, 0])
    func positions(
      _ build: (inout Graph, ValueID) throws(Diagnostic) -> (values: ValueID, positions: ValueID)
    ) throws -> [Int64] {
      var graph = Graph(name: "order")
      let id = try graph.addInput("x", x.type)
      let found = try build(&graph, id)
      try graph.addOutput("values", found.values)
      try graph.addOutput("positions", found.positions)
      let outputs = try Evaluator.run(graph, ["x": x]).outputs
      let positions = try #require(outputs["positions"]).integers
      let values = try #require(outputs["values"]).doubles
      let width = positions.count / 2
      for (index, position) in positions.enumerated() {
        let expected = x.doubles[index / width * 5 + Int(position)]
        #expect(values[index] == expected || (values[index].isNaN && expected.isNaN))
      }
      return positions
    }
    let ascending = try positions { (graph, x) throws(Diagnostic) in try graph.sort(x) }
    #expect(ascending == [4, 2, 0, 3, 1, 1, 3, 0, 4, 2])
    let descending = try positions { (graph, x) throws(Diagnostic) in
      try graph.sort(x, isDescending: true)
    }
    #expect(descending == [1, 0, 3, 2, 4, 2, 0, 4, 1, 3])
    // The lower position of equal ones, where PyTorch takes any.
    let best = try positions { (graph, x) throws(Diagnostic) in try graph.topK(x, 2) }
    #expect(best == [1, 0, 2, 0])
  }
}
