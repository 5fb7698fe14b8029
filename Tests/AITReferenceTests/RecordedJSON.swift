/// A value of JSON that keeps whole numbers and fractions apart: 2 and 2.0 promote differently.
enum RecordedJSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case float(Double)
  case string(String)
  case array([RecordedJSON])
  case object([String: RecordedJSON])

  struct Malformed: Error {
    let position: Int
  }

  init(parsing text: some Sequence<UInt8>) throws {
    var reader = Reader(bytes: Array(text))
    self = try reader.value()
  }

  subscript(key: String) -> RecordedJSON? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  var array: [RecordedJSON] { if case .array(let elements) = self { elements } else { [] } }

  var object: [String: RecordedJSON] {
    if case .object(let members) = self { members } else { [:] }
  }

  var string: String? { if case .string(let text) = self { text } else { nil } }

  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

  var integer: Int? { if case .integer(let value) = self { value } else { nil } }

  /// A number; infinities and NaN are written as strings.
  var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .float(let value): value
    case .string(let text): Double(text)
    case .null, .bool, .array, .object: nil
    }
  }

  private struct Reader {
    let bytes: [UInt8]
    var position = 0

    mutating func skipBlanks() {
      while position < bytes.count, bytes[position] <= 32 { position += 1 }
    }

    mutating func accept(_ text: String) -> Bool {
      guard bytes[position...].starts(with: text.utf8) else { return false }
      position += text.utf8.count
      return true
    }

    mutating func value() throws -> RecordedJSON {
      skipBlanks()
      defer { skipBlanks() }
      if accept("null") { return .null }
      if accept("true") { return .bool(true) }
      if accept("false") { return .bool(false) }
      if accept("[") { return .array(try list(until: "]") { try $0.value() }) }
      if accept("{") {
        let members = try list(until: "}") { reader in
          reader.skipBlanks()
          let key = try reader.string()
          reader.skipBlanks()
          guard reader.accept(":") else { throw Malformed(position: reader.position) }
          return (key, try reader.value())
        }
        return .object(Dictionary(uniqueKeysWithValues: members))
      }
      if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
        return .string(try string())
      }
      let start = position
      while position < bytes.count, "+-.0123456789eE".utf8.contains(bytes[position]) {
        position += 1
      }
      let text = String(decoding: bytes[start..<position], as: UTF8.self)
      if let integer = Int(text) { return .integer(integer) }
      guard let double = Double(text) else { throw Malformed(position: start) }
      return .float(double)
    }

    mutating func list<Element>(
      until end: String,
      _ element: (inout Reader) throws -> Element
    ) throws -> [Element] {
      var elements: [Element] = []
      skipBlanks()
      if accept(end) { return [] }
      repeat { elements.append(try element(&self)) } while accept(",")
      guard accept(end) else { throw Malformed(position: position) }
      return elements
    }

    /// A string without escapes, which the fixtures do not use.
    mutating func string() throws -> String {
      guard accept("\"") else { throw Malformed(position: position) }
      let start = position
      while position < bytes.count, bytes[position] != UInt8(ascii: "\"") { position += 1 }
      position += 1
      return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
    }
  }
}
