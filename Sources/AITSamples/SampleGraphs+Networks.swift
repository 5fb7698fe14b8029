import AITGraph
import AITOperators

extension SampleGraph {
  /// Layers as networks put them together.
  static let networks: [SampleGraph] = [
    // The model of the tutorial.
    SampleGraph("tutorial") { g throws(Diagnostic) in
      let x = try g.addInput("X", TensorType(.float16, [.symbol("batch", 1...64), 16]))
      let dense = try g.layer(x, 64, "dense1")
      let hidden = try g.layer(try g.pointwise(.fastGELU, dense, name: "gelu"), 16, "dense2")
      let sum = try g.add(.value(hidden), .value(x), name: "sum")
      try g.addOutput("Y", try g.normalized(sum, "layernorm"))
    },
    SampleGraph("swiglu_few_rows") { g throws(Diagnostic) in
      try swiglu(&g, rows: .symbol("rows", 1...64))
    },
    SampleGraph("swiglu_many_rows") { g throws(Diagnostic) in
      try swiglu(&g, rows: .symbol("rows", 1...4096))
    },
    SampleGraph("parallel_branches") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [6, 8]))
      let left = try g.pointwise(.relu, try g.layer(x, 12, "left"), name: "left_relu")
      let right = try g.pointwise(.relu, try g.layer(x, 4, "right"), name: "right_relu")
      let last = try g.layer(x, 5, "last", hasBias: false)
      try g.addOutput("y", try g.softmax(left, axis: 1))
      try g.addOutput("z", try g.softmax(right, axis: 1))
      try g.addOutput("w", last)
    },
    SampleGraph("joined_projections") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float16, [.symbol("batch", 1...8), 6]))
      var parts: [ValueID] = []
      for (index, columns) in [3, 5, 2].enumerated() {
        parts.append(try g.layer(x, columns, "part\(index)"))
      }
      try g.addOutput("y", try g.concat(parts, axis: 1))
    },
    SampleGraph("group_norm_silu") { g throws(Diagnostic) in
      let batch = Dimension.symbol("batch", 1...4)
      let x = try g.addInput("x", TensorType(.float16, [batch, 8, 3, 5]))
      let weight = try g.addConstant("weight", TensorType(.float16, [8]))
      let bias = try g.addConstant("bias", TensorType(.float16, [8]))
      let normal = try g.groupNorm(x, groupCount: 4, weight: weight, bias: bias, name: "norm")
      let gate = try g.pointwise(.sigmoid, normal)
      try g.addOutput("y", try g.multiply(.value(normal), .value(gate)))
    },
    // As between convolutions: channels lie side by side.
    SampleGraph("group_norm_of_pixels") { g throws(Diagnostic) in
      let batch = Dimension.symbol("batch", 1...4)
      let x = try g.addInput("x", TensorType(.float32, [batch, 3, 7, 12]))
      let weight = try g.addConstant("weight", TensorType(.float32, [12]))
      let bias = try g.addConstant("bias", TensorType(.float32, [12]))
      let image = try g.permute(x, [0, 3, 1, 2])
      let normal = try g.groupNorm(image, groupCount: 4, weight: weight, bias: bias, name: "norm")
      let active = try g.pointwise(.relu, normal)
      try g.addOutput("y", try g.permute(active, [0, 2, 3, 1]))
    },
    SampleGraph("patches") { g throws(Diagnostic) in
      let batch = Dimension.symbol("batch", 1...3)
      let x = try g.addInput("image", TensorType(.float32, [batch, 3, 8, 12]))
      let tiles = try g.reshape(x, [batch, 3, 2, 4, 3, 4])
      let rows = try g.permute(tiles, [0, 2, 4, 1, 3, 5])
      let flat = try g.reshape(rows, [batch, 6, 48])
      let tokens = try g.layer(flat, 10, "embed")
      let position = try g.addConstant("position", TensorType(.float32, [1, 6, 10]))
      let class_ = try g.addConstant("class_token", TensorType(.float32, [1, 1, 10]))
      let placed = try g.add(.value(tokens), .value(position))
      let first = try g.expand(class_, [batch, 1, 10])
      let all = try g.concat([first, placed], axis: 1)
      let normal = try g.normalized(all, "norm")
      try g.addOutput("features", try g.select(normal, axis: 1, 0))
    },
    // A first layer whose windows lie side by side, in PyTorch's order of axes, and a layer of PyTorch's
    // attention, which exchanges the axes of the batch and of the sequence around its products.
    SampleGraph("patches_and_exchanged_rows") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [.symbol("batch", 1...4), 3, 8, 12]))
      let filters = try g.addConstant("filters", TensorType(.float32, [6, 3, 4, 4]))
      let image = try g.permute(x, [0, 2, 3, 1])
      let patches = try g.convolution(image, try g.permute(filters, [0, 2, 3, 1]), stride: [4, 4])
      let rows = try g.reshape(patches, [.symbol("batch", 1...4), 6, 6])
      let exchanged = try g.permute(rows, [1, 0, 2])
      let wide = try g.layer(exchanged, 6, "in")
      let heads = try g.reshape(wide, [6, .symbol("batch", 1...4), 2, 3])
      let apart = try g.pointwise(.tanh, try g.permute(heads, [1, 2, 0, 3]))
      let joined = try g.reshape(
        try g.permute(apart, [2, 0, 1, 3]),
        [.symbol("batch", 1...4) * 6, 6]
      )
      let out = try g.reshape(try g.layer(joined, 6, "out"), [6, .symbol("batch", 1...4), 6])
      try g.addOutput("y", try g.add(.value(try g.permute(out, [1, 0, 2])), .value(rows)))
    },
    // Layers that read the images of all before them, in PyTorch's order of axes.
    SampleGraph("dense_block") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [.symbol("batch", 1...3), 4, 5, 6]))
      func layer(_ image: ValueID, _ channels: Int, _ name: String) throws(Diagnostic) -> ValueID {
        let count = g[image].type.shape[1]
        let filters = try g.addConstant(
          name,
          TensorType(.float32, [Dimension(channels), 3, 3, count])
        )
        let pixels = try g.permute(image, [0, 2, 3, 1])
        let sums = try g.convolution(pixels, filters, padding: [Convolution.Padding(1, 1)])
        return try g.permute(sums, [0, 3, 1, 2])
      }
      var images = [try layer(x, 5, "first")]
      for (index, channels) in [3, 4].enumerated() {
        let all = images.count == 1 ? images[0] : try g.concat(images, axis: 1)
        images.append(try layer(try g.pointwise(.relu, all), channels, "layer\(index)"))
      }
      let all = try g.concat(images, axis: 1)
      let wide = try g.pad(all, [1, 2, 0, 1])
      try g.addOutput("y", try g.pointwise(.tanh, wide))
    },
    SampleGraph("embedding") { g throws(Diagnostic) in
      let (batch, length) = (Dimension.symbol("batch", 1...3), Dimension.symbol("length", 1...7))
      let ids = try g.addInput("ids", TensorType(.int64, [batch, length]))
      let table = try g.addConstant("words", TensorType(.float32, [11, 6]))
      let places = try g.addConstant("places", TensorType(.float32, [9, 6]))
      let words = try g.embedding(ids, table: table)
      let range = try g.arange(count: length, .int64)
      let sum = try g.add(.value(words), .value(try g.embedding(range, table: places)))
      try g.addOutput("y", try g.normalized(sum, "norm"))
    },
  ]

  private static func swiglu(_ g: inout Graph, rows: Dimension) throws(Diagnostic) {
    let x = try g.addInput("x", TensorType(.float32, [rows, 8]))
    let gate = try g.pointwise(.silu, try g.layer(x, 12, "gate", hasBias: false), name: "silu")
    let up = try g.layer(x, 12, "up", hasBias: false)
    let product = try g.multiply(.value(gate), .value(up), name: "product")
    try g.addOutput("y", try g.layer(product, 8, "down", hasBias: false))
  }
}
