import AITTestSupport

/// Zip archives as `numpy.savez` writes them: stored, nothing aligned.
enum Archive {
  /// An archive of files of a folder, by their names in the archive.
  static func stored(_ files: [String: String], in folder: TemporaryFolder) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    func number(_ value: Int, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    for (name, file) in files.sorted(by: { $0.key < $1.key }) {
      let content = try TemporaryFolder.bytes("\(folder.path)/\(file)")
      let offset = bytes.count
      let sizes = number(0, 4) + number(content.count, 4) + number(content.count, 4)
      let lengths = number(name.utf8.count, 2) + number(0, 2)
      bytes += number(0x0403_4B50, 4) + number(20, 2) + number(0, 8) + sizes + lengths
      bytes += Array(name.utf8) + content
      directory += number(0x0201_4B50, 4) + number(20, 2) + number(20, 2) + number(0, 8) + sizes
      directory += lengths + number(0, 10) + number(offset, 4) + Array(name.utf8)
    }
    let counts = number(files.count, 2) + number(files.count, 2)
    return bytes + directory + number(0x0605_4B50, 4) + number(0, 4) + counts
      + number(directory.count, 4) + number(bytes.count, 4) + number(0, 2)
  }
}
