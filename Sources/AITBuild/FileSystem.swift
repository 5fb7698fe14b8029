import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The few operations on files that building needs, with diagnostics that say what to do.
///
/// Files are written aside and renamed into place: a reader sees the old content or the new.
package enum FileSystem {
  /// The system's text for the last error.
  private static var reason: String { String(cString: strerror(errno)) }

  /// Whether a path names a file or folder.
  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether a path names a program.
  package static func isExecutable(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && (status.st_mode & S_IFMT) == S_IFREG
      && access(path, X_OK) == 0
  }

  /// The path from the root, links left as they are.
  package static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return "\(String(cString: folder))/\(path)"
  }

  /// Makes a folder and those above it.
  package static func createFolder(_ path: String) throws(Diagnostic) {
    var prefix = path.hasPrefix("/") ? "/" : ""
    for component in path.split(separator: "/") {
      prefix += prefix.isEmpty || prefix.hasSuffix("/") ? "\(component)" : "/\(component)"
      if mkdir(prefix, 0o777) != 0 && errno != EEXIST && !exists(prefix) {
        throw Diagnostic(
          .unwritableFile,
          "the folder cannot be made: \(reason)",
          at: prefix,
          hint: "choose another folder with --work-directory, or mend its permissions"
        )
      }
    }
  }

  /// Writes bytes aside and renames them into place.
  package static func write(_ text: String, to path: String) throws(Diagnostic) {
    var copy = text
    try copy.withUTF8Throwing { bytes throws(Diagnostic) in
      try write(to: path) { writer throws(Diagnostic) in
        try writer.write(UnsafeRawBufferPointer(bytes))
      }
    }
  }

  /// Appends to a file that is being written aside.
  package struct Writer: ~Copyable {
    fileprivate let descriptor: Int32
    fileprivate let path: String

    /// Writes all of the bytes, unless the task is cancelled meanwhile.
    package borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(Diagnostic) {
      var rest = bytes
      while let base = rest.baseAddress, !rest.isEmpty {
        guard !Task.isCancelled else { throw .cancelled(at: path) }
        let written = systemWrite(descriptor, base, min(rest.count, 1 << 26))
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else {
          throw Diagnostic(
            .unwritableFile,
            "writing failed: \(FileSystem.reason)",
            at: path,
            hint: "see that the disk has room and the folder can be written to"
          )
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      }
    }
  }

  /// Calls a closure that writes a file's content; the file appears under its name when all is done.
  package static func write(
    to name: String,
    mode: mode_t = 0o666,
    _ body: (borrowing Writer) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    try checkDestination(name)
    let path = destination(name)
    let aside = "\(path).\(getpid()).\(UInt32.random(in: 0...UInt32.max)).partial"
    let descriptor = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      throw Diagnostic(
        .unwritableFile,
        "the file cannot be made: \(reason)",
        at: path,
        hint: "see that the folder exists and can be written to"
      )
    }
    do throws(Diagnostic) { try body(Writer(descriptor: descriptor, path: path)) } catch {
      close(descriptor)
      unlink(aside)
      throw error
    }
    guard close(descriptor) == 0 else {
      let why = reason
      unlink(aside)
      throw Diagnostic(
        .unwritableFile,
        "closing failed: \(why)",
        at: path,
        hint: "see that the disk has room"
      )
    }
    try rename(aside, to: path)
  }

  /// Renames a file into place.
  package static func rename(_ from: String, to path: String) throws(Diagnostic) {
    guard systemRename(from, path) == 0 else {
      let why = reason
      unlink(from)
      throw Diagnostic(.unwritableFile, "the file cannot be put in place: \(why)", at: path)
    }
  }

  /// Removes a file; one that is not there does not matter.
  package static func remove(_ path: String) { unlink(path) }

  /// Copies a file aside and renames it into place.
  package static func copy(_ from: String, to path: String) throws(Diagnostic) {
    let source = open(from, O_RDONLY | O_CLOEXEC)
    guard source >= 0 else {
      throw Diagnostic(.unreadableFile, "the file cannot be read: \(reason)", at: from)
    }
    defer { close(source) }
    try write(to: path, mode: 0o777) { writer throws(Diagnostic) in
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = systemRead(source, &buffer, buffer.count)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else {
          throw Diagnostic(.unreadableFile, "reading failed: \(reason)", at: from)
        }
        if count == 0 { return }
        try buffer.withThrowingBytes { bytes throws(Diagnostic) in
          try writer.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        }
      }
    }
  }

  /// The size of a file; nil if there is none.
  package static func size(_ path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
  }

  /// Whether a path names a folder.
  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The first bytes of a file, as many as it has up to a number; nil unless it is a regular file:
  /// what is read from a pipe is gone.
  package static func firstBytes(of path: String, _ count: Int) -> [UInt8]? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      let file = fopen(path, "rb")
    else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: count)
    let found = fread(&bytes, 1, count, file)
    return Array(bytes.prefix(found))
  }

  /// The content of a text file; nil if it cannot be read.
  package static func read(_ path: String) -> String? {
    (try? readBytes(path)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The content of a file.
  package static func readBytes(_ path: String) throws(Diagnostic) -> [UInt8] {
    guard let file = fopen(path, "rb") else {
      throw Diagnostic(.unreadableFile, "the file cannot be read: \(reason)", at: path)
    }
    defer { fclose(file) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      guard ferror(file) == 0 else {
        throw Diagnostic(.unreadableFile, "reading failed: \(reason)", at: path)
      }
      if count == 0 { return content }
      content += buffer[..<count]
    }
  }

  /// Holds a folder for one compilation; released with the value.
  package struct Lock: ~Copyable {
    private let descriptor: Int32

    /// Takes the folder; throws if another compilation has it.
    package init(folder: String) throws(Diagnostic) {
      // The value is whole at the end alone: one that is would close its file when this throws, a
      // second time, and by then the number may be another thread's file.
      let opened = open("\(folder)/.lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
      guard opened >= 0 else {
        throw Diagnostic(
          .unwritableFile,
          "the folder cannot be written to: \(FileSystem.reason)",
          at: folder,
          hint: "choose another with --work-directory, or mend its permissions"
        )
      }
      guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
        close(opened)
        throw Diagnostic(
          .busyDirectory,
          "another compilation is at work in this folder",
          at: folder,
          hint: "wait for it, or give this one another name or work directory"
        )
      }
      descriptor = opened
    }

    deinit {
      // Closing alone would not do: a compiler that is being started has a copy for a moment.
      flock(descriptor, LOCK_UN)
      close(descriptor)
    }
  }
}

// Within the enumeration its own members hide the C functions of the same name.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}

private func systemRename(_ from: String, _ to: String) -> Int32 { rename(from, to) }
private func systemRead(_ descriptor: Int32, _ bytes: inout [UInt8], _ count: Int) -> Int {
  #if canImport(Glibc)
    Glibc.read(descriptor, &bytes, count)
  #elseif canImport(Musl)
    Musl.read(descriptor, &bytes, count)
  #else
    Darwin.read(descriptor, &bytes, count)
  #endif
}

extension String {
  /// `withUTF8` with a typed error.
  fileprivate mutating func withUTF8Throwing(
    _ body: (UnsafeBufferPointer<UInt8>) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let result = withUTF8 { bytes -> Result<Void, Diagnostic> in
      do throws(Diagnostic) { return .success(try body(bytes)) } catch { return .failure(error) }
    }
    try result.get()
  }
}

extension [UInt8] {
  /// `withUnsafeBytes` with a typed error.
  fileprivate func withThrowingBytes(
    _ body: (UnsafeRawBufferPointer) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let result = withUnsafeBytes { bytes -> Result<Void, Diagnostic> in
      do throws(Diagnostic) { return .success(try body(bytes)) } catch { return .failure(error) }
    }
    try result.get()
  }
}
