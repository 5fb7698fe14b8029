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

  package init(
    stem: String,
    headers: [String],
    definitions: String,
    statement: String,
    configuration: String = ""
  ) {
    self.stem = stem
    self.headers = headers
    self.definitions = definitions
    self.statement = statement
    self.configuration = configuration
  }

  /// The function's name: the stem and a hash of the text, the same on every run.
  package var functionName: String {
    let text = ([stem] + headers + [definitions, statement]).joined(separator: "\u{0}")
    return "\(stem)_\(StableHash.hexadecimal(text))"
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
