import AITGraph
import AITOperators
import Testing

/// Verbs refuse what PyTorch refuses, by a diagnostic that names both types.
@Suite struct BuildingErrorTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let identity: Diagnostic.Identity
    let build: @Sendable (inout Graph, _ f: ValueID, _ i: ValueID) throws -> Void

    init(
      _ description: String,
      _ identity: Diagnostic.Identity,
      _ build: @escaping @Sendable (inout Graph, ValueID, ValueID) throws -> Void
    ) {
      testDescription = description
      self.identity = identity
      self.build = build
    }
  }

  // f is float32[2, 3, 4], i is int32[2, 3].
  static let rows: [Row] = [
    Row("softmax of integers", .dtypeMismatch) { g, _, i in _ = try g.softmax(i, axis: 0) },
    Row("softmax along no axis", .axisOutOfRange) { g, f, _ in _ = try g.softmax(f, axis: 3) },
    Row("mean of integers", .dtypeMismatch) { g, _, i in _ = try g.mean(i) },
    Row("sum over an axis twice", .invalidAttribute) { g, f, _ in _ = try g.sum(f, axes: [1, -2]) },
    Row("product of types", .dtypeMismatch) { g, f, i in _ = try g.matmul(f, i) },
    Row("product of extents", .shapeMismatch) { g, f, _ in _ = try g.matmul(f, f) },
    Row("linear by a tensor", .rankMismatch) { g, f, _ in _ = try g.linear(f, f) },
    Row("concat of no tensors", .wrongInputCount) { g, _, _ in _ = try g.concat([], axis: 0) },
    Row("concat of ranks", .rankMismatch) { g, f, i in _ = try g.concat([f, i], axis: 0) },
    Row("stack of shapes", .rankMismatch) { g, f, i in _ = try g.stack([f, i]) },
    Row("layer norm of integers", .dtypeMismatch) { g, _, i in _ = try g.layerNorm(i) },
    Row("layer norm of a wrong weight", .shapeMismatch) { g, f, _ in
      _ = try g.layerNorm(f, weight: f)
    },
    Row("group norm of wrong groups", .shapeMismatch) { g, f, _ in
      _ = try g.groupNorm(f, groupCount: 2)
    },
    Row("batch norm of wrong statistics", .shapeMismatch) { g, f, _ in
      _ = try g.batchNorm(f, mean: f, variance: f)
    },
    Row("gather by floats", .dtypeMismatch) { g, f, _ in _ = try g.gather(f, axis: 0, f) },
    Row("embedding in a tensor", .rankMismatch) { g, f, i in _ = try g.embedding(i, table: f) },
    Row("permute of too few axes", .invalidAttribute) { g, f, _ in _ = try g.permute(f, [0, 1]) },
    Row("tile of too few axes", .rankMismatch) { g, f, _ in _ = try g.tile(f, [2]) },
    Row("clamp without limits", .invalidAttribute) { g, f, _ in _ = try g.clamp(f) },
    Row("argmax along no axis", .axisOutOfRange) { g, f, _ in _ = try g.argmax(f, axis: -4) },
    Row("function of too few", .wrongInputCount) { g, f, _ in _ = try g.pointwise(.add, f) },
    Row("sum that does not broadcast", .shapeMismatch) { g, f, i in
      _ = try g.add(.value(f), .value(i))
    },
  ]

  @Test(arguments: rows)
  func isRefused(_ row: Row) throws {
    var graph = Graph(name: "g")
    let f = try graph.addInput("f", TensorType(.float32, [2, 3, 4]))
    let i = try graph.addInput("i", TensorType(.int32, [2, 3]))
    #expect { try row.build(&graph, f, i) } throws: {
      ($0 as? Diagnostic)?.identity == row.identity
    }
  }

  @Test func rankZeroHasAxisZeroByCourtesy() throws {
    var graph = Graph(name: "g")
    let x = try graph.addInput("x", TensorType(.float32, []))
    for axis in [0, -1] {
      let sum = try graph.sum(x, axes: [axis])
      let softmax = try graph.softmax(x, axis: axis)
      let argmax = try graph.argmax(x, axis: axis)
      for result in [sum, softmax, argmax] { #expect(graph[result].type.rank == 0) }
    }
    #expect(throws: Diagnostic.self) { try graph.sum(x, axes: [1]) }
    #expect(throws: Diagnostic.self) { try graph.argmax(x, axis: 1) }
    #expect(throws: Diagnostic.self) { try graph.softmax(x, axis: 1) }
  }
}
