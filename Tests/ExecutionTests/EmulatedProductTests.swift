import AITConformance
import AITGraph
import AITKernels
import AITOperators
import AITReference
import AITemplate
import Testing

/// Products and convolutions on emulated devices that no example of an operator is: with constants and
/// images that are packed, sizes that tell kernels apart, passes that pair them.
@Suite struct EmulatedProductTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let sizes: [Int]
    var allowsTF32 = false
    let text: String
    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "packed_odd",
      sizes: [1, 24, 37],
      text: """
        symbol n: 1...40
        input x: float16[n, 45]
        input even: float16[n, 48]
        constant w: float16[33, 45]
        constant v: float16[48, 31]
        constant b: float16[33]
        y = matmul(x, w, b) {transpose_b: true, epilogue: (x0: float16, x1: float16) \
        { t2 = add(x0, x1); return t2 }} : float16[n, 33]
        z = matmul(even, v) {} : float16[n, 31]
        output y = y
        output z = z
        """
    ),
    Case(
      name: "symbolic_strides",
      sizes: [16, 17, 64],
      text: """
        symbol n: 1...64
        input q: float16[2, 3, n, 16]
        input k: float16[2, 3, n, 16]
        input v: float16[2, 3, n, 16]
        a = matmul(q, k) {transpose_b: true} : float16[2, 3, n, n]
        y = matmul(a, v) {} : float16[2, 3, n, 16]
        output a = a
        output y = y
        """
    ),
    Case(
      name: "gate",
      sizes: [5, 150],
      text: """
        symbol n: 1...200
        input x: float16[n, 72]
        input r: float16[n, 136]
        constant wg: float16[136, 72]
        constant wu: float16[136, 72]
        g = matmul(x, wg) {transpose_b: true} : float16[n, 136]
        u = matmul(x, wu) {transpose_b: true} : float16[n, 136]
        y = pointwise(g, u, r) {body: (x0: float16, x1: float16, x2: float16) \
        { t3 = silu(x0); t4 = multiply(t3, x1); t5 = add(t4, x2); return t5 }} : float16[n, 136]
        output y = y
        """
    ),
    Case(
      name: "tf32",
      sizes: [9, 70],
      allowsTF32: true,
      text: """
        symbol n: 1...100
        input x: float32[n, 60]
        constant w: float32[60, 36]
        constant v: float32[30, 60]
        y = matmul(x, w) {} : float32[n, 36]
        z = matmul(x, v) {transpose_b: true} : float32[n, 30]
        output y = y
        output z = z
        """
    ),
    Case(
      name: "contiguous_along_neither_axis",
      sizes: [20],
      text: """
        symbol n: 1...20
        input u: float16[n, 40]
        input w: float16[40, 24]
        us = slice(u) {starts: [0, 0], sizes: [n, 20], steps: [1, 2]} : float16[n, 20]
        ws = slice(w) {starts: [1, 0], sizes: [20, 12], steps: [2, 2]} : float16[20, 12]
        y = matmul(us, ws) {} : float16[n, 12]
        output y = y
        """
    ),
    // Images and filters as PyTorch has them: channels in front of places.
    Case(
      name: "convolutions_of_packed_operands",
      sizes: [1, 3],
      text: """
        symbol n: 1...3
        input x: float16[n, 3, 15, 21]
        constant stem: float16[64, 3, 7, 7]
        constant filters: float16[72, 64, 3, 3]
        constant odd: float16[20, 37, 1, 3]
        constant grouped: float16[64, 32, 3, 3]
        constant few: float16[37, 72, 3, 3]
        constant b: float16[64]
        pixels = permute(x) {permutation: [0, 2, 3, 1]} : float16[n, 15, 21, 3]
        w = permute(stem) {permutation: [0, 2, 3, 1]} : float16[64, 7, 7, 3]
        y0 = convolution(pixels, w, b) {stride: [2, 2], padding: [3, 3], \
        epilogue: (x0: float16, x1: float16) { t2 = add(x0, x1); t3 = relu(t2); return t3 }} \
        : float16[n, 8, 11, 64]
        w1 = permute(grouped) {permutation: [0, 2, 3, 1]} : float16[64, 3, 3, 32]
        y1 = convolution(y0, w1) {stride: [1, 1], padding: [1, 1], groups: 2} \
        : float16[n, 8, 11, 64]
        w2 = permute(filters) {permutation: [0, 2, 3, 1]} : float16[72, 3, 3, 64]
        y2 = convolution(y1, w2) {stride: [2, 1], padding: [1, 1]} : float16[n, 4, 11, 72]
        w3 = permute(few) {permutation: [0, 2, 3, 1]} : float16[37, 3, 3, 72]
        y3 = convolution(y2, w3) {stride: [1, 1], padding: [1, 1]} : float16[n, 4, 11, 37]
        w4 = permute(odd) {permutation: [0, 2, 3, 1]} : float16[20, 1, 3, 37]
        y4 = convolution(y3, w4) {stride: [1, 1], padding: [0, 1]} : float16[n, 4, 11, 20]
        output y0 = y0
        output y2 = y2
        output y4 = y4
        """
    ),
    // Neighbours that share a packet, of windows that begin in front of the image and in it, and of an
    // odd width; channels that leave no room for neighbours.
    Case(
      name: "convolutions_of_neighbours_in_a_packet",
      sizes: [1, 5],
      text: """
        symbol n: 1...5
        input x: float16[n, 12, 3, 17]
        input d: float16[2, n + 8, 1]
        input e: float16[n, 9, 9, 5]
        constant w: float16[64, 3, 5, 3]
        constant v: float16[72, 2, 2, 3]
        constant u: float16[24, 9, 1]
        constant t: float16[24, 3, 3, 5]
        pixels = permute(x) {permutation: [0, 1, 3, 2]} : float16[n, 12, 17, 3]
        y0 = convolution(pixels, w) {stride: [2, 2], padding: [1, 2]} : float16[n, 6, 9, 64]
        y1 = convolution(pixels, v) {stride: [1, 2], padding: [0, 0, -1, -2]} : float16[n, 11, 7, 72]
        y2 = convolution(d, u) {stride: [4], padding: [5, 3]} : float16[2, (n + 7)//4 + 1, 24]
        y3 = convolution(e, t) {stride: [2, 2], padding: [1, 1]} : float16[n, 5, 5, 24]
        output y0 = y0
        output y1 = y1
        output y2 = y2
        output y3 = y3
        """
    ),
    Case(
      name: "convolutions_of_packed_numbers",
      sizes: [2],
      allowsTF32: true,
      text: """
        symbol n: 1...3
        input x: float32[n, 3, 15, 21]
        constant stem: float32[16, 3, 3, 3]
        constant filters: float32[24, 16, 3, 3]
        pixels = permute(x) {permutation: [0, 2, 3, 1]} : float32[n, 15, 21, 3]
        w = permute(stem) {permutation: [0, 2, 3, 1]} : float32[16, 3, 3, 3]
        y0 = convolution(pixels, w) {stride: [2, 2], padding: [1, 1]} : float32[n, 8, 11, 16]
        w1 = permute(filters) {permutation: [0, 2, 3, 1]} : float32[24, 3, 3, 16]
        y1 = convolution(y0, w1) {stride: [1, 1], padding: [1, 1]} : float32[n, 8, 11, 24]
        output y0 = y0
        output y1 = y1
        """
    ),
  ]

  @Test(arguments: ["sm_80", "sm_90a"], cases)
  func productsEqualTheReference(_ architecture: String, _ row: Case) async throws {
    let graph = try Graph.parse("graph \(row.name) {\n\(row.text)\n}")
    var options = CompilerOptions()
    options.allowsTF32 = row.allowsTF32
    options.includesSelfTest = false
    let verification = Verification(
      compiler: Compiler(
        target: try Target("emulated-cuda:\(architecture)"),
        options: options
      ),
      workDirectory: TestFolder.path("products/\(architecture)")
    )
    var bound = graph
    try bound.bindMissingConstants(seed: 5)
    for size in row.sizes {
      var generator = RandomGenerator(seed: UInt64(size))
      var inputs: [String: TensorData] = [:]
      for id in graph.inputs {
        let extents = try #require(graph[id].type.shape.evaluate(["n": size]))
        inputs[graph[id].name] = .random(graph[id].type.dtype, extents, using: &generator)
      }
      let report = try await verification.run(bound, inputs)
      for (name, comparison) in report.outputs {
        #expect(comparison.isEqual, "n = \(size), \(name): \(comparison)")
      }
    }
  }
}
