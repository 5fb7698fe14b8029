import AITGraph

/// The directory of a zip archive whose entries are stored, not compressed, so that they can be used
/// where they lie in the mapped file.
///
/// Reads what PyTorch, NumPy and ordinary zip tools write, Zip64 included. Refuses archives that
/// could be understood in two ways: entries that overlap or share a name, local headers that
/// contradict the directory, names that lead out of the archive, several volumes. Checksums are not
/// verified: that would read every byte of a file of gigabytes, and PyTorch can be told to leave
/// them out.
package struct ZipArchive: Sendable {
  /// One stored file.
  package struct Entry: Sendable {
    /// The path in the archive, with slashes.
    package let name: String
    /// Where the bytes lie in the file.
    package let range: Range<Int>
    /// Whether the bytes are as they are, neither compressed nor encrypted.
    package let isStored: Bool
  }

  /// The archive's file.
  package let file: MappedFile
  /// The entries, in the order of the directory.
  package let entries: [Entry]
  private let positions: [String: Int]

  /// What the first bytes of an archive with at least one entry are.
  package static let magic: [UInt8] = [0x50, 0x4B, 0x03, 0x04]

  /// Reads the directory of an archive.
  ///
  /// - Throws: `corruptFile` where it breaks the format's rules.
  package init(_ file: MappedFile) throws(Diagnostic) {
    defer { withExtendedLifetime(file) {} }
    self.file = file
    let directory = try Directory(file)
    var cursor = ByteCursor(file, directory.range, part: "zip directory")
    var entries: [Entry] = []
    var positions: [String: Int] = [:]
    // The local header of each entry begins where the one before has ended, or later.
    var spans: [Range<Int>] = []
    for _ in 0..<directory.entryCount {
      let record = try Record(&cursor)
      let range = try Self.dataRange(of: record, in: file, before: directory.range.lowerBound)
      guard positions.updateValue(entries.count, forKey: record.name) == nil else {
        throw cursor.corrupt("two entries named \(quoted(record.name))")
      }
      spans.append(record.headerOffset..<range.upperBound)
      entries.append(Entry(name: record.name, range: range, isStored: record.isStored))
    }
    guard cursor.remaining == 0 else { throw cursor.corrupt("bytes after the last entry") }
    spans.sort { $0.lowerBound < $1.lowerBound }
    for (span, next) in zip(spans, spans.dropFirst()) where next.lowerBound < span.upperBound {
      throw Diagnostic(
        .corruptFile,
        "two entries of the archive share the bytes at \(next.lowerBound)",
        at: file.path
      )
    }
    self.entries = entries
    self.positions = positions
  }

  /// The entry of a name; nil if there is none.
  package func entry(_ name: String) -> Entry? { positions[name].map { entries[$0] } }

  /// Returns where the bytes of a stored entry lie in the file.
  ///
  /// - Throws: `corruptFile` if there is no such entry, `unsupportedFormat` if it is compressed.
  package func range(of name: String) throws(Diagnostic) -> Range<Int> {
    guard let entry = entry(name) else {
      throw Diagnostic(.corruptFile, "no record \(quoted(name)) in the archive", at: file.path)
    }
    guard entry.isStored else {
      throw Diagnostic(
        .unsupportedFormat,
        "the record \(quoted(name)) is compressed or encrypted",
        at: file.path,
        hint: "archives are used where they lie: load the file in the program that made it and "
          + "save it again (torch.save, numpy.savez), or zip it with compression off"
      )
    }
    return entry.range
  }

  // MARK: - Local headers

  private static func dataRange(
    of record: Record,
    in file: MappedFile,
    before directoryOffset: Int
  ) throws(Diagnostic) -> Range<Int> {
    guard record.headerOffset <= directoryOffset else {
      throw Diagnostic(
        .corruptFile,
        "entry \(quoted(record.name)) begins outside the archive",
        at: file.path
      )
    }
    var cursor = ByteCursor(
      file,
      record.headerOffset..<directoryOffset,
      part: "zip entry \(quoted(record.name))"
    )
    guard try cursor.read(UInt32.self, "a header") == 0x0403_4B50 else {
      throw cursor.corrupt("no header where the directory says there is one")
    }
    try cursor.skip(2, "a header")
    let flags = try cursor.read(UInt16.self, "a header")
    let method = try cursor.read(UInt16.self, "a header")
    // Time, date, checksum and sizes; the last are left 0 by writers that cannot seek.
    try cursor.skip(16, "a header")
    let nameLength = Int(try cursor.read(UInt16.self, "a header"))
    let extraLength = Int(try cursor.read(UInt16.self, "a header"))
    let name = try cursor.readText(nameLength, "a name")
    guard name == record.name, method == record.method, (flags ^ record.flags) & 1 == 0 else {
      throw cursor.corrupt("a header that contradicts the directory")
    }
    try cursor.skip(extraLength, "a header")
    guard record.sizeInBytes <= cursor.remaining else {
      throw cursor.corrupt("an entry of \(record.sizeInBytes) bytes that ends outside the archive")
    }
    let begin = record.headerOffset + cursor.offset
    return begin..<(begin + record.sizeInBytes)
  }
}

