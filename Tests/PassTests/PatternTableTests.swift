import AITGraph
import AITOperators
import AITPasses
import AITSamples
import Testing

/// What common programs become: the kernels that are left, views and constant work apart.
@Suite struct PatternTableTests {
  /// A row of the table; prints its program.
  struct Row: Sendable, CustomTestStringConvertible {
    let sample: String
    let kernels: [String]
    var testDescription: String { sample }

    init(_ sample: String, _ kernels: [String]) {
      self.sample = sample
      self.kernels = kernels
    }
  }

  static let rows = [
    Row("tutorial", ["matmul", "matmul", "layer_norm"]),
    Row("swiglu_few_rows", ["matmul", "pointwise", "matmul"]),
    Row("swiglu_many_rows", ["matmul", "matmul", "matmul"]),
    Row("parallel_branches", ["matmul", "matmul", "softmax", "softmax"]),
    Row("joined_projections", ["matmul"]),
    Row("group_norm_silu", ["group_norm"]),
    Row("group_norm_of_pixels", ["group_norm"]),
    Row(
      "dense_block",
      [
        "convolution", "convolution", "concat", "pointwise", "convolution", "concat", "pad",
        "pointwise",
      ]
    ),
    Row("patches", ["matmul", "concat", "layer_norm"]),
    Row("embedding", ["index_select", "layer_norm"]),
    Row(
      "bert_block",
      [
        "matmul", "attention", "matmul", "layer_norm", "matmul", "matmul", "layer_norm",
      ]
    ),
    Row("scale_mask_softmax", ["softmax"]),
    Row("packed_projection", ["matmul", "attention", "matmul"]),
    Row("grouped_queries", ["matmul", "softmax"]),
    Row("rotary", ["pointwise", "concat", "pointwise"]),
    Row("causal_mask", ["softmax"]),
    Row("inverted_mask", ["pointwise", "softmax", "softmax"]),
    Row("softmax_by_hand", ["softmax", "softmax"]),
    Row("log_sum_exp_by_hand", ["reduce"]),
    Row("layer_norm_by_hand", ["layer_norm"]),
    Row("rms_norm_by_hand", ["rms_norm"]),
    Row("residual_layer_norm", ["layer_norm"]),
    Row("statistics", ["reduce", "pointwise", "reduce", "reduce", "reduce"]),
    Row("gelu_by_hand", ["pointwise"]),
    Row("several_readers", ["matmul", "reduce", "pointwise", "matmul"]),
    Row("bias_into_scores", ["softmax", "matmul", "matmul"]),
  ]

  @Test(arguments: rows)
  func programBecomes(_ row: Row) throws {
    let sample = try #require(SampleGraph.named(row.sample))
    let graph = try optimized(sample.graph())
    #expect(graph.kernels == row.kernels, "\(graph)")
  }
}
