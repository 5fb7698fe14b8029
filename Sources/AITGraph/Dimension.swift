/// A named size that is known only when the compiled model runs, with inclusive bounds.
public struct Symbol: Hashable, Sendable {
  /// The name, a C identifier; the same name means the same size everywhere in a graph.
  public let name: String
  /// The values it may take.
  public let bounds: ClosedRange<Int>

  /// Creates a symbol.
  public init(_ name: String, _ bounds: ClosedRange<Int>) {
    self.name = name
    self.bounds = bounds
  }
}

/// The extent of a tensor along one axis: an integer expression over symbols.
///
/// The expression is kept as a polynomial with integer coefficients whose variables are symbols
/// and the non-polynomial atoms (floor-division, modulo, minimum, maximum). Terms and factors are
/// ordered, so equal polynomials compare equal: `2 * B * S / 2 == B * S`.
///
/// Arithmetic saturates at ±2^62 rather than trap; `Shape` refuses sizes far below that.
public struct Dimension: Hashable, Sendable, ExpressibleByIntegerLiteral {
  /// A variable of the polynomial.
  package indirect enum Atom: Hashable, Sendable {
    case symbol(Symbol)
    case floorDivide(Dimension, Dimension)
    case modulo(Dimension, Dimension)
    case minimum([Dimension])
    case maximum([Dimension])
  }

  /// A product of atoms with a coefficient that is never 0.
  package struct Term: Hashable, Sendable {
    package var coefficient: Int
    package var factors: [Atom]
  }

  /// The terms, ordered by the text of their factors, the constant last.
  package private(set) var terms: [Term]

  /// Creates a dimension of known extent.
  public init(_ value: Int) {
    let saturated = Swift.max(-Self.limit, Swift.min(Self.limit, value))
    terms = value == 0 ? [] : [Term(coefficient: saturated, factors: [])]
  }

  /// Creates a dimension of known extent.
  public init(integerLiteral value: Int) { self.init(value) }

  /// Creates the dimension that a symbol stands for.
  public init(_ symbol: Symbol) {
    if symbol.bounds.lowerBound == symbol.bounds.upperBound {
      self.init(symbol.bounds.lowerBound)
    } else {
      self.init(atom: .symbol(symbol))
    }
  }

  /// Returns a dimension known only at run time, such as `.symbol("batch", 1...2048)`.
  public static func symbol(_ name: String, _ bounds: ClosedRange<Int>) -> Dimension {
    Dimension(Symbol(name, bounds))
  }

  init(atom: Atom) { terms = [Term(coefficient: 1, factors: [atom])] }

  init(normalizing candidates: [Term]) {
    var coefficients: [[Atom]: Int] = [:]
    var order: [[Atom]] = []
    for term in candidates where term.coefficient != 0 {
      if coefficients[term.factors] == nil { order.append(term.factors) }
      coefficients[term.factors] = Self.add(coefficients[term.factors] ?? 0, term.coefficient)
    }
    terms =
      order
      .compactMap { factors in
        let coefficient = coefficients[factors] ?? 0
        return coefficient == 0 ? nil : Term(coefficient: coefficient, factors: factors)
      }
      .sorted { $0.sortKey < $1.sortKey }
  }

  // MARK: - Queries

  /// The extent, if it does not depend on a symbol.
  public var constant: Int? {
    switch terms.count {
    case 0: 0
    case 1 where terms[0].factors.isEmpty: terms[0].coefficient
    default: nil
    }
  }

  /// Whether the extent is the same in every run.
  public var isConstant: Bool { constant != nil }

  /// The symbols the expression depends on, in order of name.
  public var symbols: Set<Symbol> {
    var result: Set<Symbol> = []
    for term in terms {
      for factor in term.factors {
        switch factor {
        case .symbol(let symbol): result.insert(symbol)
        case .floorDivide(let left, let right), .modulo(let left, let right):
          result.formUnion(left.symbols)
          result.formUnion(right.symbols)
        case .minimum(let all), .maximum(let all): all.forEach { result.formUnion($0.symbols) }
        }
      }
    }
    return result
  }

  /// The symbol, if the expression is nothing but one symbol.
  package var soleSymbol: Symbol? {
    guard let scaled = scaledSymbol, scaled.scale == 1 else { return nil }
    return scaled.symbol
  }

  /// The symbol and its factor, if the expression is a multiple of one symbol.
  package var scaledSymbol: (scale: Int, symbol: Symbol)? {
    guard terms.count == 1, terms[0].factors.count == 1,
      case .symbol(let symbol) = terms[0].factors[0]
    else { return nil }
    return (terms[0].coefficient, symbol)
  }

  /// The value for given symbol values; nil if a symbol is missing or a divisor is zero.
  public func evaluate(_ values: [String: Int]) -> Int? {
    var sum = 0
    for term in terms {
      var product = term.coefficient
      for factor in term.factors {
        guard let value = Self.evaluate(factor, values) else { return nil }
        product = Self.multiply(product, value)
      }
      sum = Self.add(sum, product)
    }
    return sum
  }

  private static func evaluate(_ atom: Atom, _ values: [String: Int]) -> Int? {
    switch atom {
    case .symbol(let symbol): return values[symbol.name]
    case .floorDivide(let left, let right):
      guard let left = left.evaluate(values), let right = right.evaluate(values), right != 0
      else { return nil }
      return floorDivide(left, right)
    case .modulo(let left, let right):
      guard let left = left.evaluate(values), let right = right.evaluate(values), right != 0
      else { return nil }
      return left - floorDivide(left, right) * right
    case .minimum(let all):
      let found = all.compactMap { $0.evaluate(values) }
      return found.count == all.count ? found.min() : nil
    case .maximum(let all):
      let found = all.compactMap { $0.evaluate(values) }
      return found.count == all.count ? found.max() : nil
    }
  }

  /// Returns the expression with symbols replaced.
  package func substituting(_ replacement: (Symbol) -> Dimension) -> Dimension {
    var sum: Dimension = 0
    for term in terms {
      var product = Dimension(term.coefficient)
      for factor in term.factors {
        switch factor {
        case .symbol(let symbol): product = product * replacement(symbol)
        case .floorDivide(let left, let right):
          product =
            product
            * left.substituting(replacement).floorDivided(
              by: right.substituting(replacement)
            )
        case .modulo(let left, let right):
          product =
            product * left.substituting(replacement).modulo(right.substituting(replacement))
        case .minimum(let all):
          product = product * Dimension.minimum(all.map { $0.substituting(replacement) })
        case .maximum(let all):
          product = product * Dimension.maximum(all.map { $0.substituting(replacement) })
        }
      }
      sum = sum + product
    }
    return sum
  }

  // MARK: - Saturating integers

  static let limit = 1 << 62

  static func add(_ left: Int, _ right: Int) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    if overflow { return left > 0 ? limit : -limit }
    return Swift.max(-limit, Swift.min(limit, sum))
  }

  static func multiply(_ left: Int, _ right: Int) -> Int {
    let (product, overflow) = left.multipliedReportingOverflow(by: right)
    if overflow { return (left > 0) == (right > 0) ? limit : -limit }
    return Swift.max(-limit, Swift.min(limit, product))
  }

  static func floorDivide(_ left: Int, _ right: Int) -> Int {
    let quotient = left / right
    return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient
  }
}

extension Dimension.Term {
  /// Terms of higher degree first, the constant last, ties by text: stable across runs.
  fileprivate var sortKey: String {
    factors.isEmpty ? "\u{10FFFF}" : factors.map(\.description).joined(separator: "*")
  }
}
