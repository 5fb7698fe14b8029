import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where files are put: beside their place first, then in it by renaming.
extension FileSystem {
  /// Throws unless a file can be put at a path.
  ///
  /// Renaming would take the place of a device or a pipe as well, so what is there must be a file.
  /// Asked before long work, so that it is not in vain.
  package static func checkDestination(_ path: String) throws(Diagnostic) {
    func refused(_ message: String, hint: String) -> Diagnostic {
      Diagnostic(.unwritableFile, message, at: path, hint: hint)
    }
    guard !path.isEmpty, !path.hasSuffix("/") else {
      throw refused("no name of a file", hint: "name a file in the folder")
    }
    let place = destination(path)
    var status = stat()
    if stat(place, &status) == 0 {
      switch status.st_mode & S_IFMT {
      case S_IFREG: break
      case S_IFDIR: throw refused("a folder, not a file", hint: "name a file in it")
      default:
        throw refused(
          "a device, pipe or socket, which a file cannot take the place of",
          hint: "name a file, and copy it there"
        )
      }
    }
    let folder = place.lastIndex(of: "/").map { String(place[...$0]) } ?? "."
    guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw refused("the folder '\(folder)' is not there", hint: "make it, or name another")
    }
    guard access(folder, W_OK | X_OK) == 0 else {
      throw refused(
        "the folder '\(folder)' cannot be written to: \(String(cString: strerror(errno)))",
        hint: "choose another, or mend its permissions"
      )
    }
  }

  /// The path of the file that takes a path's place: where a link leads, so that the link stays.
  package static func destination(_ path: String) -> String {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK,
      let real = realpath(path, nil)
    else { return path }
    defer { free(real) }
    return String(cString: real)
  }
}
