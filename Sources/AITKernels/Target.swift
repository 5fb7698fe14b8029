import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a library is compiled for: a processor and its instruction set, or GPU architectures.
///
/// Written as text: `cpu:native`, `cpu:x86-64-v3`, `cpu:x86-64-v4`, `cpu:aarch64`, `cuda:sm_90a`,
/// `cuda:sm_80+sm_90a`, `cuda:detect` (the GPUs of this machine), `emulated-cuda:sm_90a`.
public struct Target: Hashable, Sendable {
  /// An instruction set of a CPU.
  public enum CPU: String, CaseIterable, Hashable, Sendable {
    /// Whatever the compiling machine has.
    case native
    /// SSE4.2; for very old machines.
    case x86_64v2 = "x86-64-v2"
    /// AVX2 and FMA.
    case x86_64v3 = "x86-64-v3"
    /// AVX-512 (F, BW, CD, DQ, VL).
    case x86_64v4 = "x86-64-v4"
    /// Armv8-A with NEON.
    case aarch64
  }

  /// The instruction set of the code that runs on the processor: all of it, or what starts
  /// kernels on a GPU.
  public let cpu: CPU
  /// The GPU architectures that kernels are compiled for, in ascending order; empty for the CPU.
  public let gpus: [CUDA]
  /// Whether the GPU is emulated: its kernels are compiled for the processor, and run, slowly and
  /// watched, on the compiler's own driver.
  public let isEmulated: Bool

  /// Creates a CPU target.
  public init(_ cpu: CPU) {
    self.cpu = cpu
    gpus = []
    isEmulated = false
  }

  /// Creates a target of NVIDIA GPUs: the library runs on any of them.
  ///
  /// - Parameters:
  ///   - gpus: the architectures; at least one.
  ///   - isEmulated: whether this machine's processor takes the place of the GPU.
  public init(_ gpus: [CUDA], isEmulated: Bool = false) {
    precondition(!gpus.isEmpty, "a GPU target names an architecture")
    #if arch(arm64)
      cpu = .aarch64
    #else
      cpu = .x86_64v2
    #endif
    self.gpus = Set(gpus).sorted()
    self.isEmulated = isEmulated
  }

  /// The same GPUs, emulated.
  ///
  /// - Precondition: the target has GPUs.
  public var emulated: Target { Target(gpus, isEmulated: true) }

  /// Whether kernels run on a GPU.
  public var isGPU: Bool { !gpus.isEmpty }

  /// Reads a target's text.
  ///
  /// - Throws: `Diagnostic` with identity `unknownTarget`, listing the targets there are.
  public init(_ text: String) throws(Diagnostic) {
    let isEmulated = text.hasPrefix(Self.emulation)
    let device = isEmulated ? String(text.dropFirst(Self.emulation.count)) : text
    if device == "cuda" || device.hasPrefix("cuda:") {
      self.init(try CUDA.list(String(device.dropFirst(5)), of: device), isEmulated: isEmulated)
      return
    }
    let name = text.hasPrefix("cpu:") ? String(text.dropFirst(4)) : text == "cpu" ? "native" : text
    guard let cpu = CPU(rawValue: name) else {
      let all =
        CPU.allCases.map { "cpu:\($0.rawValue)" } + CUDA.allCases.map { "cuda:\($0.rawValue)" }
      let near = Identifier.nearest(to: text, among: all)
      throw Diagnostic(
        .unknownTarget,
        "'\(text)' is not a target",
        hint: near.isEmpty
          ? "one of \(all.joined(separator: ", "))"
          : "did you mean \(near.joined(separator: ", "))?"
      )
    }
    self.init(cpu)
  }

  /// What the text of an emulated target begins with.
  private static let emulation = "emulated-"

  /// The machine that this program runs on.
  public static func detected() -> Target { Target(.native) }

  /// The instruction set that the compiler's flags name.
  package var resolvedCPU: CPU {
    guard cpu == .native else { return cpu }
    #if arch(arm64)
      return .aarch64
    #else
      return Self.hostLevel
    #endif
  }

