/// Conversions between Double and the 16-bit floating-point formats, rounding to nearest even.
///
/// Written out rather than through `Float16`, which some hosts lack.
package enum HalfPrecision {
  /// Returns the bits of the IEEE 754 binary16 nearest to a value.
  package static func float16Bits(_ value: Double) -> UInt16 {
    let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
    if value.isNaN { return sign | 0x7E00 }
    let magnitude = value.magnitude
    // 65520 is halfway between the largest finite value and the next step.
    if magnitude >= 65520 { return sign | 0x7C00 }
    // One unit of the last place: 2^-24 for subnormals, 2^(e-10) for normals.
    let exponent = magnitude == 0 ? -14 : max(magnitude.exponent, -14)
    let unit = Double(sign: .plus, exponent: Int(exponent) - 10, significand: 1)
    let steps = Int((magnitude / unit).rounded(.toNearestOrEven))
    // A significand that rounds up to 2048 carries into the exponent by plain addition.
    let bits = ((Int(exponent) + 14) << 10) + steps
    return sign | UInt16(bits)
  }

  /// Returns the value of the bits of an IEEE 754 binary16.
  package static func float16(_ bits: UInt16) -> Double {
    let exponent = Int(bits >> 10) & 0x1F
    let fraction = Double(bits & 0x3FF)
    let magnitude: Double
    switch exponent {
    case 0: magnitude = fraction * 0x1p-24
    case 31: magnitude = fraction == 0 ? .infinity : .nan
    default:
      magnitude = Double(sign: .plus, exponent: exponent - 25, significand: 1024 + fraction)
    }
    return bits & 0x8000 == 0 ? magnitude : -magnitude
  }

  /// Returns the bits of the bfloat16 nearest to a value.
  package static func bfloat16Bits(_ value: Double) -> UInt16 {
    if value.isNaN { return value.sign == .minus ? 0xFFC0 : 0x7FC0 }
    // Rounding twice (to float32, then to bfloat16) is harmful only on ties; round to odd first.
    var float = Float(value)
    if Double(float) != value && float.isFinite {
      let isAway = Double(float).magnitude > value.magnitude
      var bits = float.bitPattern  // one below in magnitude, made odd: "inexact"
      if isAway { bits -= 1 }
      bits |= 1
      float = Float(bitPattern: bits)
    }
    let bits = float.bitPattern
    if float.isInfinite { return UInt16(bits >> 16) }
    let rounding = 0x7FFF + ((bits >> 16) & 1)
    return UInt16(truncatingIfNeeded: (bits &+ rounding) >> 16)
  }

  /// Returns the value of the bits of a bfloat16.
  package static func bfloat16(_ bits: UInt16) -> Double {
    Double(Float(bitPattern: UInt32(bits) << 16))
  }
}
