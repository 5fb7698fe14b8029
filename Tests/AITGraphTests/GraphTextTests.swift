import AITGraph
import AITOperators
import Testing

@Suite struct GraphTextTests {
  /// Something of everything that text can hold.
  static let sample = """
    graph sample {
      symbol batch: 1...64
      symbol seq: 2...128
      input X: float16[batch, 2*seq, 8]
      input index: int64[batch]
      constant weight: float16[4, 8] "dense.weight\\\\\\"q" = ...
      constant bias: float16[4] = {1.0, -2.0, inf, nan}
      literal scale: float32[] = {0.5}
      literal table: float32[40] = ...
      product = matmul(X, weight, bias) {transpose_b: true, \
    epilogue: (x0: float16, x1: float16) { t2 = add(x0, x1); t3 = relu(t2); return t3 }} \
    : float16[batch, 2*seq, 4] from "Model.swift:12"
      rows = slice(product) {starts: [0, seq - 1, 0], sizes: [batch, 1, 4]} \
    : float16[batch, 1, 4] @last_row
      sum_0, sum_1 = pointwise(rows, scale) {body: (x0: float16, x1: float32) \
    { t2 = cast(x0, float32); t3 = 2.5: float32; t4 = multiply(t2, x1); t5 = add(t4, t3); \
    t6 = less(t2, x1); return t5, t6 }} : float32[batch, 1, 4], bool[batch, 1, 4] @sum
      normal, made = softmax(rows) {axis: 2, \
    prologue: (x0: float16) { t1 = negate(x0); return t1 }, exposes_prologue: true} \
    : float16[batch, 1, 4], float16[batch, 1, 4] @normal
      count = arange() {start: 0.0, step: 1.0, count: [(seq//3) + 1], dtype: int64} \
    : int64[(seq//3) + 1]
      output Y = sum_0
      output truth = sum_1
      output copy = X
    }

    """

  @Test func textRoundTrips() throws {
    let graph = try Graph.parse(Self.sample)
    let text = graph.description
    let again = try Graph.parse(text)
    #expect(again.description == text)
    #expect(again.nodeCount == 5)
    #expect(again.constant(again.constants[0])?.originalName == "dense.weight\\\"q")
    #expect(again.constant(again.constants[1])?.data?.doubles[1] == -2)
    #expect(again.nodeIDs.contains { again[$0].source == "Model.swift:12" })
  }

  @Test func largeConstantsRoundTripWithTheirData() throws {
    var graph = Graph(name: "g")
    let data = TensorData(.float32, [100], (0..<100).map { Double($0) / 7 })
    let constant = try graph.addConstant("c", data.type, data: data)
    try graph.addOutput("y", constant)
    let text = GraphPrinter(includesData: true).text(graph)
    let again = try Graph.parse(text)
    #expect(try #require(again.constant(again.constants[0])?.data).isIdentical(to: data))
    #expect(try Graph.parse(graph.description).constant(again.constants[0])?.data == nil)
  }

  // MARK: - Dimensions as attributes

  @Test(arguments: [
    ("[n % 7]", "[((n)%(7))]"), ("n % 7", "[((n)%(7))]"), ("n", "[n]"), ("2*n + 1", "[2*n + 1]"),
    ("(n + 1)//2", "[((n + 1)//(2))]"), ("min(n, 4)", "[min(4, n)]"), ("-3 + n", "[n - 3]"),
    ("7 - 2", "[5]"), ("5", "[5]"),
  ])
  func dimensionsNeedNoBrackets(_ written: String, _ printed: String) throws {
    let graph = try Graph.parse(
      """
      graph g {
        symbol n: 3...9
        input x: float32[n]
        r = arange() {dtype: int64, count: \(written)}
        output y = r
      }
      """
    )
    #expect(graph.description.contains("count: \(printed), dtype: int64"))
    #expect(try Graph.parse(graph.description).description == graph.description)
  }

  // MARK: - Places of errors

