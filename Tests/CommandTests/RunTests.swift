import AITGraph
import AITReference
import AITTestSupport
import AITWeights
import Testing

/// What `ait run` takes and gives: files of inputs, files of outputs.
@Suite struct RunTests {
  /// A model of two inputs and two outputs.
  static let graph = """
    graph pair {
      symbol batch: 1...8
      input left: float32[batch, 3]
      input right: float32[batch, 3]
      sum = pointwise(left, right) {body: (x0: float32, x1: float32) \
    { t2 = add(x0, x1); return t2 }} : float32[batch, 3]
      soft = softmax(sum) {axis: 1} : float32[batch, 3]
      output sum = sum
      output soft = soft
    }

    """

  /// The model, compiled once.
  static let library = Task { () throws -> (folder: TemporaryFolder, bytes: [UInt8]) in
    let folder = try TemporaryFolder()
    try folder.write(graph, as: "pair.ait")
    let result = try await CommandTests.ait("compile", "pair.ait", "-q", in: folder)
    #expect(result.code == 0, "\(result)")
    return (folder, try TemporaryFolder.bytes("\(folder.path)/tmp/pair/pair.so"))
  }

  static let left = TensorData([1, 2, 3, 4, 5, 6], shape: [2, 3])
  static let right = TensorData([10, 20, 30, 40, 50, 60], shape: [2, 3])
  static let sum: [Double] = [11, 22, 33, 44, 55, 66]

  /// A folder with the library and files of inputs.
  static func folder() async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(try await library.value.bytes, as: "pair.so")
    try Numpy.write(left, to: "\(folder.path)/l.npy")
    try Numpy.write(right, to: "\(folder.path)/r.npy")
    try Numpy.write(left, to: "\(folder.path)/left.npy")
    try Safetensors.write(
      [(name: "left", tensor: left), (name: "right", tensor: right)],
      to: "\(folder.path)/both.safetensors"
    )
    try Safetensors.write(
      [(name: "a", tensor: left), (name: "b", tensor: right)],
      to: "\(folder.path)/others.safetensors"
    )
    return folder
  }

  static func run(_ arguments: [String], in folder: TemporaryFolder) async throws -> ProgramResult {
    try await AITTestSupport.run(
      program: CommandTests.program,
      ["run", "pair.so"] + arguments,
      in: folder.path
    )
  }

  @Test(
    "Inputs come from files of every kind, by the model's names or one tensor a file",
    arguments: [
      ["--input", "left=l.npy", "--input", "right=r.npy"],
      ["--input", "both.safetensors"],
      ["--input", "left=both.safetensors", "--input", "right=both.safetensors"],
      ["--input", "left.npy", "--input", "right=r.npy"],
      ["--input", "both.npz"],
      ["--input", "left=both.npz", "--input", "right=one.npz"],
    ]
  )
  func inputs(_ arguments: [String]) async throws {
    let folder = try await Self.folder()
    try folder.write(
      try Archive.stored(["left.npy": "l.npy", "right.npy": "r.npy"], in: folder),
      as: "both.npz"
    )
    try folder.write(try Archive.stored(["arr_0.npy": "r.npy"], in: folder), as: "one.npz")
    let result = try await Self.run(arguments + ["-o", "sum=sum.npy"], in: folder)
    #expect(result.code == 0, "\(result)")
    #expect(try Numpy.read("\(folder.path)/sum.npy").doubles == Self.sum)
  }

  @Test("Outputs go to the files their names' endings ask for")
  func outputs() async throws {
    let folder = try await Self.folder()
    let result = try await Self.run(
      [
        "--input", "both.safetensors", "-o", "all.safetensors", "-o", "sum=sum.npy", "-o",
        "soft=soft.safetensors",
      ],
      in: folder
    )
    #expect(result.code == 0, "\(result)")
    #expect(try Weights.load("\(folder.path)/all.safetensors").names == ["soft", "sum"])
    #expect(try Weights.load("\(folder.path)/soft.safetensors").names == ["soft"])
    #expect(try Numpy.read("\(folder.path)/sum.npy").doubles == Self.sum)
  }

  @Test("A model of one output needs no name for it")
  func oneOutput() async throws {
    let files = try CommandTests.Files()
    let compile = try await files.ait("compile", "mlp.ait", "-q", "--weights", "w.safetensors")
    #expect(compile.code == 0, "\(compile)")
    let result = try await files.ait(
      "run",
      "tmp/mlp/mlp.so",
      "--input",
      "X=x.npy",
      "--output",
      "o.npy"
    )
    #expect(result.code == 0, "\(result)")
    try files.check(try Numpy.read("\(files.folder.path)/o.npy"))
  }

  /// Arguments, the exit code, and what is said: nothing is run, nothing written.
  static let mistakes: [(arguments: [String], code: Int, says: [String])] = [
    (["-o", "zz=z.npy"], 64, ["no output 'zz'", "its outputs are sum, soft"]),
    (["-o", "o.npy"], 64, ["2 outputs", "--output NAME=o.npy"]),
    (["-o", "o.txt"], 64, ["--output o.txt", "hint: ", ".npy"]),
    (["-o", "sum=o"], 64, ["--output sum=o", ".safetensors"]),
    (["-o", "sum=o.npy", "-o", "soft=o.npy"], 64, ["given twice"]),
    (["-o", "sum=nowhere/o.npy"], 1, ["'nowhere/' is not there"]),
    (["--input", "middle=l.npy"], 64, ["no input 'middle'", "its inputs are left, right"]),
    (["--input", "left=l.npy", "--input", "left=r.npy"], 64, ["'left' is given twice"]),
    (["--input", "left=l.npy", "--input", "both.safetensors"], 64, ["'left' is given twice"]),
    (["--input", "l.npy"], 1, ["'l' is no input of the model", "NAME=FILE"]),
    (["--input", "left=others.safetensors"], 1, ["no tensor 'left' among 2", "it has a, b"]),
    (
      ["--input", "left=l.npy", "--size", "batch=5"], 64,
      ["--size batch=5", "'left'", "[2, 3]", "[batch, 3]"]
    ),
  ]

  @Test("Mistakes are told before the run", arguments: mistakes)
  func refused(_ arguments: [String], _ code: Int, _ says: [String]) async throws {
    let folder = try await Self.folder()
    let before = try folder.files()
    let result = try await Self.run(arguments, in: folder)
    #expect(result.code == code && result.output.isEmpty, "\(result)")
    for part in says { #expect(result.errors.contains(part), "\(result)") }
    #expect(try folder.files() == before)
  }

  @Test("A size that the given tensors have as well is no contradiction")
  func agreeingSizes() async throws {
    let folder = try await Self.folder()
    let result = try await Self.run(["--input", "left=l.npy", "--size", "batch=2"], in: folder)
    #expect(result.code == 0 && result.output.contains("sum: float32[2, 3]"), "\(result)")
  }
}
