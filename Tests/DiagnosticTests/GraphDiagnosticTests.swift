import AITCPU
import AITGraph
import AITKernels
import AITOperators
import AITPasses
import AITPlan
import AITTestSupport
import Testing

/// What is wrong with programs.
@Suite struct GraphDiagnosticTests {
  static let provocations: [Provocation] = [
    Provocation(
      .syntax,
      "a colon is missing",
      says: ["line 2", "error: ", "expected", "':'"]
    ) { try parse("graph g {\n  input x float32[2]\n  output y = x\n}") },
    Provocation(
      .unknownOperator,
      "a misspelt operator",
      says: ["line 3", "'sofmax'", "hint: did you mean softmax"]
    ) {
      try parse(
        "graph g {\n  input x: float32[2]\n  y = sofmax(x) {axis: 0} : float32[2]\n  output y = y\n}"
      )
    },
    Provocation(
      .unknownName,
      "a value that is not there",
      says: ["line 3", "'weigth'", "hint: did you mean weight"]
    ) {
      try parse(
        "graph g {\n  input weight: float32[2]\n  y = softmax(weigth) {axis: 0} : float32[2]\n"
          + "  output y = y\n}"
      )
    },
    Provocation(.duplicateName, "two inputs of one name", says: ["line 3", "'x'"]) {
      try parse("graph g {\n  input x: float32[2]\n  input x: float32[2]\n  output y = x\n}")
    },
    Provocation(
      .invalidAttribute,
      "an attribute that the operator does not have",
      says: ["line 3", "softmax", "'axes'"]
    ) {
      try parse(
        "graph g {\n  input x: float32[2]\n  y = softmax(x) {axis: 0, axes: 0} : float32[2]\n"
          + "  output y = y\n}"
      )
    },
    Provocation(
      .wrongInputCount,
      "a product of one matrix",
      says: ["line 3", "matmul takes 2 operands, found 1"]
    ) {
      try parse(
        "graph g {\n  input x: float32[2, 2]\n  y = matmul(x) : float32[2, 2]\n  output y = y\n}"
      )
    },
    Provocation(
      .shapeMismatch,
      "a product of matrices that do not fit",
      says: [
        "node 'scores'", "float32[4, 8] and float32[4, 8]", "inner extents are 8 and 4",
        "hint: ", "transpose_b",
      ]
    ) {
      var g = Graph(name: "g")
      let x = try g.addInput("x", TensorType(.float32, [4, 8]))
      _ = try g.matmul(x, x, name: "scores")
    },
    Provocation(
      .dtypeMismatch,
      "a product of two types",
      says: ["node 'product'", "float32", "float16"]
    ) {
      var g = Graph(name: "g")
      let x = try g.addInput("x", TensorType(.float32, [4, 8]))
      let y = try g.addInput("y", TensorType(.float16, [8, 4]))
      _ = try g.matmul(x, y, name: "product")
    },
    Provocation(
      .rankMismatch,
      "the product of a scalar",
      says: ["node", "matmul", "float32[]"]
    ) {
      var g = Graph(name: "g")
      let x = try g.addInput("x", TensorType(.float32, []))
      _ = try g.addNode(MatMul(), [x, x], name: "product")
    },
    Provocation(
      .axisOutOfRange,
      "a softmax along an axis that is not there",
      says: ["node 'soft'", "axis 3", "rank 2", "[4, 8]", "hint: axes run from -2 to 1"]
    ) {
      var g = Graph(name: "g")
      let x = try g.addInput("x", TensorType(.float32, [4, 8]))
      _ = try g.addNode(Softmax(axis: 3), [x], name: "soft")
    },
    Provocation(
      .conflictingSymbol,
      "a size that no input tells",
      says: ["graph 'g'", "'length'", "no extent of an input", "hint: "]
    ) {
      var g = Graph(name: "g")
      let x = try g.addInput("x", TensorType(.float32, [.symbol("length", 1...4) + 1]))
      try g.addOutput("y", x)
      try g.verify()
    },
    Provocation(
      .conflictingSymbol,
      "one name for two sizes",
      says: ["graph 'g'", "'n'", "1...", "1...", "hint: "]
    ) {
      var g = Graph(name: "g")
      let x = try g.addInput("x", TensorType(.float32, [.symbol("n", 1...4)]))
      _ = try g.addInput("y", TensorType(.float32, [.symbol("n", 1...5)]))
      try g.addOutput("y", x)
      try g.verify()
    },
    Provocation(
      .sizeLimit,
      "a tensor larger than any memory",
      says: ["line 2", "float32[1000000, 1000000, 1000000]", "64 TiB", "hint: "]
    ) {
      try parse(
        "graph g {\n  input x: float32[1000000, 1000000, 1000000]\n  output y = x\n}"
      )
    },
    Provocation(
      .malformedGraph,
      "a prologue that is exposed but not there",
      says: ["line 3", "prologue"]
    ) {
      try parse(
        "graph g {\n  input x: float32[2]\n"
          + "  y, z = softmax(x) {axis: 0, exposes_prologue: true} : float32[2], float32[2] @y\n"
          + "  output y = y\n}"
      )
    },
    Provocation(
      .missingOutput,
      "a program without results",
      says: ["graph 'g'", "no output", "hint: name at least one result"]
    ) { try parse("graph g {\n  input x: float32[2]\n}") },
    Provocation(
      .unknownTarget,
      "a misspelt target",
      says: ["'cpu:x86-64-v33'", "hint: ", "cpu:x86-64-v3"]
    ) { _ = try Target("cpu:x86-64-v33") },
    Provocation(
      .unknownTarget,
      "a target there is none like",
      says: ["'tpu'", "hint: ", "cpu:native"]
    ) { _ = try Target("tpu") },
    Provocation(
      .unknownTarget,
      "a misspelt architecture",
      says: ["'cuda:sm_90b'", "no architecture 'sm_90b'", "hint: ", "cuda:sm_90a"]
    ) { _ = try Target("cuda:sm_90b") },
    Provocation(
      .unknownTarget,
      "a list of architectures that goes on",
      says: ["'cuda:sm_80+'", "is missing", "hint: ", "sm_89"]
    ) { _ = try Target("cuda:sm_80+") },
    Provocation(
      .unsupportedOperator,
      "a sum over 16 axes in two orders",
      says: ["node 'both'", "pointwise(float32[2, 2,", "cpu:x86-64-v3", "hint: `ait operators`"]
    ) {
      var g = Graph(name: "g")
      let x = try g.addInput(
        "x",
        TensorType(.float32, Shape(Array(repeating: Dimension(2), count: 16)))
      )
      let turned = try g.permute(x, Array((0..<16).reversed()))
      try g.addOutput("y", try g.add(.value(x), .value(turned), name: "both"))
      _ = try Planner.plan(g, for: CPUBackend(Target(.x86_64v3)))
    },
    Provocation(
      .invalidOption,
      "a misspelt pass",
      says: ["'epilog-fusion'", "hint: one of epilogue-fusion"]
    ) {
      var g = Graph(name: "g")
      try Pipeline.standard.run(on: &g, stoppingAfter: "epilog-fusion")
    },
    Provocation(
      .internalInconsistency,
      "a plan in which two live buffers overlap",
      says: ["plan of 'g'", "'a' and 'b' overlap while both live"]
    ) {
      var g = Graph(name: "g")
      let x = try g.addInput("x", TensorType(.float32, [8, 8]))
      let a = try g.pointwise(.tanh, x, name: "a")
      let b = try g.pointwise(.exp, x, name: "b")
      try g.addOutput("y", try g.matmul(a, b))
      var plan = try Planner.plan(g, for: CPUBackend(Target(.x86_64v3)))
      plan.buffers[1].offset = plan.buffers[0].offset
      try plan.verify(symbols: [:])
    },
  ]

  @Test("Faults of programs are told", arguments: provocations)
  func faults(_ provocation: Provocation) async { await provocation.check() }
}
