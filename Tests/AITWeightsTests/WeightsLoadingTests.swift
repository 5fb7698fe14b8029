import AITGraph
import FoundationEssentials
import Glibc
import Testing

@testable import AITWeights

/// A file that is not read, what it is called, and what the advice holds.
struct ForeignFile: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let bytes: [UInt8]
  let advice: String
}

private let foreignFiles: [ForeignFile] = [
  ForeignFile(
    testDescription: "before version 1.6",
    bytes: [0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E],
    advice: "torch.save"
  ),
  ForeignFile(
    testDescription: "a tar archive",
    bytes: [UInt8](repeating: 0, count: 257) + Array("ustar\0".utf8),
    advice: "torch.save"
  ),
  ForeignFile(testDescription: "a bare pickle", bytes: [0x80, 4, 0x4E], advice: "torch.save"),
  ForeignFile(testDescription: "a gzip file", bytes: [0x1F, 0x8B, 8], advice: "decompress"),
  ForeignFile(
    testDescription: "HDF5",
    bytes: [0x89, 0x48, 0x44, 0x46, 0x0D],
    advice: "safetensors"
  ),
  ForeignFile(testDescription: "GGUF", bytes: Array("GGUF...".utf8), advice: "safetensors"),
  ForeignFile(
    testDescription: "Git LFS",
    bytes: Array("version https://git-lfs.github.com/spec/v1\n".utf8),
    advice: "git lfs pull"
  ),
  ForeignFile(testDescription: "a web page", bytes: Array("<!doctype html>".utf8), advice: "fetch"),
  ForeignFile(testDescription: "not a file of weights", bytes: [1, 2, 3], advice: ".safetensors"),
]

@Suite("Files of weights")
struct WeightsLoadingTests {
  @Test(arguments: foreignFiles)
  func `a file of another kind is named, with advice`(_ foreign: ForeignFile) throws {
    let file = MappedFile("model.bin", copying: foreign.bytes)
    let problem = try #require(diagnostic { _ = try Weights.load(file) })
    #expect(problem.identity == .unsupportedFormat)
    #expect(problem.message.contains(foreign.testDescription), "\(problem)")
    #expect(problem.hint?.contains(foreign.advice) == true, "\(problem)")
  }

  @Test func `a safetensors file is known without its extension`() throws {
    let file = safetensors("{}")
    let renamed = MappedFile("model", copying: file.bytes + [UInt8](repeating: 0, count: 0))
    #expect(try Weights.load(renamed).count == 0)
  }

  @Test func `what is no regular file is not opened`() throws {
    try withTemporaryFolder { folder in
      let pipe = folder + "/pipe"
      try #require(mkfifo(pipe, 0o600) == 0)
      for path in [folder, pipe, folder + "/none", "/dev/zero", "a\0b", ""] {
        let problem = diagnostic { _ = try Weights.load(path) }
        #expect(problem?.identity == .unreadableFile, "\(path)")
      }
    }
  }

  @Test func `keys for a flat file are an error`() throws {
    let problem = diagnostic { _ = try Weights.load(safetensors("{}"), keyPath: ["model"]) }
    #expect(problem?.identity == .invalidOption)
  }

  @Test func `a name used twice is refused`() {
    let tensor = TensorData(zeros: .float32, [1])
    #expect(
      diagnostic { _ = try Weights([("a", tensor), ("a", tensor)]) }?.identity == .duplicateName
    )
  }

  // MARK: - Shards

  private func withShards(_ index: String, _ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try Safetensors.write([("a", TensorData([1], shape: [1]))], to: folder + "/1.safetensors")
      try Safetensors.write([("b", TensorData([2], shape: [1]))], to: folder + "/2.safetensors")
      let path = folder + "/model.safetensors.index.json"
      try #require(FileManager.default.createFile(atPath: path, contents: Data(index.utf8)))
      try body(path)
    }
  }

  @Test func `a model split into files is read as one`() throws {
    let index =
      #"{"metadata": {"total_size": 8, "x": [1, {"y": null}]}, "#
      + #""weight_map": {"b": "2.safetensors", "a": "1.safetensors"}}"#
    try withShards(index) { path in
      let weights = try Weights.load(path)
      #expect(weights.names == ["b", "a"])
      #expect(weights["b"]?.doubles == [2])
    }
  }

  @Test(arguments: [
    (#"{"weight_map": {"a": "../1.safetensors"}}"#, Diagnostic.Identity.corruptFile),
    (#"{"weight_map": {"a": "/1.safetensors"}}"#, .corruptFile),
    (#"{"weight_map": {"a": ".."}}"#, .corruptFile),
    (#"{"weight_map": {"a": ""}}"#, .corruptFile),
    (#"{"weight_map": {"a": "model.safetensors.index.json"}}"#, .corruptFile),
    (#"{"weight_map": {"a": "2.safetensors"}}"#, .corruptFile),
    (#"{"weight_map": {"a": "3.safetensors"}}"#, .unreadableFile),
    (#"{"weight_map": {"a": "1.safetensors", "a": "1.safetensors"}}"#, .duplicateName),
    (#"{"weight_map": {"a": 1}}"#, .corruptFile),
    (#"{"weight_map": {"a": "1.safetensors"}} x"#, .corruptFile),
    (#"{"weights": {}}"#, .unsupportedFormat),
    (#"[]"#, .corruptFile),
  ])
  func `a bad index is refused`(_ index: String, _ identity: Diagnostic.Identity) throws {
    try withShards(index) { path in
      let problem = try #require(diagnostic { _ = try Weights.load(path) })
      #expect(problem.identity == identity, "\(problem)")
    }
  }
}
