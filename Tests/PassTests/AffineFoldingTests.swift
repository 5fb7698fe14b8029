import AITFrontend
import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct AffineFoldingTests {
  @Test func foldsFactorsIntoWeights() throws {
    try expect(
      AffineFolding(),
      on: """
        symbol n: 1...8
        input x: float32[n, 5, 4]
        constant w: float32[6, 3, 4]
        constant m: float32[6]
        constant s: float32[6]
        y = convolution(x, w, m, s) {stride: [1], epilogue: (x0: float32, x1: float32, x2: float32)
          { t3 = subtract(x0, x1); t4 = multiply(t3, x2); t5 = relu(t4); return t5 }}
        output Y = y
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 5, 4]
        constant w: float32[6, 3, 4]
        constant m: float32[6]
        constant s: float32[6]
        y_shift = pointwise(m, s) {body: (x0: float32, x1: float32) { t2 = negate(x0);
          t3 = multiply(t2, x1); return t3 }} : float32[6]
        reshape = reshape(s) {shape: [6, 1, 1]} : float32[6, 1, 1]
        w_scaled = pointwise(w, reshape) {body: (x0: float32, x1: float32)
          { t2 = multiply(x0, x1); return t2 }} : float32[6, 3, 4]
        y = convolution(x, w_scaled, y_shift) {stride: [1], epilogue: (x0: float32, x1: float32)
          { t2 = add(x0, x1); t3 = relu(t2); return t3 }} : float32[n, 3, 6]
        output Y = y
        """
    )
  }

  @Test func joinsConstantsOfHalfPrecision() throws {
    try expect(
      AffineFolding(),
      on: """
        input x: float16[8, 4]
        constant w: float16[4, 6]
        constant m: float16[6]
        constant s: float16[6]
        y = matmul(x, w, m, s) {epilogue: (x0: float16, x1: float16, x2: float16)
          { t3 = add(x0, x1); t4 = multiply(t3, x2); return t4 }}
        output Y = y
        """,
      becomes: """
        input x: float16[8, 4]
        constant w: float16[4, 6]
        constant m: float16[6]
        constant s: float16[6]
        y_scale = pointwise(s) {body: (x0: float16) { t1 = cast(x0, float32); return t1 }} : float32[6]
        y_shift = pointwise(m, s) {body: (x0: float16, x1: float16) { t2 = cast(x0, float32);
          t3 = cast(x1, float32); t4 = multiply(t2, t3); return t4 }} : float32[6]
        y = matmul(x, w, y_scale, y_shift) {epilogue: (x0: float16, x1: float32, x2: float32)
          { t3 = cast(x0, float32); t4 = multiply(t3, x1); t5 = add(t4, x2);
          t6 = cast(t5, float16); return t6 }} : float16[8, 6]
        output Y = y
        """
    )
  }

  /// The batch normalisation of a branch, which the sum behind it was fused with.
  @Test func handsBackToTheOtherProduct() throws {
    try expect(
      AffineFolding(),
      on: """
        input x: float32[2, 5, 4]
        constant v: float32[6, 3, 4]
        constant m: float32[6]
        constant s: float32[6]
        constant w: float32[6, 3, 4]
        t = pointwise(s) {body: (x0: float32) { t1 = exp(x0); return t1 }}
        b = convolution(x, v) {stride: [1]}
        z = convolution(x, w, b, m, t) {stride: [1], epilogue: (x0: float32, x1: float32, x2: float32,
          x3: float32) { t4 = subtract(x1, x2); t5 = multiply(t4, x3); t6 = add(x0, t5);
          t7 = relu(t6); return t7 }}
        output Z = z
        """,
      becomes: """
        input x: float32[2, 5, 4]
        constant v: float32[6, 3, 4]
        constant m: float32[6]
        constant s: float32[6]
        constant w: float32[6, 3, 4]
        t = pointwise(s) {body: (x0: float32) { t1 = exp(x0); return t1 }} : float32[6]
        b_shift = pointwise(m, t) {body: (x0: float32, x1: float32) { t2 = negate(x0);
          t3 = multiply(t2, x1); return t3 }} : float32[6]
        reshape = reshape(t) {shape: [6, 1, 1]} : float32[6, 1, 1]
        v_scaled = pointwise(v, reshape) {body: (x0: float32, x1: float32)
          { t2 = multiply(x0, x1); return t2 }} : float32[6, 3, 4]
        b = convolution(x, v_scaled, b_shift) {stride: [1], epilogue: (x0: float32, x1: float32)
          { t2 = add(x0, x1); return t2 }} : float32[2, 3, 6]
        z = convolution(x, w, b) {stride: [1], epilogue: (x0: float32, x1: float32)
          { t2 = add(x0, x1); t3 = relu(t2); return t3 }} : float32[2, 3, 6]
        output Z = z
        """
    )
  }

  /// The same in half precision, whose epilogue widens what it reads.
  @Test func handsBackWhatHalfPrecisionWidens() throws {
    try expect(
      AffineFolding(),
      on: """
        input x: float16[8, 4]
        constant v: float16[4, 6]
        constant m: float16[6]
        constant s: float16[6]
        constant w: float16[4, 6]
        b = matmul(x, v) {}
        z = matmul(x, w, b, m, s) {epilogue: (x0: float16, x1: float16, x2: float16, x3: float16)
          { t4 = cast(x1, float32); t5 = cast(x2, float32); t6 = cast(x3, float32);
          t7 = subtract(t4, t5); t8 = multiply(t7, t6); t9 = cast(x0, float32); t10 = add(t9, t8);
          t11 = cast(t10, float16); return t11 }}
        output Z = z
        """,
      becomes: """
        input x: float16[8, 4]
        constant v: float16[4, 6]
        constant m: float16[6]
        constant s: float16[6]
        constant w: float16[4, 6]
        b_scale = pointwise(s) {body: (x0: float16) { t1 = cast(x0, float32); return t1 }} : float32[6]
        b_shift = pointwise(m, s) {body: (x0: float16, x1: float16) { t2 = cast(x0, float32);
          t3 = cast(x1, float32); t4 = negate(t2); t5 = multiply(t4, t3); return t5 }} : float32[6]
        b = matmul(x, v, b_scale, b_shift) {epilogue: (x0: float16, x1: float32, x2: float32)
          { t3 = cast(x0, float32); t4 = multiply(t3, x1); t5 = add(t4, x2);
          t6 = cast(t5, float16); return t6 }} : float16[8, 6]
        z = matmul(x, w, b) {epilogue: (x0: float16, x1: float16) { t2 = cast(x1, float32);
          t3 = cast(x0, float32); t4 = add(t3, t2); t5 = cast(t4, float16); return t5 }} : float16[8, 6]
        output Z = z
        """
    )
  }

  /// A value of a run, a result that is used twice, a factor for each row, and a literal.
  @Test func leavesTheRest() throws {
    let before = """
      input x: float32[6, 4]
      input r: float32[6]
      constant w: float32[4, 6]
      constant c: float32[6]
      constant d: float32[6, 1]
      a = matmul(x, w, r) {epilogue: (x0: float32, x1: float32)
        { t2 = multiply(x0, x1); return t2 }}
      b = matmul(x, w, c) {epilogue: (x0: float32, x1: float32)
        { t2 = multiply(x0, x1); t3 = add(t2, x0); t4 = exp(x0); t5 = add(t3, t4); return t5 }}
      e = matmul(x, w, d) {epilogue: (x0: float32, x1: float32)
        { t2 = multiply(x0, x1); return t2 }}
      f = matmul(x, w) {epilogue: (x0: float32)
        { t1 = 0.125: float32; t2 = multiply(x0, t1); return t2 }}
      output A = a
      output B = b
      output E = e
      output F = f
      """
    try expect(AffineFolding(), on: before, becomes: before)
  }

  /// Convolution, batch normalisation, a residual and relu are one kernel that adds.
  @Test func blockOfAResidualNetwork() throws {
    var graph = Graph(name: "block")
    let x = try graph.addInput("x", TensorType(.float32, [2, 8, 6, 5]))
    let weight = try graph.addConstant("w", TensorType(.float32, [8, 3, 3, 8]))
    var parameters: [ValueID] = []
    for name in ["mean", "variance", "scale", "bias"] {
      parameters.append(try graph.addConstant(name, TensorType(.float32, [8])))
    }
    let before = try graph.addConstant("v", TensorType(.float32, [8, 3, 3, 8]))
    func layer(_ x: ValueID, _ weight: ValueID) throws(Diagnostic) -> ValueID {
      let image = try graph.permute(x, [0, 2, 3, 1])
      return try graph.permute(
        try graph.convolution(image, weight, padding: [Convolution.Padding(1, 1)]),
        [0, 3, 1, 2]
      )
    }
    let first = try graph.pointwise(.relu, try layer(x, before))
    let sums = try layer(first, weight)
    let normal = try graph.batchNorm(
      sums,
      mean: parameters[0],
      variance: try graph.pointwise(.square, parameters[1]),
      weight: parameters[2],
      bias: parameters[3]
    )
    let y = try graph.pointwise(.relu, try graph.add(.value(normal), .value(first)))
    try graph.addOutput("Y", y)
    let result = try optimized(graph)
    #expect(result.kernels == ["convolution", "convolution"])
    let node = try #require(result.sortedNodes().last { result[$0].op is Convolution })
    // Its image, its weight, the shift, the residual.
    #expect(result[node].inputs.count == 4)
  }
}
