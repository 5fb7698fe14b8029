import AITGraph
import AITOperators
import Foundation
import Testing

/// The article on graph text shows graphs that are read, and tells all operators' attributes.
@Suite struct GraphTextArticleTests {
  private func article() throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(
      contentsOf: root.appending(path: "Sources/AITemplate/AITemplate.docc/TheGraphAsText.md"),
      encoding: .utf8
    )
  }

  @Test func examplesAreRead() throws {
    let blocks = try article().components(separatedBy: "```").enumerated()
      .filter { !$0.offset.isMultiple(of: 2) }.map(\.element)
    #expect(blocks.count == 5)
    for block in blocks {
      let graph = try Graph.parse(block)
      #expect(try Graph.parse(graph.description).description == graph.description)
    }
  }

  @Test func operatorsAndAttributesAreTold() throws {
    let rows = try article().split(separator: "\n").filter { $0.hasPrefix("| `") }
    for type in OperatorCatalog.all {
      let row = try #require(rows.first { $0.hasPrefix("| `\(type.name)` |") }, "\(type.name)")
      for attribute in Set(type.examples.flatMap { $0.op.attributes.map(\.name) }) {
        #expect(row.contains("`\(attribute)`"), "\(type.name) lacks \(attribute)")
      }
    }
  }

  @Test func elementTypesAreTold() throws {
    for dtype in DType.allCases { #expect(try article().contains("`\(dtype.rawValue)`")) }
  }
}