  @Test(arguments: [
    (2, "symbol n: 5...3"), (2, "symbol n: 5...x"), (3, "symbol n: 1...4\nsymbol n: 1...4"),
    (2, "input x: float33[2]"), (2, "input x: float32[2"), (2, "input x: float32[m]"),
    (2, "input x: float32[4//0]"), (2, "input x: float32[4 4]"),
    (2, "literal c: float32[2] = {1, 2, 3}"), (2, "literal c: float32[2] = {1, -x}"),
    (2, "literal c: float32[1] = hex \"00\""), (2, "literal c: float32[1] = hex \"zz000000\""),
    (2, "literal c: float32[2305843009213693952] = hex \"\""),
    (2, "literal c: int8[4611686018427387904, 4, 4] = {}"),
    (2, "output y = z"), (2, "y = nothing()"), (3, "# a comment\nsymbol n: 5...3"),
    (3, "input x: float32[2]\ny = softmax(z)"),
    (3, "input x: float32[2]\ny = softmax(x) {axis: }"),
    (3, "input x: float32[2]\ny = softmax(x) {axis: 0"),
    (4, "input x: float32[2]\ny = pointwise(x) {body: (a: float32) {\nb = warble(a)"),
    (4, "input x: float32[2]\ny = pointwise(x) {body: (a: float32) {\nb = cast(a, int7)"),
    (4, "input x: float32[2]\ny = pointwise(x) {body: (a: float32) {\nb = and(a, a)"),
    (4, "input x: float32[2]\ny = pointwise(x) {body: (a: float32) {\nreturn c"),
  ])
  func errorsNameTheirLine(_ line: Int, _ lines: String) throws {
    // The next token is lines further on: what is wrong stands before it, at a line's end.
    let text = "graph g {\n\(lines)\n\n\noutput o = x\n}"
    let error = try #require(throws: Diagnostic.self) { try Graph.parse(text) }
    let isCut = lines.hasSuffix("[2") || lines.hasSuffix("axis: 0")
    #expect(error.location?.hasPrefix("line \(isCut ? line + 3 : line)") == true, "\(error)")
  }

  // MARK: - Hostile text

  /// Text cut at any byte is refused, and nothing traps.
  @Test func truncatedTextIsRefused() {
    let bytes = Array(Self.sample.utf8)
    let end = Self.sample.trimmingSuffix(while: \.isWhitespace).utf8.count
    for length in 0..<end {
      let text = String(decoding: bytes[..<length], as: UTF8.self)
      #expect(throws: Diagnostic.self, "cut at byte \(length)") { try Graph.parse(text) }
    }
  }

  /// Text with one byte changed gives a graph or a diagnostic, and nothing traps.
  @Test func damagedTextDoesNotTrap() {
    let bytes = Array(Self.sample.utf8)
    var random = SmallRandom(seed: 3)
    let replacements = Array("0129 {}[]():,.-/%*\"\\=#xe\n\u{1}".utf8) + [0xFF, 0xC3]
    for _ in 0..<1500 {
      var damaged = bytes
      for _ in 0...random.next(2) {
        let position = random.next(damaged.count)
        switch random.next(3) {
        case 0: damaged[position] = replacements[random.next(replacements.count)]
        case 1: damaged.remove(at: position)
        default: damaged.insert(replacements[random.next(replacements.count)], at: position)
        }
      }
      _ = try? Graph.parse(String(decoding: damaged, as: UTF8.self))
    }
  }

  static func graph(_ lines: String, _ symbols: String = "symbol a: 1...8") -> String {
    "graph g {\n\(symbols)\ninput x: float32[a, 4]\n\(lines)\noutput y = x\n}"
  }

