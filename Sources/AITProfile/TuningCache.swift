import AITBuild
import AITGraph
import AITKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The user's measurements: a record for each GPU, driver, toolchain and set of templates, in a
/// folder.
///
/// Files are replaced as a whole, by one process at a time; a reader sees the old or the new.
package struct TuningCache: Sendable {
  private let folder: String
  private static let suffix = ".record"

  /// A cache in a folder, which is made when something is kept.
  package init(folder: String) { self.folder = folder }

  /// The user's cache: `$XDG_CACHE_HOME/aitemplate/tuning` or `~/.cache/aitemplate/tuning`.
  package static var standardFolder: String? {
    if let cache = getenv("XDG_CACHE_HOME") {
      return "\(String(cString: cache))/aitemplate/tuning"
    }
    return getenv("HOME").map { "\(String(cString: $0))/.cache/aitemplate/tuning" }
  }

  private func path(_ origin: TuningRecord.Origin) -> String {
    let text = [origin.gpu, origin.driver, origin.toolchain, origin.templates]
    return "\(folder)/\(StableHash.hexadecimal(text.joined(separator: "\u{0}")))\(Self.suffix)"
  }

  /// What is kept of an origin; empty if there is nothing.
  ///
  /// - Throws: `corruptFile`, `unsupportedFormat`, where the file is no record.
  package func record(of origin: TuningRecord.Origin) throws(Diagnostic) -> TuningRecord {
    let path = path(origin)
    guard let text = FileSystem.read(path) else { return TuningRecord() }
    return try TuningRecord(text, from: path)
  }

  /// Everything that is kept.
  ///
  /// - Throws: as for one origin.
  package func all() throws(Diagnostic) -> TuningRecord {
    var record = TuningRecord()
    for name in FileSystem.names(in: folder) where name.hasSuffix(Self.suffix) {
      let path = "\(folder)/\(name)"
      if let text = FileSystem.read(path) { record.merge(try TuningRecord(text, from: path)) }
    }
    return record
  }

  /// Keeps measurements beside those that are there.
  ///
  /// - Throws: `busyDirectory` if another process keeps the folder for long, `unwritableFile`.
  package func merge(_ record: TuningRecord) async throws(Diagnostic) {
    guard !record.isEmpty else { return }
    try FileSystem.createFolder(folder)
    let lock = try await lock()
    for origin in Set(record.keys.map(\.origin)).sorted() {
      var kept = try self.record(of: origin)
      kept.merge(record.filter { $0.origin == origin })
      try FileSystem.write(kept.description, to: path(origin))
    }
    _ = consume lock
  }

  /// The folder for this process; waits for another that has it.
  private func lock() async throws(Diagnostic) -> FileSystem.Lock {
    for _ in 0..<100 {
      do throws(Diagnostic) { return try FileSystem.Lock(folder: folder) } catch {
        guard error.identity == .busyDirectory else { throw error }
      }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return try FileSystem.Lock(folder: folder)
  }
}
