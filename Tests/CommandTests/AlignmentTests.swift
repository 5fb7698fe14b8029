import AITGraph
import AITTestSupport
import AITWeights
import Testing

/// Files whose tensors begin at any byte, as ordinary writers leave them.
@Suite struct AlignmentTests {
  /// Tensors as a safetensors file whose data begins so many bytes past a multiple of 8.
  private static func write(
    _ tensors: [String: TensorData],
    residue: Int,
    to folder: TemporaryFolder,
    as name: String
  ) throws {
    try Safetensors.write(
      tensors.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: $0.value) },
      to: "\(folder.path)/\(name)"
    )
    var bytes = try TemporaryFolder.bytes("\(folder.path)/\(name)")
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let padding = (8 + residue - length % 8) % 8
    bytes.insert(contentsOf: [UInt8](repeating: 0x20, count: padding), at: 8 + length)
    bytes.replaceSubrange(
      ..<8,
      with: (0..<8).map { UInt8(truncatingIfNeeded: (length + padding) >> (8 * $0)) }
    )
    try folder.write(bytes, as: name)
  }

  @Test("Weights and inputs may begin at any byte of a file", arguments: 0..<8)
  func residues(_ residue: Int) async throws {
    let files = try CommandTests.Files()
    try Self.write(files.weights, residue: residue, to: files.folder, as: "w.safetensors")
    try Self.write(["X": files.input], residue: residue, to: files.folder, as: "x.safetensors")
    let verify = try await files.ait(
      "verify",
      "mlp.ait",
      "--weights",
      "w.safetensors",
      "--input",
      "x.safetensors",
      "-q"
    )
    #expect(verify.code == 0, "\(verify)")
    let compile = try await files.ait("compile", "mlp.ait", "--weights", "w.safetensors", "-q")
    #expect(compile.code == 0, "\(compile)")
    let run = try await files.ait(
      "run",
      "tmp/mlp/mlp.so",
      "--weights",
      "w.safetensors",
      "--input",
      "x.safetensors",
      "-o",
      "Y=y.npy"
    )
    #expect(run.code == 0, "\(run)")
    try files.check(try Numpy.read("\(files.folder.path)/y.npy"))
  }
}
