/// What an operator asks of sizes that only a run knows: a dimension is at least, or at most, another.
///
/// The position of a slice may depend on one symbol and the extent it lies in on another; whether it
/// fits is then decided when a run begins, by the compiled library and the reference evaluator alike.
package struct SizeConstraint: Hashable, Sendable {
  /// The side on which the bound lies.
  package enum Relation: String, Hashable, Sendable {
    case atLeast = "at least"
    case atMost = "at most"
  }

  /// What is compared, in words: "the first position of slice along axis 0".
  package let subject: String
  package let found: Dimension
  package let relation: Relation
  package let bound: Dimension
  /// Runs in which this is 0 need not comply: there is no element to compute.
  package let elementCount: Dimension
  /// The node that asks, once the graph has collected it.
  package fileprivate(set) var node = ""

  /// Asks for `found` to be at least, or at most, `bound` where there are elements to compute.
  package init(
    _ subject: String,
    _ found: Dimension,
    is relation: Relation,
    _ bound: Dimension,
    where elementCount: Dimension
  ) {
    self.subject = subject
    self.found = found
    self.relation = relation
    self.bound = bound
    self.elementCount = elementCount
  }

  /// An expression that is negative if and only if sizes are refused.
  package var margin: Dimension {
    (relation == .atMost ? bound - found : found - bound) * .minimum([elementCount, 1])
  }

  /// The text before the number that was found: "m - 1 = ", or nothing where it says no more.
  package var foundText: String { found.isConstant ? "" : "\(found) = " }

  /// The text before the number that was expected: "at most n - 1 = ".
  package var boundText: String {
    "\(relation.rawValue) " + (bound.isConstant ? "" : "\(bound) = ")
  }

  /// Throws `runFailed` if the sizes of a run are refused; every symbol has a value.
  package func check(_ symbols: [String: Int]) throws(Diagnostic) {
    guard let margin = margin.evaluate(symbols), margin < 0,
      let found = found.evaluate(symbols), let bound = bound.evaluate(symbols)
    else { return }
    throw Diagnostic(
      .runFailed,
      "found \(foundText)\(found) for \(subject), expected \(boundText)\(bound)",
      at: "node '\(node)'",
      hint: "pass inputs whose sizes fit together"
    )
  }

  /// Throws if no run can comply, or if the comparison might overflow.
  func verify() throws(Diagnostic) {
    guard margin.upperBound >= 0 else {
      throw Diagnostic(
        .shapeMismatch,
        "found \(found) for \(subject), expected \(relation.rawValue) \(bound)"
      )
    }
    guard margin.greatestMagnitude < Double(Dimension.limit) else {
      throw Diagnostic(
        .sizeLimit,
        "\(found) for \(subject) may exceed 64 bits",
        hint: "narrow the bounds of its symbols"
      )
    }
  }
}

extension Graph {
  /// What the nodes ask of the sizes of a run beyond what the bounds of the symbols grant, each
  /// once, in order of execution.
  package func sizeConstraints() throws(Diagnostic) -> [SizeConstraint] {
    var seen: Set<Dimension> = []
    var result: [SizeConstraint] = []
    for id in sortedNodes() {
      let node = self[id]
      let signature = try OperatorSignature(node.op, node.inputs.map { self[$0].type }, node.fusion)
      for var constraint in node.op.sizeConstraints(signature.operands, results: signature.results)
      where constraint.margin.lowerBound < 0 && seen.insert(constraint.margin).inserted {
        constraint.node = node.name
        result.append(constraint)
      }
    }
    return result
  }
}
