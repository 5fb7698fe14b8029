import AITGraph
import FoundationEssentials
import Testing

@testable import AITWeights

/// What `expected.json` says of one file.
struct ExpectedFile: Decodable, Sendable {
  struct Tensor: Decodable, Sendable {
    let path: [Key]
    let dtype: String
    let shape: [Int]
    let hex: String
  }

  enum Key: Decodable, Sendable {
    case text(String)
    case index(Int)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let index = try? container.decode(Int.self) {
        self = .index(index)
      } else {
        self = .text(try container.decode(String.self))
      }
    }

    var text: String {
      switch self {
      case .text(let text): text
      case .index(let index): "\(index)"
      }
    }
  }

  struct Other: Decodable, Sendable {
    let path: [Key]
  }

  let about: String
  let error: String?
  let tensors: [Tensor]?
  let others: [Other]?
  let metadata: [String: String]?
}

struct FixtureCase: Sendable, CustomTestStringConvertible {
  let name: String
  let expected: ExpectedFile
  var testDescription: String { name }
}

/// Returns the files of a folder, in order of their names.
func cases(_ folder: String, isReadable: Bool) -> [FixtureCase] {
  struct Folder: Decodable { let files: [String: ExpectedFile] }
  guard let bytes = try? fixture("\(folder)/expected.json"),
    let listed = try? JSONDecoder().decode(Folder.self, from: Data(bytes))
  else { return [] }
  return listed.files.map { FixtureCase(name: $0.key, expected: $0.value) }
    .filter { ($0.expected.error == nil) == isReadable }
    .sorted { $0.name < $1.name }
}

@Suite("Files made by PyTorch and safetensors")
struct ReaderFixtureTests {
  @Test func `fixtures are there`() {
    #expect(cases("pt", isReadable: true).count >= 13)
    #expect(cases("pt", isReadable: false).count >= 25)
    #expect(cases("safetensors", isReadable: true).count >= 8)
    #expect(cases("safetensors", isReadable: false).count >= 20)
  }

  private func check(_ weights: Weights, _ expected: ExpectedFile) throws {
    var names: [String] = []
    var unsupported: [String] = []
    for tensor in expected.tensors ?? [] {
      let name = tensor.path.isEmpty ? "tensor" : tensor.path.map(\.text).joined(separator: ".")
      guard let dtype = DType(rawValue: tensor.dtype) else {
        unsupported.append(name)
        continue
      }
      names.append(name)
      let found = try #require(weights[name], "\(name)")
      #expect(found.dtype == dtype)
      #expect(found.shape == tensor.shape)
      let hex = found.bytes.map { byte in
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
      #expect(hex.joined() == tensor.hex, "\(name)")
    }
    #expect(weights.names == names)
    #expect(weights.unsupported.map(\.name) == unsupported)
    #expect(weights.metadata == expected.metadata ?? [:])
    let others = (expected.others ?? []).map { $0.path.map(\.text).joined(separator: ".") }
    #expect(weights.ignored.map(\.path) == others)
  }

  @Test(arguments: cases("pt", isReadable: true))
  func `a PyTorch file gives its tensors, bit for bit`(_ file: FixtureCase) throws {
    let path = "\(fixtures)/pt/\(file.name)"
    try check(try PyTorchWeights(contentsOf: path, keyPath: []).weights, file.expected)
    try check(try Weights.load(path, keyPath: []), file.expected)
  }

  @Test(arguments: cases("safetensors", isReadable: true))
  func `a safetensors file gives its tensors, bit for bit`(_ file: FixtureCase) throws {
    let weights = try Weights.load("\(fixtures)/safetensors/\(file.name)")
    // The fixture lists tensors by meaning; the file may have them in another order.
    let sorted = try Weights(
      (file.expected.tensors ?? []).compactMap { tensor in
        let name = tensor.path.map(\.text).joined(separator: ".")
        return weights[name].map { (name, $0) }
      },
      metadata: weights.metadata,
      unsupported: (file.expected.tensors ?? []).compactMap { tensor in
        weights.unsupported.first { $0.name == tensor.path.map(\.text).joined(separator: ".") }
      }
    )
    #expect(sorted.count == weights.count)
    try check(sorted, file.expected)
  }

  @Test(arguments: cases("pt", isReadable: false))
  func `a bad PyTorch file is refused for the right reason`(_ file: FixtureCase) throws {
    let error = try #require(file.expected.error)
    let identity: Diagnostic.Identity =
      switch error {
      case _ where error.contains(" global: "): .refusedPickle
      case _ where error.hasPrefix("unsupported"), "legacy format", "compressed record",
        "byte order: big":
        .unsupportedFormat
      case "not a PyTorch file": file.name == "empty.pt" ? .corruptFile : .unsupportedFormat
      case "bad view: a size that overflows 64 bits": .sizeLimit
      default: .corruptFile
      }
    let path = "\(fixtures)/pt/\(file.name)"
    let found = diagnostic {
      let weights = try Weights.load(path)
      // An element type that the compiler lacks is an error only if the tensor is asked for.
      _ = try weights.tensor(named: try #require(weights.unsupported.first).name)
    }
    let problem = try #require(found)
    #expect(problem.identity == identity, "\(problem)")
    #expect(problem.location?.hasPrefix(path) == true)
    if identity == .refusedPickle {
      let name = error.split(separator: " ").last.map(String.init) ?? ""
      #expect(problem.message.contains("\"\(name)\""), "\(problem)")
      #expect(problem.hint != nil)
    }
  }

  @Test(arguments: cases("safetensors", isReadable: false))
  func `a bad safetensors file is refused for the right reason`(_ file: FixtureCase) throws {
    let identity: Diagnostic.Identity =
      switch file.expected.error {
      case "unknown dtype": .unsupportedFormat
      case "overflow": .sizeLimit
      default: .corruptFile
      }
    let path = "\(fixtures)/safetensors/\(file.name)"
    let problem = try #require(diagnostic { _ = try Weights.load(path) })
    #expect(problem.identity == identity, "\(problem)")
    #expect(problem.location?.hasPrefix(path) == true)
  }

  @Test func `tensors under two names share their bytes`() throws {
    let weights = try Weights.load("\(fixtures)/pt/shared.pt")
    let tied = try weights.tensor(named: "tied")
    let again = try weights.tensor(named: "again")
    #expect(tied.address == again.address)
  }

  @Test func `a checkpoint's state dict is found, and the rest listed`() throws {
    let file = try PyTorchWeights(contentsOf: "\(fixtures)/pt/checkpoint.pt")
    #expect(file.keyPath == ["state_dict"])
    #expect(file.weights.names == ["layer.weight", "layer.bias"])
    #expect(file.weights.ignored.contains { $0.path == "optimizer" && $0.kind == "a dictionary" })
    #expect(file.weights.ignored.contains { $0.path == "epoch" })
  }

  @Test func `keys lead to any dictionary, and a wrong one is named`() throws {
    let path = "\(fixtures)/pt/checkpoint.pt"
    let weights = try Weights.load(path, keyPath: ["optimizer", "state", "0"])
    #expect(weights.names == ["step", "exp_avg"])
    let problem = try #require(diagnostic { _ = try Weights.load(path, keyPath: ["state_dic"]) })
    #expect(problem.identity == .unknownName)
    #expect(problem.hint?.contains("\"state_dict\"") == true)
  }
}
