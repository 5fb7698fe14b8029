/// A value of `--input` or `--output`: a file, and the name of the tensor it is for, if one is given.
struct NamedFile {
  /// The text before `=`.
  let name: String?
  let path: String

  init(_ text: String) {
    // A path may hold `=`, after its first slash.
    if let equals = text.firstIndex(of: "="), !text[..<equals].contains("/") {
      name = String(text[..<equals])
      path = String(text[text.index(after: equals)...])
    } else {
      name = nil
      path = text
    }
  }
}
