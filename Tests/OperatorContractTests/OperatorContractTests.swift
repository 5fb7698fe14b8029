import AITGraph
import AITOperators
import AITReference
import Foundation
import Testing

/// What every operator of the catalogue owes, checked on its own examples.
@Suite struct OperatorContractTests {
  /// A row of the table; prints like the call.
  struct Row: CustomTestStringConvertible, Sendable {
    let example: OperatorExample
    var testDescription: String { example.description }
  }

  static let rows = OperatorCatalog.all.flatMap { $0.examples.map(Row.init) }

  @Test(arguments: OperatorCatalog.all.map { "\($0)" })
  func hasExamplesAndSummary(_ typeName: String) throws {
    let type = try #require(OperatorCatalog.all.first { "\($0)" == typeName })
    #expect(type.examples.count >= 3)
    #expect(!type.summary.isEmpty && !type.summary.hasSuffix("."))
    #expect(Identifier.isValid(type.name) && type.name == type.name.lowercased())
  }

  @Test func namesAreUnique() {
    let names = OperatorCatalog.all.map { $0.name }
    #expect(Set(names).count == names.count)
  }

  @Test func filesAreNamedAfterTheirTypes() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/AITOperators/Operators")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    let names = files.filter { $0.hasSuffix(".swift") }.map { $0.dropLast(6) }.sorted()
    #expect(names.map(String.init) == OperatorCatalog.all.map { "\($0)" })
  }

  @Test(arguments: rows)
  func textRoundTrips(_ row: Row) throws {
    let graph = try row.example.graph()
    let text = graph.description
    let again = try Graph.parse(text)
    #expect(again.description == text)
    let (node, parsed) = (graph[graph.nodeIDs[0]], again[again.nodeIDs[0]])
    #expect(node.op.isEqual(to: parsed.op))
    #expect(again[parsed.outputs[0]].type == graph[node.outputs[0]].type)
  }

  @Test(arguments: rows)
  func costIsNotNegative(_ row: Row) throws {
    let example = row.example
    let results = try example.op.inferTypes(example.operands)
    #expect(example.op.operationCount(example.operands, results: results).lowerBound >= 0)
  }

  /// Inferred types equal evaluated ones at the least, the greatest and a middle size of symbols.
  @Test(arguments: rows)
  func inferredTypesAreEvaluated(_ row: Row) throws {
    let graph = try row.example.graph()
    for share in [0.0, 0.4, 1.0] {
      var generator = RandomGenerator(seed: 7)
      let inputs = row.example.inputs(graph, share, &generator)
      let result = try Evaluator.run(graph, inputs, recordsIntermediates: true)
      for output in graph[graph.nodeIDs[0]].outputs {
        let data = try #require(result.intermediates[graph[output].name])
        #expect(data.dtype == graph[output].type.dtype)
        #expect(data.shape == graph[output].type.shape.evaluate(result.symbols))
      }
    }
  }

  /// An operator with fewer or more operands than it takes throws; it never traps.
  @Test(arguments: rows)
  func wrongOperandsThrow(_ row: Row) {
    let example = row.example
    if !example.operands.isEmpty {
      #expect(throws: Diagnostic.self) { try example.op.inferTypes([]) }
    }
    let other = TensorType(.bool, [2, 3, 5, 7, 11, 13])
    _ = try? example.op.inferTypes(Array(repeating: other, count: example.operands.count))
    _ = try? example.op.inferTypes(
      Array(repeating: TensorType(.float32, []), count: example.operands.count)
    )
  }

  /// A view reads the same elements from the operand's memory as the meaning copies.
  @Test(arguments: rows)
  func viewsReadWhatTheMeaningCopies(_ row: Row) throws {
    guard let op = row.example.op as? any ViewOperator, row.example.operands.count == 1 else {
      return
    }
    let graph = try row.example.graph()
    var generator = RandomGenerator(seed: 11)
    let inputs = row.example.inputs(graph, 0.6, &generator)
    let result = try Evaluator.run(graph, inputs, recordsIntermediates: true)
    let (operand, type) = (row.example.operands[0], graph[graph[graph.nodeIDs[0]].outputs[0]].type)
    let layout = try #require(
      op.view(of: Layout(rowMajor: operand.shape), operand: operand, result: type)
    )
    let strides = try #require(Shape(layout.strides).evaluate(result.symbols))
    let offset = try #require(layout.offset.evaluate(result.symbols))
    let extents = try #require(type.shape.evaluate(result.symbols))
    let source = try #require(inputs["x0"]).scalars
    let copied = try #require(result.intermediates["y"]).scalars
    var positions = [offset]
    for (extent, stride) in zip(extents, strides) {
      positions = positions.flatMap { base in (0..<extent).map { base + $0 * stride } }
    }
    #expect(positions.map { source[$0] } == copied)
  }
}

extension OperatorExample {
  /// The graph of one node `y`; operands are inputs `x0`, `x1`, …; symbols that no operand carries
  /// are given by further inputs.
  func graph() throws -> Graph {
    var graph = Graph(name: "example")
    var ids: [ValueID] = []
    for (index, type) in operands.enumerated() { ids.append(try graph.addInput("x\(index)", type)) }
    let results = try graph.addNode(op, ids, name: "y")
    let carried = operands.flatMap(\.shape.dimensions).compactMap { $0.scaledSymbol?.symbol }
    for symbol in graph.symbols where !carried.contains(symbol) {
      _ = try graph.addInput("extent_\(symbol.name)", TensorType(.bool, [Dimension(symbol)]))
    }
    for (index, result) in results.enumerated() { try graph.addOutput("y\(index)", result) }
    try graph.verify()
    return graph
  }

  /// Random inputs with each symbol at a share of its range.
  func inputs(_ graph: Graph, _ share: Double, _ generator: inout RandomGenerator)
    -> [String: TensorData]
  {
    var sizes: [String: Int] = [:]
    for symbol in graph.symbols {
      sizes[symbol.name] =
        symbol.bounds.lowerBound + Int(share * Double(symbol.bounds.count - 1))
    }
    var inputs: [String: TensorData] = [:]
    for id in graph.inputs {
      let type = graph[id].type
      inputs[graph[id].name] = .random(
        type.dtype,
        type.shape.evaluate(sizes) ?? [],
        using: &generator,
        indexBound: indexBound
      )
    }
    return inputs
  }
}
