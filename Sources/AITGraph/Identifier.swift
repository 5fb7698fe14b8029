/// Names that serve in Swift, graph text, C and file names alike.
package enum Identifier {
  /// Returns a C identifier for a name: dots and other characters become underscores.
  package static func make(_ name: String) -> String {
    var text = ""
    for scalar in name.unicodeScalars {
      let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
      let isDigit = ("0"..."9").contains(scalar)
      if isDigit && text.isEmpty { text += "_" }
      text.unicodeScalars.append(isLetter || isDigit ? scalar : "_")
    }
    if text.isEmpty { return "_" }
    return reserved.contains(text) ? text + "_" : text
  }

  /// Returns the name, or the first of `name_1`, `name_2`, … that is not taken.
  package static func unique(_ name: String, among taken: Set<String>) -> String {
    guard taken.contains(name) else { return name }
    var suffix = 1
    while taken.contains("\(name)_\(suffix)") { suffix += 1 }
    return "\(name)_\(suffix)"
  }

  /// Whether a text is a C identifier that is no keyword.
  package static func isValid(_ text: String) -> Bool { !text.isEmpty && make(text) == text }

  /// Keywords of C and C++ that a name of a model might be.
  private static let reserved: Set<String> = [
    "alignas", "alignof", "and", "asm", "auto", "bool", "break", "case", "catch", "char", "class",
    "const", "constexpr", "continue", "default", "delete", "do", "double", "else", "enum",
    "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline",
    "int",
    "long", "mutable", "namespace", "new", "noexcept", "not", "nullptr", "operator", "or",
    "private",
    "protected", "public", "register", "return", "short", "signed", "sizeof", "static", "struct",
    "switch", "template", "this", "throw", "true", "try", "typedef", "typename", "union",
    "unsigned",
    "using", "virtual", "void", "volatile", "while", "xor", "main",
  ]

  /// Returns the candidates nearest to a name by edit distance, at most three.
  package static func nearest(to name: String, among candidates: some Sequence<String>) -> [String]
  {
    candidates
      .map { (distance: distance(name, $0), candidate: $0) }
      .filter { $0.distance <= Swift.max(2, name.count / 3) }
      .sorted { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }
      .prefix(3)
      .map(\.candidate)
  }

  private static func distance(_ left: String, _ right: String) -> Int {
    let (first, second) = (Array(left.utf8), Array(right.utf8))
    var row = Array(0...second.count)
    for (i, a) in first.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in second.enumerated() {
        let substituted = diagonal + (a == b ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = Swift.min(substituted, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[second.count]
  }
}
