/// A seeded generator for tests of the graph, which lie below the reference's own.
struct SmallRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A number in 0..<bound, by SplitMix64.
  mutating func next(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) % UInt64(bound))
  }

  /// A Double of any exponent, from its bits.
  mutating func bits() -> UInt64 { UInt64(next(1 << 32)) << 32 | UInt64(next(1 << 32)) }
}
