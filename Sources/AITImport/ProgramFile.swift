import AITGraph
import AITOperators
import AITWeights
import FoundationEssentials

/// A program saved by `torch.export.save`: an archive with the program as JSON and its weights.
///
/// Read as torch 2.5 and later write it. The layout of 2.7 and later has `models/….json` and a file for
/// each weight, which stays where it is mapped. Source: `torch.export.pt2_archive`,
/// `torch/_export/serde/schema.py`, of schema version 8.
package struct ProgramFile: Sendable {
  let program: ProgramSchema
  /// Weights, buffers and constants by the names that the program's signature has for them.
  let weights: [String: TensorData]
  /// The file, for messages.
  let path: String

  /// The major version of the schema that is read.
  private static let schemaVersion = 8

  /// Reads an archive.
  ///
  /// - Throws: `unreadable-file`, `corrupt-file`; `unsupported-format` for what is no exported program,
  ///   or of another version.
  package init(contentsOf path: String) throws(Diagnostic) {
    try self.init(try MappedFile(path))
  }

  init(_ file: MappedFile) throws(Diagnostic) {
    path = file.path
    let archive = try ZipArchive(file)
    let reader = ArchiveReader(archive: archive)
    guard let model = reader.programEntry else {
      throw Diagnostic(
        .unsupportedFormat,
        "an archive without an exported program",
        at: path,
        hint: "save a program by torch.export.save(torch.export.export(model, inputs), path)"
      )
    }
    let bytes = try reader.bytes(of: model)
    do {
      program = try JSONDecoder().decode(ProgramSchema.self, from: Data(bytes))
    } catch {
      throw Diagnostic(.corruptFile, "\(model): \(Self.reason(error))", at: file.path)
    }
    guard program.schemaVersion.major == Self.schemaVersion else {
      throw Diagnostic(
        .unsupportedFormat,
        "a program of schema version \(program.schemaVersion.major), expected \(Self.schemaVersion)",
        at: path,
        hint: "export it anew, with torch 2.5 or later"
      )
    }
    weights = try reader.weights()
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    switch error {
    case .keyNotFound(let key, let context):
      return "no field '\(key.stringValue)' at \(place(context))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "a field of another type at \(place(context))"
    case .dataCorrupted(let context): return "\(context.debugDescription) at \(place(context))"
    @unknown default: return "\(error)"
    }
  }

  private static func place(_ context: DecodingError.Context) -> String {
    let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
    return path.isEmpty ? "the top" : path.joined(separator: ".")
  }
}

/// Finds the parts of an archive, in the layouts of several versions.
private struct ArchiveReader {
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
