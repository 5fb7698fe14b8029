import AITGraph

/// A position in part of a file, which reads forward and never leaves that part.
package struct ByteCursor {
  private let storage: TensorData.Storage
  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  /// What is read, for messages: the file, and the part of it.
  package let location: String

  /// Creates a cursor at the start of a range that the caller has checked to lie in the file.
  package init(_ file: MappedFile, _ range: Range<Int>, part: String? = nil) {
    storage = file.storage
    bytes = UnsafeRawBufferPointer(rebasing: file.storage.bytes[range])
    location = part.map { "\(file.path): \($0)" } ?? file.path
  }

  /// The number of bytes before the cursor.
  package var offset: Int { position }

  /// The number of bytes after the cursor.
  package var remaining: Int { bytes.count - position }

  /// The byte at the cursor; nil at the end.
  package var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// Moves to an offset from the start.
  package mutating func move(to offset: Int) throws(Diagnostic) {
    guard offset >= 0, offset <= bytes.count else { throw ended(reading: "offset \(offset)") }
    position = offset
  }

  /// Moves on by a number of bytes.
  package mutating func skip(_ count: Int, _ what: StaticString) throws(Diagnostic) {
    guard count >= 0, count <= remaining else { throw ended(reading: "\(what)") }
    position += count
  }

  /// Reads one byte.
  package mutating func readByte(_ what: StaticString) throws(Diagnostic) -> UInt8 {
    guard position < bytes.count else { throw ended(reading: "\(what)") }
    defer { position += 1 }
    return bytes[position]
  }

  /// Reads an integer, lowest byte first.
  package mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type,
    _ what: StaticString
  ) throws(Diagnostic) -> Value {
    guard MemoryLayout<Value>.size <= remaining else { throw ended(reading: "\(what)") }
    defer { position += MemoryLayout<Value>.size }
    return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
  }

  /// Reads bytes.
  package mutating func readBytes(_ count: Int, _ what: StaticString) throws(Diagnostic) -> [UInt8]
  {
    guard count >= 0, count <= remaining else { throw ended(reading: "\(what)") }
    defer { position += count }
    return Array(bytes[position..<(position + count)])
  }

  /// Reads UTF-8 text of a number of bytes.
  package mutating func readText(_ count: Int, _ what: StaticString) throws(Diagnostic) -> String {
    guard count >= 0, count <= remaining else { throw ended(reading: "\(what)") }
    guard let text = String(validating: bytes[position..<(position + count)], as: UTF8.self) else {
      throw Diagnostic(.corruptFile, "\(what) is not UTF-8 text (byte \(position))", at: location)
    }
    position += count
    return text
  }

  /// Reads UTF-8 text up to a line feed, which is consumed.
  package mutating func readLine(_ what: StaticString) throws(Diagnostic) -> String {
    guard let end = bytes[position...].firstIndex(of: 0x0A) else {
      throw ended(reading: "\(what)")
    }
    let text = try readText(end - position, what)
    position += 1
    return text
  }

  /// A diagnostic about the bytes at the cursor.
  package func corrupt(_ message: String, hint: String? = nil) -> Diagnostic {
    Diagnostic(.corruptFile, "\(message) (byte \(position))", at: location, hint: hint)
  }

  private func ended(reading what: String) -> Diagnostic {
    Diagnostic(
      .corruptFile,
      "the data ends in the middle of \(what) (byte \(position))",
      at: location,
      hint: "the file is cut short or damaged; fetch or save it again"
    )
  }
}
