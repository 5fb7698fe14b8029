import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The bytes of a file, mapped read-only; tensors are views of them without a copy where they can be.
///
/// Every access is checked against the size the file had when it was opened. The mapping lasts as
/// long as the value or any tensor made from it. A file that another process cuts short while it
/// is mapped ends this process with `SIGBUS` on the next access to the lost pages: replace weight
/// files by renaming a new one over them, as the writers of this module do.
package struct MappedFile: Sendable {
  /// The path as given, for messages.
  package let path: String
  /// The memory that holds the bytes.
  package let storage: TensorData.Storage

  private let dropPages: (@Sendable (UnsafeMutableRawBufferPointer) -> Void)?

  /// The number of bytes.
  package var sizeInBytes: Int { storage.bytes.count }

  /// Maps a file.
  ///
  /// - Parameter path: A regular file.
  /// - Throws: `unreadableFile` if there is none or it cannot be opened.
  package init(_ path: String) throws(Diagnostic) {
    guard !path.utf8.contains(0) else {
      throw Diagnostic(.unreadableFile, "a path with a zero byte", at: quoted(path))
    }
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Self.unreadable(path, "open", errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.unreadable(path, "examine", errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Diagnostic(
        .unreadableFile,
        "not a regular file",
        at: path,
        hint: status.st_mode & S_IFMT == S_IFDIR ? "name a file inside the folder" : nil
      )
    }
    self.path = path
    let size = Int(status.st_size)
    dropPages = Self.dropPages
    if size == 0 {
      // mmap refuses an empty range.
      storage = TensorData.Storage(
        adopting: UnsafeMutableRawBufferPointer(start: nil, count: 0),
        isWritable: false
      ) { _ in }
      return
    }
    let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let address, address != UnsafeMutableRawPointer(bitPattern: -1) else {
      throw Self.unreadable(path, "map", errno)
    }
    storage = TensorData.Storage(
      adopting: UnsafeMutableRawBufferPointer(start: address, count: size),
      isWritable: false,
      dropPages: Self.dropPages
    ) { munmap($0.baseAddress, $0.count) }
  }

  /// Drops the pages that lie in the range whole; those at its ends may hold others' bytes too, but
  /// come back like all.
  private static let dropPages: @Sendable (UnsafeMutableRawBufferPointer) -> Void = { bytes in
    guard let base = bytes.baseAddress else { return }
    let offset = Int(bitPattern: base) % Int(getpagesize())
    madvise(base - offset, bytes.count + offset, Int32(MADV_DONTNEED))
  }

  /// Creates a file that exists in memory only.
  package init(_ path: String, copying bytes: [UInt8]) {
    self.path = path
    dropPages = nil
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
    memory.copyBytes(from: bytes)
    storage = TensorData.Storage(adopting: memory, isWritable: false) { $0.deallocate() }
  }

  /// Part of the file as a file of its own, such as an archive that lies in another.
  ///
  /// - Parameters:
  ///   - range: The part, which the caller has checked to lie in the file.
  ///   - name: What messages call it, after the file's path.
  /// - Returns: A file that keeps the mapping of this one.
  package func part(_ range: Range<Int>, named name: String) -> MappedFile {
    MappedFile(part: range, named: name, of: self)
  }

  private init(part range: Range<Int>, named name: String, of whole: MappedFile) {
    path = "\(whole.path): \(name)"
    dropPages = whole.dropPages
    let storage = whole.storage
    self.storage = TensorData.Storage(
      adopting: UnsafeMutableRawBufferPointer(rebasing: storage.bytes[range]),
      isWritable: false,
      dropPages: whole.dropPages
    ) { _ in withExtendedLifetime(storage) {} }
  }

  /// Calls a closure with the bytes in a range that the caller has checked to lie in the file.
  package func withUnsafeBytes<Result>(
    _ range: Range<Int>,
    _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    // Without this the storage could go while the closure still reads from it.
    withExtendedLifetime(storage) {
      body(UnsafeRawBufferPointer(rebasing: storage.bytes[range]))
    }
  }

  /// Whether the bytes at an offset are those given; false where they run past the end.
  package func hasBytes(_ expected: [UInt8], at offset: Int = 0) -> Bool {
    guard offset >= 0, offset <= sizeInBytes - expected.count else { return false }
    return withUnsafeBytes(offset..<(offset + expected.count)) { $0.elementsEqual(expected) }
  }

  /// Whether bytes at an offset can be used where they lie, as elements of a type.
  package func isAligned(_ offset: Int, for dtype: DType) -> Bool {
    (Int(bitPattern: storage.bytes.baseAddress) + offset).isMultiple(of: dtype.sizeInBytes)
  }

  /// Returns a tensor over bytes of the file, or a copy of them where they do not lie at a multiple
  /// of the element's size: formats do not ask for it, but kernels do.
  ///
  /// - Throws: `corruptFile` if they do not lie within the file; `sizeLimit` for an absurd shape.
  package func tensor(_ dtype: DType, _ shape: [Int], at offset: Int) throws(Diagnostic)
    -> TensorData
  {
    let size = try Extents.sizeInBytes(shape, elementSizeInBits: dtype.sizeInBytes * 8)
    guard offset >= 0, offset <= sizeInBytes, size <= sizeInBytes - offset else {
      throw Diagnostic(
        .corruptFile,
        "\(size) bytes at offset \(offset) of a file of \(sizeInBytes) bytes",
        at: path,
        hint: "the file is cut short or damaged; fetch or save it again"
      )
    }
    guard isAligned(offset, for: dtype) else {
      var copy = TensorData(zeros: dtype, shape)
      withUnsafeBytes(offset..<(offset + size)) { source in
        copy.withUnsafeMutableBytes { $0.copyMemory(from: source) }
      }
      return copy
    }
    return TensorData(dtype, shape, storage: storage, offsetInBytes: offset)
  }

  private static func unreadable(_ path: String, _ verb: String, _ code: Int32) -> Diagnostic {
    Diagnostic(
      .unreadableFile,
      "cannot \(verb) the file: \(String(cString: strerror(code)))",
      at: path
    )
  }
}
