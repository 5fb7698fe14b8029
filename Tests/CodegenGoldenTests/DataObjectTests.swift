import AITCodegen
import Testing

/// The object that holds constants, by the fields of ELF that linkers read.
///
/// That a linker takes it is what every compiled model with weights shows.
@Suite struct DataObjectTests {
  /// A file of an object, its data zeros.
  struct File {
    let bytes: [UInt8]

    init(_ object: DataObject, sizeInBytes: Int) {
      bytes = object.head + [UInt8](repeating: 0, count: sizeInBytes) + object.tail
    }

    func number(_ offset: Int, _ size: Int) -> Int {
      bytes[offset..<(offset + size)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    func text(_ offset: Int) -> String {
      String(decoding: bytes[offset...].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The offsets of the section table's entries.
    var sections: [Int] {
      (0..<number(60, 2)).map { number(40, 8) + $0 * number(58, 2) }
    }

    func name(_ section: Int) -> String {
      text(number(sections[number(62, 2)] + 24, 8) + number(section, 4))
    }
  }

  @Test(
    "The data lies where the table says, under its symbol",
    arguments: [(DataObject.Architecture.x86_64, 62), (.aarch64, 183)],
    [1, 64, 4097]
  )
  func layout(_ architecture: (DataObject.Architecture, Int), _ size: Int) throws {
    let object = DataObject(symbol: "weights", sizeInBytes: size, architecture: architecture.0)
    #expect(object.head.count == DataObject.alignment)
    let file = File(object, sizeInBytes: size)
    #expect(file.bytes.prefix(4) == [0x7F, 0x45, 0x4C, 0x46])
    #expect(file.number(18, 2) == architecture.1)
    let sections = file.sections
    #expect(
      sections.map(file.name)
        == ["", ".rodata.ait", ".note.GNU-stack", ".symtab", ".strtab", ".shstrtab"]
    )
    let data = sections[1]
    #expect(file.number(data + 24, 8) == DataObject.alignment)
    #expect(file.number(data + 32, 8) == size)
    #expect(file.number(data + 48, 8) == DataObject.alignment)
    // The second entry of the symbol table: its name, its section, its size.
    let symbol = file.number(sections[3] + 24, 8) + 24
    #expect(file.text(file.number(sections[4] + 24, 8) + file.number(symbol, 4)) == "weights")
    #expect(file.number(symbol + 6, 2) == 1)
    #expect(file.number(symbol + 16, 8) == size)
    // Everything that the table names lies within the file.
    for section in sections.dropFirst() {
      #expect(file.number(section + 24, 8) + file.number(section + 32, 8) <= file.bytes.count)
    }
  }

  @Test func largeDataIsApart() {
    let large = DataObject(symbol: "w", sizeInBytes: 1 << 30 + 1, architecture: .x86_64)
    #expect(String(decoding: large.tail, as: UTF8.self).contains(".lrodata"))
    let other = DataObject(symbol: "w", sizeInBytes: 1 << 31, architecture: .aarch64)
    #expect(!String(decoding: other.tail, as: UTF8.self).contains(".lrodata"))
  }
}
