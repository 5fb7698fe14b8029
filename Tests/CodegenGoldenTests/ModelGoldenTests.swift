import AITCPU
import AITCodegen
import AITGraph
import AITKernels
import AITOperators
import AITPlan
import AITemplate
import Testing

/// The tables of a model: steps, sizes, constants, and the file that builds it without us.
@Suite struct ModelGoldenTests {
  static let target = Target(.x86_64v3)

  /// An MLP of any batch, with weights of every kind: bound, unbound, folded and a literal.
  static func bundle() throws -> ModelBundle {
    let graph = try Graph.parse(
      #"""
      graph mlp {
        symbol batch: 1...64
        input X: float16[batch, 16]
        constant dense1_weight: float16[32, 16] "dense1.weight"
        constant dense1_bias: float16[32] "dense1.bias"
        constant dense2_weight: float16[16, 32] "dense2.weight"
        constant scale: float16[16] = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}
        literal shift: float16[1] = {0.5}
        hidden = matmul(X, dense1_weight, dense1_bias) {transpose_b: true, epilogue: (x0: float16, x1: float16) { t2 = add(x0, x1); t3 = relu(t2); return t3 }} : float16[batch, 32]
        factor = pointwise(scale, shift) {body: (x0: float16, x1: float16) { t2 = multiply(x0, x1); return t2 }} : float16[16]
        product = matmul(hidden, dense2_weight) {transpose_b: true} : float16[batch, 16]
        rows = softmax(product) {axis: 1} : float16[batch, 16]
        Y = pointwise(rows, factor) {body: (x0: float16, x1: float16) { t2 = multiply(x0, x1); return t2 }} : float16[batch, 16] from "Model.swift:12"
        output Y = Y
        output "hidden.part" = hidden
      }
      """#.replacing("\"hidden.part\"", with: "hidden_part")
    )
    try graph.verify()
    return try ModelBundle(
      try Planner.plan(graph, for: CPUBackend(target)),
      compiler: "compiler"
    )
  }

  /// What the library would hold of it.
  static func image(_ plan: Plan) throws -> ConstantImage {
    var constants: [Int: TensorData] = [:]
    for (index, constant) in plan.constants.enumerated() {
      if let data = constant.constant.data { constants[index] = data }
    }
    let factor = try #require(plan.folded.firstIndex { $0.name == "factor" })
    let selfTest = ConstantImage.SelfTest(
      symbols: [1],
      inputs: [TensorData(zeros: .float16, [1, 16])],
      outputs: [TensorData(zeros: .float16, [1, 16]), TensorData(zeros: .float16, [1, 32])],
      tolerances: [0.002, 0.004]
    )
    return ConstantImage(
      constants: constants,
      folded: [factor: TensorData(zeros: .uint8, [32])],
      selfTest: selfTest
    )
  }

  static func file(_ path: String) throws -> String {
    try #require(try bundle().bundle.files.first { $0.path == path }).text
  }

  @Test(arguments: ["model.cpp", "manifest.json", "graph.ait"])
  func files(_ path: String) throws {
    let text = try Self.file(path)
    try Golden.expect(text, equals: "mlp.cpu-x86-64-v3.\(path)")
    #expect(try Self.file(path) == text)
    expectNoTrace(text)
  }

  /// Any text is a legal string of the assembler.
  @Test func stages() throws {
    let listing = StageListing([.init("plan", "a \"b\" \\c?\n\n\té"), .init("source", "")])
    #expect(
      listing.assembly == #"""
        // What the compiler made of the model, stage by stage. Generated.
          .section .ait.plan,"",@progbits
          .ascii "a \"b\" \\c?\n"
          .ascii "\n"
          .ascii "\011\303\251"
          .section .ait.source,"",@progbits
          .section .note.GNU-stack,"",@progbits

        """#
    )
    #expect(try Self.bundle().stages.text("plan") == Self.bundle().plan.description)
  }

  /// Where all there is has no elements, nothing names an image that is not linked.
  @Test func emptyConstants() throws {
    let none = TensorData(zeros: .float32, [0, 4])
    let selfTest = ConstantImage.SelfTest(
      symbols: [],
      inputs: [none],
      outputs: [none],
      tolerances: [0]
    )
    let image = ConstantImage(constants: [:], folded: [:], selfTest: selfTest)
    let graph = try Graph.parse(
      """
      graph empty {
        input X: float32[0, 4]
        y = pointwise(X) {body: (x0: float32) { t1 = negate(x0); return t1 }} : float32[0, 4]
        output Y = y
      }
      """
    )
    let text = image.tables(try Planner.plan(graph, for: CPUBackend(Self.target)))
    #expect(!text.contains("aitImage"))
    #expect(text.contains("selfTestInputs[] = {\"\"}"))
  }

  @Test func constants() throws {
    let plan = try Self.bundle().plan
    let image = try Self.image(plan)
    try Golden.expect(image.tables(plan), equals: "mlp.cpu-x86-64-v3.constants.cpp")
    try Golden.expect(
      image.tables(plan, asUnbound: true),
      equals: "mlp.cpu-x86-64-v3.constants_unbound.cpp"
    )
    #expect(image.sizeInBytes.isMultiple(of: 2))
  }

  /// Parts lie on cache lines, in order, and fill the file without a hole.
  @Test func imageLayout() throws {
    let image = try Self.image(try Self.bundle().plan)
    var offset = 0
    for part in image.parts {
      switch part {
      case .padding(let count): offset += count
      case .tensor(let data):
        #expect(offset.isMultiple(of: ConstantImage.alignment))
        offset += data.sizeInBytes
      }
    }
    #expect(offset == image.sizeInBytes)
  }

  @Test func makefile() throws {
    let bundle = try Self.bundle()
    let text = bundle.makefile(target: Self.target, image: try Self.image(bundle.plan))
    try Golden.expect(text, equals: "mlp.cpu-x86-64-v3.Makefile")
    expectNoTrace(text)
  }

  @Test func kernelTableAndPlan() throws {
    let plan = try Self.bundle().plan
    try Golden.expect(plan.description, equals: "mlp.cpu-x86-64-v3.plan.txt")
  }
}
