extension Dimension {
  /// Returns the sum of two dimensions.
  public static func + (left: Dimension, right: Dimension) -> Dimension {
    Dimension(normalizing: left.terms + right.terms)
  }

  /// Returns the difference of two dimensions.
  public static func - (left: Dimension, right: Dimension) -> Dimension {
    left + right * Dimension(-1)
  }

  /// Returns the product of two dimensions.
  public static func * (left: Dimension, right: Dimension) -> Dimension {
    var products: [Term] = []
    for first in left.terms {
      for second in right.terms {
        products.append(
          Term(
            coefficient: multiply(first.coefficient, second.coefficient),
            factors: (first.factors + second.factors).sorted { $0.description < $1.description }
          )
        )
      }
    }
    return Dimension(normalizing: products)
  }

  /// Returns the quotient rounded toward minus infinity.
  public static func / (left: Dimension, right: Dimension) -> Dimension {
    left.floorDivided(by: right)
  }

  /// Returns the remainder with the sign of the divisor.
  public static func % (left: Dimension, right: Dimension) -> Dimension { left.modulo(right) }

  /// Returns the quotient rounded toward minus infinity, simplified where it divides exactly.
  package func floorDivided(by divisor: Dimension) -> Dimension {
    if divisor == 1 || terms.isEmpty { return self }
    if let value = constant, let by = divisor.constant, by != 0 {
      return Dimension(Self.floorDivide(value, by))
    }
    if let exact = exactQuotient(by: divisor) { return exact }
    guard let by = divisor.constant, by > 0 else {
      return Dimension(atom: .floorDivide(self, divisor))
    }
    // ⌊(c·a + r) / c⌋ = a + ⌊r / c⌋: the divisible terms leave the division.
    let whole = terms.filter { $0.coefficient % by == 0 }
    var rest = Dimension(normalizing: terms.filter { $0.coefficient % by != 0 })
    var quotient = Dimension(
      normalizing: whole.map { Term(coefficient: $0.coefficient / by, factors: $0.factors) }
    )
    if let offset = rest.terms.last, offset.factors.isEmpty {
      let carried = Self.floorDivide(offset.coefficient, by)
      quotient = quotient + Dimension(carried)
      rest = rest - Dimension(Self.multiply(carried, by))
    }
    let range = rest.range
    if range.lowerBound >= 0 && range.upperBound < by { return quotient }
    // ⌊g·x / g·c⌋ = ⌊x / c⌋.
    let shared = rest.terms.reduce(by) { Self.greatestCommonDivisor($0, $1.coefficient) }
    let reduced = Dimension(
      normalizing: rest.terms.map {
        Term(coefficient: $0.coefficient / shared, factors: $0.factors)
      }
    )
    // ⌊(⌊x / a⌋ + n) / b⌋ = ⌊(x + a·n) / (a·b)⌋, as where an image is halved again and again.
    if let first = reduced.terms.first, first.coefficient == 1, first.factors.count == 1,
      case .floorDivide(let inner, let innerDivisor) = first.factors[0],
      let innerBy = innerDivisor.constant, innerBy > 0,
      let offset = Dimension(normalizing: Array(reduced.terms.dropFirst())).constant
    {
      let dividend = inner + Dimension(Self.multiply(offset, innerBy))
      return quotient
        + dividend.floorDivided(by: Dimension(Self.multiply(innerBy, by / shared)))
    }
    if by / shared == 1 { return quotient + reduced }
    return quotient + Dimension(atom: .floorDivide(reduced, Dimension(by / shared)))
  }

  /// Returns the remainder with the sign of the divisor, simplified where the divisor divides.
  package func modulo(_ divisor: Dimension) -> Dimension {
    if divisor == 1 || terms.isEmpty { return 0 }
    if let value = constant, let by = divisor.constant, by != 0 {
      return Dimension(value - Self.floorDivide(value, by) * by)
    }
    if exactQuotient(by: divisor) != nil { return 0 }
    guard let by = divisor.constant, by > 0 else {
      return Dimension(atom: .modulo(self, divisor))
    }
    let rest = Dimension(
      normalizing: terms.compactMap { term in
        let coefficient = term.coefficient - Self.floorDivide(term.coefficient, by) * by
        return coefficient == 0 ? nil : Term(coefficient: coefficient, factors: term.factors)
      }
    )
    let range = rest.range
    if range.lowerBound >= 0 && range.upperBound < by { return rest }
    return Dimension(atom: .modulo(rest, divisor))
  }

  /// Returns the smallest of the dimensions.
  public static func minimum(_ dimensions: [Dimension]) -> Dimension {
    extremum(dimensions, isMinimum: true)
  }

  /// Returns the largest of the dimensions.
  public static func maximum(_ dimensions: [Dimension]) -> Dimension {
    extremum(dimensions, isMinimum: false)
  }

