import AITGraph
import AITOperators
import AITPasses
import AITReference
import Testing

/// Attention that programs spell out, in the forms that they write it in.
@Suite struct AttentionRecognitionTests {
  private static let inputs = """
    symbol batch: 1...3
    symbol keys: 1...9
    input q: float32[batch, 4, 5, 8]
    input k: float32[batch, 4, keys, 8]
    input v: float32[batch, 4, keys, 6]
    """

  @Test func becomesAttention() throws {
    try expect(
      AttentionRecognition(),
      on: """
        \(Self.inputs)
        input mask: float32[batch, 1, 1, keys]
        s = matmul(q, k) {transpose_b: true}
        t = pointwise(s, mask) {body: (a: float32, b: float32) { c = 0.25: float32;
          d = multiply(a, c); e = add(d, b); return e }}
        w = softmax(t) {axis: 3}
        y = matmul(w, v)
        output Y = y
        """,
      becomes: """
        \(Self.inputs)
        input mask: float32[batch, 1, 1, keys]
        y = attention(q, k, v, mask) {scale: 0.25, keeps_nan: true}
        output Y = y
        """
    )
  }

  /// What is between the products, and what attention it is.
  @Test(arguments: [
    ("", "t", "scale: 1.0"),
    (
      "u = pointwise(s) {body: (a: float32) { c = 4.0: float32; d = divide(a, c); return d }}", "u",
      "scale: 0.25"
    ),
    (
      """
      input seen: bool[5, keys]
      n = pointwise(seen, s) {body: (m: bool, a: float32) { c = 0.5: float32; d = multiply(a, c);
        i = -inf: float32; e = select(m, d, i); return e }}
      """, "n", "scale: 0.5"
    ),
    (
      """
      input hidden: bool[batch, 1, 5, keys]
      n = pointwise(hidden, s) {body: (m: bool, a: float32) { i = -3.4e38: float32;
        e = select(m, i, a); return e }}
      """, "n", "scale: 1.0"
    ),
    (
      """
      input counts: float32[batch, 1, 1, keys]
      n = pointwise(counts, s) {body: (m: float32, a: float32) { o = 1.0: float32;
        p = subtract(o, m); l = -10000.0: float32; q = multiply(p, l); e = add(a, q); return e }}
      """, "n", "scale: 1.0"
    ),
  ])
  func masksAndScales(_ between: String, _ scored: String, _ attributes: String) throws {
    let graph = try run(
      Pipeline([AttentionRecognition()]),
      on: """
        \(Self.inputs)
        \(between.contains("input") ? String(between.split(separator: "\n")[0]) : "")
        s = matmul(q, k) {transpose_b: true}
        \(between.contains("input") ? between.split(separator: "\n").dropFirst().joined(separator: "\n") : between)
        w = softmax(\(scored == "t" ? "s" : scored)) {axis: 3}
        y = matmul(w, v)
        output Y = y
        """
    )
    let node = try #require(graph.node(ofOutput: "Y"))
    let op = try #require(node.op as? Attention, "\(graph)")
    #expect("scale: \(op.scale)" == attributes && op.keepsNaN && !op.isCausal)
    #expect(!graph.kernels.contains("softmax"))
  }

  @Test func headsJoinedWithTheBatch() throws {
    let graph = try run(
      Pipeline([AttentionRecognition(), ViewSimplification()]),
      on: """
        \(Self.inputs)
        input mask: float32[batch, 1, 5, keys]
        q3 = reshape(q) {shape: [4 * batch, 5, 8]}
        k3 = permute(k) {permutation: [0, 1, 3, 2]}
        kt = reshape(k3) {shape: [4 * batch, 8, keys]}
        v3 = reshape(v) {shape: [4 * batch, keys, 6]}
        s = matmul(q3, kt)
        s4 = reshape(s) {shape: [batch, 4, 5, keys]}
        t = pointwise(s4, mask) {body: (a: float32, b: float32) { e = add(a, b); return e }}
        t3 = reshape(t) {shape: [4 * batch, 5, keys]}
        w = softmax(t3) {axis: 2}
        y = matmul(w, v3)
        output Y = y
        """
    )
    #expect(graph.kernels == ["attention"], "\(graph)")
  }

