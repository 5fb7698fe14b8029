import AITGraph

extension Target {
  /// An architecture of NVIDIA GPUs, by the name of its compute capability.
  public enum CUDA: String, CaseIterable, Hashable, Comparable, Sendable {
    /// Ampere: A100.
    case sm80 = "sm_80"
    /// Ampere: A10, GeForce 30.
    case sm86 = "sm_86"
    /// Ada: L4, L40, GeForce 40.
    case sm89 = "sm_89"
    /// Hopper: H100, H200, with the instructions that later GPUs do not have (`a`).
    case sm90a = "sm_90a"

    /// The compute capability: 80 for 8.0.
    package var capability: Int {
      switch self {
      case .sm80: 80
      case .sm86: 86
      case .sm89: 89
      case .sm90a: 90
      }
    }

    /// Whether code for it runs on this capability alone, not on later ones of the generation.
    package var isSpecific: Bool { rawValue.hasSuffix("a") }

    /// The flag that tells nvcc to make machine code for it, and nothing else.
    package var compilerFlag: String {
      "-gencode=arch=compute_\(rawValue.dropFirst(3)),code=\(rawValue)"
    }

    /// Older architectures come first.
    public static func < (first: CUDA, second: CUDA) -> Bool {
      first.capability < second.capability
    }

    /// Reads `sm_80+sm_90a`.
    ///
    /// - Throws: `unknownTarget`, with the near names.
    static func list(_ names: String, of target: String) throws(Diagnostic) -> [CUDA] {
      var result: [CUDA] = []
      for name in names.split(separator: "+", omittingEmptySubsequences: false) {
        guard let gpu = CUDA(rawValue: String(name)) else {
          let all = allCases.map(\.rawValue)
          let near = Identifier.nearest(to: String(name), among: all)
          throw Diagnostic(
            .unknownTarget,
            "'\(target)' is not a target: \(name.isEmpty ? "an architecture is missing" : "there is no architecture '\(name)'")",
            hint: near.isEmpty
              ? "one or more of \(all.joined(separator: ", ")), as in cuda:sm_80+sm_90a"
              : "did you mean \(near.map { "cuda:\($0)" }.joined(separator: ", "))?"
          )
        }
        result.append(gpu)
      }
      return result
    }
  }
}
