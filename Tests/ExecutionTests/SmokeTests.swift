import AITGraph
import AITKernels
import AITLoader
import AITOperators
import AITemplate
import Testing

@Test func flow() async throws {
  let text = """
    graph smoke {
      symbol batch: 1...64
      input x: float32[batch, 33]
      constant w: float32[17, 33]
      constant b: float32[17]
      y = matmul(x, w) {transpose_b: true, epilogue: (a: float32, b: float32) { s = add(a, b); g = gelu(s); return g }}
    }
    """
  _ = text
  var graph = Graph(name: "smoke")
  let x = try graph.addInput("x", TensorType(.float32, [.symbol("batch", 1...64), 33]))
  let values: [Float] = (0..<(17 * 33)).map { (i: Int) -> Float in Float((i * 7919) % 101) / 50 - 1 }
  let w = try graph.addConstant(
    "w", TensorType(.float32, [17, 33]), data: TensorData(values, shape: [17, 33]),
    originalName: "dense.w")
  let y = try graph.addNode(MatMul(transposeB: true), [x, w])[0]
  let body = ScalarExpression(inputs: [.float32]) { e, i in [e.call(.gelu, i[0])] }
  let z = try graph.addNode(Pointwise(body), [y])[0]
  try graph.addOutput("z", z)
  var options = CompilerOptions()
  options.optimizes = false
  let result = try await Compiler(target: .detected(), options: options).compile(
    graph, in: "/tmp/ait-smoke")
  print(result.stageSeconds, result.compiledUnits, result.reusedUnits)
  print(result.plan)
  let module = try CompiledModule(contentsOf: result.library)
  let input = TensorData((0..<(5 * 33)).map { (i: Int) -> Float in Float(i % 13) / 6 - 1 }, shape: [5, 33])
  var out = [TensorData(zeros: .float32, [5, 17])]
  try module.run([input], into: &out)
  print(out[0])
}
