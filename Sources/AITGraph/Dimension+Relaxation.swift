extension Dimension {
  /// How often quotients in quotients get linear bounds, as in `s//2 - 2*(s//4)`: enough for the sizes
  /// of images that are halved and padded, few enough for expressions nested by malice.
  static let relaxationDepth = 2

  private static let maximumScale = 1 << 20

  /// The range that follows from linear bounds of quotients, (d - c + 1)/c ≤ ⌊d/c⌋ ≤ d/c; nil where
  /// nothing is gained.
  ///
  /// Quotients beside what they divide cancel: `s - 2*(s//2)` is 0 or 1, and term by term anything.
  func relaxedRange(_ depth: Int) -> ClosedRange<Int>? {
    let divisors = terms.map(\.divisor)
    let scale = divisors.compactMap(\.self).reduce(1) { scale, divisor in
      guard scale <= Self.maximumScale else { return scale }
      return Self.multiply(scale / Self.greatestCommonDivisor(scale, divisor), divisor)
    }
    guard terms.count > 1, scale > 1, scale <= Self.maximumScale, sharesSymbols else { return nil }
    var (low, high) = (Dimension(0), Dimension(0))
    for (term, divisor) in zip(terms, divisors) {
      guard let divisor, case .floorDivide(let dividend, _) = term.factors[0] else {
        let scaled = Dimension(normalizing: [term]) * Dimension(scale)
        (low, high) = (low + scaled, high + scaled)
        continue
      }
      let factor = Dimension(Self.multiply(term.coefficient, scale / divisor))
      let (exact, least) = (dividend * factor, (dividend - Dimension(divisor - 1)) * factor)
      let isPositive = term.coefficient > 0
      (low, high) = (low + (isPositive ? least : exact), high + (isPositive ? exact : least))
    }
    guard max(low.greatestMagnitude(0), high.greatestMagnitude(0)) < Double(Self.limit) else {
      return nil
    }
    // Integers between the bounds.
    let least = -Self.floorDivide(-low.range(depth: depth - 1).lowerBound, scale)
    let greatest = Self.floorDivide(high.range(depth: depth - 1).upperBound, scale)
    return least <= greatest ? least...greatest : nil
  }

  /// Whether a symbol stands in several terms, so that some of it may cancel.
  private var sharesSymbols: Bool {
    var seen: Set<Symbol> = []
    for term in terms {
      let symbols = Dimension(normalizing: [term]).symbols
      if !seen.isDisjoint(with: symbols) { return true }
      seen.formUnion(symbols)
    }
    return false
  }
}

extension Dimension.Term {
  /// The divisor, if the term is a multiple of a quotient by a number.
  fileprivate var divisor: Int? {
    guard factors.count == 1, case .floorDivide(_, let right) = factors[0],
      let divisor = right.constant, divisor > 1
    else { return nil }
    return divisor
  }
}
