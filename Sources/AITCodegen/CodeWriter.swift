/// Collects lines of C++ with their indentation.
///
/// It knows nothing of their meaning.
package struct CodeWriter {
  private var lines: [String] = []
  private var depth = 0

  package init() {}

  /// Adds a line, or an empty one.
  package mutating func line(_ text: String = "") {
    lines.append(text.isEmpty ? "" : String(repeating: "  ", count: depth) + text)
  }

  /// Adds several lines as they are, each indented.
  package mutating func text(_ block: String) {
    for part in block.split(separator: "\n", omittingEmptySubsequences: false) {
      line(String(part))
    }
  }

  /// Adds an opening line, the lines of the body one level deeper, and a closing line.
  package mutating func block<E: Error>(
    _ opening: String,
    _ closing: String = "}",
    _ body: (inout CodeWriter) throws(E) -> Void
  ) throws(E) {
    line(opening)
    depth += 1
    try body(&self)
    depth -= 1
    line(closing)
  }

  /// The text, ending in a newline.
  package var output: String { lines.joined(separator: "\n") + "\n" }
}

/// Text as parts of C++.
package enum Cxx {
  /// A string literal.
  package static func string(_ text: String) -> String {
    var result = "\""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): result += "\\\""
      case UInt8(ascii: "\\"): result += "\\\\"
      case UInt8(ascii: "\n"): result += "\\n"
      // "??" could begin a trigraph.
      case UInt8(ascii: "?"): result += "\\?"
      case 32..<127: result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        // Three octal digits never run into a digit that follows.
        let digits = String(byte, radix: 8)
        result += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }
    }
    return result + "\""
  }

  /// A long text as adjacent literals, one a line of the text: easy to read, and within the limits
  /// of compilers on one literal.
  package static func longString(_ text: String, indent: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let literals = lines.enumerated().map { index, line in
      string(String(line) + (index + 1 < lines.count ? "\n" : ""))
    }
    return literals.joined(separator: "\n\(indent)")
  }
}
