import AITWeights

/// Changes valid files to invalid ones, the same on every run of a seed.
///
/// Half of the changes are of bytes, as a bad disk makes them. The others know the format, as someone
/// with intent does: an archive is taken apart and put together again, so that its directory is right and
/// what lies in it is not; numbers and names in JSON and in headers become others.
struct Mutator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((mixed ^ (mixed >> 31)) % UInt64(max(bound, 1)))
  }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[below(elements.count)]
  }

  // MARK: - Files

  /// A changed copy of a file.
  mutating func changed(_ bytes: [UInt8], path: String) -> [UInt8] {
    if below(4) == 0 { return changedBytes(bytes) }
    if path.hasSuffix(".safetensors") { return changedSafetensors(bytes) }
    guard let archive = StoredArchive(bytes) else { return changedText(bytes) }
    return changed(archive).bytes
  }

  private mutating func changed(_ archive: StoredArchive) -> StoredArchive {
    var archive = archive
    for _ in 0..<(1 + below(2)) {
      guard !archive.entries.isEmpty else { return archive }
      // Programs and pickles more often than raw weights, whose bytes mean nothing.
      let meaningful = archive.entries.indices.filter { index in
        let name = archive.entries[index].name
        return [".json", ".pkl", ".pt", ".npy"].contains { name.hasSuffix($0) }
      }
      let index =
        below(8) == 0 || meaningful.isEmpty ? below(archive.entries.count) : pick(meaningful)
      switch below(24) {
      case 0: archive.entries.remove(at: index)
      case 1: archive.entries.swapAt(index, below(archive.entries.count))
      case 2:
        let other = below(archive.entries.count)
        let content = archive.entries[other].content
        archive.entries[other].content = archive.entries[index].content
        archive.entries[index].content = content
      case 3: archive.entries.append(archive.entries[index])
      case 4: archive.entries[index].name += pick(["", "x", "/../y", "\0", ".json"])
      case 5: archive.entries[index].content.removeAll()
      default:
        let (name, content) = archive.entries[index]
        archive.entries[index].content =
          if let inner = StoredArchive(content), below(4) > 0 {
            changed(inner).bytes
          } else if name.hasSuffix(".pkl") {
            changedPickle(content)
          } else {
            changedText(content)
          }
      }
    }
    return archive
  }

  private mutating func changedSafetensors(_ bytes: [UInt8]) -> [UInt8] {
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(max(0, bytes.count - 8)) else { return changedBytes(bytes) }
    let header = changedText(Array(bytes[8..<8 + Int(length)]))
    let size = UInt64(header.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: size >> ($0 * 8)) } + header
      + bytes[(8 + Int(length))...]
  }

  // MARK: - Bytes

  private mutating func changedBytes(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    guard !bytes.isEmpty else { return bytes }
    switch below(8) {
    case 0: return Array(bytes.prefix(below(bytes.count)))
    case 1:
      let start = below(bytes.count)
      bytes.removeSubrange(start..<min(bytes.count, start + 1 + below(64)))
    case 2:
      let start = below(bytes.count)
      let part = bytes[start..<min(bytes.count, start + 1 + below(64))]
      bytes.insert(contentsOf: part, at: below(bytes.count))
    default:
      for _ in 0..<(1 + below(8)) {
        bytes[below(bytes.count)] = pick([0, 1, 0x7F, 0x80, 0xFF, UInt8(below(256))])
      }
    }
    return bytes
  }

  private mutating func changedPickle(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = changedBytes(bytes)
    if below(2) == 0 {
      let codes = Array("().0123NKMJX}]asutelRbcQhqj".utf8) + [0x81, 0x85, 0x86, 0x87, 0x94]
      bytes.insert(pick(codes), at: below(bytes.count + 1))
    }
    return bytes
  }

  // MARK: - Text

  private static let numbers = [
    "0", "1", "-1", "2", "3", "7", "13", "64", "65536", "2147483648", "4294967295", "-2147483649",
    "1099511627776", "9223372036854775807", "-9223372036854775808", "18446744073709551616",
    "1e308", "-0.5", "1e-320", "null", "true", "[]", "{}", "\"x\"", "\"Infinity\"",
  ]

  private static let texts = [
    "", "x", "s77", "as_int", "as_tensor", "as_none", "as_ints", "as_expr", "Symbol('s77')",
    "FloorDiv(Integer(1), Integer(0))", "Pow(Symbol('s77'), Integer(8))",
    "torch.ops.aten.add_.Tensor",
    "torch.ops.aten.nonzero.default", "torch.ops.aten.expand.default", "torch.ops.aten.pad.default",
    "torch.ops.aten.repeat.default", "torch.ops.aten.view.default", "torch.ops.aten.cat.default",
    "torch.ops.aten.index.Tensor", "torch.ops.aten.slice.Tensor",
    "torch.ops.aten.arange.start_step",
    "F64", "I64", "<f8", "|O", "../../etc/passwd", "\\u0000", "\\ud800",
  ]

  /// A changed copy of JSON, or of another text with numbers, quotes and brackets.
  private mutating func changedText(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<(1 + below(3)) {
      switch below(12) {
      case 0: bytes = changedBytes(bytes)
      case 1, 2, 3, 4: replaceNumber(&bytes)
      case 5, 6, 7: replaceString(&bytes)
      case 8, 9, 10: changeGroup(&bytes)
      default:
        let depth = [10, 1000, 100_000][below(3)]
        let open = pick([UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "(")])
        bytes.insert(contentsOf: [UInt8](repeating: open, count: depth), at: below(bytes.count + 1))
      }
    }
    return bytes
  }

  private mutating func replaceNumber(_ bytes: inout [UInt8]) {
    guard let start = find(in: bytes, { (0x30...0x39).contains($0) }) else { return }
    var end = start
    while end < bytes.count, (0x30...0x39).contains(bytes[end]) { end += 1 }
    bytes.replaceSubrange(start..<end, with: Array(pick(Self.numbers).utf8))
  }

  /// Puts another string of the text, or one that readers know, in the place of one.
  private mutating func replaceString(_ bytes: inout [UInt8]) {
    guard let target = stringRange(in: bytes), let source = stringRange(in: bytes) else { return }
    let replacement = below(3) == 0 ? Array(pick(Self.texts).utf8) : Array(bytes[source])
    bytes.replaceSubrange(target, with: replacement)
  }

  /// Removes, repeats or moves what stands between brackets.
  private mutating func changeGroup(_ bytes: inout [UInt8]) {
    guard let range = groupRange(in: bytes) else { return }
    let group = Array(bytes[range])
    switch below(4) {
    case 0: bytes.removeSubrange(range)
    case 1: bytes.insert(contentsOf: Array(",".utf8) + group, at: range.upperBound)
    case 2:
      if let other = groupRange(in: bytes), other.count < 100_000 {
        bytes.replaceSubrange(other, with: group)
      }
    default: bytes.replaceSubrange(range, with: Array(pick(Self.numbers).utf8))
    }
  }

  /// The next place from a random one, of a byte that will do.
  private mutating func find(in bytes: [UInt8], _ isWanted: (UInt8) -> Bool) -> Int? {
    let start = below(bytes.count)
    return bytes[start...].firstIndex(where: isWanted) ?? bytes.firstIndex(where: isWanted)
  }

  private mutating func stringRange(in bytes: [UInt8]) -> Range<Int>? {
    let quotes: [UInt8] = [UInt8(ascii: "\""), UInt8(ascii: "'")]
    guard let open = find(in: bytes, { quotes.contains($0) }) else { return nil }
    let quote = bytes[open]
    guard let close = bytes[(open + 1)...].firstIndex(of: quote) else { return nil }
    return open + 1..<close
  }

  private mutating func groupRange(in bytes: [UInt8]) -> Range<Int>? {
    let opening = Array("[{(".utf8)
    guard let start = find(in: bytes, { opening.contains($0) }) else { return nil }
    var depth = 0
    for index in start..<bytes.count {
      if opening.contains(bytes[index]) { depth += 1 }
      if Array("]})".utf8).contains(bytes[index]) { depth -= 1 }
      if depth == 0 { return start..<index + 1 }
    }
    return nil
  }
}

