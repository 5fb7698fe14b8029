import AITGraph
import AITOperators
import Testing

@Suite struct DimensionTests {
  let B = Dimension.symbol("B", 1...8)
  let S = Dimension.symbol("S", 1...512)
  let Z = Dimension.symbol("Z", 0...16)

  @Test func equalPolynomialsAreEqual() {
    #expect(2 * B * S / 2 == B * S)
    #expect(B * S == S * B)
    #expect((B + S) * (B + S) == B * B + 2 * B * S + S * S)
    #expect(B - B == 0)
    #expect((B * S + B) / B == S + 1)
    #expect((6 * B + 4) / 2 == 3 * B + 2)
    #expect((4 * B + 3) / 4 == B)
    #expect((S + 7) / 8 * 8 != S + 7)
    #expect((S / 2) / 3 == S / 6)
    #expect((((S + 1) / 2 + 1) / 2 + 1) / 2 == (S + 7) / 8)
    #expect(((S - 3) / 2 - 1) / 2 == (S - 5) / 4)
    #expect(8 * S % 4 == 0)
    #expect((8 * S + 3) % 4 == 3)
    #expect((2 * S) / 4 == S / 2)
  }

  @Test func divisorsThatMayBeZeroDoNotCancel() {
    #expect((Z * S).exactQuotient(by: Z) == nil)
    #expect((B * S).exactQuotient(by: B) == S)
    #expect((Z * S / Z).evaluate(["Z": 0, "S": 3]) == nil)
  }

