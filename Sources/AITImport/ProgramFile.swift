import AITGraph
import AITWeights
import FoundationEssentials

/// A program saved by `torch.export.save`: an archive with the program as JSON and its weights.
///
/// Read as torch 2.5 and later write it; ``ProgramArchive`` has the layouts. Source:
/// `torch/_export/serde/schema.py`: version 7 of the schema, of torch 2.5, has extents as sympy prints
/// them, and what it lacks besides may be left out in version 8.
package struct ProgramFile: Sendable {
  let program: ProgramSchema
  /// Weights, buffers and constants by the names that the program's signature has for them.
  let weights: [String: TensorData]
  /// The file, for messages.
  let path: String

  /// The major versions of the schema that are read.
  private static let schemaVersions = 7...8

  /// Reads an archive.
  ///
  /// - Throws: `unreadable-file`, `corrupt-file`; `unsupported-format` for what is no exported program,
  ///   or of another version.
  package init(contentsOf path: String) throws(Diagnostic) {
    try self.init(try MappedFile(path))
  }

  init(_ file: MappedFile) throws(Diagnostic) {
    path = file.path
    let archive = ProgramArchive(archive: try ZipArchive(file))
    guard let model = archive.programEntry else {
      throw Diagnostic(
        .unsupportedFormat,
        "an archive without an exported program",
        at: path,
        hint: "save a program by torch.export.save(torch.export.export(model, inputs), path)"
      )
    }
    let bytes = try archive.bytes(of: model)
    do {
      var read = try JSONDecoder().decode(ProgramSchema.self, from: Data(bytes))
      read.module.graph = read.module.graph.inlined()
      program = read
    } catch {
      throw Diagnostic(.corruptFile, "\(model): \(Self.reason(error))", at: file.path)
    }
    guard Self.schemaVersions.contains(program.schemaVersion.major) else {
      throw Diagnostic(
        .unsupportedFormat,
        "a program of schema version \(program.schemaVersion.major), "
          + "expected \(Self.schemaVersions.lowerBound) or \(Self.schemaVersions.upperBound)",
        at: path,
        hint: "export it anew, with torch 2.5 or later"
      )
    }
    weights = try archive.weights()
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    switch error {
    case .keyNotFound(let key, let context):
      return "no field '\(key.stringValue)' at \(place(context))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "a field of another type at \(place(context))"
    case .dataCorrupted(let context): return "\(context.debugDescription) at \(place(context))"
    @unknown default: return "\(error)"
    }
  }

  private static func place(_ context: DecodingError.Context) -> String {
    let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
    return path.isEmpty ? "the top" : path.joined(separator: ".")
  }
}