  @Test func sharedHeadsAreReadOnce() throws {
    let graph = try run(
      Pipeline([AttentionRecognition(), DeadCodeElimination()]),
      on: """
        input q: float32[2, 6, 5, 8]
        input k: float32[2, 2, 7, 8]
        input v: float32[2, 2, 7, 8]
        k1 = reshape(k) {shape: [2, 2, 1, 7, 8]}
        k2 = expand(k1) {shape: [2, 2, 3, 7, 8]}
        k3 = reshape(k2) {shape: [2, 6, 7, 8]}
        v1 = reshape(v) {shape: [2, 2, 1, 7, 8]}
        v2 = expand(v1) {shape: [2, 2, 3, 7, 8]}
        v3 = reshape(v2) {shape: [2, 6, 7, 8]}
        s = matmul(q, k3) {transpose_b: true}
        w = softmax(s) {axis: 3}
        y = matmul(w, v3)
        output Y = y
        """
    )
    let node = try #require(graph.node(ofOutput: "Y"))
    #expect(node.op is Attention && graph[node.inputs[1]].name == "k", "\(graph)")
  }

  private static let emptyRows = """
    e = pointwise(t) {body: (a: float32) { i = -inf: float32; b = equal(a, i); return b }}
    """

  /// A safe softmax: weights are 0 where all scores are −∞.
  @Test(arguments: [
    """
    \(emptyRows)
    n = pointwise(e) {body: (a: bool) { b = not(a); return b }}
    r = reduce(n) {kind: "any", axes: [3], keep_dimensions: true}
    m = pointwise(r) {body: (a: bool) { b = not(a); return b }}
    """,
    """
    \(emptyRows)
    m = reduce(e) {kind: "all", axes: [3], keep_dimensions: true}
    """,
    """
    r = reduce(t) {kind: "maximum", axes: [3], keep_dimensions: true}
    m = pointwise(r) {body: (a: float32) { i = -inf: float32; b = equal(a, i); return b }}
    """,
  ])
  func safeSoftmax(_ empty: String) throws {
    let graph = try run(
      Pipeline([AttentionRecognition(), DeadCodeElimination()]),
      on: """
        \(Self.inputs)
        input mask: float32[batch, 1, 1, keys]
        s = matmul(q, k) {transpose_b: true}
        t = pointwise(s, mask) {body: (a: float32, b: float32) { e = add(a, b); return e }}
        w = softmax(t) {axis: 3}
        \(empty)
        z = pointwise(m, w) {body: (e: bool, a: float32) { o = 0.0: float32; b = select(e, o, a);
          return b }}
        y = matmul(z, v)
        output Y = y
        """
    )
    let op = try #require(graph.node(ofOutput: "Y")?.op as? Attention, "\(graph)")
    #expect(!op.keepsNaN && graph.kernels == ["attention"], "\(graph)")
  }

  /// Positions of a run's length, as PyTorch's decomposition compares them: by their distance.
  @Test func causalMasksByDistance() throws {
    let graph = try run(
      Pipeline([AttentionRecognition(), DeadCodeElimination()]),
      on: """
        symbol keys: 1...9
        input q: float32[2, keys, 8]
        input k: float32[2, keys, 8]
        input v: float32[2, keys, 8]
        p = arange() {start: 0, step: 1, count: keys, dtype: int64}
        r = reshape(p) {shape: [1, keys]}
        c = reshape(p) {shape: [keys, 1]}
        m = pointwise(r, c) {body: (a: int64, b: int64) { d = subtract(a, b); z = 0: int64;
          e = less_equal(d, z); o = 0.0: float32; i = -inf: float32; f = select(e, o, i); return f }}
        s = matmul(q, k) {transpose_b: true}
        t = pointwise(s, m) {body: (a: float32, b: float32) { e = add(a, b); return e }}
        w = softmax(t) {axis: 2}
        y = matmul(w, v)
        output Y = y
        """
    )
    let op = try #require(graph.node(ofOutput: "Y")?.op as? Attention, "\(graph)")
    #expect(op.isCausal && graph.kernels == ["attention"], "\(graph)")
  }

  @Test func causalMasks() throws {
    for length in ["keys", "7"] {
      let graph = try run(
        Pipeline([ConstantFolding(), AttentionRecognition(), DeadCodeElimination()]),
        on: """
          symbol keys: 1...9
          input q: float32[2, \(length), 8]
          input k: float32[2, \(length), 8]
          input v: float32[2, \(length), 8]
          r = arange() {start: 0, step: 1, count: \(length), dtype: int64}
          c = reshape(r) {shape: [\(length), 1]}
          seen = pointwise(r, c) {body: (a: int64, b: int64) { d = less_equal(a, b); return d }}
          s = matmul(q, k) {transpose_b: true}
          t = pointwise(seen, s) {body: (m: bool, a: float32) { i = -inf: float32;
            e = select(m, a, i); return e }}
          w = softmax(t) {axis: 2}
          y = matmul(w, v)
          output Y = y
          """
      )
      let op = try #require(graph.node(ofOutput: "Y")?.op as? Attention)
      #expect(op.isCausal && graph.kernels == ["attention"], "\(graph)")
    }
  }

