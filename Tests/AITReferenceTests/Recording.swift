import AITGraph
import Foundation

/// PyTorch's recorded results; see `Tests/Fixtures/make_operator_fixtures.py` for the form.
struct Recording: Sendable {
  struct Case: Sendable {
    let id: String
    let op: String
    let inputs: [String]
    let attributes: [String: RecordedJSON]
    let outputs: [String]
    let isExact: Bool
    let isComputedInDouble: Bool
    let disputed: Set<Int>
  }

  let cases: [Case]
  let tensors: [String: TensorData]

  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/operators")

  static let shared = Result { try Recording() }

  init() throws {
    let text = try Data(contentsOf: Self.folder.appending(path: "operators.json"))
    cases =
      try RecordedJSON(parsing: text)["cases"]?.array.map { row in
        Case(
          id: row["id"]?.string ?? "",
          op: row["op"]?.string ?? "",
          inputs: row["inputs"]?.array.compactMap(\.string) ?? [],
          attributes: row["attributes"]?.object ?? [:],
          outputs: row["outputs"]?.array.compactMap(\.string) ?? [],
          isExact: row["exact"]?.bool ?? false,
          isComputedInDouble: row["computed"]?.string == "float64",
          disputed: Set(row["disputed"]?.array.compactMap(\.integer) ?? [])
        )
      } ?? []
    tensors = try Self.readTensors(Self.folder.appending(path: "operators.safetensors"))
  }

  /// Reads a file of safetensors that is known to be sound.
  private static func readTensors(_ file: URL) throws -> [String: TensorData] {
    let bytes = try Data(contentsOf: file)
    let headerLength = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try RecordedJSON(parsing: bytes[8..<(8 + headerLength)])
    let names: [String: DType] = [
      "BOOL": .bool, "U8": .uint8, "I8": .int8, "I16": .int16, "I32": .int32, "I64": .int64,
      "F16": .float16, "BF16": .bfloat16, "F32": .float32, "F64": .float64,
    ]
    var tensors: [String: TensorData] = [:]
    for (name, entry) in header.object {
      guard let dtype = entry["dtype"]?.string.flatMap({ names[$0] }) else { continue }
      let shape = entry["shape"]?.array.compactMap(\.integer) ?? []
      let offsets = entry["data_offsets"]?.array.compactMap(\.integer) ?? []
      var tensor = TensorData(zeros: dtype, shape)
      let start = 8 + headerLength
      let content = bytes[(start + offsets[0])..<(start + offsets[1])]
      tensor.withUnsafeMutableBytes { $0.copyBytes(from: content) }
      tensors[name] = tensor
    }
    return tensors
  }
}
