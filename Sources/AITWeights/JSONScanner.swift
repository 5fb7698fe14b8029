import AITGraph

/// A strict JSON reader that hands out one token at a time.
///
/// Used for the headers of weight files instead of a general decoder, because those keep one of two
/// equal names without a word, turn integers into Doubles, and build the whole tree of a header of
/// 100 MB first. It never recurses: a value to be skipped may nest `maximumDepth` levels, others as
/// deep as the caller asks.
package struct JSONScanner {
  /// The deepest nesting of a value that is skipped.
  package static let maximumDepth = 64

  private var bytes: ByteCursor
  /// For each open list or object, whether an element was read.
  private var hasElement: [Bool] = []

  /// Creates a scanner over UTF-8 text.
  package init(_ bytes: ByteCursor) { self.bytes = bytes }

  // MARK: - Structure

  /// Reads the brace that opens an object; `nextKey` follows.
  package mutating func beginObject(_ what: String) throws(Diagnostic) {
    skipSpace()
    guard bytes.next == UInt8(ascii: "{") else { throw unexpected(what + ", an object") }
    try bytes.skip(1, "an object")
    hasElement.append(false)
  }

  /// Reads the next key and its colon; nil where the object closes.
  package mutating func nextKey() throws(Diagnostic) -> String? {
    guard try advance(closing: UInt8(ascii: "}")) else { return nil }
    let key = try readString("a name")
    skipSpace()
    guard bytes.next == UInt8(ascii: ":") else { throw unexpected("a colon") }
    try bytes.skip(1, "an object")
    return key
  }

  /// Reads the bracket that opens a list; `hasNextElement` follows.
  package mutating func beginList(_ what: String) throws(Diagnostic) {
    skipSpace()
    guard bytes.next == UInt8(ascii: "[") else { throw unexpected(what + ", a list") }
    try bytes.skip(1, "a list")
    hasElement.append(false)
  }

  /// Moves to the next element; false where the list closes.
  package mutating func hasNextElement() throws(Diagnostic) -> Bool {
    try advance(closing: UInt8(ascii: "]"))
  }

  /// Throws unless nothing but white space follows.
  package mutating func expectEnd() throws(Diagnostic) {
    skipSpace()
    guard bytes.next == nil else { throw unexpected("the end") }
  }

  private mutating func advance(closing bracket: UInt8) throws(Diagnostic) -> Bool {
    skipSpace()
    if bytes.next == bracket {
      try bytes.skip(1, "a value")
      hasElement.removeLast()
      return false
    }
    if hasElement[hasElement.count - 1] {
      guard bytes.next == UInt8(ascii: ",") else { throw unexpected("a comma") }
      try bytes.skip(1, "a value")
    }
    hasElement[hasElement.count - 1] = true
    return true
  }

  // MARK: - Values

  /// Reads an integer; numbers with a fraction or an exponent are refused.
  package mutating func readInteger(_ what: String) throws(Diagnostic) -> Int {
    skipSpace()
    let isNegative = bytes.next == UInt8(ascii: "-")
    if isNegative { try bytes.skip(1, "a number") }
    var value = 0
    var digits = 0
    while let byte = bytes.next, (0x30...0x39).contains(byte) {
      guard digits == 0 || value != 0 else { throw bytes.corrupt("a number that begins with 0") }
      let (product, overflows) = value.multipliedReportingOverflow(by: 10)
      let (sum, carries) = product.addingReportingOverflow(Int(byte) - 0x30)
      guard !overflows, !carries else { throw bytes.corrupt("\(what) beyond 64 bits") }
      value = sum
      digits += 1
      try bytes.skip(1, "a number")
    }
    guard digits > 0 else { throw unexpected(what + ", an integer") }
    if let byte = bytes.next,
      [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(byte)
    {
      throw bytes.corrupt("\(what) is no integer")
    }
    return isNegative ? -value : value
  }

  /// Reads a string.
  package mutating func readString(_ what: String) throws(Diagnostic) -> String {
    skipSpace()
    guard bytes.next == UInt8(ascii: "\"") else { throw unexpected(what + ", a string") }
    try bytes.skip(1, "a string")
    var text: [UInt8] = []
    while true {
      let byte = try bytes.readByte("a string")
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw bytes.corrupt("a string that is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): try readEscape(into: &text)
      case 0..<0x20: throw bytes.corrupt("a control character in a string")
      default: text.append(byte)
      }
    }
  }

  /// Reads past a value of any kind.
  package mutating func skipValue() throws(Diagnostic) {
    // For each open bracket, whether it is that of an object.
    var open: [Bool] = []
    repeat {
      if let isObject = open.last {
        let isMore = isObject ? try nextKey() != nil : try hasNextElement()
        guard isMore else {
          open.removeLast()
          continue
        }
      }
      skipSpace()
      switch bytes.next {
      case UInt8(ascii: "{"):
        try beginObject("a value")
        open.append(true)
      case UInt8(ascii: "["):
        try beginList("a value")
        open.append(false)
      case UInt8(ascii: "\""): _ = try readString("a value")
      default: try skipWord()
      }
      guard open.count <= Self.maximumDepth else {
        throw bytes.corrupt("more than \(Self.maximumDepth) nested values")
      }
    } while !open.isEmpty
  }

  // MARK: - Parts

  /// Skips a number, or `true`, `false` or `null`.
  private mutating func skipWord() throws(Diagnostic) {
    var word: [UInt8] = []
    while let byte = bytes.next, word.count < 64,
      (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "E")
        || [UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: ".")].contains(byte)
    {
      word.append(byte)
      try bytes.skip(1, "a value")
    }
    let text = String(decoding: word, as: UTF8.self)
    guard ["true", "false", "null"].contains(text) || (word.last != nil && Double(text) != nil)
    else { throw unexpected("a value") }
  }

  private mutating func readEscape(into text: inout [UInt8]) throws(Diagnostic) {
    let byte = try bytes.readByte("a string")
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var value = try readHexadecimal()
      if (0xD800..<0xDC00).contains(value) {
        // A character beyond 16 bits comes as two escapes.
        guard try bytes.readByte("a string") == UInt8(ascii: "\\"),
          try bytes.readByte("a string") == UInt8(ascii: "u")
        else { throw bytes.corrupt("half of a surrogate pair in a string") }
        let low = try readHexadecimal()
        guard (0xDC00..<0xE000).contains(low) else {
          throw bytes.corrupt("half of a surrogate pair in a string")
        }
        value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(value) else {
        throw bytes.corrupt("half of a surrogate pair in a string")
      }
      text.append(contentsOf: Array(String(Character(scalar)).utf8))
    default: throw bytes.corrupt("an unknown escape in a string")
    }
  }

  private mutating func readHexadecimal() throws(Diagnostic) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      let byte = try bytes.readByte("a string")
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw bytes.corrupt("an escape with a digit that is not hexadecimal")
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  private mutating func skipSpace() {
    while let byte = bytes.next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) {
      // Cannot fail: a byte is there.
      guard (try? bytes.skip(1, "space")) != nil else { return }
    }
  }

  /// A diagnostic about what stands at the cursor in place of what was expected.
  private func unexpected(_ expected: String) -> Diagnostic {
    let found = bytes.next.map { quoted(String(Unicode.Scalar($0))) } ?? "the end"
    return bytes.corrupt("\(found) where \(expected), was expected")
  }
}