  @Test(arguments: [
    // The weights are read once more.
    ("w = softmax(s) {axis: 3}", "output W = w"),
    // Not along the keys.
    ("w = softmax(s) {axis: 2}", ""),
    ("w = softmax(s) {axis: 3, log: true}", ""),
    // A mask of the scores themselves.
    (
      """
      t = pointwise(s) {body: (a: float32) { b = exp(a); c = add(a, b); return c }}
      w = softmax(t) {axis: 3}
      """, "output S = s"
    ),
    // 0 for other rows than those of −∞ alone, and something else than 0 for these.
    (
      """
      u = softmax(s) {axis: 3}
      m = reduce(q) {kind: "maximum", axes: [3], keep_dimensions: true}
      w = pointwise(m, u) {body: (e: float32, a: float32) { i = -inf: float32; f = equal(e, i);
        o = 0.0: float32; b = select(f, o, a); return b }}
      """, ""
    ),
    (
      """
      u = softmax(s) {axis: 3}
      m = reduce(s) {kind: "maximum", axes: [3], keep_dimensions: true}
      w = pointwise(m, u) {body: (e: float32, a: float32) { i = -inf: float32; f = equal(e, i);
        o = 1.0: float32; b = select(f, o, a); return b }}
      """, ""
    ),
  ])
  func leavesWhatIsNoAttention(_ weights: String, _ rest: String) throws {
    let graph = try run(
      Pipeline([AttentionRecognition()]),
      on: """
        \(Self.inputs)
        s = matmul(q, k) {transpose_b: true}
        \(weights)
        y = matmul(w, v)
        output Y = y
        \(rest)
        """
    )
    #expect(!graph.kernels.contains("attention"))
  }

  @Test func staysSpeltOutWithoutAKernel() throws {
    var graph = try Graph.parse(
      """
      graph test {
        \(Self.inputs)
        s = matmul(q, k) {transpose_b: true}
        w = softmax(s) {axis: 3}
        y = matmul(w, v)
        output Y = y
      }
      """
    )
    var context = PassContext()
    context.computesAttention = { _, _ in false }
    try Pipeline.standard.run(on: &graph, in: context)
    #expect(graph.kernels == ["matmul", "softmax", "matmul"])
  }

  /// Random forms of attention: sizes, leading axes, scales and masks, each found and unchanged.
  @Test func randomForms() throws {
    var random = RandomGenerator(seed: 5)
    func any(_ range: ClosedRange<Int>) -> Int {
      range.lowerBound + random.integer(below: range.count)
    }
    for _ in 0..<40 {
      let (batch, heads, queries, keys) = (any(1...3), any(1...4), any(1...6), any(1...7))
      let (depth, width) = (any(1...9), any(1...9))
      let leading = [["\(heads)"], ["\(batch)", "\(heads)"], ["\(batch)", "2", "\(heads)"]][
        any(0...2)
      ]
      func type(_ rows: Int, _ columns: Int) -> String {
        "float32[\((leading + ["\(rows)", "\(columns)"]).joined(separator: ", "))]"
      }
      let transposed = any(0...1) == 1
      let mask =
        leading.map { any(0...1) == 1 ? $0 : "1" } + [
          any(0...1) == 1 ? "\(queries)" : "1", any(0...1) == 1 ? "\(keys)" : "1",
        ]
      let kinds = [
        "r = multiply(a, c); return r", "r = divide(a, c); return r",
        "p = multiply(c, a); r = add(p, m); return r", "r = add(m, a); return r",
        "l = -inf: float32; z = 0.0: float32; t = greater(m, z); r = select(t, a, l); return r",
        "l = -1e30: float32; z = 0.1: float32; t = less(m, z); r = select(t, l, a); return r",
      ]
      let kind = any(0...(kinds.count - 1))
      let graph = try run(
        Pipeline([AttentionRecognition()]),
        on: """
          input q: \(type(queries, depth))
          input k: \(transposed ? type(depth, keys) : type(keys, depth))
          input v: \(type(keys, width))
          input mask: float32[\(mask.joined(separator: ", "))]
          s = matmul(q, k)\(transposed ? "" : " {transpose_b: true}")
          t = pointwise(s, mask) {body: (a: float32, m: float32) { c = 0.375: float32; \(kinds[kind]) }}
          w = softmax(t) {axis: \(leading.count + 1)}
          y = matmul(w, v)
          output Y = y
          """
      )
      #expect(graph.kernels.contains("attention") && !graph.kernels.contains("softmax"), "\(graph)")
    }
  }
}