/// A zip archive of stored entries, taken apart.
struct StoredArchive {
  var entries: [(name: String, content: [UInt8])]
  /// How the entries say that they are packed; 0 for not at all.
  var method = 0

  init(_ entries: [(name: String, content: [UInt8])]) { self.entries = entries }

  /// Takes apart what is an archive.
  init?(_ bytes: [UInt8]) {
    let file = MappedFile("archive", copying: bytes)
    guard file.hasBytes(ZipArchive.magic), let archive = try? ZipArchive(file) else { return nil }
    entries = archive.entries.map { ($0.name, Array(bytes[$0.range])) }
  }

  /// The archive, each entry aligned to 64 bytes as PyTorch does.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    func append(_ values: [(value: Int, size: Int)], to target: inout [UInt8]) {
      for (value, size) in values {
        for byte in 0..<size { target.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
      }
    }
    for (name, content) in entries {
      let offset = bytes.count
      let header = offset + 30 + name.utf8.count
      let padding = (64 - header % 64) % 64
      let sizes = [(0, 4), (content.count, 4), (content.count, 4), (name.utf8.count, 2)]
      append([(0x0403_4B50, 4), (0, 4), (method, 2), (0, 4)] + sizes + [(padding, 2)], to: &bytes)
      bytes += Array(name.utf8) + [UInt8](repeating: 0, count: padding) + content
      append(
        [(0x0201_4B50, 4), (0, 6), (method, 2), (0, 4)] + sizes + [(0, 12), (offset, 4)],
        to: &directory
      )
      directory += Array(name.utf8)
    }
    let start = bytes.count
    bytes += directory
    let count = (entries.count, 2)
    append(
      [(0x0605_4B50, 4), (0, 4), count, count, (directory.count, 4), (start, 4), (0, 2)],
      to: &bytes
    )
    return bytes
  }
}
