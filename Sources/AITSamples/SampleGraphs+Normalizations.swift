import AITGraph
import AITOperators

extension SampleGraph {
  /// Normalisations and statistics, as operators and spelt out.
  static let normalizations: [SampleGraph] = [
    SampleGraph("softmax_by_hand") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [.symbol("rows", 1...5), 7]))
      let shifted = try g.subtract(
        .value(x),
        .value(try g.maximum(x, axes: [1], keepsDimensions: true))
      )
      let power = try g.pointwise(.exp, shifted)
      let sum = try g.sum(power, axes: [-1], keepsDimensions: true)
      try g.addOutput("y", try g.divide(.value(power), .value(sum)))
      try g.addOutput("z", try g.subtract(.value(shifted), .value(try g.pointwise(.log, sum))))
    },
    SampleGraph("log_sum_exp_by_hand") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [3, 5, 4]))
      let most = try g.maximum(x, axes: [1])
      let shifted = try g.subtract(.value(x), .value(try g.unsqueeze(most, axis: 1)))
      let sum = try g.sum(try g.pointwise(.exp, shifted), axes: [1])
      try g.addOutput("y", try g.add(.value(try g.pointwise(.log, sum)), .value(most)))
    },
    SampleGraph("layer_norm_by_hand") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [.symbol("rows", 1...5), 3, 6]))
      let w = try g.addConstant("w", TensorType(.float32, [6]))
      let b = try g.addConstant("b", TensorType(.float32, [6]))
      let centered = try g.subtract(
        .value(x),
        .value(try g.mean(x, axes: [-1], keepsDimensions: true))
      )
      let square = try g.pointwise(.power, [.value(centered), 2])
      let variance = try g.mean(square, axes: [-1], keepsDimensions: true)
      let root = try g.pointwise(.sqrt, try g.add(.value(variance), 1e-5))
      let normal = try g.divide(.value(centered), .value(root))
      let scaled = try g.multiply(.value(w), .value(normal))
      try g.addOutput("y", try g.add(.value(scaled), .value(b)))
    },
    // As language models in half precision write it: computed in float32, weighted in float16.
    SampleGraph("rms_norm_by_hand") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float16, [.symbol("rows", 1...5), 8]))
      let w = try g.addConstant("w", TensorType(.float16, [8]))
      let wide = try g.cast(x, to: .float32)
      let square = try g.pointwise(.power, [.value(wide), 2])
      let mean = try g.mean(square, axes: [-1], keepsDimensions: true)
      let root = try g.pointwise(.rsqrt, try g.add(.value(mean), 1e-6))
      let normal = try g.multiply(.value(wide), .value(root))
      try g.addOutput("y", try g.multiply(.value(w), .value(try g.cast(normal, to: .float16))))
    },
    SampleGraph("residual_layer_norm") { g throws(Diagnostic) in
      let rows = Dimension.symbol("rows", 1...5)
      let x = try g.addInput("x", TensorType(.float16, [rows, 12]))
      let r = try g.addInput("r", TensorType(.float16, [rows, 12]))
      let sum = try g.add(.value(x), .value(r), name: "sum")
      try g.addOutput("y", try g.normalized(sum, "norm"))
      try g.addOutput("sum", sum)
    },
    SampleGraph("statistics") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [4, .symbol("columns", 2...9)]))
      try g.addOutput("deviation", try g.standardDeviation(x, axes: [1]))
      let mean = try g.mean(x, axes: [1], keepsDimensions: true)
      let centered = try g.subtract(.value(x), .value(mean))
      try g.addOutput("largest", try g.maximum(try g.pointwise(.abs, centered)))
      try g.addOutput("norm", try g.norm(centered, axes: [0]))
      try g.addOutput("mean", try g.squeeze(mean))
    },
    SampleGraph("gelu_by_hand") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [5, 6]))
      let half = try g.multiply(.value(x), 0.5)
      let error = try g.pointwise(.erf, try g.divide(.value(x), 1.4142135623730951))
      try g.addOutput("exact", try g.multiply(.value(half), .value(try g.add(.value(error), 1.0))))
      let cube = try g.pointwise(.power, [.value(x), 3.0])
      let inner = try g.add(.value(x), .value(try g.multiply(0.044715, .value(cube))))
      let curve = try g.pointwise(.tanh, try g.multiply(.value(inner), 0.7978845608028654))
      try g.addOutput("fast", try g.multiply(.value(half), .value(try g.add(1.0, .value(curve)))))
    },
  ]
}
