import AITGraph

/// Reads and writes `.npy` files, and reads uncompressed `.npz` archives of them.
///
/// | NumPy | here |
/// | --- | --- |
/// | `b1 i1 i2 i4 i8 u1 f2 f4 f8` | bool, int8 … int64, uint8, float16, float32, float64 |
/// | `V2` | bfloat16, which is how NumPy writes the type of the `ml_dtypes` package |
///
/// NumPy has no bfloat16 of its own: `numpy.load` gives `V2` as two bytes without meaning, and
/// `.view(ml_dtypes.bfloat16)` gives them theirs. `u2` is taken as the 16-bit integer it says it is,
/// which the compiler lacks. Numbers of the other byte order are swapped, Fortran order is turned
/// into row-major order; both copy, as do arrays that begin at an odd place in an archive (`numpy.savez`
/// aligns nothing); everything else is a view of the mapped file. Arrays of Python objects are
/// pickles and are refused.
public enum Numpy {
  /// The first bytes of an `.npy` file.
  package static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads the array of an `.npy` file.
  ///
  /// - Throws: `unreadableFile`; `corruptFile`; `unsupportedFormat` for an element type that the
  ///   compiler lacks; `refusedPickle` for an array of objects; `sizeLimit`.
  public static func read(_ path: String) throws(Diagnostic) -> TensorData {
    let file = try MappedFile(path)
    return try read(file, 0..<file.sizeInBytes, part: nil)
  }

  /// Reads the arrays of an `.npz` archive, each under its name without `.npy`.
  ///
  /// - Throws: As `read`; also `unsupportedFormat` for a compressed archive.
  package static func readArchive(_ file: MappedFile) throws(Diagnostic) -> Weights {
    let archive = try ZipArchive(file)
    var tensors: [(name: String, tensor: TensorData)] = []
    var ignored: [Weights.Ignored] = []
    for entry in archive.entries {
      guard entry.name.hasSuffix(".npy") else {
        ignored.append(Weights.Ignored(path: entry.name, kind: "no array"))
        continue
      }
      let range = try archive.range(of: entry.name)
      tensors.append((String(entry.name.dropLast(4)), try read(file, range, part: entry.name)))
    }
    return try Weights(tensors, unsupported: [], ignored: ignored, location: file.path)
  }

  /// Reads the array that lies in a range of a mapped file.
  package static func read(
    _ file: MappedFile,
    _ range: Range<Int>,
    part: String?
  ) throws(Diagnostic) -> TensorData {
    defer { withExtendedLifetime(file) {} }
    var bytes = ByteCursor(file, range, part: part.map { quoted($0) })
    let header = try NumpyHeader(&bytes)
    do throws(Diagnostic) {
      let size = try Extents.sizeInBytes(
        header.shape,
        elementSizeInBits: header.dtype.sizeInBytes * 8
      )
      guard size == bytes.remaining else {
        throw bytes.corrupt("\(bytes.remaining) bytes of data for an array of \(size)")
      }
      let data = (range.lowerBound + bytes.offset)..<range.upperBound
      var tensor: TensorData
      if header.isFortranOrder && header.shape.count > 1 {
        var strides = [1]
        for extent in header.shape.dropLast() {
          strides.append(strides[strides.count - 1] * extent)
        }
        let view = try StridedView(
          shape: header.shape,
          strides: strides,
          offset: 0,
          elementSizeInBytes: header.dtype.sizeInBytes,
          storageSizeInBytes: size
        )
        tensor = file.withUnsafeBytes(data) { view.copied(header.dtype, from: $0) }
      } else {
        tensor = try file.tensor(header.dtype, header.shape, at: data.lowerBound)
      }
      if header.isBigEndian { swapBytes(&tensor) }
      return tensor
    } catch {
      throw error.located(at: bytes.location)
    }
  }

  private static func swapBytes(_ tensor: inout TensorData) {
    let size = tensor.dtype.sizeInBytes
    tensor.withUnsafeMutableBytes { bytes in
      for start in stride(from: 0, to: bytes.count, by: size) {
        for index in 0..<(size / 2) { bytes.swapAt(start + index, start + size - 1 - index) }
      }
    }
  }

  /// Writes a tensor as an `.npy` file of version 1.0, in row-major order.
  ///
  /// The file is written beside its place and renamed.
  ///
  /// - Throws: `unwritableFile`.
  public static func write(_ tensor: TensorData, to path: String) throws(Diagnostic) {
    let shape = tensor.shape.map { "\($0)," }.joined(separator: " ")
    // A tuple of one has a comma behind it in Python; longer ones do not.
    let tuple =
      tensor.shape.count == 1 ? shape : String(shape.dropLast(tensor.shape.isEmpty ? 0 : 1))
    var text =
      "{'descr': '\(NumpyHeader.name(tensor.dtype))', 'fortran_order': False, 'shape': (\(tuple)), }"
    // The data begins at a multiple of 64 bytes, after a line feed.
    text += String(repeating: " ", count: 63 - (magic.count + 4 + text.utf8.count) % 64) + "\n"
    var file = try OutputFile(path)
    let length = text.utf8.count
    try file.write(magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8))
    try file.write(tensor)
    try file.finish()
  }
}
