import AITGraph

extension Weights {
  /// Reads a file of weights of any kind that is known.
  ///
  /// | file | kind |
  /// | --- | --- |
  /// | `.safetensors` | see `Safetensors` |
  /// | `.pt` `.pth` `.bin` `.ckpt`, a zip archive | see `PyTorchWeights` |
  /// | `.npy` | one tensor, named after the file |
  /// | `.npz` | see `Numpy` |
  /// | `.safetensors.index.json` `.bin.index.json` | the files that a model is split into |
  ///
  /// The first bytes decide; the name does where they leave a doubt.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - keyPath: For a PyTorch file, the keys that lead to the state dict; nil looks for it.
  /// - Returns: The tensors, by name.
  /// - Throws: `unsupportedFormat` for a file of another kind, with what to do; otherwise as the
  ///   reader of its kind does.
  public static func load(_ path: String, keyPath: [String]? = nil) throws(Diagnostic) -> Weights {
    try load(MappedFile(path), keyPath: keyPath)
  }

  /// Reads a mapped file of any kind.
  package static func load(_ file: MappedFile, keyPath: [String]? = nil) throws(Diagnostic)
    -> Weights
  {
    let kind = try FileKind(file)
    guard keyPath == nil || kind == .pytorch || kind == .shardIndex else {
      throw Diagnostic(
        .invalidOption,
        "keys into a file that has no nested dictionaries",
        at: file.path,
        hint: "leave them out; they are for PyTorch's files"
      )
    }
    switch kind {
    case .safetensors: return try Safetensors.read(file)
    case .pytorch: return try PyTorchWeights(file, keyPath: keyPath).weights
    case .numpyArchive: return try Numpy.readArchive(file)
    case .numpy:
      let tensor = try Numpy.read(file, 0..<file.sizeInBytes, part: nil)
      return try Weights([(stem(file.path), tensor)], unsupported: [], location: file.path)
    case .shardIndex: return try loadShards(file, keyPath: keyPath)
    }
  }

  /// The name of a file without its folder and its last extension.
  private static func stem(_ path: String) -> String {
    let name = path.split(separator: "/").last ?? "tensor"
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return String(name) }
    return String(name[..<dot])
  }

  // MARK: - Shards

  /// Reads the files that an index names, and takes from each the tensors it says are there.
  ///
  /// The index is JSON: `{"weight_map": {"layer.weight": "model-00001-of-00002.safetensors"}}`.
  private static func loadShards(_ index: MappedFile, keyPath: [String]?) throws(Diagnostic)
    -> Weights
  {
    let map = try weightMap(index)
    let folder = index.path.lastIndex(of: "/").map { index.path[...$0] } ?? ""
    var shards: [String: Weights] = [:]
    for (name, shard) in map where shards[shard] == nil {
      guard !shard.isEmpty, !shard.hasPrefix("."), !shard.contains("/"), !shard.contains("\\"),
        !shard.hasSuffix(".index.json")
      else {
        throw Diagnostic(
          .corruptFile,
          "tensor \(quoted(name)) in the file \(quoted(shard))",
          at: index.path,
          hint: "the files of an index lie beside it"
        )
      }
      shards[shard] = try load(MappedFile(folder + shard), keyPath: keyPath)
    }
    var tensors: [(name: String, tensor: TensorData)] = []
    var unsupported: [Unsupported] = []
    for (name, shard) in map {
      if let tensor = shards[shard]?[name] {
        tensors.append((name, tensor))
      } else if let entry = shards[shard]?.unsupported.first(where: { $0.name == name }) {
        unsupported.append(entry)
      } else {
        throw Diagnostic(
          .corruptFile,
          "no tensor \(quoted(name)) in the file \(quoted(shard)) of the index",
          at: index.path
        )
      }
    }
    return try Weights(tensors, unsupported: unsupported, location: index.path)
  }

  private static func weightMap(_ index: MappedFile) throws(Diagnostic)
    -> [(name: String, shard: String)]
  {
    defer { withExtendedLifetime(index) {} }
    var scanner = JSONScanner(ByteCursor(index, 0..<index.sizeInBytes))
    var result: [(name: String, shard: String)] = []
    var hasMap = false
    try scanner.beginObject("an index of weights")
    while let key = try scanner.nextKey() {
      guard key == "weight_map", !hasMap else {
        try scanner.skipValue()
        continue
      }
      hasMap = true
      try scanner.beginObject("the map")
      while let name = try scanner.nextKey() {
        result.append((name, try scanner.readString("the name of a file")))
      }
    }
    try scanner.expectEnd()
    guard hasMap else {
      throw Diagnostic(
        .unsupportedFormat,
        "no \"weight_map\" in the index",
        at: index.path,
        hint: "an index of weights says which file holds each tensor"
      )
    }
    return result
  }
}
