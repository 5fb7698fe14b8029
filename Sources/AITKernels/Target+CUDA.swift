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
    /// Hopper: H100, H200, by the kernels that older GPUs have, which every GPU of the generation runs.
    case sm90 = "sm_90"
    /// Hopper: H100, H200, with the instructions that later GPUs do not have (`a`).
    case sm90a = "sm_90a"

    /// The compute capability: 80 for 8.0.
    package var capability: Int {
      switch self {
      case .sm80: 80
      case .sm86: 86
      case .sm89: 89
      case .sm90, .sm90a: 90
      }
    }

    /// Floating-point operations of one multiprocessor in one clock: dense products of float16, two
    /// for each multiply-add.
    package var matrixOperationsPerClock: Double {
      switch self {
      case .sm80: 2048
      case .sm86, .sm89: 1024
      case .sm90, .sm90a: 4096
      }
    }

    /// Whether code for it runs on this capability alone, not on later ones of the generation.
    package var isSpecific: Bool { rawValue.hasSuffix("a") }

    /// Whether code for it runs on devices of a capability.
    package func runs(onCapability capability: Int) -> Bool {
      isSpecific
        ? capability == self.capability
        : capability / 10 == self.capability / 10 && capability >= self.capability
    }

    /// The architectures that devices want: for each the latest that runs on it, and of two such the
    /// specific one.
    ///
    /// - Throws: `unknownTarget` if none runs on any of the devices.
    package static func detect(_ devices: [CUDADevice]) throws(Diagnostic) -> [CUDA] {
      let found = devices.compactMap { device in
        allCases.filter { $0.runs(onCapability: device.capability) }
          .max { ($0.capability, $0.isSpecific ? 1 : 0) < ($1.capability, $1.isSpecific ? 1 : 0) }
      }
      if !found.isEmpty { return Set(found).sorted() }
      let names = devices.map {
        "'\($0.name)' of compute capability \($0.capability / 10).\($0.capability % 10)"
      }
      throw Diagnostic(
        .unknownTarget,
        "no architecture that is known here runs on \(names.joined(separator: ", "))",
        at: "cuda:detect",
        hint: "those known are \(allCases.map(\.rawValue).joined(separator: ", ")); "
          + "a newer compiler may know more"
      )
    }

    /// The flag that tells nvcc to make machine code for it, and nothing else.
    package var compilerFlag: String {
      "-gencode=arch=compute_\(rawValue.dropFirst(3)),code=\(rawValue)"
    }

    /// Older architectures come first, specific ones last among equals.
    public static func < (first: CUDA, second: CUDA) -> Bool {
      (first.capability, first.rawValue) < (second.capability, second.rawValue)
    }

    /// Reads `sm_80+sm_90a`, or `detect` for the devices of this machine.
    ///
    /// - Throws: `unknownTarget`, with the near names; where devices cannot be detected, why.
    static func list(_ names: String, of target: String) throws(Diagnostic) -> [CUDA] {
      if names == "detect" || target == "cuda" { return try detect(try CUDADevice.all()) }
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
