import AITGraph
import AITOperators
import AITPasses
import Testing

/// The wrong results and the refused programs found in the optimiser of Meta's AITemplate: each of
/// these graphs was rewritten to another program there, or refused.
///
/// Every run here is compared with the evaluator after each pass, so that a graph that comes out
/// right is right in value too; the expectations say which shape it has.
@Suite struct AITDefectTests {
  /// The pointwise bodies of a graph, those of prologues and epilogues included.
  private func bodies(of graph: Graph) -> [ScalarExpression] {
    graph.sortedNodes().flatMap { id in
      let node = graph[id]
      let parts = [(node.op as? Pointwise)?.body, node.fusion.prologue, node.fusion.epilogue]
      return parts.compactMap(\.self)
    }
  }

  // Fused kernels with the same functions were merged whatever their constants: both outputs were
  // 2x.
  @Test func twiceAndThriceStayApart() throws {
    let graph = try run(
      .standard,
      on: """
        input x: float32[4, 5]
        two = pointwise(x) {body: (a: float32) { c = 2.0: float32; t = multiply(c, a); return t }}
        three = pointwise(x) {body: (a: float32) { c = 3.0: float32; t = multiply(c, a); return t }}
        output Two = two
        output Three = three
        """
    )
    #expect(graph.outputs[0].value != graph.outputs[1].value)
    #expect(graph.kernels == ["pointwise"])
  }

  @Test func squaresAndCubesStayApart() throws {
    let graph = try run(
      .standard,
      on: """
        input x: float32[4, 5]
        square = pointwise(x) {body: (a: float32) { c = 2.0: float32; t = power(a, c); return t }}
        cube = pointwise(x) {body: (a: float32) { c = 3.0: float32; t = power(a, c); return t }}
        output Square = square
        output Cube = cube
        """
    )
    #expect(graph.outputs[0].value != graph.outputs[1].value)
  }

  @Test func softmaxOfTwiceAndThriceStayApart() throws {
    let graph = try run(
      .standard,
      on: """
        input x: float32[4, 5]
        two = pointwise(x) {body: (a: float32) { c = 2.0: float32; t = multiply(c, a); return t }}
        three = pointwise(x) {body: (a: float32) { c = 3.0: float32; t = multiply(c, a); return t }}
        p = softmax(two) {axis: 1}
        q = softmax(three) {axis: 1}
        output P = p
        output Q = q
        """
    )
    #expect(graph.kernels == ["softmax", "softmax"])
    #expect(Set(bodies(of: graph)).count == 2)
  }

  @Test func differencesInEitherOrderStayApart() throws {
    let graph = try run(
      .standard,
      on: """
        input x: float32[4, 5]
        a = pointwise(x) {body: (a: float32) { c = 1.0: float32; t = subtract(a, c); return t }}
        b = pointwise(x) {body: (a: float32) { c = 1.0: float32; t = subtract(c, a); return t }}
        output A = a
        output B = b
        """
    )
    #expect(graph.outputs[0].value != graph.outputs[1].value)
  }

  // A scale was folded into the product's alpha, then lost when the sum joined: `bmm + c`.
  @Test(arguments: [false, true], [false, true])
  func scaledScoresPlusMaskKeepTheirScale(_ transposeA: Bool, _ transposeB: Bool) throws {
    let (a, b) = (transposeA ? "[2, 4, 3]" : "[2, 3, 4]", transposeB ? "[2, 3, 4]" : "[2, 4, 3]")
    let graph = try run(
      .standard,
      on: """
        input a: float32\(a)
        input b: float32\(b)
        input c: float32[2, 3, 3]
        m = matmul(a, b) {transpose_a: \(transposeA), transpose_b: \(transposeB)}
        half = pointwise(m) {body: (a: float32) { c = 0.5: float32; t = multiply(c, a); return t }}
        eighth = pointwise(m) {body: (a: float32) { c = 8.0: float32; t = divide(a, c); return t }}
        y = pointwise(half, c) {body: (a: float32, b: float32) { t = add(a, b); return t }}
        z = pointwise(c, eighth) {body: (a: float32, b: float32) { t = add(a, b); return t }}
        output Y = y
        output Z = z
        """
    )
    #expect(graph.kernels == ["matmul"])
    let epilogue = try #require(graph.node(ofOutput: "Y")?.fusion.epilogue)
    #expect(epilogue.results.count == 2)
  }

