import AITGraph
import Testing

@testable import AITWeights

/// An archive that must be refused when its directory is read.
struct BadArchive: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let says: String
  let bytes: [UInt8]

  init(_ description: String, says: String, _ change: (inout ZipBuilder) -> Void) {
    testDescription = description
    self.says = says
    var builder = ZipBuilder([("top/a", [1, 2, 3, 4]), ("top/b", [5, 6])])
    change(&builder)
    bytes = builder.bytes
  }
}

private let badArchives: [BadArchive] = [
  BadArchive("a name that climbs", says: "leads out") { $0.entries[0].name = "../x" },
  BadArchive("a name that climbs inside", says: "leads out") { $0.entries[0].name = "a/../../x" },
  BadArchive("a name from the root", says: "leads out") { $0.entries[0].name = "/etc/x" },
  BadArchive("a name with a backslash", says: "leads out") { $0.entries[0].name = "a\\x" },
  BadArchive("a name with a zero byte", says: "leads out") { $0.entries[0].name = "a\0" },
  BadArchive("an empty name", says: "leads out") { $0.entries[0].name = "" },
  BadArchive("a name twice", says: "two entries named") { $0.entries[1].name = "top/a" },
  BadArchive("a local name of its own", says: "contradicts") { $0.entries[0].localName = "top/c" },
  BadArchive("entries that overlap", says: "share the bytes") { $0.entries[0].claimedSize = 20 },
  BadArchive("two entries in one place", says: "contradicts") { $0.entries[1].claimedOffset = 0 },
  BadArchive("an entry into the directory", says: "ends outside") {
    $0.entries[1].claimedSize = 100
  },
  BadArchive("an entry of 4 GiB", says: "ends outside") {
    $0.entries[1].claimedSize = 0xFFFF_FFF0
  },
  BadArchive("an entry behind the end", says: "begins outside") {
    $0.entries[1].claimedOffset = 0x7FFF_FFFF
  },
  BadArchive("an entry that begins nowhere", says: "no header where") {
    $0.entries[1].claimedOffset = 3
  },
  BadArchive("a directory behind the end", says: "does not lie") {
    $0.claimedDirectoryOffset = 0x7FFF_FFFF
  },
  BadArchive("a directory too early", says: "does not lie") { $0.claimedDirectoryOffset = 0 },
  BadArchive("more entries than fit", says: "does not lie") { $0.claimedCount = 60_000 },
  BadArchive("one entry more", says: "does not lie") { $0.claimedCount = 3 },
  BadArchive("one entry fewer", says: "after the last") { $0.claimedCount = 1 },
  BadArchive("a second volume", says: "several volumes") { $0.disk = 1 },
  BadArchive("a zip64 entry behind the end", says: "begins outside") {
    $0.isZip64 = true
    $0.entries[1].claimedOffset = 0x7FFF_FFFF
  },
  BadArchive("a zip64 directory behind the end", says: "does not lie") {
    $0.isZip64 = true
    $0.claimedDirectoryOffset = 0x7FFF_FFFF
  },
]

@Suite("Zip archives")
struct ZipArchiveTests {
  @Test(arguments: [false, true])
  func `entries lie where the directory says`(_ isZip64: Bool) throws {
    var builder = ZipBuilder([("top/a", [1, 2, 3]), ("top/b", []), ("top/é", [4])])
    builder.isZip64 = isZip64
    let archive = try ZipArchive(builder.file)
    #expect(archive.entries.map(\.name) == ["top/a", "top/b", "top/é"])
    let range = try archive.range(of: "top/a")
    #expect(archive.file.bytes[range] == [1, 2, 3])
    #expect(try archive.range(of: "top/b").isEmpty)
  }

  @Test func `a comment may follow, even one that looks like an end`() throws {
    var builder = ZipBuilder([("a", [1])])
    builder.comment = Array("PK\u{5}\u{6} and more text than twenty-two bytes".utf8)
    #expect(try ZipArchive(builder.file).entries.count == 1)
  }

  @Test(arguments: badArchives)
  func `an archive of two meanings is refused`(_ bad: BadArchive) throws {
    let file = MappedFile("test.pt", copying: bad.bytes)
    let problem = try #require(diagnostic { _ = try ZipArchive(file) })
    #expect(problem.identity == .corruptFile, "\(problem)")
    #expect(problem.message.contains(bad.says), "\(problem)")
  }

  @Test func `a compressed or encrypted record is never opened`() throws {
    for (method, flags) in [(UInt16(8), UInt16(0)), (93, 0), (0, 1)] {
      var builder = ZipBuilder([("top/data.pkl", [1, 2, 3])])
      builder.entries[0].method = method
      builder.entries[0].flags = flags
      let problem = try #require(diagnostic { _ = try PyTorchWeights(builder.file) })
      #expect(problem.identity == .unsupportedFormat)
      #expect(problem.hint?.contains("torch.save") == true)
    }
  }

  @Test func `archives that are no state dict are told apart`() throws {
    let script = ZipBuilder([("m/data.pkl", []), ("m/constants.pkl", [])]).file
    let exported = ZipBuilder([("m/archive_format", Array("pt2".utf8))]).file
    for (file, says) in [(script, "TorchScript"), (exported, "torch.export")] {
      let problem = try #require(diagnostic { _ = try PyTorchWeights(file) })
      #expect(problem.identity == .unsupportedFormat)
      #expect(problem.message.contains(says))
    }
    let two = ZipBuilder([("a/data.pkl", []), ("b/data.pkl", [])]).file
    #expect(diagnostic { _ = try PyTorchWeights(two) }?.identity == .corruptFile)
  }
}
