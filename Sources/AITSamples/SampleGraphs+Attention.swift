import AITGraph
import AITOperators

extension SampleGraph {
  /// Attention in the forms that programs write it in.
  static let attention: [SampleGraph] = [
    SampleGraph("bert_block") { g throws(Diagnostic) in
      let (batch, length) = (Dimension.symbol("batch", 1...3), Dimension.symbol("length", 1...9))
      let x = try g.addInput("x", TensorType(.float32, [batch, length, 16]))
      let mask = try g.addInput("mask", TensorType(.float32, [batch, 1, 1, length]))
      var projected: [ValueID] = []
      for name in ["query", "key", "value"] {
        projected.append(try g.heads(try g.layer(x, 16, name), 4, name))
      }
      let keys = try g.transpose(projected[1], 2, 3)
      let scores = try g.divide(
        .value(try g.matmul(projected[0], keys, name: "scores")),
        2.0,
        name: "scaled"
      )
      let masked = try g.add(.value(scores), .value(mask), name: "masked")
      let weights = try g.softmax(masked, axis: 3, name: "probabilities")
      let context = try g.matmul(weights, projected[2], name: "context")
      let joined = try g.reshape(try g.permute(context, [0, 2, 1, 3]), [batch, length, 16])
      let attended = try g.add(.value(try g.layer(joined, 16, "output")), .value(x))
      let normal = try g.normalized(attended, "attention_norm")
      let inner = try g.pointwise(.gelu, try g.layer(normal, 32, "intermediate"))
      let outer = try g.add(.value(try g.layer(inner, 16, "dense")), .value(normal))
      try g.addOutput("y", try g.normalized(outer, "output_norm"))
    },
    SampleGraph("scale_mask_softmax") { g throws(Diagnostic) in
      let length = Dimension.symbol("length", 1...9)
      let scores = try g.addInput("scores", TensorType(.float16, [2, 3, length, length]))
      let mask = try g.addInput("mask", TensorType(.float16, [2, 1, 1, length]))
      let scaled = try g.multiply(.value(scores), 0.125)
      try g.addOutput("y", try g.softmax(try g.add(.value(scaled), .value(mask)), axis: -1))
    },
    SampleGraph("packed_projection") { g throws(Diagnostic) in
      let (batch, length) = (Dimension.symbol("batch", 1...3), Dimension.symbol("length", 1...6))
      let x = try g.addInput("x", TensorType(.float32, [batch, length, 12]))
      let packed = try g.layer(x, 36, "packed")
      let split = try g.reshape(packed, [batch, length, 3, 2, 6])
      let parts = try g.unbind(try g.permute(split, [2, 0, 3, 1, 4]))
      let scores = try g.matmul(
        try g.multiply(.value(parts[0]), 0.40824829),
        try g.transpose(parts[1], -2, -1)
      )
      let context = try g.matmul(try g.softmax(scores, axis: -1), parts[2])
      let joined = try g.reshape(try g.transpose(context, 1, 2), [batch, length, 12])
      try g.addOutput("y", try g.add(.value(try g.layer(joined, 12, "out")), .value(x)))
    },
    SampleGraph("grouped_queries") { g throws(Diagnostic) in
      let length = Dimension.symbol("length", 1...5)
      let q = try g.addInput("q", TensorType(.float32, [2, 4, length, 6]))
      let k = try g.addInput("k", TensorType(.float32, [2, 2, length, 6]))
      let grouped = try g.reshape(q, [2, 2, 2, length, 6])
      let wide = try g.expand(try g.unsqueeze(k, axis: 2), [2, 2, 2, length, 6])
      let scores = try g.matmul(grouped, try g.transpose(wide, -1, -2))
      try g.addOutput("y", try g.softmax(scores, axis: -1))
    },
    SampleGraph("rotary") { g throws(Diagnostic) in
      let length = Dimension.symbol("length", 1...5)
      let x = try g.addInput("x", TensorType(.float32, [2, 3, length, 8]))
      let cos = try g.addInput("cos", TensorType(.float32, [length, 8]))
      let sin = try g.addInput("sin", TensorType(.float32, [length, 8]))
      let halves = try g.chunk(x, 2, axis: -1)
      let turned = try g.concat([try g.pointwise(.negate, halves[1]), halves[0]], axis: -1)
      let left = try g.multiply(.value(x), .value(cos))
      try g.addOutput(
        "y",
        try g.add(.value(left), .value(try g.multiply(.value(turned), .value(sin))))
      )
    },
    SampleGraph("causal_mask") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [2, 6, 6]))
      let columns = try g.arange(count: 6, .int64)
      let rows = try g.reshape(try g.arange(count: 6, .int64), [6, 1])
      let isSeen = try g.pointwise(.lessEqual, [.value(columns), .value(rows)])
      let masked = try g.where(isSeen, .value(x), .scalar(-1e9))
      try g.addOutput("y", try g.softmax(masked, axis: 2))
    },
    SampleGraph("inverted_mask") { g throws(Diagnostic) in
      let (batch, length) = (Dimension.symbol("batch", 1...3), Dimension.symbol("length", 1...6))
      let mask = try g.addInput("mask", TensorType(.int64, [batch, length]))
      let x = try g.addInput("x", TensorType(.float32, [batch, 2, length, length]))
      let wide = try g.expand(
        try g.reshape(mask, [batch, 1, 1, length]),
        [batch, 1, length, length]
      )
      let inverted = try g.subtract(1.0, .value(try g.cast(wide, to: .float32)))
      let bias = try g.multiply(.value(inverted), -100.0)
      try g.addOutput("y", try g.softmax(try g.add(.value(x), .value(bias)), axis: 3))
      try g.addOutput("z", try g.softmax(try g.subtract(.value(x), .value(bias)), axis: 3))
    },
  ]
}
