import AITFrontend
import AITGraph
import AITReference
import Testing

@Suite("Attention")
struct AttentionTests {
  /// One head: `softmax(Q · Kᵀ / √D + mask) · V`, where the mask says which keys count.
  static func attend(
    _ q: Matrix,
    _ k: Matrix,
    _ v: Matrix,
    _ counts: (Int, Int) -> Bool = { _, _ in true }
  ) -> Matrix {
    let scale = 1 / Double(q.rows[0].count).squareRoot()
    return Matrix(
      q.linear(k).rows.enumerated().map { row, scores in
        let weights = softmax(
          scores.enumerated().map { counts(row, $0) ? $1 * scale : -.infinity }
        )
        return v.rows[0].indices.map { column in
          weights.enumerated().reduce(0) { $0 + $1.element * v.rows[$1.offset][column] }
        }
      }
    )
  }

  static func heads(
    _ q: Matrix,
    _ k: Matrix,
    _ v: Matrix,
    _ count: Int,
    _ counts: (Int, Int) -> Bool = { _, _ in true }
  ) -> Matrix {
    let width = q.rows[0].count / count
    let parts = (0..<count).map { head in
      let range = head * width..<(head + 1) * width
      return attend(q.columns(range), k.columns(range), v.columns(range), counts)
    }
    return Matrix(q.rows.indices.map { row in parts.flatMap { $0.rows[row] } })
  }

  @Test("of query, key and value, plain, causal and under either kind of mask")
  func function() throws {
    let data = ["Q": random([4, 6]), "K": random([5, 6], seed: 2), "V": random([5, 3], seed: 3)]
    let q = Tensor.input("Q", [.symbol("T", 1...8), 6], .float64)
    let k = Tensor.input("K", [.symbol("S", 1...8), 6], .float64)
    let v = Tensor.input("V", [.symbol("S", 1...8), 3], .float64)
    func matrix(_ name: String) throws -> Matrix {
      let tensor = try #require(data[name])
      return Matrix(tensor.doubles, columns: tensor.shape[1])
    }
    let (a, b, c) = (try matrix("Q"), try matrix("K"), try matrix("V"))
    let plain = try Run(scaledDotProductAttention(q, k, v), data)
    #expect(plain.isClose(Self.attend(a, b, c).values))
    let causal = try Run(scaledDotProductAttention(q, k, v, isCausal: true), data)
    #expect(causal.isClose(Self.attend(a, b, c) { $1 <= $0 }.values))

    let keys = Tensor.input("M", [1, .symbol("S", 1...8)], .bool)
    let masked = try Run(
      scaledDotProductAttention(q, k, v, mask: keys),
      data.merging(["M": TensorData(.bool, [1, 5], [1, 0, 1, 1, 0])]) { $1 }
    )
    #expect(masked.isClose(Self.attend(a, b, c) { $1 != 1 && $1 != 4 }.values))

    let bias = Tensor.input("M", [1, .symbol("S", 1...8)], .float64)
    let biased = try Run(
      scaledDotProductAttention(q, k, v, mask: bias),
      data.merging(["M": TensorData(.float64, [1, 5], [0, -.infinity, 0, 0, -.infinity])]) { $1 }
    )
    #expect(biased.isClose(masked.values))
  }

