import AITGraph
import AITKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Compiled objects by content: the text, all headers, the flags and the compiler's version.
///
/// Names carry two 64-bit hashes and the length of the content; the cache is private to its user, so
/// a clash can only come by chance. Objects are put in place by renaming, so concurrent compilations
/// may share it.
package struct ObjectCache: Sendable {
  /// The folder; nil keeps no objects.
  package let folder: String?

  /// A cache in a folder, which is made; one that cannot be made is not used.
  package init(folder: String?) {
    guard let folder, (try? FileSystem.createFolder(folder)) != nil else {
      self.folder = nil
      return
    }
    self.folder = folder
  }

  /// The user's cache: `$XDG_CACHE_HOME/aitemplate` or `~/.cache/aitemplate`.
  package static var standardFolder: String? {
    if let cache = getenv("XDG_CACHE_HOME") {
      return "\(String(cString: cache))/aitemplate/objects"
    }
    return getenv("HOME").map { "\(String(cString: $0))/.cache/aitemplate/objects" }
  }

  /// The name of an object with this content.
  package static func key(_ parts: [String]) -> String {
    let content = parts.joined(separator: "\u{0}")
    let reversed = String(decoding: content.utf8.reversed(), as: UTF8.self)
    return
      "\(StableHash.hexadecimal(content))\(StableHash.hexadecimal(reversed))-\(content.utf8.count)"
  }

  /// The object of a key, if it is there.
  package func object(_ key: String) -> String? {
    guard let folder else { return nil }
    let path = "\(folder)/\(key).o"
    return FileSystem.exists(path) ? path : nil
  }

  /// Where a library of this content is kept; nil if nothing is.
  func libraryPath(_ key: String) -> String? { folder.map { "\($0)/\(key).so" } }

  /// Keeps an object; failing to is no error.
  package func store(_ path: String, as key: String) {
    guard let folder else { return }
    _ = try? FileSystem.copy(path, to: "\(folder)/\(key).o")
  }
}
