/// Conversions between Double and the 16-bit floating-point formats, rounding to nearest even.
///
/// Written out rather than through `Float16`, which some hosts lack. NaN keeps its sign and becomes
/// quiet, its payload dropped.
package enum HalfPrecision {
  /// Returns the bits of the IEEE 754 binary16 nearest to a value.
  package static func float16Bits(_ value: Double) -> UInt16 {
    encode(value, fractionBits: 10, bias: 15)
  }

  /// Returns the value of the bits of an IEEE 754 binary16.
  package static func float16(_ bits: UInt16) -> Double {
    let sign = UInt64(bits & 0x8000) << 48
    let exponent = UInt64(bits >> 10) & 0x1F
    let fraction = UInt64(bits & 0x3FF)
    switch exponent {
    case 0:
      let magnitude = Double(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    case 31: return Double(bitPattern: sign | 0x7FF0_0000_0000_0000 | fraction << 42)
    default: return Double(bitPattern: sign | (exponent + (1023 - 15)) << 52 | fraction << 42)
    }
  }

  /// Returns the bits of the bfloat16 nearest to a value.
  package static func bfloat16Bits(_ value: Double) -> UInt16 {
    encode(value, fractionBits: 7, bias: 127)
  }

  /// Returns the value of the bits of a bfloat16.
  package static func bfloat16(_ bits: UInt16) -> Double {
    Double(Float(bitPattern: UInt32(bits) << 16))
  }

  private static func encode(_ value: Double, fractionBits: Int, bias: Int) -> UInt16 {
    let pattern = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: pattern >> 48) & 0x8000
    let exponent = (Int(truncatingIfNeeded: pattern >> 52) & 0x7FF) - 1023
    let infinity = UInt16((2 * bias + 1) << fractionBits)
    if value.isNaN { return sign | infinity | 1 << UInt16(fractionBits - 1) }
    if exponent > bias { return sign | infinity }
    if exponent < 1 - bias {
      // Below the normal numbers the format counts steps of one size.
      let step = Double(sign: .plus, exponent: 1 - bias - fractionBits, significand: 1)
      return sign | UInt16((value.magnitude / step).rounded(.toNearestOrEven))
    }
    let dropped = UInt64(52 - fractionBits)
    let fraction = pattern & 0xF_FFFF_FFFF_FFFF
    let kept = UInt64(exponent + bias) << UInt64(fractionBits) | fraction >> dropped
    let rest = fraction & (1 << dropped - 1)
    let half: UInt64 = 1 << (dropped - 1)
    let isUp = rest > half || (rest == half && !kept.isMultiple(of: 2))
    // A carry out of the fraction enters the exponent, and beyond the largest number infinity.
    return sign | UInt16(kept + (isUp ? 1 : 0))
  }
}
