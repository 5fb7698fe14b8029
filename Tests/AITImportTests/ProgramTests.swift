import AITGraph
import AITImport
import AITReference
import AITWeights
import Foundation
import Testing

/// Programs of torch.export against PyTorch's outputs; see `Tests/Fixtures/programs`.
@Suite struct ProgramTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/programs").path

  @Test(arguments: [
    "layers", "images", "attention", "movements", "corners", "changes", "positions", "samples",
    "stacks", "recurrent", "numbers", "reviewed", "sizes", "rounding",
    "losses", "grids", "ordering", "masks", "bytes", "cells", "algebra", "specials", "parts",
    "extents",
  ])
  func matchesPyTorch(_ name: String) throws { try Self.check(name, against: name) }

  /// The layouts of torch 2.5, of 2.6 and 2.7, and of 2.8.
  @Test(arguments: ["older_2_5", "older_2_6", "older_2_8"])
  func olderLayoutsMatchPyTorch(_ name: String) throws { try Self.check(name, against: "older") }

  private static func check(_ name: String, against recording: String) throws {
    let graph = try ExportedProgram(contentsOf: "\(folder)/\(name).pt2").graph(named: name)
    let recorded = try Safetensors.read("\(folder)/\(recording).safetensors")
    var inputs: [String: TensorData] = [:]
    for input in graph.inputs {
      inputs[graph[input].name] = try recorded.tensor(named: "in.\(graph[input].name)")
    }
    let result = try Evaluator.run(graph, inputs)
    #expect(!graph.outputs.isEmpty)
    for (index, output) in graph.outputs.enumerated() {
      let expected = try recorded.tensor(named: "out.\(index)")
      let found = try #require(result.outputs[output.name])
      let comparison = compare(found, expected, bound: 1e-5)
      #expect(comparison.isEqual, "\(output.name): \(comparison)")
    }
  }

  @Test func changesOfStateAreRefused() throws {
    let program = try ExportedProgram(contentsOf: "\(Self.folder)/changing.pt2")
    let diagnostic = try #require(throws: Diagnostic.self) { try program.graph(named: "changing") }
    #expect(diagnostic.message.contains("changes"))
    #expect(diagnostic.hint?.contains("buffers") ?? false)
  }

  @Test func symbolsAndNamesAreThoseOfTheProgram() throws {
    let program = try ExportedProgram(contentsOf: "\(Self.folder)/layers.pt2")
    let graph = try program.graph(named: "layers")
    #expect(graph.inputs.map { graph[$0].name } == ["x"])
    #expect(graph.symbols.map(\.bounds) == [1...64])
    let names = graph.constants.compactMap { graph.constant($0)?.originalName }
    #expect(names.contains("first.weight"))
    #expect(names.contains("norm.bias"))
    let sources = graph.nodeIDs.compactMap { graph[$0].source }
    #expect(sources.contains { $0.hasPrefix("make_programs.py:") })
  }

  @Test func boundsCanBeGiven() throws {
    let program = try ExportedProgram(contentsOf: "\(Self.folder)/layers.pt2")
    let symbol = try #require(try program.graph(named: "layers").symbols.first)
    let bounded = try program.graph(named: "layers", bounds: [symbol.name: 2...7])
    #expect(bounded.symbols.map(\.bounds) == [2...7])
  }

  @Test func boundsOfUnknownSymbolsAreRefused() throws {
    let program = try ExportedProgram(contentsOf: "\(Self.folder)/layers.pt2")
    let symbol = try #require(try program.graph(named: "layers").symbols.first)
    let diagnostic = try #require(throws: Diagnostic.self) {
      try program.graph(named: "layers", bounds: ["rows": 2...7])
    }
    #expect(diagnostic.identity == .invalidOption)
    #expect(diagnostic.message.contains("'rows'"))
    #expect(diagnostic.hint?.contains(symbol.name) ?? false)
  }

  /// PyTorch saves what `Dim.AUTO` leaves open as two or more, and runs the program at one.
  @Test func openSizesMayBeOne() throws {
    let program = try ExportedProgram(contentsOf: "\(Self.folder)/older_2_8.pt2")
    #expect(try program.graph(named: "older").symbols.map(\.bounds) == [1...32])
  }

  @Test func allUnknownOperatorsAreTold() throws {
    let program = try ExportedProgram(contentsOf: "\(Self.folder)/unknown.pt2")
    #expect(program.coverage.unsupported.map(\.count) == [2, 1])
    let diagnostic = try #require(throws: Diagnostic.self) { try program.graph(named: "unknown") }
    #expect(diagnostic.identity == .unsupportedOperator)
    #expect(diagnostic.message.contains("aten.linalg_inv.default, 2 times"))
    #expect(diagnostic.message.contains("aten.special_bessel_j0.default, once"))
    #expect(diagnostic.message.contains("make_programs.py:"))
    #expect(diagnostic.message.contains("matrices are not factorised"))
  }

  @Test func whatDependsOnTheDataIsTold() throws {
    let program = try ExportedProgram(contentsOf: "\(Self.folder)/selecting.pt2")
    let diagnostic = try #require(throws: Diagnostic.self) { try program.graph(named: "selecting") }
    #expect(diagnostic.identity == .unsupportedOperator)
    #expect(diagnostic.message.contains("masked_select.default, once, first at make_programs.py:"))
    #expect(diagnostic.message.contains("the shape of its result depends on the data"))
    #expect(!(diagnostic.hint ?? "").contains("run_decompositions"))
    #expect(program.coverage.description.contains("depends on the data"))
  }
}
