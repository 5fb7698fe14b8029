import AITTestSupport
import FoundationEssentials
import Testing

/// The example of sentence embeddings against what sentence-transformers gave.
///
/// Runs where `AIT_MINILM` names the folder that `Examples/Embeddings/fetch.sh` made: the weights are
/// 91 MB, and not in the repository. `make embeddings` runs the same check.
@Suite struct EmbeddingsTests {
  static let folder = ProcessInfo.processInfo.environment["AIT_MINILM"]

  @Test(.enabled(if: folder != nil, "AIT_MINILM is not set"))
  func embeddingsAreThoseOfSentenceTransformers() async throws {
    let model = try TemporaryFolder()
    for name in ["model.safetensors", "vocab.txt"] {
      try FileManager.default.createSymbolicLink(
        atPath: "\(model.path)/\(name)",
        withDestinationPath: "\(Self.folder ?? "")/\(name)"
      )
    }
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let ait = URL(filePath: CommandTests.program)
    let result = try await run(
      program: ait.deletingLastPathComponent().appending(path: "Embeddings").path,
      ["check", "--model", model.path],
      in: root.path
    )
    #expect(result.code == 0, "\(result)")
    #expect(result.output.contains("16 sentences"), "\(result)")
  }
}
