import AITGraph

/// The dimensions that a model needs at run time, each once, in order of first use.
package struct DimensionTable {
  private var indices: [Dimension: Int] = [:]
  package private(set) var dimensions: [Dimension] = []

  package init() {}

  /// The position of a dimension, added if new.
  package mutating func index(_ dimension: Dimension) -> Int {
    if let index = indices[dimension] { return index }
    indices[dimension] = dimensions.count
    dimensions.append(dimension)
    return dimensions.count - 1
  }

  /// A dimension as a C++ expression of `int64_t` over the array `symbols`.
  package static func expression(_ dimension: Dimension, symbols: [Symbol]) -> String {
    guard !dimension.terms.isEmpty else { return "0" }
    var text = ""
    for (index, term) in dimension.terms.enumerated() {
      var factors = term.factors.map { expression($0, symbols: symbols) }
      if term.coefficient.magnitude != 1 || factors.isEmpty {
        let magnitude = term.coefficient.magnitude
        factors.insert(magnitude > Int32.max ? "\(magnitude)LL" : "\(magnitude)", at: 0)
      }
      let isNegative = term.coefficient < 0
      text += index == 0 ? (isNegative ? "-" : "") : (isNegative ? " - " : " + ")
      text += factors.joined(separator: " * ")
    }
    return text
  }

  private static func expression(_ atom: Dimension.Atom, symbols: [Symbol]) -> String {
    func text(_ dimension: Dimension) -> String { expression(dimension, symbols: symbols) }
    func fold(_ function: String, _ all: [Dimension]) -> String {
      guard let first = all.first else { return "0" }
      return all.dropFirst().reduce(text(first)) { "\(function)(\($0), \(text($1)))" }
    }
    switch atom {
    case .symbol(let symbol):
      return "symbols[\(symbols.firstIndex { $0.name == symbol.name } ?? 0)]"
    case .floorDivide(let left, let right): return "floorDivide(\(text(left)), \(text(right)))"
    case .modulo(let left, let right): return "modulo(\(text(left)), \(text(right)))"
    case .minimum(let all): return fold("smaller", all)
    case .maximum(let all): return fold("larger", all)
    }
  }
}
