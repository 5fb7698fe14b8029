/// Stages of a model's compilation as text, kept in the library for `ait inspect`.
///
/// They lie in sections that are not loaded: they take no memory where the library runs, and can be
/// read from a library for another machine. `strip` leaves them there.
package struct StageListing: Sendable {
  /// A stage, as `ait inspect --emit=name` prints it.
  package struct Stage: Sendable {
    package let name: String
    package let text: String

    package init(_ name: String, _ text: String) {
      self.name = name
      self.text = text
    }
  }

  package let stages: [Stage]

  package init(_ stages: [Stage]) { self.stages = stages }

  /// The name of a stage's section.
  package static func sectionName(_ stage: String) -> String { ".ait.\(stage)" }

  /// The text of a stage; nil if it is not listed.
  package func text(_ name: String) -> String? { stages.first { $0.name == name }?.text }

  /// The text of `stages.S`, one line for each line of the stages.
  package var assembly: String {
    var lines = ["// What the compiler made of the model, stage by stage. Generated."]
    for stage in stages {
      lines.append("  .section \(Self.sectionName(stage.name)),\"\",@progbits")
      let parts = stage.text.split(separator: "\n", omittingEmptySubsequences: false)
      for (index, part) in parts.enumerated() {
        let end = index + 1 < parts.count ? "\n" : ""
        if !part.isEmpty || !end.isEmpty { lines.append("  .ascii \(Self.literal(part + end))") }
      }
    }
    lines.append("  .section .note.GNU-stack,\"\",@progbits")
    return lines.joined(separator: "\n") + "\n"
  }

  /// A string of the assembler, which knows fewer escapes than C++.
  private static func literal(_ text: some StringProtocol) -> String {
    var result = "\""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): result += "\\\""
      case UInt8(ascii: "\\"): result += "\\\\"
      case UInt8(ascii: "\n"): result += "\\n"
      case 32..<127: result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 8)
        result += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }
    }
    return result + "\""
  }
}
