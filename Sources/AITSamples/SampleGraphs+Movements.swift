import AITGraph
import AITOperators

extension SampleGraph {
  /// Views, joins and cuts.
  static let movements: [SampleGraph] = [
    SampleGraph("views_of_views") { g throws(Diagnostic) in
      let batch = Dimension.symbol("batch", 1...4)
      let x = try g.addInput("x", TensorType(.float32, [batch, 4, 6]))
      let back = try g.permute(try g.permute(x, [1, 2, 0]), [2, 0, 1])
      let flat = try g.reshape(try g.reshape(back, [batch, 24]), [batch, 2, 12])
      try g.addOutput("y", try g.pointwise(.exp, flat))
      let part = try g.slice(
        try g.slice(x, axis: 2, SliceRange(1, 6)),
        axis: 2,
        SliceRange(step: 2)
      )
      try g.addOutput("z", try g.pointwise(.negate, part))
      let wide = try g.expand(
        try g.expand(try g.unsqueeze(x, axis: 1), [batch, 3, 4, 6]),
        [
          2, batch, 3, 4, 6,
        ]
      )
      try g.addOutput("w", try g.sum(wide, axes: [0, 2]))
      try g.addOutput("v", try g.flip(try g.flip(x, axes: [1]), axes: [1]))
    },
    SampleGraph("views_across_work") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [2, 3, 4]))
      let y = try g.addInput("y", TensorType(.float32, [2, 3, 4]))
      let (a, b) = (try g.permute(x, [0, 2, 1]), try g.permute(y, [0, 2, 1]))
      let sum = try g.add(.value(a), .value(b))
      try g.addOutput("z", try g.permute(try g.pointwise(.tanh, sum), [0, 2, 1]))
      let flat = try g.reshape(x, [6, 4])
      try g.addOutput("w", try g.reshape(try g.multiply(.value(flat), 3.0), [4, 6]))
    },
    SampleGraph("transposed_products") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [2, 5, 3]))
      let y = try g.addInput("y", TensorType(.float32, [2, 4, 3]))
      let w = try g.addConstant("w", TensorType(.float32, [3, 7]))
      let scores = try g.matmul(x, try g.transpose(y, 1, 2))
      try g.addOutput("scores", try g.transpose(scores, 1, 2))
      let t = try g.transpose(x, 1, 2)
      try g.addOutput("gram", try g.matmul(t, x))
      try g.addOutput("rows", try g.matmul(x, try g.transpose(try g.transpose(w, 0, 1), 0, 1)))
    },
    SampleGraph("joins_and_cuts") { g throws(Diagnostic) in
      let batch = Dimension.symbol("batch", 1...4)
      let x = try g.addInput("x", TensorType(.float32, [batch, 8]))
      let y = try g.addInput("y", TensorType(.float32, [batch, 3]))
      let parts = try g.split(x, sizes: [2, 5, 1], axis: 1)
      let again = try g.concat([try g.concat(parts, axis: 1), y], axis: 1)
      try g.addOutput("x_again", try g.slice(again, axis: 1, SliceRange(0, 8)))
      try g.addOutput("y_part", try g.slice(again, axis: 1, SliceRange(9, 11)))
      try g.addOutput("mixed", try g.slice(again, axis: 1, SliceRange(6, 10)))
      let padded = try g.pad(x, [2, 3])
      try g.addOutput("inside", try g.slice(padded, axis: 1, SliceRange(4, 8)))
      try g.addOutput("border", try g.slice(padded, axis: 1, SliceRange(0, 5)))
    },
    SampleGraph("picks") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [4, 6]))
      let index = try g.addInput("index", TensorType(.int64, [4, 2]))
      let rows = try g.addInput("rows", TensorType(.int32, [3]))
      let picked = try g.gather(x, axis: 1, index)
      try g.addOutput("picked", try g.multiply(.value(picked), 2.0))
      try g.addOutput("rows_of", try g.pointwise(.tanh, try g.indexSelect(x, axis: 0, rows)))
      let best = try g.argmax(try g.pointwise(.negate, x), axis: 1)
      try g.addOutput("best", try g.add(.value(best), 1))
    },
    SampleGraph("nothing_at_all") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [0, 4]))
      let s = try g.addInput("s", TensorType(.float32, []))
      let w = try g.addConstant("w", TensorType(.float32, [4, 3]))
      let product = try g.matmul(x, w)
      try g.addOutput("y", try g.add(.value(product), .value(s)))
      try g.addOutput("sum", try g.add(.value(try g.sum(product, axes: [0])), .value(s)))
      try g.addOutput("twice", try g.add(.value(s), .value(s)))
    },
  ]
}
