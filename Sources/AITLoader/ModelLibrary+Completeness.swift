import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension ModelLibrary {
  /// Throws if the file ends before the parts that its header tells of.
  ///
  /// The system's loader maps them without a look at the file's size: reading past the end then ends
  /// the process with a bus error. What is no 64-bit ELF file at all is left to the loader to refuse.
  static func checkCompleteness(_ path: String) throws(Diagnostic) {
    guard let file = fopen(path, "rb") else { return }
    defer { fclose(file) }
    var header = [UInt8](repeating: 0, count: 64)
    guard fread(&header, 1, header.count, file) == header.count,
      header.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1])
    else { return }
    // Where the table of segments lies, and how many there are.
    let (table, count) = (header.number(32, 8), header.number(56, 2))
    let entrySize = 56
    guard header.number(54, 2) == entrySize else { return }
    var entries = [UInt8](repeating: 0, count: entrySize * count)
    let isTableWhole =
      fseek(file, table, SEEK_SET) == 0
      && fread(&entries, 1, entries.count, file) == entries.count
    fseek(file, 0, SEEK_END)
    let size = ftell(file)
    let ends = (0..<count).map { index in
      let start = index * entrySize
      // The offset of a segment in the file, and its size there.
      return entries.number(start + 8, 8).addingReportingOverflow(entries.number(start + 32, 8))
    }
    guard isTableWhole, ends.allSatisfy({ !$0.overflow && $0.partialValue <= size }) else {
      throw Diagnostic(
        .loadFailed,
        "the library is cut short: it has \(size) bytes, fewer than its header tells of",
        at: path,
        hint: "copy or compile it again"
      )
    }
  }
}

extension [UInt8] {
  /// A little-endian number of some bytes; the largest one where it would not fit.
  func number(_ offset: Int, _ size: Int) -> Int {
    let bits = self[offset..<(offset + size)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(clamping: bits)
  }
}