  private static func extremum(_ dimensions: [Dimension], isMinimum: Bool) -> Dimension {
    var flat: [Dimension] = []
    for dimension in dimensions {
      if dimension.terms.count == 1, dimension.terms[0].coefficient == 1,
        dimension.terms[0].factors.count == 1
      {
        switch dimension.terms[0].factors[0] {
        case .minimum(let inner) where isMinimum:
          flat += inner
          continue
        case .maximum(let inner) where !isMinimum:
          flat += inner
          continue
        default: break
        }
      }
      flat.append(dimension)
    }
    var kept: [Dimension] = []
    for (index, candidate) in flat.enumerated() where !kept.contains(candidate) {
      let isDominated = flat.enumerated().contains { other, rival in
        guard other != index, rival != candidate else { return false }
        let difference = (rival - candidate).range
        let wins = isMinimum ? difference.upperBound <= 0 : difference.lowerBound >= 0
        // Two that dominate each other are equal in value: the first is kept.
        let ties = difference.lowerBound == 0 && difference.upperBound == 0
        return wins && !(ties && other > index)
      }
      if !isDominated { kept.append(candidate) }
    }
    if kept.count == 1 { return kept[0] }
    let ordered = kept.sorted { $0.description < $1.description }
    return Dimension(atom: isMinimum ? .minimum(ordered) : .maximum(ordered))
  }

  /// Returns the quotient if the division leaves no remainder for any symbol values.
  ///
  /// A divisor that may be zero has none: it cannot be cancelled.
  package func exactQuotient(by divisor: Dimension) -> Dimension? {
    divisor.isConstant || divisor.range.lowerBound > 0 ? polynomialQuotient(by: divisor) : nil
  }

  /// Returns a polynomial q with self = q · divisor, whether the divisor may be zero or not.
  package func polynomialQuotient(by divisor: Dimension) -> Dimension? {
    guard let lead = divisor.terms.first else { return nil }
    if divisor.terms.count == 1 {
      var quotient: [Term] = []
      for term in terms {
        guard let divided = Self.divide(term, by: lead) else { return nil }
        quotient.append(divided)
      }
      return Dimension(normalizing: quotient)
    }
    // Only a multiple of the whole divisor by one term is found, from the leading terms.
    guard let first = terms.first, let divided = Self.divide(first, by: lead) else { return nil }
    let candidate = Dimension(normalizing: [divided])
    return candidate * divisor == self ? candidate : nil
  }

  private static func divide(_ term: Term, by unit: Term) -> Term? {
    guard term.coefficient % unit.coefficient == 0 else { return nil }
    var factors = term.factors
    for factor in unit.factors {
      guard let index = factors.firstIndex(of: factor) else { return nil }
      factors.remove(at: index)
    }
    return Term(coefficient: term.coefficient / unit.coefficient, factors: factors)
  }

  static func greatestCommonDivisor(_ left: Int, _ right: Int) -> Int {
    var (first, second) = (left.magnitude, right.magnitude)
    while second != 0 { (first, second) = (second, first % second) }
    return Int(first)
  }

  // MARK: - Bounds

  /// Values that the extent may take: never too narrow.
  ///
  /// Exact for sums of products of symbols in which no symbol is squared, such as `(B - 1) * S`: the
  /// extremes of those lie where every symbol is at one of its bounds. Else by interval arithmetic,
  /// term by term, and by linear bounds of quotients.
  public var range: ClosedRange<Int> { range(depth: Self.relaxationDepth) }

  /// The range, with linear bounds for quotients in quotients up to a depth; each costs two ranges more.
  func range(depth: Int) -> ClosedRange<Int> {
    var low = 0
    var high = 0
    for term in terms {
      var product = term.coefficient...term.coefficient
      for factor in term.factors {
        product = Self.multiply(product, Self.range(of: factor, depth))
      }
      low = Self.add(low, product.lowerBound)
      high = Self.add(high, product.upperBound)
    }
    let apart = rangeAtBounds(depth) ?? low...high
    guard depth > 0, let relaxed = relaxedRange(depth), relaxed.overlaps(apart) else {
      return apart
    }
    return relaxed.clamped(to: apart)
  }

