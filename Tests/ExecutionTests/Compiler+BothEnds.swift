import AITConformance
import AITGraph
import AITReference
import AITTestSupport
import AITemplate
import Testing

extension Compiler {
  /// Compiles a graph and compares it with the reference at the least and at the greatest sizes.
  func expectEqualAtBothEnds(_ graph: Graph, outputCount: Int) async throws {
    let folder = try TemporaryFolder()
    let verification = Verification(compiler: self, workDirectory: folder.path, threads: 2)
    for share in [0.0, 1] {
      let inputs = RandomInputs(for: graph, seed: 3, share: share).inputs
      let report = try await verification.run(graph, inputs)
      #expect(report.outputs.count == outputCount)
      for output in report.outputs {
        #expect(output.comparison.isEqual, "\(output.name) at \(share): \(output.comparison)")
      }
    }
  }
}