  @Test("by heads of a sequence to itself, with PyTorch's names")
  func selfAttention() throws {
    let layer = MultiheadAttention(6, headCount: 2)
    #expect(
      layer.namedParameters.map(\.name) == [
        "in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias",
      ]
    )
    let data = random([1, 4, 6])
    let x = Tensor.input("X", [1, .symbol("T", 1...8), 6], .float64)
    let run = try Run(layer(x, mask: nil, isCausal: true), ["X": data])
    let projected = Matrix(data.doubles, columns: 6)
      .linear(try run.matrix("in_proj_weight"), try run.vector("in_proj_bias"))
    let attended = Self.heads(
      projected.columns(0..<6),
      projected.columns(6..<12),
      projected.columns(12..<18),
      2
    ) { $1 <= $0 }
    let expected = attended.linear(
      try run.matrix("out_proj.weight"),
      try run.vector("out_proj.bias")
    )
    #expect(run.isClose(expected.values))
  }

  @Test("by heads of one sequence to another")
  func crossAttention() throws {
    let layer = MultiheadAttention(4, headCount: 2, bias: false)
    let data = ["Q": random([1, 3, 4]), "M": random([1, 5, 4], seed: 9)]
    let q = Tensor.input("Q", [1, 3, 4], .float64)
    let memory = Tensor.input("M", [1, 5, 4], .float64)
    let run = try Run(layer(q, memory, memory), data)
    let weight = try run.matrix("in_proj_weight")
    let query = Matrix(try #require(data["Q"]).doubles, columns: 4)
    let keys = Matrix(try #require(data["M"]).doubles, columns: 4)
    let attended = Self.heads(
      query.linear(weight.rows(0..<4)),
      keys.linear(weight.rows(4..<8)),
      keys.linear(weight.rows(8..<12)),
      2
    )
    #expect(run.isClose(attended.linear(try run.matrix("out_proj.weight")).values))
  }

  @Test("refuses heads that do not divide the width")
  func indivisible() {
    let x = Tensor.input("X", [1, 3, 6], .float64)
    #expect(MultiheadAttention(6, headCount: 4)(x).diagnostic?.identity == .invalidAttribute)
  }

  @Test("in an encoder layer, normalising first or last", arguments: [true, false])
  func encoderLayer(_ normalizesFirst: Bool) throws {
    let layer = TransformerEncoderLayer(
      4,
      headCount: 2,
      hiddenWidth: 6,
      activation: GELU(),
      normalizesFirst: normalizesFirst
    )
    let data = random([1, 3, 4])
    let run = try Run(layer(Tensor.input("X", [1, 3, 4], .float64)), ["X": data])
    let x = Matrix(data.doubles, columns: 4)
    func attention(_ x: Matrix) throws -> Matrix {
      let projected = x.linear(
        try run.matrix("self_attn.in_proj_weight"),
        try run.vector("self_attn.in_proj_bias")
      )
      return Self.heads(
        projected.columns(0..<4),
        projected.columns(4..<8),
        projected.columns(8..<12),
        2
      ).linear(
        try run.matrix("self_attn.out_proj.weight"),
        try run.vector("self_attn.out_proj.bias")
      )
    }
    func feedForward(_ x: Matrix) throws -> Matrix {
      x.linear(try run.matrix("linear1.weight"), try run.vector("linear1.bias")).map(gelu)
        .linear(try run.matrix("linear2.weight"), try run.vector("linear2.bias"))
    }
    func norm(_ x: Matrix, _ name: String) throws -> Matrix {
      x.layerNorm(try run.vector("\(name).weight"), try run.vector("\(name).bias"))
    }
    let expected: Matrix
    if normalizesFirst {
      let attended = x.zip(try attention(try norm(x, "norm1")), +)
      expected = attended.zip(try feedForward(try norm(attended, "norm2")), +)
    } else {
      let attended = try norm(x.zip(try attention(x), +), "norm1")
      expected = try norm(attended.zip(try feedForward(attended), +), "norm2")
    }
    #expect(run.isClose(expected.values, 1e-9))
  }

  @Test("in an encoder names its nodes after their paths")
  func paths() throws {
    let encoder = TransformerEncoder(
      (0..<2).map { _ in TransformerEncoderLayer(4, headCount: 2, hiddenWidth: 8) }
    )
    let x = Tensor.input("X", [.symbol("batch", 1...2), 3, 4], .float16)
    let graph = try Graph(name: "encoder", outputs: [encoder(x)])
    let names = Set(graph.nodeIDs.map { graph[$0].name })
    for name in [
      "layers_0_self_attn_query", "layers_0_self_attn_attention", "layers_1_linear2",
      "layers_1_norm1", "layers_0_self_attn_out_proj", "layers_1_add", "layers_0_activation",
    ] { #expect(names.contains(name), "\(name)") }
    #expect(
      encoder.namedParameters.prefix(3).map(\.name) == [
        "layers.0.self_attn.in_proj_weight", "layers.0.self_attn.in_proj_bias",
        "layers.0.self_attn.out_proj.weight",
      ]
    )
  }
}