  /// The range by the values at all combinations of the atoms' bounds.
  ///
  /// nil where terms alone give the same, where an atom is squared or a sum may saturate, and for too
  /// many atoms. Atoms count as independent of each other, which widens the range at most.
  private func rangeAtBounds(_ depth: Int) -> ClosedRange<Int>? {
    let factors = terms.flatMap(\.factors)
    let atoms = Set(factors)
    guard atoms.count < factors.count, atoms.count <= 6,
      greatestMagnitude(depth) < Double(Self.limit),
      terms.allSatisfy({ Set($0.factors).count == $0.factors.count })
    else { return nil }
    let bounds = atoms.map { ($0, Self.range(of: $0, depth)) }
    var (low, high) = (Int.max, Int.min)
    for choice in 0..<(1 << bounds.count) {
      var values: [Atom: Int] = [:]
      for (bit, (atom, range)) in bounds.enumerated() {
        values[atom] = choice >> bit & 1 == 0 ? range.lowerBound : range.upperBound
      }
      let sum = terms.reduce(0) { sum, term in
        Self.add(sum, term.factors.reduce(term.coefficient) { Self.multiply($0, values[$1] ?? 0) })
      }
      (low, high) = (min(low, sum), max(high, sum))
    }
    return low...high
  }

  /// The largest value the extent may take.
  public var upperBound: Int { range.upperBound }

  /// The smallest value the extent may take.
  public var lowerBound: Int { range.lowerBound }

  /// No number that evaluating the polynomial passes through is larger, atoms taken as they are.
  var greatestMagnitude: Double { greatestMagnitude(Self.relaxationDepth) }

  func greatestMagnitude(_ depth: Int) -> Double {
    terms.reduce(0) { sum, term in
      sum
        + term.factors.reduce(Double(term.coefficient.magnitude)) { product, factor in
          let range = Self.range(of: factor, depth)
          return product * Double(max(range.lowerBound.magnitude, range.upperBound.magnitude))
        }
    }
  }

  private static func multiply(_ left: ClosedRange<Int>, _ right: ClosedRange<Int>)
    -> ClosedRange<Int>
  {
    let products = [
      multiply(left.lowerBound, right.lowerBound), multiply(left.lowerBound, right.upperBound),
      multiply(left.upperBound, right.lowerBound), multiply(left.upperBound, right.upperBound),
    ]
    return (products.min() ?? 0)...(products.max() ?? 0)
  }

  private static func range(of atom: Atom, _ depth: Int) -> ClosedRange<Int> {
    let depth = max(depth - 1, 0)
    switch atom {
    case .symbol(let symbol): return symbol.bounds
    case .floorDivide(let left, let right):
      let (dividend, divisor) = (left.range(depth: depth), right.range(depth: depth))
      guard divisor.lowerBound > 0 else { return -limit...limit }
      let quotients = [
        floorDivide(dividend.lowerBound, divisor.lowerBound),
        floorDivide(dividend.lowerBound, divisor.upperBound),
        floorDivide(dividend.upperBound, divisor.lowerBound),
        floorDivide(dividend.upperBound, divisor.upperBound),
      ]
      return (quotients.min() ?? 0)...(quotients.max() ?? 0)
    case .modulo(let left, let right):
      let divisor = right.range(depth: depth)
      guard divisor.lowerBound > 0 else { return -limit...limit }
      let dividend = left.range(depth: depth)
      let high = divisor.upperBound - 1
      return dividend.lowerBound >= 0 ? 0...Swift.min(high, dividend.upperBound) : 0...high
    case .minimum(let all):
      let ranges = all.map { $0.range(depth: depth) }
      return (ranges.map(\.lowerBound).min() ?? 0)...(ranges.map(\.upperBound).min() ?? 0)
    case .maximum(let all):
      let ranges = all.map { $0.range(depth: depth) }
      return (ranges.map(\.lowerBound).max() ?? 0)...(ranges.map(\.upperBound).max() ?? 0)
    }
  }
}

// MARK: - Text

extension Dimension: CustomStringConvertible {
  /// The expression as text that `GraphParser` reads back: `2*batch + 1`, `(seq + 1)//2`.
  public var description: String {
    guard !terms.isEmpty else { return "0" }
    var text = ""
    for (index, term) in terms.enumerated() {
      let magnitude = term.coefficient.magnitude
      let isNegative = term.coefficient < 0
      if index == 0 {
        text += isNegative ? "-" : ""
      } else {
        text += isNegative ? " - " : " + "
      }
      if term.factors.isEmpty {
        text += "\(magnitude)"
      } else {
        text += magnitude == 1 ? "" : "\(magnitude)*"
        text += term.factors.map(\.description).joined(separator: "*")
      }
    }
    return text
  }
}

extension Dimension.Atom: CustomStringConvertible {
  package var description: String {
    switch self {
    case .symbol(let symbol): symbol.name
    // Parenthesised as a whole: `//` and `*` are read from left to right.
    case .floorDivide(let left, let right): "((\(left))//(\(right)))"
    case .modulo(let left, let right): "((\(left))%(\(right)))"
    case .minimum(let all): "min(\(all.map(\.description).joined(separator: ", ")))"
    case .maximum(let all): "max(\(all.map(\.description).joined(separator: ", ")))"
    }
  }
}
