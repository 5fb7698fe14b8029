import AITGraph
import AITKernels
import AITReference

/// Measures candidates within a time: whether their results are right, then how fast they are.
package struct Tuner {
  /// What came of a candidate.
  package struct Measurement: Sendable {
    package let candidate: KernelChoice.Candidate
    package let outcome: TuningRecord.Outcome
    /// Why it was rejected.
    package let fault: String?
  }

  /// Rounds of a candidate that is among the fastest; their median counts.
  private static let rounds = 5
  /// A candidate that takes so much longer than the best is not measured again.
  private static let hopeless = 1.5

  private let now: () -> Double
  private let end: Double

  /// Creates a tuner.
  ///
  /// - Parameters:
  ///   - seconds: the time that it has; a candidate that was begun is finished.
  ///   - now: a clock, in seconds.
  package init(seconds: Double, now: @escaping () -> Double) {
    self.now = now
    end = now() + seconds
  }

  /// Whether there is time left.
  package var hasTime: Bool { now() < end }

  /// Measures candidates in order, as far as the time goes.
  ///
  /// - Returns: what came of each that was measured, in order.
  /// - Throws: what the runner throws: a device that failed once gives no more results.
  package func measure(_ candidates: [KernelChoice.Candidate], by runner: some CandidateRunner)
    throws(Diagnostic) -> [Measurement]
  {
    var faults: [Int: String] = [:]
    var right: [(number: Int, results: [TensorData])] = []
    var best = Double.infinity
    var times: [Int: Double] = [:]
    for number in 1...max(1, candidates.count) where number <= candidates.count && hasTime {
      let results = try runner.results(of: number)
      if let fault = try runner.fault(of: results) ?? disagreement(results, right) {
        faults[number] = fault
        continue
      }
      if right.isEmpty { right.append((number, results)) }
      let time = try seconds(of: number, by: runner, best: best)
      best = min(best, time)
      times[number] = time
    }
    return candidates.enumerated().compactMap { index, candidate in
      if let fault = faults[index + 1] {
        return Measurement(candidate: candidate, outcome: .rejected, fault: fault)
      }
      guard let time = times[index + 1] else { return nil }
      let nanoseconds = max(1, Int((time * 1e9).rounded()))
      return Measurement(candidate: candidate, outcome: .nanoseconds(nanoseconds), fault: nil)
    }
  }

  /// The median of some rounds; of fewer if the candidate is slow.
  private func seconds(of number: Int, by runner: some CandidateRunner, best: Double)
    throws(Diagnostic) -> Double
  {
    var times: [Double] = []
    for _ in 0..<Self.rounds {
      times.append(try runner.seconds(of: number))
      let least = times.min() ?? 0
      if least > best * Self.hopeless || (!hasTime && times.count > 1) { break }
    }
    return times.sorted()[times.count / 2]
  }

  /// How results differ from those of a candidate that were found right where they were computed
  /// anew; nil where they do not.
  ///
  /// Two candidates may sum in another order, so that each lies within the bound of what is right.
  private func disagreement(
    _ results: [TensorData],
    _ right: [(number: Int, results: [TensorData])]
  ) -> String? {
    guard let first = right.first else { return nil }
    for (found, expected) in zip(results, first.results) where !found.isIdentical(to: expected) {
      let bound = 2 * Tolerance.bound(expected.dtype)
      let comparison = compare(found, expected, bound: bound)
      if let problem = comparison.problem {
        return "differs from candidate \(first.number): \(problem)"
      }
    }
    return nil
  }
}

extension TuningRecord {
  /// Adds what was measured of a problem.
  package mutating func add(
    _ measurements: [Tuner.Measurement],
    of problem: PreparedTuning.Problem,
    from origin: Origin
  ) {
    for measurement in measurements {
      let key = Key(
        origin: origin,
        architecture: problem.architecture,
        problem: problem.text,
        configuration: measurement.candidate.configuration
      )
      add(key, measurement.outcome)
    }
  }
}
