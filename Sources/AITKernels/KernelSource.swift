import AITGraph

/// The C++ of one kernel, before it has a name: two nodes with the same text share one kernel.
package struct KernelSource: Hashable, Sendable {
  /// What the kernel's name begins with: operator and types, such as `matmul_float16`.
  package let stem: String
  /// Prelude headers to include, such as `ait/cpu/matmul.h`.
  package let headers: [String]
  /// The definitions, then the statement that runs the kernel on `context`.
  package let definitions: String
  package let statement: String
  /// What was chosen, for people: `tile 14×32, packed B`.
  package let configuration: String
  /// The kernels on a GPU, of which the statement launches one; empty for the CPU.
  package let entries: [DeviceEntry]

  package init(
    stem: String,
    headers: [String],
    definitions: String,
    statement: String,
    configuration: String = "",
    entries: [DeviceEntry] = []
  ) {
    self.stem = stem
    self.headers = headers
    self.definitions = definitions
    self.statement = statement
    self.configuration = configuration
    self.entries = entries
  }

  /// The function's name: the stem and a hash of the text, the same on every run.
  package var functionName: String {
    let device = entries.flatMap { $0.headers + [$0.definitions, $0.signature, $0.statement] }
    let text = ([stem] + headers + [definitions, statement] + device).joined(separator: "\u{0}")
    return "\(stem)_\(StableHash.hexadecimal(text))"
  }

  /// The name of a kernel on the device.
  package func entryName(_ index: Int) -> String { "\(functionName)_\(index)" }
}

extension KernelSource {
  /// What is compiled: a function has one definition, whatever people are told of it.
  private var compiled: [String] { [stem, definitions, statement] + headers }

  package static func == (a: Self, b: Self) -> Bool {
    a.compiled == b.compiled && a.entries == b.entries
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(compiled)
    hasher.combine(entries)
  }
}

/// A kernel on a GPU, which a `KernelSource` launches.
package struct DeviceEntry: Hashable, Sendable {
  /// Prelude headers to include, such as `ait/gpu/matmul_hopper.h`.
  package let headers: [String]
  /// All that the signature, the arguments and the statement name.
  package let definitions: String
  /// The C++ before the name: threads of a block, blocks of a multiprocessor.
  package let signature: String
  /// The type of the argument.
  package let arguments: String
  /// The statement that runs the kernel on `arguments`.
  package let statement: String
  /// The threads of a block, the dynamic shared memory of one and the blocks of a cluster, as
  /// expressions over the source's definitions.
  package let threads: String
  package let sharedSizeInBytes: String
  package let clusterSize: String
  /// The architectures that it is compiled for, of those of the target.
  package let architectures: [Target.CUDA]

  package init(
    headers: [String],
    definitions: String,
    signature: String,
    arguments: String,
    statement: String,
    threads: String,
    sharedSizeInBytes: String = "0",
    clusterSize: String = "1",
    architectures: [Target.CUDA] = Target.CUDA.allCases
  ) {
    self.headers = headers
    self.definitions = definitions
    self.signature = signature
    self.arguments = arguments
    self.statement = statement
    self.threads = threads
    self.sharedSizeInBytes = sharedSizeInBytes
    self.clusterSize = clusterSize
    self.architectures = architectures
  }
}

/// A hash that is the same on every run and machine.
///
/// FNV-1a of 64 bits. Not for secrets, nor where a clash would go unnoticed: kernels compare their
/// text as well.
package enum StableHash {
  package static func hexadecimal(_ text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 {
      hash ^= UInt64(byte)
      hash = hash &* 0x100_0000_01b3
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
