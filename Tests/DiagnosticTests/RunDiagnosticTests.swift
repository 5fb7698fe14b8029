import AITBuild
import AITGraph
import AITKernels
import AITLoader
import AITOperators
import AITTestSupport
import AITemplate
import Testing

/// What goes wrong when a library is loaded and run.
@Suite struct RunDiagnosticTests {
  /// Rows of a table by index, times a weight that the library lacks: compiled once for all tests.
  static let library = Task { () throws -> (path: String, folder: TemporaryFolder) in
    var g = Graph(name: "model")
    let batch = Dimension.symbol("batch", 1...4)
    let x = try g.addInput("features", TensorType(.float32, [batch, 6]))
    let ids = try g.addInput("ids", TensorType(.int64, [batch]))
    let table = try g.addConstant(
      "table",
      TensorType(.float32, [5, 6]),
      data: TensorData(.float32, [5, 6], (0..<30).map(Double.init))
    )
    let weight = try g.addConstant(
      "dense_weight",
      TensorType(.float32, [6, 3]),
      originalName: "dense.weight"
    )
    let rows = try g.add(.value(x), .value(try g.indexSelect(table, axis: 0, ids, name: "rows")))
    try g.addOutput("y", try g.matmul(rows, weight))
    let folder = try TemporaryFolder()
    return (try await Compiler(target: .detected()).compile(g, in: folder.path).library, folder)
  }

  static let features = TensorData(zeros: .float32, [2, 6])
  static let ids = TensorData(.int64, [2], integers: [4, 0])

  /// Runs with the weight set.
  static func run(_ inputs: [String: TensorData]) async throws {
    let module = try CompiledModule(contentsOf: try await library.value.path, threads: 1)
    try module.setConstant("dense.weight", to: TensorData(zeros: .float32, [6, 3]))
    _ = try module.run(inputs)
  }

