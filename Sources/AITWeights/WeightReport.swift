import AITGraph

/// What does not fit between a weight file and a model, as one diagnostic.
struct WeightReport {
  var missing: [(name: String, type: TensorType, reason: String?)] = []
  var unexpected: [String] = []
  var mismatched: [String] = []
  private let options: WeightMapping.Options

  /// Names that are given near ones, and the names these are sought among: each pair costs the
  /// product of two lengths.
  private static let hintedCount = 16
  private static let candidateCount = 500

  init(_ options: WeightMapping.Options) { self.options = options }

  /// Says what keeps a tensor from being a parameter's; nil if nothing does.
  static func mismatch(
    _ name: String,
    _ type: TensorType,
    _ found: String,
    _ tensor: TensorData
  ) -> String? {
    let alias = found == name ? "" : " (in the file \(quoted(found)))"
    guard let shape = type.shape.constants else {
      return "\(name)\(alias): the model's shape \(type) is not known"
    }
    guard shape == tensor.shape else {
      return "\(name)\(alias): \(tensor.type) in the file, \(type) in the model"
        + advice(tensor.shape, shape)
    }
    guard tensor.dtype.category <= type.dtype.category else {
      return "\(name)\(alias): \(tensor.type) in the file cannot become \(type)"
    }
    return nil
  }

  /// What may have happened to a shape.
  private static func advice(_ found: [Int], _ expected: [Int]) -> String {
    if found.count == 2, found.reversed() == expected { return "; transposed?" }
    if found.count == 4, [found[0], found[2], found[3], found[1]] == expected {
      return "; channels last: permute(0, 2, 3, 1)?"
    }
    if found.sorted() == expected.sorted() { return "; another order of axes?" }
    if found.filter({ $0 != 1 }) == expected.filter({ $0 != 1 }) { return "; axes of extent 1?" }
    return ""
  }

  /// The diagnostic; nil if all that is amiss is forgiven.
  func diagnostic(_ weights: Weights) -> Diagnostic? {
    // A parameter whose tensor is there but unusable is an error in any case.
    let missing = missing.filter { !options.allowsMissing || $0.reason != nil }
    let unexpected = options.allowsUnexpected ? [] : unexpected
    guard !missing.isEmpty || !unexpected.isEmpty || !mismatched.isEmpty else { return nil }
    var counts: [String] = []
    var lines: [String] = []
    if !missing.isEmpty {
      counts.append("\(missing.count) missing")
      for (index, (name, type, reason)) in missing.enumerated() {
        var line = "missing: \(name) \(type)"
        if let reason {
          line += " (in the file, but unusable: \(reason))"
        } else if index < Self.hintedCount {
          let near = nearest(to: name)
          if !near.isEmpty { line += " (near: \(near.map { quoted($0) }.joined(separator: ", ")))" }
        }
        lines.append(line)
      }
    }
    if !unexpected.isEmpty {
      counts.append("\(unexpected.count) unexpected")
      for name in unexpected {
        lines.append("unexpected: \(quoted(name)) \(weights[name].map { "\($0.type)" } ?? "")")
      }
    }
    if !mismatched.isEmpty {
      counts.append("\(mismatched.count) of another shape or type")
      lines += mismatched.map { "different: \($0)" }
    }
    return Diagnostic(
      .weightMismatch,
      "the weights do not fit the model: \(counts.joined(separator: ", "))\n  "
        + lines.joined(separator: "\n  "),
      at: weights.location,
      hint: hint(missing.map(\.name), unexpected)
    )
  }

  private func nearest(to name: String) -> [String] {
    let candidates = unexpected.lazy
      .filter { abs($0.utf8.count - name.utf8.count) <= max(2, name.utf8.count / 3) }
    return Identifier.nearest(to: name, among: Array(candidates.prefix(Self.candidateCount)))
  }

  // MARK: - Hint

  private func hint(_ missing: [String], _ unexpected: [String]) -> String? {
    if let prefix = Self.prefix(of: self.unexpected, over: missing) {
      return "the names in the file begin with \(quoted(prefix)): remove that prefix"
    }
    if let prefix = Self.prefix(of: missing, over: self.unexpected) {
      return "the names in the model begin with \(quoted(prefix)): add that prefix"
    }
    if !mismatched.isEmpty { return "make sure that the model is built with the file's sizes" }
    if missing.isEmpty { return "allow unexpected weights if the model is a part of the one saved" }
    return nil
  }

  /// The prefix, ending with a dot, that makes most of some short names equal to long ones.
  private static func prefix(of long: [String], over short: [String]) -> String? {
    let names = Set(long.map(WeightMatcher.underscored))
    let short = short.map(WeightMatcher.underscored)
    var best: (prefix: String, count: Int)?
    // A prefix that helps begins one of the first names in all but odd cases.
    for name in long.prefix(4) {
      for dot in name.indices where name[dot] == "." {
        let prefix = String(name[...dot])
        let start = WeightMatcher.underscored(prefix)
        let count = short.count { names.contains(start + $0) }
        if count > best?.count ?? 0 { best = (prefix, count) }
      }
    }
    guard let best, best.count * 2 >= short.count else { return nil }
    return best.prefix
  }
}
