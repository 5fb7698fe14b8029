import AITGraph
import AITReference

extension PassInstruments {
  /// Instruments that run a graph on random inputs, and then run what each pass made of it on the
  /// same inputs.
  ///
  /// Outputs may differ by the rounding of intermediates: by `bound` times the larger of 1 and the
  /// greatest magnitude among the elements; integers and truth values must be equal, NaN and
  /// infinities stand in the same places.
  package static func evaluating(
    _ graph: Graph,
    seed: UInt64,
    share: Double = 0.4,
    bound: @escaping @Sendable (DType) -> Double
  ) throws(Diagnostic) -> PassInstruments {
    let random = RandomInputs(for: graph, seed: seed, share: share)
    let expected = try Evaluator.run(graph, random.inputs, constants: random.constants).outputs
    var instruments = PassInstruments()
    instruments.verifies = true
    instruments.check = { pass, graph throws(Diagnostic) in
      let found = try Evaluator.run(graph, random.inputs, constants: random.constants).outputs
      for (name, value) in expected.sorted(by: { $0.key < $1.key }) {
        guard let other = found[name] else {
          throw Diagnostic(.missingOutput, "pass \(pass) lost the output '\(name)'")
        }
        if let problem = difference(other, value, bound: bound(value.dtype)) {
          throw Diagnostic(
            .verificationFailed,
            "pass \(pass) changed the output '\(name)': \(problem)"
          )
        }
      }
    }
    return instruments
  }

  /// What sets two tensors apart; nil if they agree.
  package static func difference(_ found: TensorData, _ expected: TensorData, bound: Double)
    -> String?
  {
    guard found.type == expected.type else { return "it is \(found.type), was \(expected.type)" }
    guard expected.dtype.isFloatingPoint else {
      let pairs = zip(found.integers, expected.integers)
      guard let index = pairs.enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset
      else { return nil }
      return "element \(index) is \(found.integers[index]), was \(expected.integers[index])"
    }
    let (left, right) = (found.doubles, expected.doubles)
    let largest = right.reduce(1) { $1.isFinite ? max($0, $1.magnitude) : $0 }
    for (index, (a, b)) in zip(left, right).enumerated() {
      let isSame =
        a == b || (a.isNaN && b.isNaN)
        || (a.isFinite && b.isFinite && (a - b).magnitude <= bound * largest)
      if !isSame { return "element \(index) is \(a), was \(b)" }
    }
    return nil
  }
}