  /// Whether a library for the target runs on this machine.
  package var runsOnHost: Bool {
    if isGPU { return false }
    if cpu == .native { return true }
    #if arch(arm64)
      return cpu == .aarch64
    #else
      let order: [CPU] = [.x86_64v2, .x86_64v3, .x86_64v4]
      guard let wanted = order.firstIndex(of: cpu), let have = order.firstIndex(of: Self.hostLevel)
      else { return false }
      return wanted <= have
    #endif
  }

  /// The flags by which clang is told the instruction set.
  package var compilerFlags: [String] {
    // Clang splits 64-byte vectors in two on request of most CPUs' tuning; ours are meant whole.
    let width = resolvedCPU == .x86_64v4 ? ["-mprefer-vector-width=512"] : []
    return crossFlags + instructionFlags + width
  }

  /// The flags for code that runs before the instruction set is checked, and for linking.
  package var baselineFlags: [String] { crossFlags }

  /// What tells clang that the target is another architecture than this machine's.
  private var crossFlags: [String] { crossArchitecture.map { ["--target=\($0)-linux-gnu"] } ?? [] }

  /// The target's architecture, where it is another than this machine's.
  package var crossArchitecture: String? {
    #if arch(arm64)
      cpu == .native || cpu == .aarch64 ? nil : "x86_64"
    #else
      cpu == .aarch64 ? "aarch64" : nil
    #endif
  }

  /// The extensions of the instruction set that kernels use, by the names that compilers ask the
  /// processor for.
  package var instructionExtensions: [String] {
    let v3 = ["avx2", "fma", "bmi", "bmi2"]
    let v4 = ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]
    return switch resolvedCPU {
    case .x86_64v4: v3 + v4
    case .x86_64v3: v3
    case .x86_64v2: ["sse4.2"]
    case .aarch64, .native: []
    }
  }

  private var instructionFlags: [String] {
    switch cpu {
    case .native:
      #if arch(arm64)
        ["-mcpu=native"]
      #else
        ["-march=native"]
      #endif
    case .aarch64: ["-march=armv8-a"]
    case .x86_64v2, .x86_64v3, .x86_64v4: ["-march=\(cpu.rawValue)"]
    }
  }

  /// The number of float32 lanes of the widest vector: the prelude's `kLanes`.
  package var vectorLanes: Int {
    switch resolvedCPU {
    case .x86_64v4: 16
    case .x86_64v3: 8
    default: 4
    }
  }

  /// What objects for the target depend on beyond its name: for `native`, this machine's processor.
  package var machine: String {
    guard cpu == .native else { return cpu.rawValue }
    #if arch(arm64)
      return "aarch64"
    #else
      return Self.hostFlags
    #endif
  }

  #if !arch(arm64)
    /// The level of the x86-64 psABI that the kernel's list of CPU flags reaches.
    private static let hostLevel: CPU = {
      let flags = Set(hostFlags.split(separator: " "))
      let v3: [Substring] = ["avx2", "fma", "bmi1", "bmi2", "f16c", "movbe", "abm"]
      let v4: [Substring] = ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]
      guard v3.allSatisfy(flags.contains) else { return .x86_64v2 }
      return v4.allSatisfy(flags.contains) ? .x86_64v4 : .x86_64v3
    }()

    /// The kernel's list of what the processor can do; empty if it cannot be read.
    private static let hostFlags: String = {
      guard let file = fopen("/proc/cpuinfo", "r") else { return "" }
      defer { fclose(file) }
      var buffer = [CChar](repeating: 0, count: 16384)
      while fgets(&buffer, Int32(buffer.count), file) != nil {
        let bytes = buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
        let line = String(decoding: bytes, as: UTF8.self)
        guard line.hasPrefix("flags"), let colon = line.firstIndex(of: ":") else { continue }
        return String(line[line.index(after: colon)...])
      }
      return ""
    }()
  #endif
}

extension Target: CustomStringConvertible {
  /// The text that `init(_:)` reads.
  public var description: String {
    guard isGPU else { return "cpu:\(cpu.rawValue)" }
    return
      "\(isEmulated ? Self.emulation : "")cuda:\(gpus.map(\.rawValue).joined(separator: "+"))"
  }
}
