import AITGraph
import AITWeights
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
  let tensors: Weights

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
    tensors = try Safetensors.read(Self.folder.appending(path: "operators.safetensors").path)
  }
}
