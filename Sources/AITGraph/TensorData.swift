/// A dense row-major tensor in host memory.
///
/// A value: copies share their bytes until one is changed. The bytes may be a mapped file, which
/// stays mapped as long as a copy lives.
public struct TensorData: Sendable {
  /// Memory that outlives every tensor that refers to it; never changed once shared.
  package final class Storage: @unchecked Sendable {
    package let bytes: UnsafeMutableRawBufferPointer
    /// Whether the memory may be written; that of a mapped file may not.
    fileprivate let isWritable: Bool
    private let release: @Sendable (UnsafeMutableRawBufferPointer) -> Void
    /// Lets go of the pages of a mapped file, which come back when they are read.
    fileprivate let dropPages: (@Sendable (UnsafeMutableRawBufferPointer) -> Void)?

    /// Takes charge of memory; `release` is called with it at the end.
    package init(
      adopting bytes: UnsafeMutableRawBufferPointer,
      isWritable: Bool = true,
      dropPages: (@Sendable (UnsafeMutableRawBufferPointer) -> Void)? = nil,
      release: @escaping @Sendable (UnsafeMutableRawBufferPointer) -> Void
    ) {
      self.bytes = bytes
      self.isWritable = isWritable
      self.dropPages = dropPages
      self.release = release
    }

    /// Allocates zeroed memory, 64-byte aligned.
    package convenience init(sizeInBytes: Int) {
      let bytes = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(sizeInBytes, 1),
        alignment: 64
      )
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      self.init(adopting: bytes) { $0.deallocate() }
    }

    deinit { release(bytes) }
  }

  /// The element type.
  public let dtype: DType
  /// The extents, outermost first.
  public let shape: [Int]
  private var storage: Storage
  private let offsetInBytes: Int

  /// The number of elements.
  public var elementCount: Int { shape.reduce(1, *) }

  /// The number of bytes of the elements.
  public var sizeInBytes: Int { elementCount * dtype.sizeInBytes }

  /// The type, all extents known.
  public var type: TensorType { TensorType(dtype, Shape(shape)) }

  /// Creates a tensor of zeros.
  public init(zeros dtype: DType, _ shape: [Int]) {
    self.dtype = dtype
    self.shape = shape
    storage = Storage(sizeInBytes: shape.reduce(1, *) * dtype.sizeInBytes)
    offsetInBytes = 0
  }

  /// Lets the system take back the memory that the elements of a mapped file occupy.
  ///
  /// They are read from the file again when they are wanted. Other tensors stay as they are.
  package func dropMappedPages() {
    guard let drop = storage.dropPages, let base = storage.bytes.baseAddress else { return }
    drop(UnsafeMutableRawBufferPointer(start: base + offsetInBytes, count: sizeInBytes))
  }

  /// Creates a tensor over part of a storage, without a copy.
  package init(_ dtype: DType, _ shape: [Int], storage: Storage, offsetInBytes: Int) {
    precondition(
      offsetInBytes >= 0
        && offsetInBytes + shape.reduce(1, *) * dtype.sizeInBytes <= max(storage.bytes.count, 0),
      "callers check that the tensor lies within its storage"
    )
    self.dtype = dtype
    self.shape = shape
    self.storage = storage
    self.offsetInBytes = offsetInBytes
  }

  /// Creates a tensor of `float32` numbers.
  public init(_ values: [Float], shape: [Int]) {
    precondition(values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
    self.init(zeros: .float32, shape)
    withUnsafeMutableBytes { bytes in
      values.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
  }

  /// Creates a tensor of rank 0.
  public init(scalar value: Double, _ dtype: DType) { self.init(dtype, [], [value]) }

  // MARK: - Access

  /// Calls a closure with the bytes of the elements.
  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows
    -> Result
  {
    try body(
      UnsafeRawBufferPointer(
        rebasing: storage.bytes[offsetInBytes..<(offsetInBytes + sizeInBytes)]
      )
    )
  }

  /// Calls a closure with the bytes of the elements for change; copies them first if shared
  /// or mapped.
  public mutating func withUnsafeMutableBytes<Result>(
    _ body: (UnsafeMutableRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    if !storage.isWritable || !isKnownUniquelyReferenced(&storage) || offsetInBytes != 0 {
      let copy = TensorData(zeros: dtype, shape)
      withUnsafeBytes { copy.storage.bytes.copyMemory(from: $0) }
      self = copy
    }
    return try body(UnsafeMutableRawBufferPointer(rebasing: storage.bytes[0..<sizeInBytes]))
  }

  /// The element at a row-major position.
  package func scalar(at index: Int) -> ScalarValue {
    withUnsafeBytes { Self.load(dtype, $0, index) }
  }

  /// Returns the same elements under other extents of the same product.
  public func reshaped(_ shape: [Int]) -> TensorData {
    TensorData(dtype, shape, storage: storage, offsetInBytes: offsetInBytes)
  }

  /// Returns the elements converted to another type, as PyTorch's `to` does.
  public func converted(to other: DType) -> TensorData {
    if other == dtype { return self }
    var result = TensorData(zeros: other, shape)
    let count = elementCount
    withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        for index in 0..<count {
          Self.store(Self.load(dtype, source, index), other, target, index)
        }
      }
    }
    return result
  }

  /// Whether type, extents and every byte are equal.
  public func isIdentical(to other: TensorData) -> Bool {
    guard dtype == other.dtype, shape == other.shape else { return false }
    return withUnsafeBytes { left in other.withUnsafeBytes { left.elementsEqual($0) } }
  }
}

extension TensorData: CustomStringConvertible {
  /// The type and the first few elements.
  public var description: String {
    let shown = doublesPrefix(8).map { "\($0)" }.joined(separator: ", ")
    return "\(type) {\(shown)\(elementCount > 8 ? ", …" : "")}"
  }

  private func doublesPrefix(_ count: Int) -> [Double] {
    withUnsafeBytes { bytes in
      (0..<min(count, elementCount)).map { Self.load(dtype, bytes, $0).double }
    }
  }
}
