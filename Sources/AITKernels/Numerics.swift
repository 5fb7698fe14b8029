/// What a compilation allows kernels to do to numbers beyond rounding each result once.
///
/// Part of the plan and the manifest; kernels whose text it changes have other names and objects.
package struct Numerics: Hashable, Sendable {
  /// Whether products of float32 may round their factors to tf32, 10 bits of mantissa.
  ///
  /// A factor then errs by 2^-11 at most; sums stay float32. The CPU has no use for it.
  package var allowsTF32 = false

  /// Whether convolutions of float32 may be computed by Winograd's minimal filtering on the CPU.
  ///
  /// Results then err by up to 2.3e-6 of their norm, a few times what the direct algorithm does.
  package var allowsWinograd = true

  /// Whether products of float32 with constant factors may be computed by Strassen's algorithm on the
  /// CPU.
  ///
  /// Results then err by some 8e-7 of their norm, about twice what the definition does.
  package var allowsStrassen = true

  package init() {}
}
