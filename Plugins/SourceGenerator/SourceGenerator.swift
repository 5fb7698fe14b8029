import Foundation

/// Writes Swift source from files of the package, for the build-tool plug-ins beside it.
///
///     SourceGenerator catalog <output> <operator file>...
///     SourceGenerator embed <output> <root> <text file>...
///
/// The output depends on nothing but the names and the contents of the inputs.
@main
struct SourceGenerator {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      exit(1)
    }
  }

  static func run(_ arguments: [String]) throws {
    guard arguments.count >= 2 else {
      throw Failure(description: "usage: SourceGenerator catalog|embed <output> <input>...")
    }
    let inputs = Array(arguments.dropFirst(2))
    let text =
      switch arguments[0] {
      case "catalog": catalog(inputs)
      case "embed": try embed(root: inputs.first ?? "", Array(inputs.dropFirst()))
      default: throw Failure(description: "'\(arguments[0])' is not catalog or embed")
      }
    // A file that stays the same keeps its time, so that nothing is compiled again.
    let (output, content) = (URL(fileURLWithPath: arguments[1]), Data(text.utf8))
    if (try? Data(contentsOf: output)) != content {
      try content.write(to: output, options: .atomic)
    }
  }

  /// A list of the types that the files are named after.
  static func catalog(_ files: [String]) -> String {
    let types = files.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent }
    let rows = types.sorted().map { "    \($0).self,\n" }.joined()
    return """
      import AITGraph

      /// Every operator: one for each file of the folder Operators.
      package enum OperatorCatalog {
        /// The types, in order of name.
        package static let all: [any Operator.Type] = [
      \(rows)  ]
      }

      """
  }

  /// A list of files, paths relative to the root, with their text.
  static func embed(root: String, _ files: [String]) throws -> String {
    let prefix = root.hasSuffix("/") ? root : root + "/"
    let rows = try files.sorted().map { file in
      guard file.hasPrefix(prefix) else {
        throw Failure(description: "\(file) does not lie in \(root)")
      }
      let path = String(file.dropFirst(prefix.count))
      return "    (\n\(literal(path)),\n\(try literal(text(of: file), file))\n    ),\n"
    }
    return """
      /// Files of the package as text, for a compiler that is one file itself.
      package enum EmbeddedSources {
        /// Paths relative to their common root, in order, with the contents.
        package static let files: [(path: String, text: String)] = [
      \(rows.joined())  ]
      }

      """
  }

  private static func text(of file: String) throws -> String {
    guard let text = String(data: try Data(contentsOf: URL(fileURLWithPath: file)), encoding: .utf8)
    else { throw Failure(description: "\(file) is not UTF-8") }
    return text
  }

  private static func literal(_ path: String) -> String { "      #\"\(path)\"#" }

  /// A raw literal of several lines, which ends where the text does.
  ///
  /// It begins at the left margin, since the closing delimiter's indentation would be taken off
  /// every line.
  private static func literal(_ text: String, _ file: String) throws -> String {
    guard !text.unicodeScalars.contains(where: { $0 == "\r" || $0 == "\0" }) else {
      throw Failure(description: "\(file) holds a carriage return or a NUL")
    }
    // One more than the longest run of signs: neither a delimiter nor an escape can occur inside.
    var (longest, run) = (0, 0)
    for scalar in text.unicodeScalars {
      run = scalar == "#" ? run + 1 : 0
      longest = max(longest, run)
    }
    let signs = String(repeating: "#", count: longest + 1)
    return "\(signs)\"\"\"\n\(text)\n\"\"\"\(signs)"
  }
}
