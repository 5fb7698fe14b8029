import AITGraph

/// Reads and writes `.safetensors` files.
///
/// Such a file is the length of a header as 8 bytes, the header in JSON, and the bytes of the
/// tensors. The header gives each tensor a type, a shape and a range of bytes; the ranges must tile
/// the data without gap or overlap, so that a file holds nothing that no tensor shows.
public enum Safetensors {
  /// The longest header read, as in the format's reference implementation.
  package static let maximumHeaderSizeInBytes = 100_000_000

  /// Reads the tensors of a file, as views of the mapped file.
  ///
  /// Tensors of types that the compiler lacks (8-bit floats, wide unsigned integers) are listed in
  /// `Weights.unsupported`.
  ///
  /// - Throws: `unreadableFile`; `corruptFile` for anything that breaks the format's rules;
  ///   `unsupportedFormat` for an element type that the format does not have; `sizeLimit` for an
  ///   absurd header or shape.
  public static func read(_ path: String) throws(Diagnostic) -> Weights {
    try read(MappedFile(path))
  }

  /// Reads the tensors of a mapped file.
  package static func read(_ file: MappedFile) throws(Diagnostic) -> Weights {
    defer { withExtendedLifetime(file) {} }
    let header = try header(of: file)
    do {
      try checkTiling(header.tensors, dataSizeInBytes: file.sizeInBytes - header.dataOffset)
      var tensors: [(name: String, tensor: TensorData)] = []
      var unsupported: [Weights.Unsupported] = []
      for entry in header.tensors {
        switch entry.type {
        case .supported(let dtype):
          let tensor = try file.tensor(
            dtype,
            entry.shape,
            at: header.dataOffset + entry.range.lowerBound
          )
          tensors.append((entry.name, tensor))
        case .unsupported(let type, _):
          unsupported.append(Weights.Unsupported(name: entry.name, reason: "element type \(type)"))
        }
      }
      return try Weights(
        tensors,
        metadata: header.metadata,
        unsupported: unsupported,
        location: file.path
      )
    } catch {
      throw error.located(at: file.path)
    }
  }

  // MARK: - Header

  struct Header {
    var tensors: [Entry] = []
    var metadata: [String: String] = [:]
    var dataOffset = 0
  }

  struct Entry {
    var name: String
    var type: ElementType
    var shape: [Int]
    /// The bytes, counted from the end of the header.
    var range: Range<Int>
  }

  private static func header(of file: MappedFile) throws(Diagnostic) -> Header {
    var bytes = ByteCursor(file, 0..<file.sizeInBytes)
    let size = try bytes.read(UInt64.self, "the length of the header")
    guard size <= UInt64(bytes.remaining) else {
      throw bytes.corrupt(
        "a header of \(size) bytes in a file of \(file.sizeInBytes)",
        hint: "the file is cut short, or is no safetensors file"
      )
    }
    guard size <= UInt64(maximumHeaderSizeInBytes) else {
      throw Diagnostic(
        .sizeLimit,
        "a header of \(size) bytes",
        at: file.path,
        hint: "the limit is \(maximumHeaderSizeInBytes) bytes"
      )
    }
    var header = Header(dataOffset: 8 + Int(size))
    var scanner = JSONScanner(ByteCursor(file, 8..<header.dataOffset, part: "header"))
    var names: Set<String> = []
    try scanner.beginObject("the header")
    while let name = try scanner.nextKey() {
      guard names.insert(name).inserted else {
        throw Diagnostic(.corruptFile, "two entries named \(quoted(name))", at: file.path)
      }
      do {
        if name == "__metadata__" {
          header.metadata = try metadata(&scanner)
        } else {
          header.tensors.append(try entry(name, &scanner))
        }
      } catch {
        throw error.located(at: "\(file.path): tensor \(quoted(name))")
      }
    }
    try scanner.expectEnd()
    return header
  }

  private static func metadata(_ scanner: inout JSONScanner) throws(Diagnostic) -> [String: String]
  {
    var result: [String: String] = [:]
    try scanner.beginObject("the metadata")
    while let key = try scanner.nextKey() {
      let value = try scanner.readString("a value of the metadata")
      guard result.updateValue(value, forKey: key) == nil else {
        throw Diagnostic(.corruptFile, "two entries \(quoted(key)) in the metadata")
      }
    }
    return result
  }

  private static func entry(_ name: String, _ scanner: inout JSONScanner) throws(Diagnostic)
    -> Entry
  {
    var type: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    var fields: Set<String> = []
    try scanner.beginObject("a tensor")
    while let field = try scanner.nextKey() {
      guard fields.insert(field).inserted else {
        throw Diagnostic(.corruptFile, "two fields \(quoted(field))")
      }
      switch field {
      case "dtype":
        let text = try scanner.readString("the type")
        guard let known = ElementType.safetensors(text) else {
          throw Diagnostic(
            .unsupportedFormat,
            "the element type \(quoted(text)), which safetensors does not have",
            hint: ElementType.advice
          )
        }
        type = known
      case "shape": shape = try integers(&scanner, "an extent", atMost: Extents.maximumRank)
      case "data_offsets": offsets = try integers(&scanner, "an offset", atMost: 2)
      default: try scanner.skipValue()
      }
    }
    guard let type, let shape, let offsets else {
      throw Diagnostic(
        .corruptFile,
        "no \(type == nil ? "dtype" : shape == nil ? "shape" : "data_offsets")"
      )
    }
    guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1] else {
      throw Diagnostic(.corruptFile, "the offsets \(offsets), which are no range of bytes")
    }
    let sizeInBytes = try Extents.sizeInBytes(shape, elementSizeInBits: type.sizeInBits)
    guard sizeInBytes == offsets[1] - offsets[0] else {
      throw Diagnostic(
        .corruptFile,
        "\(offsets[1] - offsets[0]) bytes for the shape \(shape), which takes \(sizeInBytes)"
      )
    }
    return Entry(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  private static func integers(
    _ scanner: inout JSONScanner,
    _ what: String,
    atMost limit: Int
  ) throws(Diagnostic) -> [Int] {
    var result: [Int] = []
    try scanner.beginList(what)
    while try scanner.hasNextElement() {
      guard result.count < limit else {
        throw Diagnostic(.sizeLimit, "a list of more than \(limit) numbers")
      }
      result.append(try scanner.readInteger(what))
    }
    return result
  }

  /// Throws unless the tensors cover the data from first to last byte, each byte once.
  private static func checkTiling(_ tensors: [Entry], dataSizeInBytes: Int) throws(Diagnostic) {
    var end = 0
    var previous = "the header"
    let sorted = tensors.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    for entry in sorted {
      let begin = entry.range.lowerBound
      guard entry.range.upperBound <= dataSizeInBytes else {
        throw Diagnostic(
          .corruptFile,
          "tensor \(quoted(entry.name)) ends at byte \(entry.range.upperBound) of "
            + "\(dataSizeInBytes) bytes of data",
          hint: "the file is cut short or damaged; fetch or save it again"
        )
      }
      guard begin >= end else {
        throw Diagnostic(.corruptFile, "tensor \(quoted(entry.name)) overlaps \(previous)")
      }
      guard begin == end else {
        throw Diagnostic(
          .corruptFile,
          "\(begin - end) bytes between \(previous) and tensor \(quoted(entry.name))"
        )
      }
      end = entry.range.upperBound
      previous = "tensor \(quoted(entry.name))"
    }
    guard end == dataSizeInBytes else {
      throw Diagnostic(.corruptFile, "\(dataSizeInBytes - end) bytes after \(previous)")
    }
  }
}
