import AITGraph
import AITTestSupport
import AITWeights
import Testing

/// What the command says of mistakes, and with which exit code.
@Suite struct MistakeTests {
  /// Arguments, the exit code, and what is said.
  struct Mistake: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let code: Int
    let says: [String]
    var testDescription: String { "ait \(arguments.joined(separator: " "))" }
  }

  static let mistakes = [
    Mistake(arguments: ["--version"], code: 0, says: ["0.1.0"]),
    Mistake(arguments: ["compile", "--help"], code: 0, says: ["--work-directory", "--target"]),
    Mistake(arguments: ["translate"], code: 64, says: ["translate"]),
    Mistake(arguments: ["compile"], code: 64, says: ["graph"]),
    Mistake(arguments: ["compile", "mlp.ait", "--jobs", "many"], code: 64, says: ["many"]),
    Mistake(
      arguments: ["compile", "gone.ait"],
      code: 1,
      says: ["gone.ait", "cannot be read", "hint: "]
    ),
    Mistake(
      arguments: ["compile", "bad.ait"],
      code: 1,
      says: ["bad.ait: line 3", "'sofmax'", "did you mean softmax"]
    ),
    Mistake(
      arguments: ["compile", "mlp.ait", "-t", "cpu:x86-64-v5"],
      code: 64,
      says: ["'cpu:x86-64-v5'", "hint: did you mean"]
    ),
    Mistake(
      arguments: ["compile", "mlp.ait", "--bound", "batch=1...8"],
      code: 64,
      says: ["--bound batch=1...8", "is no program", "hint: "]
    ),
    Mistake(
      arguments: ["compile", "mlp.ait", "--bound", "batch=1.8"],
      code: 64,
      says: ["--bound batch=1.8", "hint: "]
    ),
    Mistake(
      arguments: ["compile", "mlp.ait", "--compiler", "/nowhere/clang++"],
      code: 1,
      says: ["/nowhere/clang++", "no program here", "hint: "]
    ),
    Mistake(
      arguments: ["compile", "mlp.ait", "--work-directory", "mlp.ait/below"],
      code: 1,
      says: ["mlp.ait/below", "cannot be made", "hint: "]
    ),
    Mistake(
      arguments: ["compile", "mlp.ait", "-q", "-o", "nowhere/mlp.so"],
      code: 1,
      says: ["nowhere/mlp.so", "'nowhere/' is not there", "hint: "]
    ),
    Mistake(
      arguments: ["compile", "mlp.ait", "--weights", "other.safetensors"],
      code: 1,
      says: ["dense1.weight", "[weight-mismatch]"]
    ),
    Mistake(
      arguments: ["inspect", "mlp.ait", "--emit=everything"],
      code: 64,
      says: ["--emit=everything", "hint: "]
    ),
    Mistake(
      arguments: ["inspect", "mlp.ait", "--emit=graph-after=fusion"],
      code: 64,
      says: ["'fusion' is not a pass", "hint: "]
    ),
    Mistake(
      arguments: ["run", "mlp.ait"],
      code: 1,
      says: ["mlp.ait", "cannot be loaded", "hint: "]
    ),
    Mistake(arguments: ["run", "gone.so"], code: 1, says: ["gone.so", "No such file"]),
    Mistake(
      arguments: ["verify", "library.so"],
      code: 1,
      says: ["library.so", "a library, where a graph", "`ait inspect library.so`"]
    ),
    Mistake(
      arguments: ["compile", "library"],
      code: 1,
      says: ["library: error: a library, where a graph"]
    ),
    Mistake(
      arguments: ["compile", "."],
      code: 1,
      says: [".: error: a folder, where a graph", "hint: name a file"]
    ),
    Mistake(
      arguments: ["compile", "w.safetensors"],
      code: 1,
      says: ["w.safetensors: error: no text", "hint: ", "--weights"]
    ),
    Mistake(
      arguments: ["verify", "mlp.ait", "--size", "batch=99"],
      code: 64,
      says: ["batch=99", "1...32"]
    ),
    Mistake(
      arguments: ["verify", "mlp.ait", "--size", "rows=1"],
      code: 64,
      says: ["'rows'", "its symbols are batch"]
    ),
    Mistake(
      arguments: ["verify", "mlp.ait", "--size", "batch"],
      code: 64,
      says: ["hint: write it as"]
    ),
    Mistake(
      arguments: ["verify", "mlp.ait", "--input", "X=gone.npy"],
      code: 1,
      says: ["gone.npy"]
    ),
  ]

  /// Numbers beyond the range of their option.
  static let numbers = [
    ("compile", ["--jobs", "-3"], "--jobs -3: expected a number from 0 to 1024"),
    ("compile", ["-j", "5000"], "--jobs 5000: expected"),
    ("verify", ["--threads", "-1"], "--threads -1: expected a number from 0 to 1024"),
    ("verify", ["--tolerance", "-1"], "--tolerance -1.0: expected a number from 0 up"),
    ("verify", ["--tolerance", "nan"], "--tolerance nan: expected"),
    ("verify", ["--seed", "-1"], "'-1' is invalid for '--seed"),
    ("verify", ["--size", "batch=x"], "--size batch=x: no number"),
    ("verify", ["--size", "batch=1", "--size", "batch=2"], "'batch' is given twice"),
    ("bench", ["--seconds", "-1"], "--seconds -1.0: expected a number from 0.0 to 3600.0"),
    ("bench", ["--seconds", "nan"], "--seconds nan: expected"),
    ("bench", ["--seconds", "inf"], "--seconds inf: expected"),
    ("profile", ["--count", "-5"], "--count -5: expected a number from 1 to 1000000"),
    ("profile", ["--count", "0"], "--count 0: expected"),
    ("conformance", ["--threads", "-1"], "--threads -1: expected"),
    ("compile", ["--target", "cuda:"], "'cuda:' is not a target"),
  ]

  @Test(
    "Values of options that cannot be are told as mistakes of the command line",
    arguments: numbers
  )
  func range(_ command: String, _ options: [String], _ says: String) async throws {
    let files = try CommandTests.Files()
    let file = ["conformance": "arange", "profile": "mlp.so"][command] ?? "mlp.ait"
    let result = try await run(
      program: CommandTests.program,
      [command, file] + options,
      in: files.folder.path
    )
    #expect(result.code == 64 && result.output.isEmpty, "\(result)")
    #expect(result.errors.contains(says), "\(result)")
    #expect(!result.errors.contains("Missing value"), "\(result)")
  }

  @Test("Mistakes are told, with an exit code", arguments: mistakes)
  func mistake(_ mistake: Mistake) async throws {
    let files = try CommandTests.Files()
    try files.folder.write(
      "graph g {\n  input x: float32[2]\n  y = sofmax(x) {axis: 0} : float32[2]\n  output y = y\n}",
      as: "bad.ait"
    )
    // As much of a library as its first bytes.
    for name in ["library.so", "library"] {
      try files.folder.write([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0], as: name)
    }
    let before = try files.folder.files()
    try Safetensors.write(
      [(name: "unexpected", tensor: TensorData(zeros: .float32, [2]))],
      to: "\(files.folder.path)/other.safetensors"
    )
    let result = try await run(
      program: CommandTests.program,
      mistake.arguments,
      in: files.folder.path
    )
    #expect(result.code == mistake.code, "\(result)")
    let text = result.output + result.errors
    for part in mistake.says { #expect(text.contains(part), "\(result)") }
    if mistake.code != 0 { #expect(result.output.isEmpty, "\(result)") }
    let left = Set(try files.folder.files()).subtracting(before)
    #expect(!left.contains { $0.hasSuffix(".so") || $0.hasSuffix(".partial") }, "\(left)")
  }
}
