import AITGraph

/// A kernel of a product and its configuration: what a choice is made among.
enum MatmulCandidate: Hashable, Sendable {
  case fewRows(FewRowsConfiguration)
  case hopper(HopperConfiguration)
  case multistage(MultistageConfiguration)

  private var configuration: any MatmulConfiguration {
    switch self {
    case .fewRows(let configuration): configuration
    case .hopper(let configuration): configuration
    case .multistage(let configuration): configuration
    }
  }

  /// The template's name without `Matmul`.
  var kernel: String { type(of: configuration).kernel }

  /// The template's header, below `ait/gpu`.
  var header: String {
    switch self {
    case .fewRows: "matmul_few_rows.h"
    case .hopper: "matmul_hopper.h"
    case .multistage: "matmul_multistage.h"
    }
  }

  /// The constants that generated code sets.
  var constants: [(name: String, value: Int)] { configuration.constants }

  /// The kernel and the part of C that a block computes at a time; tiles in turn are another's.
  var tile: [Int] {
    switch self {
    case .fewRows(let c): [0, c.rows, c.tileN]
    case .hopper(let c): [1 + 2 * c.isPingPong, c.tileM, c.tileN]
    case .multistage(let c): [2, c.tileM, c.tileN]
    }
  }

  /// What a person tells candidates apart by, such as `Hopper 128x64, 5 stages, K in 2 parts`.
  var label: String {
    switch self {
    case .fewRows(let c): return "FewRows \(c.rows)x\(c.tileN), \(c.warps) warps"
    case .multistage(let c): return "Multistage \(c.tileM)x\(c.tileN), \(c.stages) stages"
    case .hopper(let c):
      var parts = ["Hopper \(c.tileM)x\(c.tileN)", "\(c.stages) stages"]
      if c.isTransposed == 1 { parts[0] = "Hopper \(c.tileN)x\(c.tileM) transposed" }
      if c.splitK > 1 { parts.append("K in \(c.splitK) parts") }
      if c.clusterM * c.clusterN > 1 { parts.append("clusters of \(c.clusterM)x\(c.clusterN)") }
      if c.isPersistent == 1 { parts.append(c.isPingPong == 1 ? "ping-pong" : "persistent") }
      if c.blocksPerMultiprocessor > 1 { parts.append("room for \(c.blocksPerMultiprocessor)") }
      return parts.joined(separator: ", ")
    }
  }

  var threads: Int {
    switch self {
    case .fewRows(let configuration): configuration.threads
    case .hopper(let configuration): configuration.threads
    case .multistage(let configuration): configuration.threads
    }
  }

  var sharedSizeInBytes: Int {
    switch self {
    case .fewRows(let configuration): configuration.sharedSizeInBytes
    case .hopper(let configuration): configuration.sharedSizeInBytes
    case .multistage(let configuration): configuration.sharedSizeInBytes
    }
  }
}

extension MatmulCandidate: CustomStringConvertible {
  /// The template and all its constants, such as `Hopper kTileM=128 kTileN=64 …`.
  var description: String { configuration.text }

  /// Reads what `description` gives; nil for another text, such as one with a constant that the
  /// template does not have.
  init?(_ text: String) {
    if let configuration = FewRowsConfiguration(text: text) {
      self = .fewRows(configuration)
    } else if let configuration = HopperConfiguration(text: text) {
      self = .hopper(configuration)
    } else if let configuration = MultistageConfiguration(text: text) {
      self = .multistage(configuration)
    } else {
      return nil
    }
  }
}

extension MatmulConfiguration {
  fileprivate var text: String {
    ([Self.kernel] + Self.fields.map { "\($0.name)=\(self[keyPath: $0.value])" })
      .joined(separator: " ")
  }

  fileprivate init?(text: String) {
    self.init()
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    let fields = Self.fields
    guard words.count == fields.count + 1, words[0] == Self.kernel else { return nil }
    for (field, word) in zip(fields, words.dropFirst()) {
      let parts = word.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0] == field.name, let value = Int(parts[1]),
        (0...4096).contains(value)
      else { return nil }
      self[keyPath: field.value] = value
    }
  }
}
