import AITGraph

/// Why a kernel was chosen: for people, for the manifest, and for measuring the others.
package struct KernelChoice: Hashable, Sendable {
  /// A kernel and what it takes, or is expected to take.
  package struct Candidate: Hashable, Sendable {
    /// The kernel and its configuration, as text of the backend's.
    package let configuration: String
    /// The same in short, for people.
    package let label: String
    package let seconds: Double

    package init(configuration: String, label: String, seconds: Double) {
      self.configuration = configuration
      self.label = label
      self.seconds = seconds
    }
  }

  /// What it was chosen for, such as `sm_90a, up to 1024 rows`.
  package let domain: String
  package let chosen: Candidate
  /// The best of the others.
  package let runnerUp: Candidate?
  /// The GPU that both were measured on; nil where a model expects their times.
  package let measuredOn: String?

  package init(domain: String, chosen: Candidate, runnerUp: Candidate?, measuredOn: String?) {
    self.domain = domain
    self.chosen = chosen
    self.runnerUp = runnerUp
    self.measuredOn = measuredOn
  }
}

extension KernelChoice: CustomStringConvertible {
  package var description: String {
    let verb = measuredOn.map { "measured on \($0)" } ?? "expected"
    let next = runnerUp.map { "; next \(Self.text($0))" } ?? ""
    return "\(domain): \(Self.text(chosen)) \(verb)\(next)"
  }

  private static func text(_ candidate: Candidate) -> String {
    "\(candidate.label): \(microseconds(candidate.seconds)) us"
  }

  /// Microseconds with one digit behind the point.
  package static func microseconds(_ seconds: Double) -> String {
    let tenths = Int((seconds * 1e7).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}

/// A problem with several kernels, at one point of its range: what can be measured.
package struct KernelProblem: Sendable {
  /// The text by which a tuning record knows it.
  package let text: String
  package let architecture: Target.CUDA
  /// The node that poses it, on operands without gaps.
  package let op: any Operator
  package let fusion: Fusion
  package let operands: [(type: TensorType, isConstant: Bool)]
  /// The most kernels of a problem that are worth measuring.
  package static let candidateLimit = 24

  /// The kernels worth measuring, those that are expected to be fastest first.
  package let candidates: [KernelChoice.Candidate]

  package init(
    text: String,
    architecture: Target.CUDA,
    op: any Operator,
    fusion: Fusion,
    operands: [(type: TensorType, isConstant: Bool)],
    candidates: [KernelChoice.Candidate]
  ) {
    self.text = text
    self.architecture = architecture
    self.op = op
    self.fusion = fusion
    self.operands = operands
    self.candidates = candidates
  }
}
