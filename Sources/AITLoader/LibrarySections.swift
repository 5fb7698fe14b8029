import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Parts of a library's file, by name, that are not loaded with it.
///
/// The file is read and nothing of it runs, so that it may be a library for another machine.
package enum LibrarySections {
  // Of the file's header, and of an entry in the table of sections.
  private static let headerSize = 64
  private static let entrySize = 64

  /// The text of a section; nil if the library has none of that name.
  ///
  /// - Throws: `loadFailed` if the file cannot be read, is no 64-bit ELF file, or is cut short.
  package static func text(of section: String, in path: String) throws(Diagnostic) -> String? {
    func failed(_ message: String) -> Diagnostic {
      Diagnostic(
        .loadFailed,
        message,
        at: path,
        hint: "see that it is a whole library made by `ait compile`"
      )
    }
    guard let file = fopen(path, "rb") else {
      throw failed("there is no readable file: \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    guard let header = read(file, 0, headerSize),
      header.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1])
    else { throw failed("this is no library") }
    let (count, names) = (header.number(60, 2), header.number(62, 2))
    guard header.number(58, 2) == entrySize, names < count,
      let table = read(file, header.number(40, 8), entrySize * count),
      let texts = content(file, table, names)
    else { throw failed("the library has no table of sections, or is cut short") }
    let wanted = Array(section.utf8) + [0]
    for index in 0..<count {
      let start = table.number(index * entrySize, 4)
      guard start < texts.count, texts[start...].starts(with: wanted) else { continue }
      guard let text = content(file, table, index) else {
        throw failed("the library's section \(section) is cut short")
      }
      return String(decoding: text, as: UTF8.self)
    }
    return nil
  }

  /// The bytes of a section, by its entry in the table; nil if they are not all in the file.
  private static func content(_ file: FileStream, _ table: [UInt8], _ index: Int) -> [UInt8]? {
    let entry = index * entrySize
    return read(file, table.number(entry + 24, 8), table.number(entry + 32, 8))
  }

  /// The bytes of a range; nil if they are not all in the file.
  private static func read(_ file: FileStream, _ offset: Int, _ count: Int) -> [UInt8]? {
    fseek(file, 0, SEEK_END)
    let (end, overflows) = offset.addingReportingOverflow(count)
    guard !overflows, end <= ftell(file), fseek(file, offset, SEEK_SET) == 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    return fread(&bytes, 1, count, file) == count ? bytes : nil
  }
}

#if canImport(Musl)
  private typealias FileStream = OpaquePointer
#else
  private typealias FileStream = UnsafeMutablePointer<FILE>
#endif