  static let hostile: [String] = {
    let deep = String(repeating: "(", count: 100_000)
    let sums = String(repeating: "a+", count: 20_000)
    let power = Array(repeating: "(a + b + c + d)", count: 60).joined(separator: "*")
    let nines = String(repeating: "9", count: 400)
    let quotient = String(repeating: "((", count: 60) + "a" + String(repeating: ")//3)", count: 60)
    let minima =
      String(repeating: "min(", count: 60) + "a"
      + String(repeating: ", 3)", count: 60)
    return [
      "", "graph", "graph g", "graph g {", "graph g {}", "}", "\u{0}", "graph g { input }",
      graph("input z: float32[\(deep)"), graph("input z: float32[\(deep)a]"),
      graph("input z: float32[\(nines)]"), graph("input z: float32[-1]"),
      graph("input z: float32[9223372036854775807, 9223372036854775807]"),
      graph("input z: float32[9223372036854775807*9223372036854775807]"),
      graph("input z: float32[a//0]"), graph("input z: float32[a%0]"),
      graph("input z: float32[a//(a - a)]"), graph("input z: float32[1//(a - 4)]"),
      graph("input z: float32[\(Array(repeating: "1", count: 1000).joined(separator: ", "))]"),
      graph("input z: float32[b]"), graph("input x: float32[a]"), graph("input z: float99[a]"),
      graph("literal c: float32[2] = {1}"), graph("literal c: float32[2] = {1, 2, 3}"),
      graph("literal c: float32[2] = hex \"00\""),
      graph("literal c: float32[1] = hex \"zz000000\""),
      graph("literal c: float32[1] = hex \"+1+1+1+1\""),
      graph("literal c: float32[a] = {1}"), graph("literal c: float32[2] = {x}"),
      graph("literal c: float32[99999999999999] = ..."),
      graph("constant c: float32[2305843009213693952] = hex \"\""),
      graph("constant c: float32[4611686018427387904, 4, 4] = hex \"\""),
      graph("constant c: int8[4611686018427387904, 4, 4] = {}"),
      graph(
        "",
        "symbol a: 1...8\nsymbol lost: 1...4\n"
          + "z = slice(x) {starts: [lost, 0], sizes: [1, 4]}"
      ),
      graph("z = slice(x) {starts: [4611686018427387904*a, 0], sizes: [1, 4]}"),
      graph(
        "z = slice(x) {starts: [1000000000000000000*a - 1000000000000000000, 0], sizes: [1, 4]}"
      ),
      graph("z = arange() {count: [1], dtype: int64, start: nan}"),
      graph("z = arange() {count: [1], dtype: int64, step: inf}"),
      graph("z = arange() {count: [1], dtype: int64, start: 1e19}"),
      graph("z = arange() {count: [1], dtype: float32, step: -inf}"),
      graph("z = layer_norm(x) {epsilon: nan, weight: false, bias: false}"),
      graph("z = layer_norm(x) {epsilon: -1, weight: false, bias: false}"),
      graph("z = rms_norm(x) {epsilon: inf, weight: false}"),
      graph("z = group_norm(x) {groups: 1, epsilon: nan, weight: false, bias: false}"),
      graph("z = reduce(x) {kind: \"variance\", axes: [1], correction: nan}"),
      graph("z = reduce(x) {kind: \"variance\", axes: [1], correction: inf}"),
      graph("z = reduce(x) {kind: \"norm\", axes: [1], order: nan}"),
      graph("constant c: float32[a]"), graph("z = nothing(x)"), graph("z = softmax(w)"),
      graph("z = softmax(x) {axis: 5}"), graph("z = softmax(x) {axis: -1}"),
      graph("z = softmax(x) {axis: 1.5}"), graph("z = softmax(x) {axis: \(nines)}"),
      graph("z = softmax(x) {}"), graph("z = softmax(x) {axis: 1, axis: 1}"),
      graph("z = softmax(x) {axis: 1, colour: 2}"), graph("z = softmax(x, x) {axis: 1}"),
      graph("z = softmax(x) {axis: 1} : float16[a, 4]"), graph("z, w = softmax(x) {axis: 1}"),
      graph("x = softmax(x) {axis: 1}"), graph("z = softmax(z) {axis: 1}"),
      graph("z = permute(x) {permutation: [0, 0]}"), graph("z = permute(x) {permutation: [0]}"),
      graph("z = permute(x) {permutation: [-9223372036854775808, 1]}"),
      graph("z = reshape(x) {shape: [3, a]}"), graph("z = reshape(x) {shape: 3}"),
      graph("z = expand(x) {shape: []}"), graph("z = concat() {axis: 0}"),
      graph("z = concat(x) {axis: 9}"), graph("z = concat(x, y) {axis: 0}"),
      graph("z = slice(x) {starts: [0], sizes: [1]}"),
      graph("z = slice(x) {starts: [0, 0], sizes: [a, 5]}"),
      graph("z = slice(x) {starts: [0, 0], sizes: [a, 4], steps: [1, 0]}"),
      graph("z = slice(x) {starts: [0, 0], sizes: [a, 4], steps: [1, -9223372036854775808]}"),
      graph("z = slice(x) {starts: [0, 9223372036854775807], sizes: [a, 4]}"),
      graph("z = pad(x) {low: [-1, 0], high: [0, 0], value: 0}"),
      graph("z = pad(x) {low: [0, 9223372036854775807], high: [0, 0], value: 0}"),
      graph("z = reduce(x) {kind: \"sum\", axes: [1, 1]}"),
      graph("z = reduce(x) {kind: \"total\", axes: [1]}"),
      graph("z = layer_norm(x) {axis_count: 0, epsilon: 0, weight: false, bias: false}"),
      graph("z = layer_norm(x) {axis_count: 9223372036854775807, epsilon: 0}"),
      graph("z = group_norm(x) {groups: 0, epsilon: 0, weight: false, bias: false}"),
      graph("z = group_norm(x) {groups: -1, epsilon: 0, weight: false, bias: false}"),
      graph("z = matmul(x, x)"), graph("z = matmul(x)"), graph("z = gather(x, x) {axis: 0}"),
      graph("z = index_select(x, x) {axis: 0}"),
      graph("z = full() {shape: [-1], dtype: float32, value: 0}"),
      graph("z = full() {shape: [8], dtype: \"float32\", value: 0}"),
      graph("z = arange() {count: [-1], dtype: int64}"),
      graph("z = arange() {count: [1, 2], dtype: int64}"),
      graph("z = pointwise(x) {body: 3}"),
      graph("z = pointwise(x) {body: (x0: float32) { return }}"),
      graph("z = pointwise(x) {body: (x0: float16) { return x0 }}"),
      graph("z = pointwise(x) {body: () { return x0 }}"),
      graph("z = pointwise(x) {body: (x0: float32) { t = add(x0); return t }}"),
      graph("z = pointwise(x) {body: (x0: float32) { t = select(x0, x0, x0); return t }}"),
      graph("z = pointwise(x) {body: (x0: float32) { t = add(x0, t); return t }}"),
      graph("z = pointwise(x) {body: (x0: float32) { t = warble(x0); return t }}"),
      graph("z = pointwise(x) {body: (x0: float32) { t = cast(x0, int7); return t }}"),
      graph("z = pointwise(x) {body: (x0: float32, x0: float32) { return x0 }}"),
      graph("z = softmax(x) {axis: 1, epilogue: () { return }}"),
      graph("z = softmax(x) {axis: 1, epilogue: 3}"),
      graph("z = softmax(x) {axis: 1, prologue: (x0: float32, x1: float32) { return x0 }}"),
      graph("z = softmax(x) {axis: 1, exposes_prologue: true}"),
      graph("", "symbol a: 8...1"), graph("", "symbol a: -1...8"),
      graph("", "symbol a: 0...\(nines)"),
      graph("", "symbol a: 1...8\nsymbol a: 1...8"), graph("", "symbol int: 1...8"),
      graph("input z: float32[\(sums)a]"), graph("input z: float32[\(quotient)]"),
      graph("input z: float32[\(minima)]"),
      graph(
        "input z: float32[\(power)]",
        "symbol a: 1...8\nsymbol b: 1...8\nsymbol c: 1...8\nsymbol d: 1...8"
      ),
      graph("output y = x"), graph("output q = nothing"), graph("\"open"),
      graph("", "symbol a: 1...8\nsymbol lost: 1...4\nz = arange() {count: [lost], dtype: int64}"),
    ]
  }()

  /// Hostile text gives a diagnostic, or in a few cases a graph, and nothing traps or hangs.
  @Test(arguments: hostile.indices)
  func hostileTextDoesNotTrap(_ index: Int) {
    let text = Self.hostile[index]
    let mayBeLegal = text.contains("a+a+") || text.contains("((((") || text.contains("min(min(")
    do {
      let graph = try Graph.parse(text)
      #expect(mayBeLegal, "accepted: \(text.prefix(200))")
      #expect(throws: Never.self) { try graph.verify() }
    } catch {
      #expect(!"\(error)".isEmpty)
    }
  }
}

extension String {
  func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
    var copy = self
    while let last = copy.last, predicate(last) { copy.removeLast() }
    return copy
  }
}
