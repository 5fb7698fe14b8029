import AITGraph

/// The tensors of a file that `torch.save` wrote: `.pt`, `.pth`, `.bin`, `.ckpt`.
///
/// The file is a zip archive of a pickle and of the bytes of each storage. The pickle is read by a
/// machine that knows tensors and containers and can run nothing; see `PickleReader`. The archive is
/// mapped, and tensors that are dense in it are views of the mapping. Others (transposed, sliced,
/// expanded) are copied into row-major order.
///
/// The file may hold a state dict, or a checkpoint with one inside: then the dictionary under
/// `"state_dict"`, `"model_state_dict"` or `"model"` is taken, again and again as long as there is
/// one, and the rest is listed in `Weights.ignored`. Dictionaries and lists inside it are flattened,
/// their keys joined by dots.
public struct PyTorchWeights: Sendable {
  /// The tensors.
  public let weights: Weights
  /// The keys from the root of the file to the state dict.
  public let keyPath: [String]

  /// Keys under which training programs put a state dict.
  static let stateDictKeys = ["state_dict", "model_state_dict", "model"]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - keyPath: The keys from the root of the file to the dictionary to read; an empty list reads
  ///     everything, nil looks for the state dict.
  /// - Throws: `refusedPickle` for a file that holds anything but tensors and plain data;
  ///   `unsupportedFormat` for one of PyTorch's other formats, and for compressed archives;
  ///   `unknownName` for a key that is not there; `corruptFile`; `unreadableFile`; `sizeLimit`.
  public init(contentsOf path: String, keyPath: [String]? = nil) throws(Diagnostic) {
    try self.init(MappedFile(path), keyPath: keyPath)
  }

  /// Reads a mapped file.
  package init(_ file: MappedFile, keyPath: [String]? = nil) throws(Diagnostic) {
    let archive = try Self.archive(file)
    try self.init(archive, folder: Self.folder(of: archive), keyPath: keyPath)
  }

  private init(_ archive: ZipArchive, folder: String, keyPath: [String]?) throws(Diagnostic) {
    try Self.checkByteOrder(archive, folder)
    let contents = try PickleReader.read(archive, folder: folder)
    do {
      var reader = StateDictReader(contents, archive.file)
      let root = try reader.findStateDict(keyPath)
      self.keyPath = root.keyPath
      try reader.flatten(root.value)
      weights = try Weights(
        reader.tensors,
        unsupported: reader.unsupported,
        ignored: reader.ignored,
        location: archive.file.path
      )
    } catch {
      throw error.located(at: archive.file.path)
    }
  }

  // MARK: - Archive

  private static func archive(_ file: MappedFile) throws(Diagnostic) -> ZipArchive {
    guard !file.hasBytes(ZipArchive.magic) else { return try ZipArchive(file) }
    guard file.sizeInBytes > 0 else {
      throw Diagnostic(.corruptFile, "an empty file", at: file.path)
    }
    throw FileKind.unsupported(file, expected: "a PyTorch file")
  }

  /// The folder of the archive that holds the pickle, with its slash; PyTorch names it after the
  /// file.
  private static func folder(of archive: ZipArchive) throws(Diagnostic) -> String {
    let suffix = "/data.pkl"
    let folders = archive.entries.map(\.name).filter { name in
      name.hasSuffix(suffix) && !name.utf8.dropLast(suffix.utf8.count).contains(UInt8(ascii: "/"))
    }
    if archive.entries.contains(where: { $0.name.hasSuffix("/archive_format") }) {
      throw Diagnostic(
        .unsupportedFormat,
        "a program saved by torch.export, not a file of weights",
        at: archive.file.path,
        hint: "compile the program itself, with its weights"
      )
    }
    guard folders.count == 1, let pickle = folders.first else {
      throw Diagnostic(
        .corruptFile,
        "\(folders.count) records data.pkl in the archive, where 1 was expected",
        at: archive.file.path,
        hint: "the file is no PyTorch file, or was packed by hand"
      )
    }
    let folder = String(pickle.dropLast(suffix.count - 1))
    guard archive.entry(folder + "constants.pkl") == nil else {
      throw Diagnostic(
        .unsupportedFormat,
        "a TorchScript program",
        at: archive.file.path,
        hint: "in PyTorch: torch.save(torch.jit.load(path).state_dict(), \"weights.pt\")"
      )
    }
    return folder
  }

  private static func checkByteOrder(_ archive: ZipArchive, _ folder: String) throws(Diagnostic) {
    let name = folder + "byteorder"
    guard archive.entry(name) != nil else { return }
    let range = try archive.range(of: name)
    var bytes = ByteCursor(archive.file, range, part: "byteorder")
    defer { withExtendedLifetime(archive) {} }
    let order = try bytes.readText(min(range.count, 16), "the byte order")
    guard order == "little" else {
      throw Diagnostic(
        .unsupportedFormat,
        "numbers in the byte order \(quoted(order))",
        at: archive.file.path,
        hint: "load the file and save it again on a little-endian machine"
      )
    }
  }
}
