import FoundationEssentials

/// A folder for the files of one test; removed when nobody refers to it any more.
package final class TemporaryFolder: Sendable {
  /// The folder's path.
  package let path: String

  /// Makes a fresh folder.
  package init() throws {
    let parent = FileManager.default.temporaryDirectory.path
    path = "\(parent)/ait-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The paths of all files below the folder, without the folder's own, in order.
  package func files() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: path)
      .filter { name in
        var isFolder = false
        _ = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
        return !isFolder
      }
      .sorted()
  }

  /// Writes a file into the folder; returns its path.
  @discardableResult
  package func write(_ bytes: [UInt8], as name: String) throws -> String {
    try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
    return "\(path)/\(name)"
  }

  /// Writes a text into the folder; returns its path.
  @discardableResult
  package func write(_ text: String, as name: String) throws -> String {
    try write(Array(text.utf8), as: name)
  }

  /// The bytes of a file.
  package static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
  }
}
