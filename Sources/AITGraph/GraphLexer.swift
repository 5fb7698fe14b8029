/// Splits graph text into words, with the line of each for messages.
struct GraphLexer {
  enum Token: Equatable {
    case word(String)
    case number(String)
    case string(String)
    case symbol(String)
    case end

    var text: String {
      switch self {
      case .word(let text), .number(let text), .symbol(let text): text
      case .string(let text): "\"\(text)\""
      case .end: "the end of the text"
      }
    }
  }

  private let bytes: [UInt8]
  private var position = 0
  private(set) var line = 1

  init(_ text: String) { bytes = Array(text.utf8) }

  private func byte(_ offset: Int = 0) -> UInt8? {
    position + offset < bytes.count ? bytes[position + offset] : nil
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool {
    (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
  }

  private mutating func skipBlanks() {
    while let next = byte() {
      if next == UInt8(ascii: "\n") {
        line += 1
      } else if next == UInt8(ascii: "#") {
        while let inside = byte(), inside != UInt8(ascii: "\n") { position += 1 }
        continue
      } else if next != UInt8(ascii: " ") && next != UInt8(ascii: "\t")
        && next != UInt8(ascii: "\r")
      {
        return
      }
      position += 1
    }
  }

  mutating func next() throws(Diagnostic) -> Token {
    skipBlanks()
    guard let first = byte() else { return .end }
    let start = position
    if Self.isLetter(first) {
      while let next = byte(), Self.isLetter(next) || Self.isDigit(next) { position += 1 }
      return .word(text(from: start))
    }
    if Self.isDigit(first) {
      scanNumber()
      return .number(text(from: start))
    }
    if first == UInt8(ascii: "\"") { return .string(try scanString()) }
    for symbol in ["...", "//"] where matches(symbol) {
      position += symbol.utf8.count
      return .symbol(symbol)
    }
    guard first < 128 else {
      throw Diagnostic(.syntax, "unexpected byte 0x\(String(first, radix: 16))", at: "line \(line)")
    }
    position += 1
    return .symbol(text(from: start))
  }

  private func matches(_ symbol: String) -> Bool {
    symbol.utf8.enumerated().allSatisfy { byte($0.offset) == $0.element }
  }

  private func text(from start: Int) -> String {
    String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// Digits, a fraction that is no range `1...2`, an exponent.
  private mutating func scanNumber() {
    while let next = byte(), Self.isDigit(next) { position += 1 }
    if byte() == UInt8(ascii: "."), let after = byte(1), Self.isDigit(after) {
      position += 1
      while let next = byte(), Self.isDigit(next) { position += 1 }
    }
    if byte() == UInt8(ascii: "e") || byte() == UInt8(ascii: "E") {
      let sign = byte(1) == UInt8(ascii: "-") || byte(1) == UInt8(ascii: "+") ? 1 : 0
      if let digit = byte(1 + sign), Self.isDigit(digit) {
        position += 1 + sign
        while let next = byte(), Self.isDigit(next) { position += 1 }
      }
    }
  }

  private mutating func scanString() throws(Diagnostic) -> String {
    position += 1
    var content: [UInt8] = []
    while let next = byte(), next != UInt8(ascii: "\"") {
      if next == UInt8(ascii: "\n") { break }
      if next == UInt8(ascii: "\\"), let escaped = byte(1) {
        content.append(escaped == UInt8(ascii: "n") ? UInt8(ascii: "\n") : escaped)
        position += 2
      } else {
        content.append(next)
        position += 1
      }
    }
    guard byte() == UInt8(ascii: "\"") else {
      throw Diagnostic(.syntax, "a string is not closed", at: "line \(line)")
    }
    position += 1
    return String(decoding: content, as: UTF8.self)
  }
}
