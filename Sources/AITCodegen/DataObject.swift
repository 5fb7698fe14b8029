/// A relocatable object that holds nothing but data: one read-only section and a symbol at its
/// start, as the linker takes it beside compiled code.
///
/// Written by hand, since an assembler reads the data that it includes into memory, twice: for
/// weights of 0.5 GB clang took 1 GB and 5 s. Format: System V ABI, chapter 4 (ELF-64), and the
/// psABI of the architecture for its number and flags.
package struct DataObject: Sendable {
  /// The architectures of targets.
  package enum Architecture: Sendable {
    case x86_64
    case aarch64

    fileprivate var machine: UInt16 { self == .x86_64 ? 62 : 183 }
  }

  /// What lies before the data.
  package let head: [UInt8]
  /// What lies after it.
  package let tail: [UInt8]

  /// Where the data begins in the file, and its alignment in the library.
  package static let alignment = 4096

  /// Above so many bytes, x86-64 data goes to the section for large data, so that code and tables
  /// stay within reach of each other (x86-64 psABI, medium code model).
  private static let largeSize = 1 << 30

  /// Describes `sizeInBytes` bytes of data under the name of a hidden symbol.
  package init(symbol: String, sizeInBytes: Int, architecture: Architecture) {
    let isLarge = architecture == .x86_64 && sizeInBytes > Self.largeSize
    var names = StringTable()
    var symbols = StringTable()
    var sections: [Section] = [Section()]
    var tail = Bytes()
    let dataEnd = Self.alignment + sizeInBytes
    /// Appends a section's content at a multiple of 8 in the file.
    func append(_ section: Section, _ content: [UInt8]) {
      tail.pad(to: (dataEnd + tail.count + 7) / 8 * 8 - dataEnd)
      var section = section
      section.offset = dataEnd + tail.count
      section.size = content.count
      tail.append(content)
      sections.append(section)
    }

    let (isAllocated, isLargeFlag): (UInt64, UInt64) = (0x2, 0x1000_0000)
    var data = Section(names.add(isLarge ? ".lrodata" : ".rodata.ait"), .bits)
    data.flags = isAllocated | (isLarge ? isLargeFlag : 0)
    data.offset = Self.alignment
    data.size = sizeInBytes
    data.alignment = UInt64(Self.alignment)
    sections.append(data)

    // Without this section, linkers take it that the object wants a stack that can be executed.
    append(Section(names.add(".note.GNU-stack"), .bits), [])

    var table = Bytes()
    table.append([UInt8](repeating: 0, count: 24))
    let (globalObject, hidden, dataSection): (UInt8, UInt8, UInt16) = (0x11, 2, 1)
    table.append(UInt32(symbols.add(symbol)))
    table.append([globalObject, hidden])
    table.append(dataSection)
    table.append(UInt64(0))
    table.append(UInt64(sizeInBytes))
    var symbolTable = Section(names.add(".symtab"), .symbols)
    symbolTable.link = 4
    // The first symbol that is not local.
    symbolTable.info = 1
    symbolTable.entrySize = 24
    append(symbolTable, table.bytes)
    append(Section(names.add(".strtab"), .strings), symbols.bytes)
    let namesName = names.add(".shstrtab")
    append(Section(namesName, .strings), names.bytes)

    tail.pad(to: (dataEnd + tail.count + 7) / 8 * 8 - dataEnd)
    let sectionTable = dataEnd + tail.count
    for section in sections { section.write(to: &tail) }
    self.tail = tail.bytes

    var head = Bytes()
    // Magic number, 64 bits, little-endian, version 1.
    head.append([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9))
    let relocatable: UInt16 = 1
    head.append(relocatable)
    head.append(architecture.machine)
    head.append(UInt32(1))
    // No entry point, no segments.
    head.append(UInt64(0))
    head.append(UInt64(0))
    head.append(UInt64(sectionTable))
    head.append(UInt32(0))
    let (headerSize, sectionHeaderSize): (UInt16, UInt16) = (64, 64)
    head.append(headerSize)
    head.append(UInt32(0))
    head.append(sectionHeaderSize)
    head.append(UInt16(sections.count))
    head.append(UInt16(sections.count - 1))
    head.pad(to: Self.alignment)
    self.head = head.bytes
  }
}

/// An entry of the section table.
private struct Section {
  enum Kind: UInt32 {
    case none = 0
    case bits = 1
    case symbols = 2
    case strings = 3
  }

  var name = 0
  var kind = Kind.none
  var flags: UInt64 = 0
  var offset = 0
  var size = 0
  var link: UInt32 = 0
  var info: UInt32 = 0
  var alignment: UInt64 = 0
  var entrySize: UInt64 = 0

  /// The entry that every table begins with.
  init() {}

  init(_ name: Int, _ kind: Kind) {
    self.name = name
    self.kind = kind
    alignment = kind == .symbols ? 8 : 1
  }

  func write(to bytes: inout Bytes) {
    bytes.append(UInt32(name))
    bytes.append(kind.rawValue)
    bytes.append(flags)
    // The address: the linker's to choose.
    bytes.append(UInt64(0))
    bytes.append(UInt64(offset))
    bytes.append(UInt64(size))
    bytes.append(link)
    bytes.append(info)
    bytes.append(alignment)
    bytes.append(entrySize)
  }
}

/// Names one after another, each with a zero at its end; the empty one comes first.
private struct StringTable {
  private(set) var bytes: [UInt8] = [0]

  /// Adds a name and returns its place.
  mutating func add(_ name: String) -> Int {
    defer { bytes += Array(name.utf8) + [0] }
    return bytes.count
  }
}

/// Little-endian numbers one after another.
private struct Bytes {
  private(set) var bytes: [UInt8] = []
  var count: Int { bytes.count }

  mutating func append(_ more: [UInt8]) { bytes += more }

  mutating func append<Number: FixedWidthInteger>(_ number: Number) {
    withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
  }

  mutating func pad(to count: Int) {
    bytes += [UInt8](repeating: 0, count: max(0, count - bytes.count))
  }
}
