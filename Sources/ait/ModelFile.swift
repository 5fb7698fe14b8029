import AITBuild
import AITGraph
import AITImport
import AITOperators

/// The file that a command is about: a graph's text, an exported program, or a library.
struct ModelFile {
  let path: String

  init(_ path: String) { self.path = path }

  /// Whether it is a library, by its name or its first bytes.
  var isLibrary: Bool {
    path.hasSuffix(".so") || FileSystem.firstBytes(of: path, 4) == [0x7F, 0x45, 0x4C, 0x46]
  }

  /// Whether it is a program of `torch.export.save`, by its name or as an archive.
  var isProgram: Bool {
    path.hasSuffix(".pt2") || FileSystem.firstBytes(of: path, 4) == [0x50, 0x4B, 0x03, 0x04]
  }

  /// The program that the file holds.
  func readProgram() throws(Diagnostic) -> ExportedProgram {
    try ExportedProgram(contentsOf: path)
  }

  /// The graph that the file holds, as text or as an exported program.
  ///
  /// - Parameter bounds: values that symbols of an exported program may take.
  /// - Returns: the graph, named after the file if that is a program.
  /// - Throws: what the file has wrong, or what is expected instead of it.
  func readGraph(bounds: [String: ClosedRange<Int>] = [:]) throws(Diagnostic) -> Graph {
    if isProgram && FileSystem.exists(path) {
      let file = path.split(separator: "/").last ?? "program"
      let name = file.split(separator: ".").first.map(String.init) ?? "program"
      return try readProgram().graph(named: name, bounds: bounds)
    }
    if FileSystem.isFolder(path) {
      throw Diagnostic(
        .unsupportedFormat,
        "a folder, where a graph's text was expected",
        at: path,
        hint: "name a file in it"
      )
    }
    if isLibrary && FileSystem.exists(path) {
      throw Diagnostic(
        .unsupportedFormat,
        "a library, where a graph's text was expected",
        at: path,
        hint: "`ait run`, `bench`, `profile` and `inspect` take libraries; "
          + "`ait inspect \(path)` prints the graph that it was made from"
      )
    }
    if FileSystem.firstBytes(of: path, 512)?.contains(0) ?? false {
      throw Diagnostic(
        .unsupportedFormat,
        "no text, where a graph's text was expected",
        at: path,
        hint: "name the graph, which begins with 'graph'; weights are given with --weights"
      )
    }
    guard let text = FileSystem.read(path) else {
      throw Diagnostic(
        .unreadableFile,
        "the graph cannot be read",
        at: path,
        hint: "see that the file is there"
      )
    }
    do throws(Diagnostic) { return try Graph.parse(text) } catch {
      var located = error
      located.location = "\(path): \(error.location ?? "")"
      throw located
    }
  }
}
