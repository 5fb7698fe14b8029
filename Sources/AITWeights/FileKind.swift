import AITGraph

/// What a file of weights is, judged by its first bytes and its name.
package enum FileKind: Hashable, Sendable {
  case safetensors
  case pytorch
  case numpy
  case numpyArchive
  case shardIndex

  /// Tells the kind of a file.
  ///
  /// - Throws: `unsupportedFormat` for a kind that is not read, with what to do; `corruptFile` for
  ///   an empty file.
  package init(_ file: MappedFile) throws(Diagnostic) {
    let path = file.path
    guard file.sizeInBytes > 0 else {
      throw Diagnostic(.corruptFile, "an empty file", at: path)
    }
    if path.hasSuffix(".index.json") {
      self = .shardIndex
    } else if file.hasBytes(ZipArchive.magic) {
      self = path.hasSuffix(".npz") ? .numpyArchive : .pytorch
    } else if file.hasBytes(Numpy.magic) {
      self = .numpy
    } else if path.hasSuffix(".safetensors") || file.hasBytes([UInt8(ascii: "{")], at: 8) {
      self = .safetensors
    } else {
      throw Self.unsupported(file, expected: "a file of weights")
    }
  }

  /// A diagnostic that says what a file is instead of what was expected.
  static func unsupported(_ file: MappedFile, expected: String) -> Diagnostic {
    for (offset, magic, name, advice) in known where file.hasBytes(magic, at: offset) {
      return Diagnostic(
        .unsupportedFormat,
        "\(name), where \(expected) was expected",
        at: file.path,
        hint: advice
      )
    }
    return Diagnostic(
      .unsupportedFormat,
      "not \(expected)",
      at: file.path,
      hint: "weights are read from .safetensors, from .pt (torch.save), .npy and .npz files"
    )
  }

  private static let saveAgain =
    "load it in PyTorch and save it again: torch.save(torch.load(path), \"weights.pt\")"

  /// Kinds of files that are not read, by bytes at an offset.
  private static let known: [(offset: Int, magic: [UInt8], name: String, advice: String?)] = [
    // PyTorch's old number 0x1950A86A20F9469CFC6C as the first value of a pickle.
    (
      0, [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19],
      "a PyTorch file of the format before version 1.6", saveAgain
    ),
    (257, Array("ustar".utf8), "a tar archive", saveAgain),
    (0, [0x80, 0x02], "a bare pickle", saveAgain),
    (0, [0x80, 0x03], "a bare pickle", saveAgain),
    (0, [0x80, 0x04], "a bare pickle", saveAgain),
    (0, [0x80, 0x05], "a bare pickle", saveAgain),
    (0, [0x1F, 0x8B], "a gzip file", "decompress it first"),
    (0, [0x28, 0xB5, 0x2F, 0xFD], "a zstd file", "decompress it first"),
    (0, [0x50, 0x4B, 0x05, 0x06], "an empty zip archive", nil),
    (0, [0x89, 0x48, 0x44, 0x46], "an HDF5 file", "convert it to .safetensors"),
    (0, Array("GGUF".utf8), "a GGUF file", "convert it to .safetensors"),
    (
      0, Array("version https://git-lfs".utf8), "a pointer of Git LFS, not the file itself",
      "fetch the file: git lfs pull"
    ),
    (0, Array("<".utf8), "a web page or XML", "the download may have failed; fetch it again"),
  ]
}
