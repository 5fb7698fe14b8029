import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A generator of random numbers that gives the same sequence for the same seed on every machine.
///
/// xoshiro256** of Blackman and Vigna, its state filled by SplitMix64.
package struct RandomGenerator: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// Creates a generator; any seed will do.
  package init(seed: UInt64) {
    var mix = seed
    func next() -> UInt64 {
      mix &+= 0x9E37_79B9_7F4A_7C15
      var z = mix
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    state = (next(), next(), next(), next())
  }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    func rotate(_ x: UInt64, _ count: UInt64) -> UInt64 { (x << count) | (x >> (64 - count)) }
    let result = rotate(state.1 &* 5, 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = rotate(state.3, 45)
    return result
  }

  /// A number in 0..<1.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number in 0..<bound; bound is positive.
  ///
  /// The bias is below bound / 2^64.
  package mutating func integer(below bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number of the standard normal distribution, by Box and Muller's method.
  package mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }
}

extension TensorData {
  /// Creates a tensor of random numbers that suit tests of its type.
  ///
  /// Floating-point types are normal with the given scale; integers uniform in 0..<bound, or in
  /// -100...100 (0...200 if unsigned) without a bound; truth values are even.
  package static func random(
    _ dtype: DType,
    _ shape: [Int],
    using generator: inout RandomGenerator,
    scale: Double = 1,
    indexBound: Int? = nil
  ) -> TensorData {
    let count = shape.reduce(1, *)
    switch dtype {
    case .float16, .bfloat16, .float32, .float64:
      return TensorData(dtype, shape, (0..<count).map { _ in generator.normal() * scale })
    case .bool:
      return TensorData(
        dtype,
        shape,
        integers: (0..<count).map { _ in Int64(generator.next() >> 63) }
      )
    case .uint8, .int8, .int16, .int32, .int64:
      let low = indexBound != nil || dtype == .uint8 ? 0 : -100
      let bound = indexBound ?? 201
      return TensorData(
        dtype,
        shape,
        integers: (0..<count).map { _ in Int64(low + generator.integer(below: max(bound, 1))) }
      )
    }
  }

  /// Creates a tensor of random numbers spread evenly over a range; integers include its ends.
  package static func random(
    _ dtype: DType,
    _ shape: [Int],
    in range: ClosedRange<Double>,
    using generator: inout RandomGenerator
  ) -> TensorData {
    let width = range.upperBound - range.lowerBound
    let values = (0..<shape.reduce(1, *)).map { _ in
      dtype.isFloatingPoint
        ? range.lowerBound + width * generator.uniform()
        : (range.lowerBound + (width + 1) * generator.uniform()).rounded(.down)
    }
    return TensorData(dtype, shape, values)
  }
}
