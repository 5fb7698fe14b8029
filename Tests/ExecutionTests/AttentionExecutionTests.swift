import AITConformance
import AITGraph
import AITKernels
import AITOperators
import AITReference
import AITTestSupport
import AITemplate
import Testing

/// Attention within models, compiled for this machine and verified.
@Suite struct AttentionExecutionTests {
  /// Sizes of runs after one compilation; what a decoder does for each token, what an encoder does.
  @Test func decodesWithACacheAndReadsHeadsWhereTheyLie() async throws {
    let graph = try Graph.parse(
      """
      graph decoder {
        symbol batch: 1...2
        symbol past: 1...300
        symbol length: 1...70
        input q: float32[batch, 8, 1, 64]
        input key: float32[batch, 2, 1, 64]
        input value: float32[batch, 2, 1, 64]
        input keys: float32[batch, 2, past, 64]
        input values: float32[batch, 2, past, 64]
        input x: float32[batch, length, 96]
        input seen: bool[batch, 1, 1, length]
        k = concat(keys, key) {axis: 2}
        v = concat(values, value) {axis: 2}
        y = attention(q, k, v) {scale: 0.125}
        split = reshape(x) {shape: [batch, length, 3, 2, 16]}
        heads = permute(split) {permutation: [2, 0, 3, 1, 4]}
        q1 = slice(heads) {starts: [0, 0, 0, 0, 0], sizes: [1, batch, 2, length, 16]}
        k1 = slice(heads) {starts: [1, 0, 0, 0, 0], sizes: [1, batch, 2, length, 16]}
        v1 = slice(heads) {starts: [2, 0, 0, 0, 0], sizes: [1, batch, 2, length, 16]}
        q2 = reshape(q1) {shape: [batch, 2, length, 16]}
        k2 = reshape(k1) {shape: [batch, 2, length, 16]}
        v2 = reshape(v1) {shape: [batch, 2, length, 16]}
        a = attention(q2, k2, v2, seen) {scale: 0.25}
        b = permute(a) {permutation: [0, 2, 1, 3]}
        z = reshape(b) {shape: [batch, length, 32]}
        output Y = y
        output K = k
        output V = v
        output Z = z
      }
      """
    )
    let compiler = Compiler(target: .detected())
    let folder = try TemporaryFolder()
    let verification = Verification(compiler: compiler, workDirectory: folder.path, threads: 2)
    for share in [0, 0.3, 1] {
      let inputs = RandomInputs(for: graph, seed: 3, share: share).inputs
      let report = try await verification.run(graph, inputs)
      #expect(report.outputs.count == 4)
      for output in report.outputs {
        #expect(output.comparison.isEqual, "\(output.name) at \(share): \(output.comparison)")
      }
    }
  }
}
