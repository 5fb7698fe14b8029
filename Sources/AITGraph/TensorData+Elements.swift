extension TensorData {
  // MARK: - From numbers

  /// Creates a tensor from numbers, converted to the element type.
  public init(_ dtype: DType, _ shape: [Int], _ values: some Collection<Double>) {
    self.init(zeros: dtype, shape)
    precondition(values.count == elementCount, "\(values.count) values for shape \(shape)")
    withUnsafeMutableBytes { bytes in
      let isStored =
        values.withContiguousStorageIfAvailable { Self.store($0, dtype, bytes) } ?? false
      if isStored { return }
      for (index, value) in values.enumerated() {
        Self.store(.float(value), dtype, bytes, index)
      }
    }
  }

  /// Creates a tensor from integers, wrapped to the element type.
  package init(_ dtype: DType, _ shape: [Int], integers: [Int64]) {
    self.init(zeros: dtype, shape)
    precondition(integers.count == elementCount, "\(integers.count) values for shape \(shape)")
    withUnsafeMutableBytes { bytes in
      for (index, value) in integers.enumerated() {
        Self.store(.integer(value), dtype, bytes, index)
      }
    }
  }

  /// Creates a tensor from exact scalars, each converted to the element type.
  package init(_ dtype: DType, _ shape: [Int], scalars: [ScalarValue]) {
    self.init(zeros: dtype, shape)
    precondition(scalars.count == elementCount, "\(scalars.count) values for shape \(shape)")
    withUnsafeMutableBytes { bytes in
      for (index, value) in scalars.enumerated() { Self.store(value, dtype, bytes, index) }
    }
  }

  // MARK: - To numbers

  /// All elements as Doubles, in row-major order; integers beyond 2^53 are rounded.
  public var doubles: [Double] {
    withUnsafeBytes { bytes in
      let count = elementCount
      return [Double](unsafeUninitializedCapacity: count) { target, initialized in
        initialized = count
        if Self.load(dtype, bytes, target, count) { return }
        for index in 0..<count {
          target.initializeElement(at: index, to: Self.load(dtype, bytes, index).double)
        }
      }
    }
  }

  /// All elements, exact, in row-major order.
  package var scalars: [ScalarValue] {
    withUnsafeBytes { bytes in (0..<elementCount).map { Self.load(dtype, bytes, $0) } }
  }

  /// All elements as integers, in row-major order; truth is 1, fractions are cut.
  package var integers: [Int64] {
    withUnsafeBytes { bytes in (0..<elementCount).map { Self.load(dtype, bytes, $0).integer } }
  }

  // MARK: - One element

  package static func load(_ dtype: DType, _ bytes: UnsafeRawBufferPointer, _ index: Int)
    -> ScalarValue
  {
    let offset = index * dtype.sizeInBytes
    switch dtype {
    case .bool: return .bool(bytes[offset] != 0)
    case .uint8: return .integer(Int64(bytes[offset]))
    case .int8: return .integer(Int64(Int8(bitPattern: bytes[offset])))
    case .int16: return .integer(Int64(bytes.loadUnaligned(fromByteOffset: offset, as: Int16.self)))
    case .int32: return .integer(Int64(bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
    case .int64: return .integer(bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self))
    case .float16:
      let bits = bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
      return .float(HalfPrecision.float16(bits))
    case .bfloat16:
      let bits = bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
      return .float(HalfPrecision.bfloat16(bits))
    case .float32:
      return .float(Double(bytes.loadUnaligned(fromByteOffset: offset, as: Float.self)))
    case .float64: return .float(bytes.loadUnaligned(fromByteOffset: offset, as: Double.self))
    }
  }

  package static func store(
    _ value: ScalarValue,
    _ dtype: DType,
    _ bytes: UnsafeMutableRawBufferPointer,
    _ index: Int
  ) {
    let offset = index * dtype.sizeInBytes
    switch dtype {
    case .bool: bytes[offset] = value.bool ? 1 : 0
    case .uint8, .int8:
      bytes[offset] = UInt8(truncatingIfNeeded: value.converted(to: dtype).integer)
    case .int16:
      bytes.storeBytes(
        of: Int16(truncatingIfNeeded: value.converted(to: dtype).integer),
        toByteOffset: offset,
        as: Int16.self
      )
    case .int32:
      bytes.storeBytes(
        of: Int32(truncatingIfNeeded: value.converted(to: dtype).integer),
        toByteOffset: offset,
        as: Int32.self
      )
    case .int64: bytes.storeBytes(of: value.integer, toByteOffset: offset, as: Int64.self)
    case .float16:
      bytes.storeBytes(
        of: HalfPrecision.float16Bits(value.double),
        toByteOffset: offset,
        as: UInt16.self
      )
    case .bfloat16:
      bytes.storeBytes(
        of: HalfPrecision.bfloat16Bits(value.double),
        toByteOffset: offset,
        as: UInt16.self
      )
    case .float32:
      bytes.storeBytes(of: value.float, toByteOffset: offset, as: Float.self)
    case .float64: bytes.storeBytes(of: value.double, toByteOffset: offset, as: Double.self)
    }
  }

  // MARK: - Many elements
  //
  // Without optimisation the general way takes a microsecond an element; these loops take a few
  // nanoseconds. They serve the aligned floating-point types, and return whether they did.

  private static func load(
    _ dtype: DType,
    _ bytes: UnsafeRawBufferPointer,
    _ target: UnsafeMutableBufferPointer<Double>,
    _ count: Int
  ) -> Bool {
    guard let source = bytes.baseAddress, let to = target.baseAddress,
      Int(bitPattern: source).isMultiple(of: dtype.sizeInBytes)
    else { return false }
    var index = 0
    switch dtype {
    case .float64:
      let from = source.assumingMemoryBound(to: Double.self)
      while index < count {
        to[index] = from[index]
        index += 1
      }
    case .float32:
      let from = source.assumingMemoryBound(to: Float.self)
      while index < count {
        to[index] = Double(from[index])
        index += 1
      }
    case .float16:
      let from = source.assumingMemoryBound(to: UInt16.self)
      while index < count {
        to[index] = HalfPrecision.float16(from[index])
        index += 1
      }
    case .bfloat16:
      let from = source.assumingMemoryBound(to: UInt16.self)
      while index < count {
        to[index] = Double(Float(bitPattern: UInt32(from[index]) << 16))
        index += 1
      }
    case .bool, .uint8, .int8, .int16, .int32, .int64: return false
    }
    return true
  }

  private static func store(
    _ values: UnsafeBufferPointer<Double>,
    _ dtype: DType,
    _ bytes: UnsafeMutableRawBufferPointer
  ) -> Bool {
    guard let from = values.baseAddress, let target = bytes.baseAddress else { return false }
    let count = values.count
    var index = 0
    switch dtype {
    case .float64:
      let to = target.assumingMemoryBound(to: Double.self)
      while index < count {
        to[index] = from[index]
        index += 1
      }
    case .float32:
      let to = target.assumingMemoryBound(to: Float.self)
      while index < count {
        to[index] = Float(from[index])
        index += 1
      }
    case .float16:
      let to = target.assumingMemoryBound(to: UInt16.self)
      while index < count {
        to[index] = HalfPrecision.float16Bits(from[index])
        index += 1
      }
    case .bfloat16:
      let to = target.assumingMemoryBound(to: UInt16.self)
      while index < count {
        to[index] = HalfPrecision.bfloat16Bits(from[index])
        index += 1
      }
    case .bool, .uint8, .int8, .int16, .int32, .int64: return false
    }
    return true
  }
}
