import AITGraph
import AITImport
import Foundation
import Testing

/// A valid program with one thing in it made wrong, and what the diagnostic must say.
struct Tampered: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let identity: Diagnostic.Identity
  let says: String
  let change: @Sendable (inout StoredArchive) -> Bool

  /// Changes text in the program or in the description of its weights.
  init(
    _ description: String,
    _ identity: Diagnostic.Identity,
    says: String,
    in entry: String = "model.json",
    _ old: String,
    _ new: String
  ) {
    testDescription = description
    self.identity = identity
    self.says = says
    change = { archive in
      guard let index = archive.entries.firstIndex(where: { $0.name.hasSuffix("/\(entry)") }),
        let range = archive.entries[index].content.firstRange(of: Array(old.utf8))
      else { return false }
      archive.entries[index].content.replaceSubrange(range, with: Array(new.utf8))
      return true
    }
  }

  /// Changes the archive.
  init(
    _ description: String,
    _ identity: Diagnostic.Identity,
    says: String,
    _ change: @escaping @Sendable (inout StoredArchive) -> Bool
  ) {
    testDescription = description
    self.identity = identity
    self.says = says
    self.change = change
  }
}

private let weights = "model_weights_config.json"
private let firstSizes = #""sizes": [{"as_int": 16}, {"as_int": 8}]"#
private let firstStrides = #""strides": [{"as_int": 8}, {"as_int": 1}]"#
private let symbol = "Symbol('s77', positive=True, integer=True)"
private let gelu =
  #"{"target": "torch.ops.aten.gelu.default", "inputs": [{"name": "self", "#
  + #""arg": {"as_tensor": {"name": "linear"}}"#
