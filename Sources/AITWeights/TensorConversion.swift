import AITGraph

/// Conversion of whole tensors between floating-point types at the speed of memory.
///
/// The same results as `TensorData.converted(to:)`, but for the payloads of NaN; that one converts
/// one scalar at a time and serves the pairs that have no loop here. Rounds to nearest, ties to even.
/// The loops are free of branches and calls, so that the compiler turns them into vector code.
enum TensorConversion {
  /// Returns a tensor converted to another type.
  static func convert(_ tensor: TensorData, to dtype: DType) -> TensorData {
    switch (tensor.dtype, dtype) {
    case (.float32, .float16): map(tensor, dtype, Float32ToFloat16.self)
    case (.float32, .bfloat16): map(tensor, dtype, Float32ToBFloat16.self)
    case (.float32, .float64): map(tensor, dtype, Float32ToFloat64.self)
    case (.float64, .float32): map(tensor, dtype, Float64ToFloat32.self)
    case (.float16, .float32): map(tensor, dtype, Float16ToFloat32.self)
    case (.bfloat16, .float32): map(tensor, dtype, BFloat16ToFloat32.self)
    case (.float16, .bfloat16): map(tensor, dtype, Float16ToBFloat16.self)
    case (.bfloat16, .float16): map(tensor, dtype, BFloat16ToFloat16.self)
    default: tensor.converted(to: dtype)
    }
  }

  private static func map<Conversion: ElementConversion>(
    _ tensor: TensorData,
    _ dtype: DType,
    _ conversion: Conversion.Type
  ) -> TensorData {
    var result = TensorData(zeros: dtype, tensor.shape)
    guard tensor.elementCount > 0 else { return result }
    tensor.withUnsafeBytes { bytes in
      result.withUnsafeMutableBytes { results in
        guard let source = bytes.baseAddress, let target = results.baseAddress else { return }
        run(conversion, source, target, tensor.elementCount)
      }
    }
    return result
  }

  /// The loop, specialised for each pair of types; a closure in place of the type is not inlined.
  private static func run<Conversion: ElementConversion>(
    _ conversion: Conversion.Type,
    _ source: UnsafeRawPointer,
    _ target: UnsafeMutableRawPointer,
    _ count: Int
  ) {
    // Mapped tensors lie at any address; results of `TensorData` are aligned.
    let target = target.assumingMemoryBound(to: Conversion.Target.self)
    for index in 0..<count {
      let value = source.loadUnaligned(
        fromByteOffset: index &* MemoryLayout<Conversion.Source>.size,
        as: Conversion.Source.self
      )
      target[index] = Conversion.convert(value)
    }
  }

  // MARK: - Scalars

  /// Returns the bits of the binary16 nearest to a value.
  @inline(__always)
  static func float16Bits(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let bits = value.bitPattern & 0x7FFF_FFFF
    // Normal results: move the exponent's bias from 127 to 15, round the 13 bits that are dropped.
    let odd = (bits >> 13) & 1
    let normal = (bits &- 0x3800_0000 &+ 0xFFF &+ odd) >> 13
    // Subnormal results: adding 0.5 leaves the number of units of 2^-24 in the low bits, rounded.
    let subnormal = (Float(bitPattern: bits) + 0.5).bitPattern &- 0x3F00_0000
    let finite = bits < 0x3880_0000 ? subnormal : normal
    let special: UInt32 = bits > 0x7F80_0000 ? 0x7E00 : 0x7C00
    // From 2^16 on everything is infinite; below, rounding carries into infinity by itself.
    return sign | UInt16(truncatingIfNeeded: bits < 0x4780_0000 ? finite : special)
  }

