/// Returns text from a file fit for a message: quoted, without control characters, cut to length.
///
/// A name in a hostile file may hold terminal escapes, line breaks or megabytes.
package func quoted(_ text: some StringProtocol, limit: Int = 120) -> String {
  var result = "\""
  var count = 0
  for scalar in text.unicodeScalars {
    if count == limit { return result + "…\"" }
    count += 1
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
      .unassigned:
      result += "\\u{\(String(scalar.value, radix: 16))}"
    default:
      result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