/// One line of the directory.
private struct Record {
  let flags: UInt16
  let method: UInt16
  let name: String
  /// The number of bytes in the archive.
  let sizeInBytes: Int
  let headerOffset: Int

  var isStored: Bool { method == 0 && flags & 1 == 0 }

  init(_ cursor: inout ByteCursor) throws(Diagnostic) {
    guard try cursor.read(UInt32.self, "an entry") == 0x0201_4B50 else {
      throw cursor.corrupt("no entry where one was expected")
    }
    try cursor.skip(4, "an entry")
    flags = try cursor.read(UInt16.self, "an entry")
    method = try cursor.read(UInt16.self, "an entry")
    try cursor.skip(8, "an entry")
    var packedSize = UInt64(try cursor.read(UInt32.self, "an entry"))
    var size = UInt64(try cursor.read(UInt32.self, "an entry"))
    let nameLength = Int(try cursor.read(UInt16.self, "an entry"))
    let extraLength = Int(try cursor.read(UInt16.self, "an entry"))
    let commentLength = Int(try cursor.read(UInt16.self, "an entry"))
    let disk = try cursor.read(UInt16.self, "an entry")
    try cursor.skip(6, "an entry")
    var offset = UInt64(try cursor.read(UInt32.self, "an entry"))
    name = try cursor.readText(nameLength, "a name")
    guard Self.isSafe(name) else {
      throw cursor.corrupt("the name \(quoted(name)), which leads out of the archive")
    }
    let end = cursor.offset + extraLength
    while cursor.offset + 4 <= end {
      let tag = try cursor.read(UInt16.self, "an extra field")
      let length = Int(try cursor.read(UInt16.self, "an extra field"))
      let next = cursor.offset + length
      guard next <= end else { throw cursor.corrupt("an extra field that is too long") }
      if tag == 1 {
        // Zip64: 64-bit values for those that did not fit, in this order.
        if size == 0xFFFF_FFFF { size = try cursor.read(UInt64.self, "a size") }
        if packedSize == 0xFFFF_FFFF { packedSize = try cursor.read(UInt64.self, "a size") }
        if offset == 0xFFFF_FFFF { offset = try cursor.read(UInt64.self, "an offset") }
        guard cursor.offset <= next else {
          throw cursor.corrupt("an extra field that is too short")
        }
      }
      try cursor.move(to: next)
    }
    try cursor.move(to: end)
    try cursor.skip(commentLength, "a comment")
    guard disk == 0 else { throw cursor.corrupt("an archive of several volumes") }
    guard method != 0 || packedSize == size, let sizeInBytes = Int(exactly: packedSize),
      let headerOffset = Int(exactly: offset)
    else { throw cursor.corrupt("entry \(quoted(name)) with impossible sizes") }
    self.sizeInBytes = sizeInBytes
    self.headerOffset = headerOffset
  }

