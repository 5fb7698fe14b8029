import AITGraph

/// Checks of shapes that come from files.
package enum Extents {
  /// The greatest rank read from a file; that of the compiler's own types.
  package static let maximumRank = 16
  /// The greatest tensor, 64 TiB: below it no index arithmetic overflows.
  package static let maximumSizeInBytes = 1 << 46

  /// Returns the number of bytes of a dense tensor.
  ///
  /// Extents of 0 count as 1 for the limit, so that partial products stay in range as well.
  ///
  /// - Throws: `corruptFile` for a negative extent or a size that is no whole number of bytes,
  ///   `sizeLimit` for too many axes or bytes.
  package static func sizeInBytes(_ shape: [Int], elementSizeInBits: Int) throws(Diagnostic) -> Int
  {
    guard shape.count <= maximumRank else {
      throw Diagnostic(
        .sizeLimit,
        "a tensor of rank \(shape.count)",
        hint: "the greatest rank is \(maximumRank)"
      )
    }
    var count = 1
    var hasZero = false
    for extent in shape {
      guard extent >= 0 else {
        throw Diagnostic(.corruptFile, "a negative extent in the shape \(shape)")
      }
      if extent == 0 { hasZero = true }
      let (product, overflows) = count.multipliedReportingOverflow(by: max(extent, 1))
      guard !overflows, product <= maximumSizeInBytes / elementSizeInBits * 8 else {
        throw Diagnostic(.sizeLimit, "a tensor of shape \(shape)", hint: "the limit is 64 TiB")
      }
      count = product
    }
    if hasZero { return 0 }
    guard count * elementSizeInBits % 8 == 0 else {
      throw Diagnostic(
        .corruptFile,
        "\(count) elements of \(elementSizeInBits) bits are no whole number of bytes"
      )
    }
    return count * elementSizeInBits / 8
  }
}

/// Where the elements of a tensor lie in a storage: PyTorch's sizes, strides and offset.
package struct StridedView: Hashable, Sendable {
  /// The extents, outermost first.
  package let shape: [Int]
  /// The steps along each axis, in elements; never negative.
  package let strides: [Int]
  /// The position of the first element.
  package let offset: Int
  /// The number of elements.
  package let elementCount: Int

  /// Creates a view after checking that it lies within a storage.
  ///
  /// - Throws: `corruptFile` if it does not, `sizeLimit` for an absurd shape.
  package init(
    shape: [Int],
    strides: [Int],
    offset: Int,
    elementSizeInBytes: Int,
    storageSizeInBytes: Int
  ) throws(Diagnostic) {
    let sizeInBytes = try Extents.sizeInBytes(shape, elementSizeInBits: elementSizeInBytes * 8)
    guard strides.count == shape.count else {
      throw Diagnostic(.corruptFile, "\(strides.count) strides for \(shape.count) extents")
    }
    let capacity = storageSizeInBytes / elementSizeInBytes
    var last = offset
    var isInside = offset >= 0 && offset <= capacity
    for (extent, stride) in zip(shape, strides) {
      guard stride >= 0 else { throw Diagnostic(.corruptFile, "a negative stride in \(strides)") }
      guard sizeInBytes > 0 else { continue }
      let (step, overflows) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, carries) = last.addingReportingOverflow(step)
      isInside = isInside && !overflows && !carries
      last = sum
    }
    guard isInside, sizeInBytes == 0 || last < capacity else {
      throw Diagnostic(
        .corruptFile,
        "shape \(shape) with strides \(strides) at offset \(offset) leaves a storage of "
          + "\(capacity) elements"
      )
    }
    self.shape = shape
    self.strides = strides
    self.offset = offset
    elementCount = sizeInBytes / elementSizeInBytes
  }

  /// Whether the elements lie densely in row-major order.
  package var isContiguous: Bool {
    if elementCount == 0 { return true }
    var expected = 1
    for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
      if stride != expected { return false }
      expected *= extent
    }
    return true
  }

  /// Returns the elements in row-major order, copied from the bytes of the storage.
  package func copied(_ dtype: DType, from storage: UnsafeRawBufferPointer) -> TensorData {
    var result = TensorData(zeros: dtype, shape)
    guard elementCount > 0 else { return result }
    result.withUnsafeMutableBytes { target in
      switch dtype.sizeInBytes {
      case 1: copy(UInt8.self, from: storage, to: target)
      case 2: copy(UInt16.self, from: storage, to: target)
      case 4: copy(UInt32.self, from: storage, to: target)
      default: copy(UInt64.self, from: storage, to: target)
      }
    }
    return result
  }

  private func copy<Word: BitwiseCopyable>(
    _ type: Word.Type,
    from storage: UnsafeRawBufferPointer,
    to target: UnsafeMutableRawBufferPointer
  ) {
    let size = MemoryLayout<Word>.size
    let innerExtent = shape.last ?? 1
    let innerStride = strides.last ?? 1
    var index = [Int](repeating: 0, count: max(shape.count - 1, 0))
    var source = offset
    var position = 0
    while position < elementCount {
      for inner in 0..<innerExtent {
        let word = storage.loadUnaligned(
          fromByteOffset: (source + inner * innerStride) * size,
          as: Word.self
        )
        target.storeBytes(of: word, toByteOffset: (position + inner) * size, as: Word.self)
      }
      position += innerExtent
      // The outer axes count like an odometer.
      for axis in index.indices.reversed() {
        index[axis] += 1
        source += strides[axis]
        if index[axis] < shape[axis] { break }
        source -= strides[axis] * shape[axis]
        index[axis] = 0
      }
    }
  }
}