private let ones = Array(repeating: #"{"as_int": 1}"#, count: 1000).joined(separator: ", ")

private let tampered: [Tampered] = [
  // Weights.
  Tampered(
    "a weight of negative size",
    .sizeLimit,
    says: "-16",
    in: weights,
    firstSizes,
    #""sizes": [{"as_int": -16}, {"as_int": 8}]"#
  ),
  Tampered(
    "a weight larger than its storage",
    .corruptFile,
    says: "in 128 elements",
    in: weights,
    firstSizes,
    #""sizes": [{"as_int": 17}, {"as_int": 8}]"#
  ),
  Tampered(
    "a small file that says it is a large weight",
    .corruptFile,
    says: "128 stored elements",
    in: weights,
    firstSizes + #", "requires_grad": true, "device": {"type": "cpu", "index": null}, "#
      + firstStrides,
    #""sizes": [{"as_int": 1000000}, {"as_int": 1000000}], "#
      + #""strides": [{"as_int": 0}, {"as_int": 0}]"#
  ),
  Tampered(
    "more elements than there are numbers",
    .sizeLimit,
    says: "TiB",
    in: weights,
    firstSizes,
    #""sizes": [{"as_int": 4611686018427387904}, {"as_int": 4611686018427387904}]"#
  ),
  Tampered(
    "a negative stride",
    .corruptFile,
    says: "strides [-8, 1]",
    in: weights,
    firstStrides,
    #""strides": [{"as_int": -8}, {"as_int": 1}]"#
  ),
  Tampered(
    "strides beyond the storage",
    .corruptFile,
    says: "in 128 elements",
    in: weights,
    firstStrides,
    #""strides": [{"as_int": 9}, {"as_int": 1}]"#
  ),
  Tampered(
    "strides beyond any storage",
    .corruptFile,
    says: "beyond any storage",
    in: weights,
    firstStrides,
    #""strides": [{"as_int": 9223372036854775807}, {"as_int": 1}]"#
  ),
  Tampered(
    "fewer strides than extents",
    .corruptFile,
    says: "strides [1]",
    in: weights,
    firstStrides,
    #""strides": [{"as_int": 1}]"#
  ),
  Tampered(
    "a negative offset",
    .corruptFile,
    says: "strides",
    in: weights,
    #""storage_offset": {"as_int": 0}"#,
    #""storage_offset": {"as_int": -1}"#
  ),
  Tampered(
    "an offset beyond the storage",
    .corruptFile,
    says: "beyond any storage",
    in: weights,
    #""storage_offset": {"as_int": 0}"#,
    #""storage_offset": {"as_int": 9223372036854775807}"#
  ),
  Tampered(
    "a weight of 1000 axes",
    .sizeLimit,
    says: "rank 1000",
    in: weights,
    firstSizes,
    #""sizes": [\#(ones)]"#
  ),
  Tampered(
    "a weight of a type that there is not",
    .unsupportedFormat,
    says: "float8_e4m3fn",
    in: weights,
    #""dtype": 7"#,
    #""dtype": 29"#
  ),
  Tampered(
    "a weight with a symbolic extent",
    .corruptFile,
    says: "symbolic",
    in: weights,
    #"{"as_int": 16}, {"as_int": 8}"#,
    #"{"as_expr": {"expr_str": "s77"}}, {"as_int": 8}"#
  ),
  Tampered(
    "a weight somewhere else",
    .corruptFile,
    says: "no record",
    in: weights,
    #""path_name": "weight_0""#,
    #""path_name": "../../../../etc/passwd""#
  ),
  Tampered(
    "a pickled weight",
    .unsupportedFormat,
    says: "pickled",
    in: weights,
    #""use_pickle": false"#,
    #""use_pickle": true"#
  ),
  Tampered(
    "a weight that is missing",
    .corruptFile,
    says: "'first.weight' is not in the file",
    in: weights,
    #""first.weight""#,
    #""other.weight""#
  ),
  // Symbols and types.
  Tampered(
    "a negative extent",
    .corruptFile,
    says: "extent of -8",
    symbol + #"", "hint": {"as_int": 3}}}, {"as_int": 8}], "requires_grad": false"#,
    symbol + #"", "hint": {"as_int": 3}}}, {"as_int": -8}], "requires_grad": false"#
  ),
  Tampered(
    "a function that there is not",
    .unsupportedFormat,
    says: "function Evil",
    symbol,
    "Evil(1)"
  ),
  Tampered(
    "an extent nested without end",
    .corruptFile,
    says: "nested too deep",
    symbol,
    String(repeating: "Add(", count: 50_000)
  ),
  Tampered(
    "a symbol without bound",
    .sizeLimit,
    says: "TiB",
    symbol,
    "Mul(Integer(4611686018427387904), Symbol('s77'))"
  ),
  Tampered(
    "an unknown version",
    .unsupportedFormat,
    says: "version 6",
    #""major": 8"#,
    #""major": 6"#
  ),
  Tampered(
    "a version to come",
    .unsupportedFormat,
    says: "version 9",
    #""major": 8"#,
    #""major": 9"#
  ),
  Tampered("no version", .corruptFile, says: "schema_version", #""schema_version""#, #""version""#),
  Tampered(
    "JSON nested without end",
    .corruptFile,
    says: "model.json",
    #""nodes": ["#,
    #""nodes": ["# + String(repeating: "[", count: 200_000)
  ),
  Tampered(
    "text that is no JSON",
    .corruptFile,
    says: "model.json",
    #"{"graph_module""#,
    "import os"
  ),
  // Nodes.
  Tampered(
    "a node that reads its own result",
    .corruptFile,
    says: "used before it is computed",
    gelu,
    gelu.replacing(#""linear""#, with: #""gelu""#)
  ),
  Tampered(
    "nodes in a circle",
    .corruptFile,
    says: "used before it is computed",
    gelu,
    gelu.replacing(#""linear""#, with: #""softmax""#)
  ),
  Tampered(
    "an output that nobody makes",
    .corruptFile,
    says: "used before it is computed",
    #""outputs": [{"as_tensor": {"name": "linear_1"}}, {"as_tensor": {"name": "transpose"}}"#,
    #""outputs": [{"as_tensor": {"name": "nothing"}}, {"as_tensor": {"name": "transpose"}}"#
  ),
  Tampered(
    "a size that depends on the data",
    .unsupportedOperator,
    says: "aten.nonzero.default",
    "torch.ops.aten.gelu.default",
    "torch.ops.aten.nonzero.default"
  ),
  Tampered(
    "a number read from the data",
    .unsupportedOperator,
    says: "aten._local_scalar_dense.default",
    "torch.ops.aten.gelu.default",
    "torch.ops.aten._local_scalar_dense.default"
  ),
  Tampered(
    "a side effect",
    .unsupportedOperator,
    says: "higher_order.with_effects",
    "torch.ops.aten.gelu.default",
    "torch.ops.higher_order.with_effects"
  ),
  Tampered(
    "code of the system's",
    .unsupportedOperator,
    says: "os.system",
    "torch.ops.aten.gelu.default",
    "os.system"
  ),
  Tampered(
    "a weight changed in place",
    .unsupportedFormat,
    says: "changes 'first.weight'",
    gelu,
    gelu.replacing("gelu.default", with: "relu_.default")
      .replacing(#""linear""#, with: #""p_first_weight""#)
  ),
  Tampered(
    "an output that changes a buffer",
    .unsupportedFormat,
    says: "changes 'scale'",
    #"{"user_output": {"arg": {"as_tensor": {"name": "linear_1"}}}}"#,
    #"{"buffer_mutation": {"arg": {"name": "linear_1"}, "buffer_name": "scale"}}"#
  ),
  Tampered(
    "an object as an input",
    .unsupportedFormat,
    says: "an input that is",
    #"{"parameter": {"arg": {"name": "p_first_weight"}, "parameter_name": "first.weight"}}"#,
    #"{"custom_obj": {"arg": {"name": "p_first_weight"}, "custom_obj_name": "x"}}"#
  ),
  Tampered(
    "fewer descriptions than inputs",
    .corruptFile,
    says: "7 inputs with 6 descriptions",
    #"{"parameter": {"arg": {"name": "p_first_weight"}, "parameter_name": "first.weight"}}, "#,
    ""
  ),
  Tampered(
    "a reshape to more than there is",
    .shapeMismatch,
    says: "elements are not",
    #""as_int": 4}"#,
    #""as_int": 4000000000}"#
  ),
  // Archives.
  Tampered("no program", .unsupportedFormat, says: "without an exported program") { archive in
    archive.entries.removeAll { $0.name.hasSuffix("model.json") }
    return true
  },
  Tampered("a name that leads out", .corruptFile, says: "leads out") { archive in
    archive.entries[0].name = "layers/../../../etc/passwd"
    return true
  },
  Tampered("a name twice", .corruptFile, says: "two entries named") { archive in
    archive.entries.append(archive.entries[0])
    return true
  },
  Tampered("compressed, a zip bomb", .unsupportedFormat, says: "compressed") { archive in
    archive.method = 8
    return true
  },
  Tampered("a weight cut short", .corruptFile, says: "in 127 elements") { archive in
    archive.entries[0].content.removeLast(4)
    return archive.entries[0].name.hasSuffix("weight_0")
  },
]

/// Programs in which one thing is wrong, each refused for what it is.
@Suite struct TamperedProgramTests {
  @Test(arguments: tampered)
  func isRefused(_ tampered: Tampered) throws {
    let file = URL(filePath: "\(ProgramTests.folder)/layers.pt2")
    var archive = try #require(StoredArchive(Array(try Data(contentsOf: file))))
    // What is put together again is read as before.
    _ = try ExportedProgram(archive.bytes, path: "whole.pt2").graph(named: "whole")
    try #require(tampered.change(&archive), "the program has no such text")
    let diagnostic = try #require(throws: Diagnostic.self) {
      try ExportedProgram(archive.bytes, path: "tampered.pt2").graph(named: "tampered")
    }
    #expect(diagnostic.identity == tampered.identity, "\(diagnostic)")
    let text = "\(diagnostic)"
    #expect(text.contains(tampered.says), "\(diagnostic)")
    #expect(text.utf8.count < 2000, "\(text.utf8.count) bytes")
  }
}