  /// Whether a name stays within the archive on every system.
  private static func isSafe(_ name: String) -> Bool {
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return !name.isEmpty && !name.hasPrefix("/") && !name.utf8.contains(UInt8(ascii: "\\"))
      && !name.utf8.contains(0) && !parts.contains { $0.elementsEqual("..".utf8) }
  }
}

/// Where the directory lies.
private struct Directory {
  let range: Range<Int>
  let entryCount: Int

  init(_ file: MappedFile) throws(Diagnostic) {
    let size = file.sizeInBytes
    guard let position = Self.endRecord(file) else {
      throw Diagnostic(
        .corruptFile,
        "no zip directory at the end of the file",
        at: file.path,
        hint: "the file is cut short or damaged; fetch or save it again"
      )
    }
    var cursor = ByteCursor(file, position..<size, part: "end of the zip archive")
    try cursor.skip(4, "the end record")
    let disk = try cursor.read(UInt16.self, "the end record")
    let firstDisk = try cursor.read(UInt16.self, "the end record")
    try cursor.skip(2, "the end record")
    var count = UInt64(try cursor.read(UInt16.self, "the end record"))
    var length = UInt64(try cursor.read(UInt32.self, "the end record"))
    var offset = UInt64(try cursor.read(UInt32.self, "the end record"))
    var limit = position
    if position >= 20, file.hasBytes([0x50, 0x4B, 0x06, 0x07], at: position - 20) {
      var locator = ByteCursor(file, (position - 20)..<position, part: "zip64 locator")
      try locator.skip(8, "the locator")
      let recordOffset = try locator.read(UInt64.self, "the locator")
      guard recordOffset <= UInt64(position - 20) else {
        throw locator.corrupt("a zip64 record outside the file")
      }
      var record = ByteCursor(file, Int(recordOffset)..<(position - 20), part: "zip64 record")
      guard try record.read(UInt32.self, "the zip64 record") == 0x0606_4B50 else {
        throw record.corrupt("no zip64 record where one was expected")
      }
      try record.skip(28, "the zip64 record")
      count = try record.read(UInt64.self, "the zip64 record")
      length = try record.read(UInt64.self, "the zip64 record")
      offset = try record.read(UInt64.self, "the zip64 record")
      limit = Int(recordOffset)
    }
    guard disk == 0 || disk == 0xFFFF, firstDisk == 0 || firstDisk == 0xFFFF else {
      throw cursor.corrupt("an archive of several volumes")
    }
    let (end, overflows) = offset.addingReportingOverflow(length)
    // Each entry takes 46 bytes at least, so the count cannot ask for more than the file holds.
    guard !overflows, end == UInt64(limit), count <= length / 46 else {
      throw cursor.corrupt("a zip directory that does not lie where the end record says")
    }
    range = Int(offset)..<Int(end)
    entryCount = Int(count)
  }

  /// Returns the offset of the last record.
  ///
  /// It ends the file, but for a comment of up to 65,535 bytes whose length it gives.
  private static func endRecord(_ file: MappedFile) -> Int? {
    let size = min(file.sizeInBytes, 22 + 0xFFFF)
    let start = file.sizeInBytes - size
    return file.withUnsafeBytes(start..<file.sizeInBytes) { bytes in
      var offset = size - 22
      while offset >= 0 {
        if bytes[offset] == 0x50, bytes[offset + 1] == 0x4B, bytes[offset + 2] == 0x05,
          bytes[offset + 3] == 0x06,
          offset + 22 + (Int(bytes[offset + 21]) << 8 | Int(bytes[offset + 20])) == size
        {
          return start + offset
        }
        offset -= 1
      }
      return nil
    }
  }
}
