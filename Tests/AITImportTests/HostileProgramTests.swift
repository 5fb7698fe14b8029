import AITGraph
import AITImport
import AITWeights
import Foundation
import Testing

/// Archives that are broken, or made to break a reader: a diagnostic, whatever they hold.
@Suite struct HostileProgramTests {
  private static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: "\(ProgramTests.folder)/\(name).pt2")))
  }

  /// Reads a program; a fault must be a diagnostic, anything else ends the process.
  private static func read(_ bytes: [UInt8]) {
    do throws(Diagnostic) {
      let program = try ExportedProgram(bytes, path: "hostile.pt2")
      _ = try program.graph(named: "hostile")
    } catch {
      #expect(!error.message.isEmpty)
    }
  }

  @Test func truncatedArchives() throws {
    let bytes = try Self.bytes("layers")
    for count in stride(from: 0, to: bytes.count, by: 97) { Self.read(Array(bytes[..<count])) }
  }

  @Test func otherVersionsAreRefused() throws {
    let text = "\"schema_version\": {\"major\": 8"
    let original = try Self.bytes("layers")
    let start = try #require(original.firstRange(of: Array(text.utf8))?.upperBound)
    var bytes = original
    bytes[start - 1] = 0x39
    let diagnostic = try #require(throws: Diagnostic.self) {
      try ExportedProgram(bytes, path: "later.pt2")
    }
    #expect(diagnostic.identity == .unsupportedFormat)
    #expect(diagnostic.message.contains("schema version 9"))
  }

  @Test func otherArchivesAreRefused() throws {
    let diagnostic = try #require(throws: Diagnostic.self) {
      try ExportedProgram(Array("no archive".utf8), path: "text.pt2")
    }
    #expect(diagnostic.location?.contains("text.pt2") ?? false)
  }

  /// The pickles in archives of older versions are as little trusted as any.
  @Test(arguments: [
    ("hostile_system", Diagnostic.Identity.refusedPickle), ("hostile_eval", .refusedPickle),
    ("sparse", .refusedPickle), ("compressed", .unsupportedFormat), ("complex", .unsupportedFormat),
    ("truncated", .corruptFile), ("beyond_storage", .corruptFile), ("state_dict", .corruptFile),
  ])
  func picklesOfOlderArchives(_ name: String, _ identity: Diagnostic.Identity) throws {
    let pickle = URL(filePath: "\(ProgramTests.folder)/../pt/\(name).pt")
    var archive = try #require(StoredArchive(try Self.bytes("older_2_6")))
    let index = try #require(
      archive.entries.firstIndex { $0.name == "serialized_state_dict.pt" }
    )
    archive.entries[index].content = Array(try Data(contentsOf: pickle))
    let diagnostic = try #require(throws: Diagnostic.self) {
      try ExportedProgram(archive.bytes, path: "older.pt2").graph(named: "older")
    }
    #expect(diagnostic.identity == identity, "\(diagnostic)")
    #expect(diagnostic.location?.hasPrefix("older.pt2") ?? false, "\(diagnostic)")
  }
}
