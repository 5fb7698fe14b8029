import AITGraph
import FoundationEssentials

@testable import AITWeights

/// The folder of the files that `make_reader_fixtures.py` made.
let fixtures =
  #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/Fixtures"

/// Returns the bytes of a fixture.
func fixture(_ path: String) throws -> [UInt8] {
  try MappedFile("\(fixtures)/\(path)").bytes
}

/// Returns a path in a fresh folder, which is removed when the closure returns.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.path + "/ait-weights-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// Returns the diagnostic that a closure throws; nil if it throws none.
func diagnostic(_ body: () throws -> Void) -> Diagnostic? {
  do {
    try body()
    return nil
  } catch {
    return error as? Diagnostic
  }
}

/// A generator of the same numbers on every run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

extension MappedFile {
  var bytes: [UInt8] { withUnsafeBytes(0..<sizeInBytes) { Array($0) } }
}

extension TensorData {
  var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
  var address: UInt { withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }
}

extension Array where Element == UInt8 {
  /// Appends an integer, lowest byte first.
  mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
    for index in 0..<(Value.bitWidth / 8) {
      append(UInt8(truncatingIfNeeded: value >> (index * 8)))
    }
  }
}

// MARK: - Safetensors

/// Returns a safetensors file with a header that need not be legal.
func safetensors(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> MappedFile {
  var bytes: [UInt8] = []
  bytes.append(littleEndian: length ?? UInt64(header.utf8.count))
  return MappedFile("test.safetensors", copying: bytes + Array(header.utf8) + data)
}

// MARK: - Zip

/// Writes zip archives, legal ones unless told otherwise.
struct ZipBuilder {
  struct Entry {
    var name: String
    var content: [UInt8]
    var method: UInt16 = 0
    var flags: UInt16 = 0
    /// What the directory says, where it differs from the truth.
    var claimedSize: UInt32?
    var claimedOffset: UInt32?
    var localName: String?
    /// An extra field before the content, as `numpy.savez` leaves one.
    var localExtra: [UInt8] = []
  }

  var entries: [Entry] = []
  var isZip64 = false
  var comment: [UInt8] = []
  var claimedCount: UInt16?
  var claimedDirectoryOffset: UInt32?
  var disk: UInt16 = 0

  init(_ entries: [(String, [UInt8])] = []) {
    self.entries = entries.map { Entry(name: $0.0, content: $0.1) }
  }

  /// The bytes of the archive.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
      let offset = UInt32(bytes.count)
      let size = UInt32(entry.content.count)
      let localName = Array((entry.localName ?? entry.name).utf8)
      bytes.append(littleEndian: UInt32(0x0403_4B50))
      for value in [20, entry.flags, entry.method, 0, 0] { bytes.append(littleEndian: value) }
      for value in [0, size, size] { bytes.append(littleEndian: value) }
      bytes.append(littleEndian: UInt16(localName.count))
      bytes.append(littleEndian: UInt16(entry.localExtra.count))
      bytes += localName + entry.localExtra + entry.content
      let claimedSize = entry.claimedSize ?? size
      directory.append(littleEndian: UInt32(0x0201_4B50))
      for value in [45, 20, entry.flags, entry.method, 0, 0] {
        directory.append(littleEndian: value)
      }
      let shown = isZip64 ? 0xFFFF_FFFF : claimedSize
      for value in [0, shown, shown] { directory.append(littleEndian: value) }
      let extraLength: UInt16 = isZip64 ? 28 : 0
      for value in [UInt16(entry.name.utf8.count), extraLength, 0, disk, 0] {
        directory.append(littleEndian: value)
      }
      directory.append(littleEndian: UInt32(0))
      directory.append(littleEndian: isZip64 ? 0xFFFF_FFFF : entry.claimedOffset ?? offset)
      directory += Array(entry.name.utf8)
      if isZip64 {
        directory.append(littleEndian: UInt16(1))
        directory.append(littleEndian: UInt16(24))
        for value in [claimedSize, claimedSize, entry.claimedOffset ?? offset] {
          directory.append(littleEndian: UInt64(value))
        }
      }
    }
    let directoryOffset = claimedDirectoryOffset ?? UInt32(bytes.count)
    let count = claimedCount ?? UInt16(entries.count)
    bytes += directory
    if isZip64 {
      let recordOffset = UInt64(bytes.count)
      bytes.append(littleEndian: UInt32(0x0606_4B50))
      bytes.append(littleEndian: UInt64(44))
      for value: UInt16 in [45, 45] { bytes.append(littleEndian: value) }
      for value: UInt32 in [0, 0] { bytes.append(littleEndian: value) }
      for value in [UInt64(count), UInt64(count), UInt64(directory.count), UInt64(directoryOffset)]
      {
        bytes.append(littleEndian: value)
      }
      bytes.append(littleEndian: UInt32(0x0706_4B50))
      bytes.append(littleEndian: UInt32(0))
      bytes.append(littleEndian: recordOffset)
      bytes.append(littleEndian: UInt32(1))
    }
    bytes.append(littleEndian: UInt32(0x0605_4B50))
    for value in [disk, disk, count, count] { bytes.append(littleEndian: value) }
    bytes.append(littleEndian: isZip64 ? 0xFFFF_FFFF : UInt32(directory.count))
    bytes.append(littleEndian: isZip64 ? 0xFFFF_FFFF : directoryOffset)
    bytes.append(littleEndian: UInt16(comment.count))
    return bytes + comment
  }

  /// The archive as a file.
  var file: MappedFile { MappedFile("test.pt", copying: bytes) }
}

// MARK: - Pickles

/// Writes pickle programs, by hand.
struct PickleBuilder {
  var bytes: [UInt8] = [0x80, 2]

  func appending(_ more: [UInt8]) -> PickleBuilder {
    var copy = self
    copy.bytes += more
    return copy
  }

  func ascii(_ text: String) -> PickleBuilder { appending(Array(text.utf8)) }

  func global(_ module: String, _ name: String) -> PickleBuilder { ascii("c\(module)\n\(name)\n") }

  func text(_ text: String) -> PickleBuilder {
    var more = Array("X".utf8)
    more.append(littleEndian: UInt32(text.utf8.count))
    return appending(more + Array(text.utf8))
  }

  func integer(_ value: Int) -> PickleBuilder {
    var more: [UInt8] = [0x8A, 8]
    more.append(littleEndian: Int64(value))
    return appending(more)
  }

  func tuple(_ values: [Int]) -> PickleBuilder {
    values.reduce(ascii("(")) { $0.integer($1) }.ascii("t")
  }

  /// Puts a storage on the stack.
  func storage(_ type: String = "FloatStorage", key: String = "0", count: Int) -> PickleBuilder {
    ascii("(").text("storage").global("torch", type).text(key).text("cpu").integer(count).ascii(
      "tQ"
    )
  }

  /// Puts a tensor on the stack.
  func tensor(
    _ shape: [Int],
    _ strides: [Int],
    offset: Int = 0,
    key: String = "0",
    count: Int = 4
  ) -> PickleBuilder {
    global("torch._utils", "_rebuild_tensor_v2").ascii("(").storage(key: key, count: count)
      .integer(offset).tuple(shape).tuple(strides).appending([0x89])
      .global("collections", "OrderedDict").ascii(")RtR")
  }

  /// The program as `data.pkl` of a file with a storage of four numbers.
  func file(storage: [UInt8] = [UInt8](repeating: 1, count: 16)) -> MappedFile {
    ZipBuilder([("top/data.pkl", bytes), ("top/data/0", storage)]).file
  }
}