  static let provocations: [Provocation] = [
    Provocation(
      .loadFailed,
      "a library that is not there",
      says: ["/nowhere/m.so", "No such file"]
    ) {
      _ = try CompiledModule(contentsOf: "/nowhere/m.so")
    },
    Provocation(
      .loadFailed,
      "a file that is no library",
      says: ["m.so", "cannot be loaded", "hint: "]
    ) {
      let folder = try TemporaryFolder()
      _ = try CompiledModule(contentsOf: try folder.write("not a library", as: "m.so"))
    },
    Provocation(
      .loadFailed,
      "a library cut short",
      says: ["m.so", "cut short", "3000 bytes", "hint: "]
    ) {
      let folder = try TemporaryFolder()
      let bytes = try TemporaryFolder.bytes(try await library.value.path)
      _ = try CompiledModule(contentsOf: try folder.write(Array(bytes.prefix(3000)), as: "m.so"))
    },
    Provocation(
      .loadFailed,
      "stages of a library cut short",
      says: ["m.so", "no table of sections, or is cut short", "hint: "]
    ) {
      let folder = try TemporaryFolder()
      let bytes = try TemporaryFolder.bytes(try await library.value.path)
      let path = try folder.write(Array(bytes.prefix(bytes.count - 100)), as: "m.so")
      _ = try LibrarySections.text(of: ".ait.plan", in: path)
    },
    Provocation(
      .loadFailed,
      "stages of what is no library",
      says: ["m.so", "no library", "hint: "]
    ) {
      let folder = try TemporaryFolder()
      let path = try folder.write("not a library", as: "m.so")
      _ = try LibrarySections.text(of: ".ait.plan", in: path)
    },
    Provocation(
      .loadFailed,
      "a library of somebody else",
      says: ["m.so", "no function", "hint: ", "compile"]
    ) {
      let folder = try TemporaryFolder()
      let source = try folder.write("int nothing;", as: "m.c")
      let compiler = try await Toolchain.find().compiler
      _ = try await AITTestSupport.run(
        program: compiler,
        ["-shared", "-fPIC", "-x", "c", source, "-o", "\(folder.path)/m.so"]
      )
      _ = try CompiledModule(contentsOf: "\(folder.path)/m.so")
    },
    Provocation(
      .invalidArgument,
      "a misspelt input",
      says: ["model.so", "no input 'feature'", "hint: did you mean features?"]
    ) { try await run(["feature": features, "ids": ids]) },
    Provocation(
      .invalidArgument,
      "an input that is not given",
      says: ["model.so", "input 'ids' is missing", "hint: ", "features, ids"]
    ) { try await run(["features": features]) },
    Provocation(
      .runFailed,
      "an input of another element type",
      says: ["model.so", "'features'", "float64", "expected float32"]
    ) { try await run(["features": TensorData(zeros: .float64, [2, 6]), "ids": ids]) },
    Provocation(
      .runFailed,
      "an input of another rank",
      says: ["'features'", "[12]", "expected [1...4, 6]"]
    ) { try await run(["features": TensorData(zeros: .float32, [12]), "ids": ids]) },
    Provocation(
      .runFailed,
      "an extent beyond the bounds of its symbol",
      says: ["'features'", "[5, 6]", "expected [1...4, 6]", "'batch'", "pad or split"]
    ) {
      try await run([
        "features": TensorData(zeros: .float32, [5, 6]), "ids": TensorData(zeros: .int64, [5]),
      ])
    },
    Provocation(
      .runFailed,
      "an empty batch",
      says: ["'features'", "[0, 6]", "expected [1...4, 6]"]
    ) {
      try await run([
        "features": TensorData(zeros: .float32, [0, 6]), "ids": TensorData(zeros: .int64, [0]),
      ])
    },
    Provocation(
      .runFailed,
      "inputs that disagree on a size",
      says: ["'ids'", "[3]"]
    ) { try await run(["features": features, "ids": TensorData(zeros: .int64, [3])]) },
    Provocation(
      .runFailed,
      "an index out of range",
      says: ["model.so", "rows", "found index 5", "0 to 4"]
    ) {
      try await run(["features": features, "ids": TensorData(.int64, [2], integers: [0, 5])])
    },
    Provocation(
      .runFailed,
      "a weight that was never set",
      says: [
        "model.so", "no value for 1 unbound constant", "'dense_weight'", "before the first run",
      ]
    ) {
      let module = try CompiledModule(contentsOf: try await library.value.path, threads: 1)
      _ = try module.run(["features": features, "ids": ids])
    },
    Provocation(
      .invalidArgument,
      "a weight that the model does not have",
      says: ["model.so", "'dense.weihgt'", "hint: did you mean dense_weight?"]
    ) {
      let module = try CompiledModule(contentsOf: try await library.value.path)
      try module.setConstant("dense.weihgt", to: features)
    },
    Provocation(
      .invalidArgument,
      "a weight of another shape",
      says: ["'dense_weight'", "[3, 6]", "expected [6, 3]", "transpose"]
    ) {
      let module = try CompiledModule(contentsOf: try await library.value.path)
      try module.setConstant("dense.weight", to: TensorData(zeros: .float32, [3, 6]))
    },
    Provocation(
      .invalidArgument,
      "a weight of another element type",
      says: ["'dense_weight'", "float16", "float32"]
    ) {
      let module = try CompiledModule(contentsOf: try await library.value.path)
      try module.setConstant("dense.weight", to: TensorData(zeros: .float16, [6, 3]))
    },
    Provocation(
      .verificationFailed,
      "a self test that the library has no pair for",
      says: ["model.so"]
    ) {
      try CompiledModule(contentsOf: try await library.value.path).selfTest()
    },
  ]

  @Test("Faults of loading and running are told", arguments: provocations)
  func faults(_ provocation: Provocation) async { await provocation.check() }

  /// A module is of use after any of them.
  @Test func modulesSurviveFaults() async throws {
    let module = try CompiledModule(contentsOf: try await Self.library.value.path, threads: 2)
    let good = ["features": Self.features, "ids": Self.ids]
    #expect(throws: Diagnostic.self) { try module.run(good) }
    #expect(throws: Diagnostic.self) {
      try module.setConstant("dense.weight", to: TensorData(zeros: .float32, [3]))
    }
    try module.setConstant(
      "dense.weight",
      to: TensorData(.float32, [6, 3], (0..<18).map { Double($0 % 3) })
    )
    #expect(throws: Diagnostic.self) {
      try module.run(["features": TensorData(zeros: .float32, [9, 6]), "ids": Self.ids])
    }
    #expect(throws: Diagnostic.self) {
      try module.run([
        "features": Self.features, "ids": TensorData(.int64, [2], integers: [-1, 0]),
      ])
    }
    // Rows 4 and 0 of the table sum to 159 and 15; column c counts them c times.
    #expect(try module.run(good)["y"]?.doubles == [0, 159, 318, 0, 15, 30])
  }
}
