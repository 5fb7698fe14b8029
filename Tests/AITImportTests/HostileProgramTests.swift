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

  @Test(arguments: ["layers", "attention", "movements", "images", "corners"])
  func changedBytes(_ name: String) throws {
    let original = try Self.bytes(name)
    var generator = SplitMix(state: UInt64(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) }.magnitude))
    for _ in 0..<100 {
      var bytes = original
      for _ in 0..<(1 + generator.below(8)) {
        bytes[generator.below(bytes.count)] = UInt8(generator.below(256))
      }
      Self.read(bytes)
    }
  }

  /// The text of the program changed so that the archive stays whole: a number for another of as many
  /// digits.
  @Test(arguments: ["layers", "attention", "movements", "images", "corners"])
  func changedNumbers(_ name: String) throws {
    let original = try Self.bytes(name)
    let digits = original.indices.filter { (0x30...0x39).contains(original[$0]) }
    var generator = SplitMix(state: 99)
    for _ in 0..<200 {
      var bytes = original
      for _ in 0..<(1 + generator.below(4)) {
        let replacement: [UInt8] = [0x30, 0x31, 0x37, 0x39, 0x2D]
        bytes[digits[generator.below(digits.count)]] = replacement[generator.below(5)]
      }
      Self.read(bytes)
    }
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
}

/// A small generator, the same on every run.
private struct SplitMix {
  var state: UInt64

  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
  }
}
