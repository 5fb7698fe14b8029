import AITGraph
import AITOperators
import AITWeights
import FoundationEssentials

/// The parts of an exported program's archive, in the layouts of several versions of torch.
///
/// | torch | program | weights and constants |
/// | --- | --- | --- |
/// | 2.5 to 2.7 | `serialized_exported_program.json` | `serialized_….pt`: pickles as of `torch.save` |
/// | 2.8 | `models/model.json` | `data/weights/model.pt`, the same |
/// | 2.9 and later | `models/model.json` | a file for each, described by `…_config.json` |
///
/// Weights stay where they are mapped; pickles are read by ``PyTorchWeights``, which runs nothing.
/// Source: `torch.export.save` and `torch.export.pt2_archive` of these versions.
struct ProgramArchive {
  let archive: ZipArchive

  /// The entry with the program.
  var programEntry: String? {
    let names = archive.entries.map(\.name)
    return names.first { $0.hasSuffix("/models/model.json") }
      ?? names.first { $0.contains("/models/") && $0.hasSuffix(".json") }
      ?? names.first { $0.hasSuffix("serialized_exported_program.json") }
  }

  func bytes(of name: String) throws(Diagnostic) -> [UInt8] {
    let range = try archive.range(of: name)
    return Array(UnsafeRawBufferPointer(rebasing: archive.file.storage.bytes[range]))
  }

  /// All tensors by name.
  func weights() throws(Diagnostic) -> [String: TensorData] {
    var found: [String: TensorData] = [:]
    for name in archive.entries.map(\.name) where Self.isPickle(name) {
      try readPickle(name, into: &found)
    }
    for (folder, suffix) in [
      ("weights", "_weights_config.json"), ("constants", "_constants_config.json"),
    ] {
      for entry in archive.entries
      where entry.name.contains("/data/\(folder)/") && entry.name.hasSuffix(suffix) {
        try read(entry.name, into: &found)
      }
    }
    return found
  }

  /// Whether an entry holds all weights or all constants as `torch.save` writes them.
  private static func isPickle(_ name: String) -> Bool {
    if name == "serialized_state_dict.pt" || name == "serialized_constants.pt" { return true }
    guard name.hasSuffix(".pt") else { return false }
    let folder = name[..<(name.lastIndex(of: "/") ?? name.startIndex)]
    return folder.hasSuffix("/data/weights") || folder.hasSuffix("/data/constants")
  }

  private func readPickle(_ name: String, into found: inout [String: TensorData])
    throws(Diagnostic)
  {
    let range = try archive.range(of: name)
    // A program without constants may have an empty file of them.
    guard !range.isEmpty else { return }
    let part = archive.file.part(range, named: name)
    let weights = try PyTorchWeights(part, keyPath: []).weights
    if let first = weights.unsupported.first {
      throw Diagnostic(
        .unsupportedFormat,
        "the weight '\(first.name)' cannot be used: \(first.reason)",
        at: part.path,
        hint: "convert it before the module is exported"
      )
    }
    for key in weights.names { found[key] = weights[key] }
  }

  private func read(_ name: String, into found: inout [String: TensorData]) throws(Diagnostic) {
    let config: WeightsSchema
    do {
      config = try JSONDecoder().decode(WeightsSchema.self, from: Data(try bytes(of: name)))
    } catch let diagnostic as Diagnostic {
      throw diagnostic
    } catch {
      throw Diagnostic(.corruptFile, "\(name): \(error)", at: archive.file.path)
    }
    let folder = name[..<(name.lastIndex(of: "/") ?? name.startIndex)]
    for (key, weight) in config.config.sorted(by: { $0.key < $1.key }) {
      guard !weight.usePickle else {
        throw Diagnostic(
          .unsupportedFormat,
          "the weight '\(key)' is pickled",
          at: archive.file.path,
          hint: "save it as a plain tensor: subclasses and quantised ones are not read"
        )
      }
      guard let meta = weight.tensorMeta else { continue }
      found[key] = try tensor(key, meta, in: "\(folder)/\(weight.pathName)")
    }
  }

  private func tensor(_ key: String, _ meta: TensorMeta, in entry: String) throws(Diagnostic)
    -> TensorData
  {
    let place = "\(archive.file.path): \(key)"
    let dtype = try meta.elementType(at: place)
    let shape = try meta.sizes.map { (size) throws(Diagnostic) in try size.number(at: place) }
    let strides = try meta.strides.map { (size) throws(Diagnostic) in try size.number(at: place) }
    let offset = try meta.storageOffset.number(at: place)
    try TensorType(dtype, Shape(shape)).checkSize()
    let range = try archive.range(of: entry)
    guard shape.count == strides.count, offset >= 0, strides.allSatisfy({ $0 >= 0 }) else {
      throw Diagnostic(.corruptFile, "strides \(strides) for a shape \(shape)", at: place)
    }
    // The last element that is read lies in the storage; nothing of this can overflow by more than
    // `multipliedReportingOverflow` tells.
    var last = offset
    for (extent, stride) in zip(shape, strides) where extent > 0 {
      let (reach, overflows) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, carries) = last.addingReportingOverflow(reach)
      guard !overflows, !carries else {
        throw Diagnostic(.corruptFile, "strides \(strides) beyond any storage", at: place)
      }
      last = sum
    }
    let available = range.count / dtype.sizeInBytes
    guard shape.contains(0) || last < available else {
      throw Diagnostic(
        .corruptFile,
        "\(dtype)\(shape) with strides \(strides) at \(offset) in \(available) elements",
        at: place
      )
    }
    if shape.contains(0) { return TensorData(zeros: dtype, shape) }
    let start = range.lowerBound + offset * dtype.sizeInBytes
    let dense = Positions.rowMajorStrides(shape)
    let isDense = zip(shape, zip(strides, dense)).allSatisfy { $0 == 1 || $1.0 == $1.1 }
    if isDense, archive.file.isAligned(start, for: dtype) {
      return try archive.file.tensor(dtype, shape, at: start)
    }
    // Repeated elements would make a small file a large tensor.
    guard shape.reduce(1, *) <= available else {
      throw Diagnostic(
        .corruptFile,
        "\(dtype)\(shape) of \(available) stored elements",
        at: place,
        hint: "save a contiguous tensor"
      )
    }
    return copy(dtype, shape, strides, at: start)
  }

  /// A dense copy of elements that lie otherwise.
  private func copy(_ dtype: DType, _ shape: [Int], _ strides: [Int], at start: Int) -> TensorData {
    var data = TensorData(zeros: dtype, shape)
    let bytes = archive.file.storage.bytes
    let size = dtype.sizeInBytes
    data.withUnsafeMutableBytes { target in
      var index = [Int](repeating: 0, count: shape.count)
      for element in 0..<shape.reduce(1, *) {
        let source = start + zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 } * size
        for byte in 0..<size { target[element * size + byte] = bytes[source + byte] }
        for axis in shape.indices.reversed() {
          index[axis] += 1
          if index[axis] < shape[axis] { break }
          index[axis] = 0
        }
      }
    }
    return data
  }
}
