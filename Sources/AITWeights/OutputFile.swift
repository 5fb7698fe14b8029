import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file being written beside its final place, where it appears whole or not at all.
struct OutputFile: ~Copyable {
  private let path: String
  private let temporaryPath: String
  private let descriptor: Int32
  private var isFinished = false

  /// Opens a new file in the folder of a path.
  init(_ path: String) throws(Diagnostic) {
    guard !path.utf8.contains(0), !path.isEmpty else {
      throw Diagnostic(.unwritableFile, "a path that is empty or has a zero byte", at: quoted(path))
    }
    let path = Self.destination(path)
    var status = stat()
    guard stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else {
      throw Diagnostic(
        .unwritableFile,
        "a folder, device, pipe or socket, which a file cannot take the place of",
        at: path,
        hint: "name a file"
      )
    }
    // One process writes one path once at a time; O_EXCL catches two that share a number.
    let temporaryPath = "\(path).\(getpid()).part"
    let descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Self.failure(path, "create", errno) }
    self.path = path
    self.temporaryPath = temporaryPath
    self.descriptor = descriptor
  }

  /// Where a link leads, so that it stays a link.
  private static func destination(_ path: String) -> String {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK,
      let real = realpath(path, nil)
    else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// Appends bytes.
  func write(_ bytes: [UInt8]) throws(Diagnostic) {
    if let problem = bytes.withUnsafeBytes({ append($0) }) { throw problem }
  }

  /// Appends the elements of a tensor.
  func write(_ tensor: TensorData) throws(Diagnostic) {
    if let problem = tensor.withUnsafeBytes({ append($0) }) { throw problem }
  }

  private func append(_ bytes: UnsafeRawBufferPointer) -> Diagnostic? {
    var rest = bytes[...]
    while !rest.isEmpty {
      // In parts, so that a cancelled task stops soon.
      guard !Task.isCancelled else {
        return Diagnostic(.cancelled, "cancelled before it was done", at: path)
      }
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 26))
      #if canImport(Glibc)
        let written = Glibc.write(descriptor, part.baseAddress, part.count)
      #elseif canImport(Musl)
        let written = Musl.write(descriptor, part.baseAddress, part.count)
      #else
        let written = Darwin.write(descriptor, part.baseAddress, part.count)
      #endif
      if written < 0 {
        if errno == EINTR { continue }
        return Self.failure(path, "write", errno)
      }
      rest = rest.dropFirst(written)
    }
    return nil
  }

  /// Moves the file to its place.
  mutating func finish() throws(Diagnostic) {
    guard rename(temporaryPath, path) == 0 else { throw Self.failure(path, "replace", errno) }
    isFinished = true
  }

  deinit {
    close(descriptor)
    if !isFinished { unlink(temporaryPath) }
  }

  private static func failure(_ path: String, _ verb: String, _ code: Int32) -> Diagnostic {
    Diagnostic(
      .unwritableFile,
      "cannot \(verb) the file: \(String(cString: strerror(code)))",
      at: path
    )
  }
}
