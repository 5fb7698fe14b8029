import AITGraph

extension Safetensors {
  /// Writes tensors to a file.
  ///
  /// The file is a function of names, tensors and metadata alone: tensors come by falling element
  /// size, which keeps each one aligned, then by name; the header is padded so that the data begins
  /// at a multiple of 8 bytes. It is written beside its place and renamed, so that nobody sees half
  /// of it, and a process that has the old file mapped keeps it.
  ///
  /// - Parameters:
  ///   - tensors: The tensors, each with a name that no other has.
  ///   - metadata: Free text by name.
  ///   - path: The file, replaced if it exists.
  /// - Throws: `duplicateName` for a name used twice or reserved; `unwritableFile`.
  public static func write(
    _ tensors: [(name: String, tensor: TensorData)],
    metadata: [String: String] = [:],
    to path: String
  ) throws(Diagnostic) {
    var names: Set<String> = ["__metadata__"]
    for (name, _) in tensors where !names.insert(name).inserted {
      throw Diagnostic(
        .duplicateName,
        "two tensors named \(quoted(name)), or a reserved name",
        at: path
      )
    }
    let sorted = tensors.sorted {
      let sizes = ($0.tensor.dtype.sizeInBytes, $1.tensor.dtype.sizeInBytes)
      return sizes.0 != sizes.1 ? sizes.0 > sizes.1 : isBefore($0.name, $1.name)
    }
    var file = try OutputFile(path)
    var header = Array(header(sorted, metadata).utf8)
    header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
    let size = UInt64(header.count)
    try file.write((0..<8).map { UInt8(truncatingIfNeeded: size >> ($0 * 8)) })
    try file.write(header)
    for (_, tensor) in sorted { try file.write(tensor) }
    try file.finish()
  }

  private static func header(
    _ tensors: [(name: String, tensor: TensorData)],
    _ metadata: [String: String]
  ) -> String {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { isBefore($0.key, $1.key) }
        .map { "\(literal($0.key)):\(literal($0.value))" }
      members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var begin = 0
    for (name, tensor) in tensors {
      let end = begin + tensor.sizeInBytes
      let shape = tensor.shape.map { "\($0)" }.joined(separator: ",")
      members.append(
        "\(literal(name)):{\"dtype\":\"\(ElementType.safetensorsName(tensor.dtype))\","
          + "\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(end)]}"
      )
      begin = end
    }
    return "{\(members.joined(separator: ","))}"
  }

  /// Whether a name comes first by its bytes; the order of `String` depends on Unicode tables.
  private static func isBefore(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  /// Returns text as a JSON string.
  private static func literal(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
