import AITGraph
import Testing

@Suite struct HalfPrecisionTests {
  /// Every finite value of a format, ascending, by its definition: sign, exponent, fraction.
  private static func finiteValues(fractionBits: Int, exponentBits: Int) -> [(UInt16, Double)] {
    let bias = (1 << (exponentBits - 1)) - 1
    var values: [(UInt16, Double)] = []
    for exponent in 0..<((1 << exponentBits) - 1) {
      for fraction in 0..<(1 << fractionBits) {
        let significand =
          Double(fraction) / Double(1 << fractionBits) + (exponent == 0 ? 0 : 1)
        let power = Double(sign: .plus, exponent: max(exponent, 1) - bias, significand: 1)
        values.append((UInt16(exponent << fractionBits | fraction), significand * power))
      }
    }
    return values
  }

  private static func check(
    _ values: [(UInt16, Double)],
    _ encode: (Double) -> UInt16,
    _ decode: (UInt16) -> Double
  ) {
    for (index, (bits, value)) in values.enumerated() {
      #expect(decode(bits) == value && decode(bits | 0x8000) == -value)
      #expect(encode(value) == bits && encode(-value) == bits | 0x8000)
      // The next value, or where it would be, if there were no infinity.
      let (nextBits, next) =
        index + 1 < values.count
        ? values[index + 1] : (bits + 1, value + (value - values[index - 1].1))
      let middle = (value + next) / 2
      #expect(encode(middle) == (bits.isMultiple(of: 2) ? bits : nextBits))
      #expect(encode(middle.nextDown) == bits)
      #expect(encode(middle.nextUp) == nextBits)
      #expect(encode(-middle.nextUp) == nextBits | 0x8000)
    }
    #expect(encode(.infinity) == values[values.count - 1].0 + 1)
    #expect(decode(encode(-.infinity)) == -.infinity)
    #expect(decode(encode(.nan)).isNaN && decode(encode(-Double.nan)).isNaN)
    #expect(encode(.greatestFiniteMagnitude) == values[values.count - 1].0 + 1)
    #expect(encode(.leastNonzeroMagnitude) == 0 && encode(-.leastNonzeroMagnitude) == 0x8000)
    #expect(encode(-0.0) == 0x8000)
  }

  @Test func float16RoundsToNearestEven() {
    Self.check(
      Self.finiteValues(fractionBits: 10, exponentBits: 5),
      HalfPrecision.float16Bits,
      HalfPrecision.float16
    )
  }

  @Test func bfloat16RoundsToNearestEven() {
    Self.check(
      Self.finiteValues(fractionBits: 7, exponentBits: 8),
      HalfPrecision.bfloat16Bits,
      HalfPrecision.bfloat16
    )
  }

  @Test func everyBitPatternSurvives() {
    for bits in UInt16.min...UInt16.max {
      let half = HalfPrecision.float16(bits)
      #expect(half.isNaN || HalfPrecision.float16Bits(half) == bits)
      let brain = HalfPrecision.bfloat16(bits)
      #expect(brain.isNaN || HalfPrecision.bfloat16Bits(brain) == bits)
    }
  }

  #if !(os(macOS) && arch(x86_64))
    @Test func float16AgreesWithTheStandardLibrary() {
      var random = SmallRandom(seed: 5)
      for _ in 0..<20_000 {
        let exponent = random.next(60) - 30
        let value = Double(
          sign: .plus,
          exponent: exponent,
          significand: 1 + Double(random.next(1 << 30)) * 0x1p-30
        )
        #expect(HalfPrecision.float16Bits(value) == Float16(value).bitPattern)
      }
    }
  #endif
}