  @Test func boundsDecideExtrema() {
    #expect(Dimension.minimum([B, 8]) == B)
    #expect(Dimension.maximum([B, 1]) == B)
    #expect(Dimension.maximum([B, 9]) == 9)
    #expect(Dimension.minimum([S, S + 1]) == S)
    #expect(Dimension.minimum([B, S]).evaluate(["B": 3, "S": 2]) == 2)
    #expect(Dimension.minimum([5, 7, 3]) == 3)
    #expect(
      Dimension.maximum([Dimension.maximum([B, S]), Z]).evaluate(["B": 1, "S": 2, "Z": 9]) == 9
    )
  }

  @Test func aSymbolOfOneSizeIsThatSize() {
    #expect(Dimension.symbol("one", 3...3).constant == 3)
  }

  @Test func scaledSymbolsAreFound() {
    #expect(B.soleSymbol?.name == "B")
    #expect((4 * B).scaledSymbol?.scale == 4)
    #expect((4 * B + 1).scaledSymbol == nil)
    #expect((B * S).scaledSymbol == nil)
  }

  @Test func arithmeticSaturatesRatherThanTrap() {
    let huge = Dimension(Int.max)
    let wide = Dimension.symbol("wide", 0...Int.max)
    #expect((huge * huge).constant != nil)
    #expect((huge + huge).upperBound > 0)
    #expect((wide * wide * wide).upperBound > 0)
    #expect((wide * wide + huge * huge).evaluate(["wide": Int.max]) != nil)
    #expect((Dimension(Int.min) - huge).constant != nil)
    _ = (Dimension(Int.min) / Dimension(-1)).constant
    _ = (Dimension(Int.min) % Dimension(-1)).constant
    _ = Dimension(Int.min).exactQuotient(by: Dimension(-1))
    _ = (wide * Dimension(Int.min) / Dimension(-1)).range
    _ = (Dimension(Int.min) * B).description
  }

  // MARK: - Against brute force

  /// An expression built twice: as a dimension, and as a tree whose value is plain arithmetic.
  indirect enum Tree {
    case symbol(String)
    case constant(Int)
    case apply(Character, Tree, Tree)

    func evaluate(_ values: [String: Int]) -> Int? {
      switch self {
      case .symbol(let name): return values[name]
      case .constant(let value): return value
      case .apply(let operation, let left, let right):
        guard let a = left.evaluate(values), let b = right.evaluate(values) else { return nil }
        switch operation {
        case "+": return a + b
        case "-": return a - b
        case "*": return a * b
        case "<": return min(a, b)
        case ">": return max(a, b)
        default:
          guard b != 0 else { return nil }
          let quotient = Int((Double(a) / Double(b)).rounded(.down))
          return operation == "/" ? quotient : a - quotient * b
        }
      }
    }
  }

  @Test("bounds of products of sums are exact where no symbol is squared")
  func rangeOfProducts() {
    let (count, length) = (Dimension.symbol("count", 2...8), Dimension.symbol("length", 0...4))
    #expect(((count - 1) * length).range == 0...28)
    #expect(((count - 1) * (length - 2) * 3).range == -42...42)
    #expect((count * length - count).range == -8...24)
    // A square is bounded term by term, and saturated sums are.
    #expect((count * count - count).range == -4...62)
    let wide = Dimension.symbol("wide", 0...Int.max)
    #expect(((wide - 1) * wide * wide - wide).range.contains(0))
  }

  @Test("quotients beside what they divide cancel in bounds")
  func rangeOfQuotients() {
    let s = Dimension.symbol("s", 4...512)
    #expect((s / 2 - 2 * (s / 4)).range == 0...1)
    #expect((s - 4 * (s / 4)).range == 0...3)
    #expect((-4 * ((0 - s) / 4) - s).range == 0...3)
    #expect(Dimension.minimum([s, -4 * ((0 - s) / 4)]) == s)
    #expect((s / 3 - s / 2).range == -86 ... -1)
    // Too large to be scaled, and as many quotients in quotients as a file may have.
    let wide = Dimension.symbol("wide", 0...Int.max)
    #expect((wide - 4 * (wide / 4)).range.contains(3))
    var nested = s
    for divisor in 2..<26 { nested = (nested + s) / Dimension(divisor) + s }
    #expect(nested.range.contains(nested.evaluate(["s": 100]) ?? -1))
  }

  static let ranges = ["a": 0...3, "b": 1...4, "c": 2...3]

  static func random(_ depth: Int, _ random: inout SmallRandom) -> (Dimension, Tree) {
    if depth == 0 || random.next(5) == 0 {
      if random.next(3) == 0 {
        let value = random.next(13) - 4
        return (Dimension(value), .constant(value))
      }
      let name = ["a", "b", "c"][random.next(3)]
      return (.symbol(name, ranges[name] ?? 0...0), .symbol(name))
    }
    let (left, leftTree) = Self.random(depth - 1, &random)
    let (right, rightTree) = Self.random(depth - 1, &random)
    let operation = Array("++-**/%<>")[random.next(9)]
    let result =
      switch operation {
      case "+": left + right
      case "-": left - right
      case "*": left * right
      case "/": left / right
      case "%": left % right
      case "<": Dimension.minimum([left, right])
      default: Dimension.maximum([left, right])
      }
    return (result, .apply(operation, leftTree, rightTree))
  }

  static var assignments: [[String: Int]] {
    var all: [[String: Int]] = []
    for a in 0...3 { for b in 1...4 { for c in 2...3 { all.append(["a": a, "b": b, "c": c]) } } }
    return all
  }

  /// Simplified expressions have the value of the plain ones, and it lies in their range.
  @Test(arguments: 0..<40)
  func simplificationKeepsTheValue(_ seed: Int) {
    var random = SmallRandom(seed: UInt64(seed))
    for _ in 0..<50 {
      let (dimension, tree) = Self.random(4, &random)
      let range = dimension.range
      for values in Self.assignments {
        // Where the plain expression divides by zero, simplified ones may have a value.
        guard let expected = tree.evaluate(values) else { continue }
        let found = dimension.evaluate(values)
        #expect(found == expected, "\(dimension) for \(values)")
        #expect(range.contains(expected), "\(dimension) in \(range) for \(values)")
        if found != expected { return }
      }
      if let constant = dimension.constant { #expect(range == constant...constant) }
    }
  }

  @Test(arguments: 0..<20)
  func substitutionKeepsTheValue(_ seed: Int) {
    var random = SmallRandom(seed: UInt64(1000 + seed))
    for _ in 0..<30 {
      let (dimension, tree) = Self.random(3, &random)
      for values in Self.assignments {
        guard let expected = tree.evaluate(values) else { continue }
        let replaced = dimension.substituting { Dimension(values[$0.name] ?? 0) }
        #expect(replaced.constant == expected, "\(dimension) for \(values)")
      }
    }
  }

  /// What is printed reads back as an equal dimension.
  @Test(arguments: 0..<20)
  func textRoundTrips(_ seed: Int) throws {
    var random = SmallRandom(seed: UInt64(2000 + seed))
    for _ in 0..<30 {
      let (dimension, _) = Self.random(3, &random)
      // Extents are not negative, and the text refuses divisors that may be zero.
      let extent = dimension - Dimension(min(0, dimension.lowerBound))
      guard extent.upperBound < 1 << 30, !Self.dividesByPossiblyZero(extent) else { continue }
      let text = """
        graph g {
          symbol a: 0...3
          symbol b: 1...4
          symbol c: 2...3
          input x: float32[a, b, c, \(extent)]
          output y = x
        }
        """
      let graph = try Graph.parse(text)
      let parsed = graph[graph.inputs[0]].type.shape[3]
      #expect(parsed == extent, "\(extent) reads back as \(parsed)")
    }
  }

  private static func dividesByPossiblyZero(_ dimension: Dimension) -> Bool {
    dimension.terms.contains { term in
      term.factors.contains { atom in
        switch atom {
        case .symbol: false
        case .floorDivide(let left, let right), .modulo(let left, let right):
          right.lowerBound <= 0 || dividesByPossiblyZero(left) || dividesByPossiblyZero(right)
        case .minimum(let all), .maximum(let all): all.contains(where: dividesByPossiblyZero)
        }
      }
    }
  }
}
