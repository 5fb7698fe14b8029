import AITGraph
import AITKernels

/// What tuning found, for people: of each problem the candidates by their measured times, beside the
/// expected ones.
package struct TuningReport: Sendable {
  package private(set) var problems: [(problem: PreparedTuning.Problem, [Tuner.Measurement])] = []
  /// Problems that there was no time for.
  package private(set) var unmeasured: [PreparedTuning.Problem] = []
  /// Problems of architectures that the device is not of.
  package private(set) var foreign: [PreparedTuning.Problem] = []
  /// What ended the measuring before all was measured.
  package private(set) var failure: Diagnostic?

  package init() {}

  package mutating func add(
    _ problem: PreparedTuning.Problem,
    _ measurements: [Tuner.Measurement]
  ) {
    problems.append((problem, measurements))
  }

  package mutating func skip(_ problem: PreparedTuning.Problem) { unmeasured.append(problem) }

  package mutating func refuse(_ problem: PreparedTuning.Problem) { foreign.append(problem) }

  package mutating func end(_ failure: Diagnostic) { self.failure = failure }

  /// The rows of a table: expected and measured microseconds, their ratio, and the candidate; the one
  /// that was expected to be fastest is marked `<`.
  package var rows: [[String]] {
    var rows = [["expected us", "measured us", "ratio", "", "candidate"]]
    for (problem, measurements) in problems {
      rows.append(["", "", "", "", "\(problem.architecture.rawValue) \(problem.text)"])
      let sorted = measurements.enumerated().sorted {
        (time($0.element), $0.offset) < (time($1.element), $1.offset)
      }
      for (index, measurement) in sorted {
        let expected = measurement.candidate.seconds
        let measured = time(measurement)
        rows.append([
          KernelChoice.microseconds(expected),
          measured.isFinite ? KernelChoice.microseconds(measured) : "wrong",
          measured.isFinite ? ratio(measured / expected) : "",
          index == 0 ? "<" : "",
          measurement.candidate.label + (measurement.fault.map { ": \($0)" } ?? ""),
        ])
      }
    }
    return rows
  }

  private func time(_ measurement: Tuner.Measurement) -> Double {
    switch measurement.outcome {
    case .nanoseconds(let time): Double(time) * 1e-9
    case .rejected: .infinity
    }
  }

  private func ratio(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let digits = "\(hundredths % 100)"
    return "\(hundredths / 100).\(digits.count < 2 ? "0" : "")\(digits)"
  }
}