  /// Returns the bits of the bfloat16 nearest to a value.
  @inline(__always)
  static func bfloat16Bits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16
    let quiet = (bits >> 16) & 0x8000 | 0x7FC0
    return UInt16(truncatingIfNeeded: bits & 0x7FFF_FFFF > 0x7F80_0000 ? quiet : rounded)
  }

  /// Returns the value of the bits of a binary16.
  @inline(__always)
  static func float32(float16Bits bits: UInt16) -> Float {
    let magnitude = UInt32(bits & 0x7FFF) << 13
    // Multiplying by 2^112 moves the exponent's bias from 15 to 127, of subnormal numbers too.
    let finite = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    let result = magnitude >= 0x0F80_0000 ? magnitude | 0x7F80_0000 : finite
    return Float(bitPattern: result | UInt32(bits & 0x8000) << 16)
  }

  /// Returns the value of the bits of a bfloat16.
  @inline(__always)
  static func float32(bfloat16Bits bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }

  // MARK: - Losses

  /// Whether a conversion lost more than precision: a finite number became infinite, or an integer
  /// became another.
  static func overflows(_ source: TensorData, _ result: TensorData) -> Bool {
    switch (source.dtype.category, result.dtype.category) {
    case (.floatingPoint, .floatingPoint):
      guard source.dtype.finiteRange.upperBound > result.dtype.finiteRange.upperBound else {
        return false
      }
      return infinityCount(result) > infinityCount(source)
    case (.integer, .integer):
      // A wider type holds every value: the one unsigned type is the narrowest.
      guard source.dtype.sizeInBytes >= result.dtype.sizeInBytes else { return false }
      return !result.converted(to: source.dtype).isIdentical(to: source)
    default: return false
    }
  }

  private static func infinityCount(_ tensor: TensorData) -> Int {
    switch tensor.dtype {
    case .float16: count(tensor, of: UInt16(0x7C00))
    case .bfloat16: count(tensor, of: UInt16(0x7F80))
    case .float32: count(tensor, of: UInt32(0x7F80_0000))
    case .float64: count(tensor, of: UInt64(0x7FF0_0000_0000_0000))
    default: 0
    }
  }

  /// The number of words that are equal to one but for the sign bit.
  private static func count<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ tensor: TensorData,
    of word: Word
  ) -> Int {
    let count = tensor.elementCount
    return tensor.withUnsafeBytes { bytes in
      guard let source = bytes.baseAddress, count > 0 else { return 0 }
      var result = 0
      for index in 0..<count {
        let value = source.loadUnaligned(
          fromByteOffset: index &* MemoryLayout<Word>.size,
          as: Word.self
        )
        result &+= value & (Word.max >> 1) == word ? 1 : 0
      }
      return result
    }
  }
}

/// The conversion of one number, as a type.
private protocol ElementConversion {
  associatedtype Source: BitwiseCopyable
  associatedtype Target: BitwiseCopyable
  static func convert(_ value: Source) -> Target
}

private enum Float32ToFloat16: ElementConversion {
  static func convert(_ value: Float) -> UInt16 { TensorConversion.float16Bits(value) }
}

private enum Float32ToBFloat16: ElementConversion {
  static func convert(_ value: Float) -> UInt16 { TensorConversion.bfloat16Bits(value) }
}

private enum Float32ToFloat64: ElementConversion {
  static func convert(_ value: Float) -> Double { Double(value) }
}

private enum Float64ToFloat32: ElementConversion {
  static func convert(_ value: Double) -> Float { Float(value) }
}

private enum Float16ToFloat32: ElementConversion {
  static func convert(_ value: UInt16) -> Float { TensorConversion.float32(float16Bits: value) }
}

private enum BFloat16ToFloat32: ElementConversion {
  static func convert(_ value: UInt16) -> Float { TensorConversion.float32(bfloat16Bits: value) }
}

private enum Float16ToBFloat16: ElementConversion {
  static func convert(_ value: UInt16) -> UInt16 {
    TensorConversion.bfloat16Bits(TensorConversion.float32(float16Bits: value))
  }
}

private enum BFloat16ToFloat16: ElementConversion {
  static func convert(_ value: UInt16) -> UInt16 {
    TensorConversion.float16Bits(TensorConversion.float32(bfloat16Bits: value))
  }
}