  // The last product's operands were exchanged where the scores are its second operand: S · V for
  // V · S.
  @Test func valuesTimesScoresStayInOrder() throws {
    let graph = try run(
      .standard,
      on: """
        input q: float32[2, 4, 4]
        input k: float32[2, 4, 4]
        input v: float32[2, 4, 4]
        m = matmul(q, k) {transpose_b: true}
        s = pointwise(m) {body: (a: float32) { c = 0.5: float32; t = multiply(a, c); u = sigmoid(t);
          return u }}
        y = matmul(v, s)
        output Y = y
        """
    )
    let node = try #require(graph.node(ofOutput: "Y"))
    #expect(graph[node.inputs[0]].name == "v")
    #expect(graph.kernels == ["matmul", "matmul"])
  }

  // z · sigmoid(groupnorm(x)) became groupnorm_swish(x): z disappeared.
  @Test func gatesOfAnotherTensorKeepIt() throws {
    let graph = try run(
      .standard,
      on: """
        input x: float32[2, 4, 3]
        input z: float32[2, 4, 3]
        constant w: float32[4]
        constant b: float32[4]
        n = group_norm(x, w, b) {groups: 2, epsilon: 0.001}
        s = pointwise(n) {body: (a: float32) { t = sigmoid(a); return t }}
        y = pointwise(z, s) {body: (a: float32, b: float32) { t = multiply(a, b); return t }}
        u = pointwise(x, s) {body: (a: float32, b: float32) { t = multiply(a, b); return t }}
        output Y = y
        output U = u
        """
    )
    #expect(graph.kernels == ["group_norm"])
    let node = try #require(graph.node(ofOutput: "Y"))
    #expect(node.inputs.contains { graph[$0].name == "z" })
  }

  // The pattern that it was meant for never matched: y has two readers.
  @Test func gatesOfTheSameTensorAreFound() throws {
    let graph = try run(
      .standard,
      on: """
        input x: float32[2, 4, 3]
        n = group_norm(x) {groups: 2, epsilon: 0.001, weight: false, bias: false}
        s = pointwise(n) {body: (a: float32) { t = sigmoid(a); return t }}
        y = pointwise(n, s) {body: (a: float32, b: float32) { t = multiply(a, b); return t }}
        output Y = y
        """
    )
    #expect(graph.kernels == ["group_norm"])
    #expect(bodies(of: graph).map(\.soleFunction) == [.silu])
  }

  // Long or symbolic keys made the fused attention refuse a program that is legal.
  @Test(arguments: ["1024", "length"])
  func longAndSymbolicKeysAreNoReasonToRefuse(_ length: String) throws {
    let graph = try run(
      .standard,
      on: """
        symbol length: 1...40
        input l: float32[length]
        input q: float32[1, 2, 4]
        input k: float32[1, \(length), 4]
        input v: float32[1, \(length), 4]
        m = matmul(q, k) {transpose_b: true}
        s = pointwise(m) {body: (a: float32) { c = 0.5: float32; t = multiply(a, c); u = relu(t);
          return u }}
        y = matmul(s, v)
        output Y = y
        output L = l
        """
    )
    #expect(graph.kernels == ["matmul", "matmul"])
  }

  // Outputs that fusion swallowed made the program "lack" them.
  @Test func productsThatAreOutputsToo() throws {
    let graph = try run(
      .standard,
      on: """
        input a: float32[2, 3, 4]
        input b: float32[2, 4, 3]
        m = matmul(a, b)
        y = pointwise(m) {body: (a: float32) { c = 2.0: float32; t = multiply(a, c); return t }}
        output M = m
        output Y = y
        """
    )
    #expect(graph.kernels == ["matmul"])
    #expect(graph.outputs.map(\.name) == ["M", "Y"])
  }

  @Test func gatesThatAreOutputsToo() throws {
    let graph = try run(
      .standard,
      on: """
        input x: float32[3, 4]
        constant w: float32[4]
        constant b: float32[4]
        n = layer_norm(x, w, b) {epsilon: 0.001}
        s = pointwise(n) {body: (a: float32) { t = sigmoid(a); return t }}
        y = pointwise(x, s) {body: (a: float32, b: float32) { t = multiply(a, b); return t }}
        output S = s
        output Y = y
        """
    )
    #expect(graph.kernels == ["layer_norm"])
    #expect(graph.outputs.map(\.name) == ["S", "Y"])
  }

  // Only the literal on the right was folded.
  @Test func literalsOnEitherSideAreTheSame() throws {
    for product in ["multiply(a, c)", "multiply(c, a)"] {
      let graph = try run(
        .standard,
        on: """
          input a: float32[3, 3]
          m = matmul(a, a)
          y = pointwise(m) {body: (a: float32) { c = 2.0: float32; t = \(product); return t }}
          output Y = y
          """
      )
      #expect(graph.kernels == ["matmul"])
    }
  }
}
