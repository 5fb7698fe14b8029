import AITGraph
import AITReference

extension PassInstruments {
  /// Instruments that run the graph before and after each pass on random inputs and compare.
  ///
  /// Outputs may differ by the rounding of intermediates: by `bound` times the larger of 1 and the
  /// greatest magnitude among the elements; integers and truth values must be equal, NaN and
  /// infinities stand in the same places.
  package static func evaluating(
    seed: UInt64,
    share: Double = 0.4,
    bound: @escaping @Sendable (DType) -> Double
  ) -> PassInstruments {
    var instruments = PassInstruments()
    instruments.verifies = true
    instruments.compare = { pass, before, after throws(Diagnostic) in
      let random = RandomInputs(for: before, seed: seed, share: share)
      let expected = try Evaluator.run(before, random.inputs, constants: random.constants)
      let found = try Evaluator.run(after, random.inputs, constants: random.constants)
      for output in before.outputs {
        guard let one = expected.outputs[output.name], let other = found.outputs[output.name] else {
          throw Diagnostic(.missingOutput, "pass \(pass) lost the output '\(output.name)'")
        }
        if let problem = difference(other, one, bound: bound(one.dtype)) {
          throw Diagnostic(
            .verificationFailed,
            "pass \(pass) changed the output '\(output.name)': \(problem)"
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
