import AITGraph

/// The header of an `.npy` file: a Python dictionary of three entries, as text.
struct NumpyHeader {
  private(set) var dtype = DType.float32
  private(set) var isBigEndian = false
  private(set) var isFortranOrder = false
  private(set) var shape: [Int] = []

  /// The longest header read; honest ones take some 100 bytes.
  static let maximumSizeInBytes = 1 << 16

  /// Reads the magic number, the version and the header; the data follows.
  init(_ bytes: inout ByteCursor) throws(Diagnostic) {
    guard try bytes.readBytes(Numpy.magic.count, "the magic number") == Numpy.magic else {
      throw bytes.corrupt("no .npy file")
    }
    let version = try bytes.readByte("the version")
    _ = try bytes.readByte("the version")
    guard (1...3).contains(version) else {
      throw Diagnostic(
        .unsupportedFormat,
        "version \(version) of the .npy format",
        at: bytes.location,
        hint: "versions 1 to 3 are read"
      )
    }
    let size =
      version == 1
      ? Int(try bytes.read(UInt16.self, "the header"))
      : Int(try bytes.read(UInt32.self, "the header"))
    guard size <= Self.maximumSizeInBytes else {
      throw Diagnostic(
        .sizeLimit,
        "a header of \(size) bytes",
        at: bytes.location,
        hint: "the limit is \(Self.maximumSizeInBytes) bytes"
      )
    }
    var scanner = PythonScanner(try bytes.readBytes(size, "the header"))
    do {
      try read(&scanner)
    } catch {
      throw error.located(at: bytes.location)
    }
  }

  private mutating func read(_ scanner: inout PythonScanner) throws(Diagnostic) {
    var keys: Set<String> = []
    try scanner.expect("{")
    while !scanner.accept("}") {
      let key = try scanner.readString()
      guard keys.insert(key).inserted else {
        throw Diagnostic(.corruptFile, "two entries \(quoted(key)) in the header")
      }
      try scanner.expect(":")
      switch key {
      case "descr":
        guard !scanner.isAt("[") else {
          throw Diagnostic(
            .unsupportedFormat,
            "an array of records",
            hint: "save each field as an array"
          )
        }
        try readType(try scanner.readString())
      case "fortran_order": isFortranOrder = try scanner.readBoolean()
      case "shape": shape = try scanner.readTuple()
      default: throw Diagnostic(.corruptFile, "an entry \(quoted(key)) in the header")
      }
      if !scanner.accept(",") {
        try scanner.expect("}")
        break
      }
    }
    guard keys.count == 3 else { throw Diagnostic(.corruptFile, "a header that lacks an entry") }
    try scanner.expectEnd()
  }

  private mutating func readType(_ text: String) throws(Diagnostic) {
    let order = text.first ?? " "
    let name = text.dropFirst()
    guard "<>|=".contains(order), let dtype = Self.types.first(where: { $0.name == name })?.dtype
    else {
      if text.hasSuffix("O") {
        throw Diagnostic(
          .refusedPickle,
          "an array of Python objects, which is a pickle",
          hint: "save an array of numbers: array.astype(numpy.float32)"
        )
      }
      throw Diagnostic(
        .unsupportedFormat,
        "the element type \(quoted(text))",
        hint: "save the array with .astype(numpy.float32) or .astype(numpy.int64)"
      )
    }
    self.dtype = dtype
    isBigEndian = order == ">"
  }

  private static let types: [(name: String, dtype: DType)] = [
    ("b1", .bool), ("u1", .uint8), ("i1", .int8), ("i2", .int16), ("i4", .int32), ("i8", .int64),
    ("f2", .float16), ("V2", .bfloat16), ("f4", .float32), ("f8", .float64),
  ]

  /// The name of a type in a header.
  static func name(_ dtype: DType) -> String {
    let name = types.first { $0.dtype == dtype }?.name ?? ""
    return (dtype.sizeInBytes == 1 ? "|" : "<") + name
  }
}

/// Reads the few Python literals that stand in such a header.
private struct PythonScanner {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A].contains(bytes[position]) { position += 1 }
  }

  mutating func isAt(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    return position < bytes.count && UInt32(bytes[position]) == character.value
  }

  mutating func accept(_ character: Unicode.Scalar) -> Bool {
    guard isAt(character) else { return false }
    position += 1
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws(Diagnostic) {
    guard accept(character) else { throw corrupt("no \(quoted(String(character)))") }
  }

  mutating func expectEnd() throws(Diagnostic) {
    skipSpace()
    guard position == bytes.count else { throw corrupt("more than a dictionary") }
  }

  mutating func readString() throws(Diagnostic) -> String {
    let quote: Unicode.Scalar = isAt("\"") ? "\"" : "'"
    try expect(quote)
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: quote)) else {
      throw corrupt("a string without an end")
    }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }

  mutating func readBoolean() throws(Diagnostic) -> Bool {
    skipSpace()
    for (word, value) in [("True", true), ("False", false)]
    where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw corrupt("no truth value")
  }

  mutating func readTuple() throws(Diagnostic) -> [Int] {
    var result: [Int] = []
    try expect("(")
    while !accept(")") {
      guard result.count <= Extents.maximumRank else { throw corrupt("too many extents") }
      result.append(try readInteger())
      if !accept(",") {
        try expect(")")
        break
      }
    }
    return result
  }

  private mutating func readInteger() throws(Diagnostic) -> Int {
    skipSpace()
    let digits = bytes[position...].prefix { (0x30...0x39).contains($0) || $0 == 0x2D }
    guard let value = Int(String(decoding: digits, as: UTF8.self)) else {
      throw corrupt("an extent that is no integer")
    }
    position += digits.count
    // Python 2 wrote an L behind long integers.
    _ = accept("L")
    return value
  }

  private func corrupt(_ message: String) -> Diagnostic {
    Diagnostic(.corruptFile, "\(message) in the header (byte \(position))")
  }
}
