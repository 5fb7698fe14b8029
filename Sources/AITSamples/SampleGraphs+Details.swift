import AITGraph
import AITOperators

extension SampleGraph {
  /// Constants, scalars, repetition, and graphs that have gone wrong elsewhere.
  static let details: [SampleGraph] = [
    SampleGraph("scalars") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [3, 4]))
      let one = try g.addLiteral(TensorData(scalar: 1, .float32), "one")
      let zero = try g.full([], 0, .float32)
      let same = try g.multiply(.value(x), .value(one))
      let still = try g.subtract(.value(same), .value(zero))
      let kept = try g.add(.value(still), .value(zero))
      let wide = try g.full([3, 4], 4, .float32)
      try g.addOutput("y", try g.divide(.value(kept), .value(wide)))
      try g.addOutput("zeros", try g.multiply(.value(x), .value(zero)))
      let there = try g.cast(try g.cast(x, to: .float64), to: .float32)
      try g.addOutput("there", try g.pointwise(.negate, try g.pointwise(.negate, there)))
      try g.addOutput("whole", try g.add(.value(wide), 1.0))
    },
    SampleGraph("identities") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [2, 1, 5]))
      let same = try g.identity(try g.slice(x, [.all, .all, SliceRange(0, 5)]))
      let sum = try g.sum(try g.concat([same], axis: 0), axes: [1])
      try g.addOutput("y", try g.maximum(sum, axes: [1], keepsDimensions: true))
      try g.addOutput("x_again", try g.permute(x, [1, 0, 2]))
    },
    SampleGraph("literals") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [3, 2]))
      let table = try g.addLiteral(TensorData(.float32, [2, 3], (0..<6).map(Double.init)), "table")
      let turned = try g.pointwise(.sin, try g.transpose(table, 0, 1))
      try g.addOutput("y", try g.add(.value(x), .value(turned)))
      let named = try g.addConstant(
        "named",
        TensorType(.float32, [2]),
        data: TensorData(.float32, [2], [3, 5])
      )
      try g.addOutput("z", try g.add(.value(x), .value(try g.pointwise(.exp, named))))
      let rows = try g.indexSelect(table, axis: 0, try g.arange(from: 1, to: 2, .int64))
      let tall = try g.concat([rows, table], axis: 0)
      try g.addOutput("w", try g.matmul(tall, x, name: "product"))
    },
    SampleGraph("repetition") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [4, 4]))
      let y = try g.addInput("y", TensorType(.float32, [4, 4]))
      let (a, b) = (try g.add(.value(x), .value(y)), try g.add(.value(y), .value(x)))
      try g.addOutput("product", try g.matmul(a, b))
      try g.addOutput("one", try g.softmax(try g.subtract(.value(x), 1.0), axis: 0))
      try g.addOutput("other", try g.softmax(try g.subtract(1.0, .value(x)), axis: 0))
      try g.addOutput("two", try g.softmax(try g.multiply(2.0, .value(x)), axis: 1))
      try g.addOutput("three", try g.softmax(try g.multiply(3.0, .value(x)), axis: 1))
    },
    SampleGraph("several_readers") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [3, 6]))
      let w = try g.addConstant("w", TensorType(.float32, [6, 6]))
      let product = try g.matmul(x, w, name: "product")
      let scaled = try g.multiply(.value(product), 0.5, name: "scaled")
      try g.addOutput("product", product)
      try g.addOutput("scaled", scaled)
      let curve = try g.pointwise(.tanh, scaled, name: "curve")
      let mean = try g.mean(curve, axes: [1], keepsDimensions: true)
      let rest = try g.subtract(.value(curve), .value(mean), name: "rest")
      try g.addOutput("y", try g.matmul(rest, try g.transpose(curve, 0, 1)))
      try g.addOutput("unused_twice", try g.add(.value(rest), .value(scaled)))
      _ = try g.pointwise(.exp, rest, name: "dead")
    },
    SampleGraph("whole_numbers") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.int32, [3, 5]))
      let y = try g.addInput("y", TensorType(.int32, [5]))
      let sum = try g.add(.value(x), .value(y))
      let isSmall = try g.pointwise(.less, [.value(sum), 3])
      let chosen = try g.where(isSmall, .value(try g.multiply(.value(sum), 2)), .value(x))
      try g.addOutput("chosen", try g.pointwise(.floorDivide, [.value(chosen), 3]))
      try g.addOutput("count", try g.sum(isSmall, axes: [1]))
      try g.addOutput("most", try g.maximum(chosen, axes: [0]))
      try g.addOutput("any", try g.any(try g.logicalNot(isSmall)))
    },
    SampleGraph("bias_into_scores") { g throws(Diagnostic) in
      let a = try g.addInput("a", TensorType(.float32, [2, 3, 4]))
      let b = try g.addInput("b", TensorType(.float32, [2, 4, 3]))
      let c = try g.addInput("c", TensorType(.float32, [2, 3, 3]))
      let product = try g.matmul(a, b)
      let scaled = try g.multiply(.value(product), 0.5)
      try g.addOutput("y", try g.add(.value(scaled), .value(c)))
      try g.addOutput("square", try g.matmul(try g.softmax(c, axis: 2), c))
    },
    SampleGraph("constant_work") { g throws(Diagnostic) in
      let x = try g.addInput("x", TensorType(.float32, [4, 6]))
      let w = try g.addConstant("w", TensorType(.float32, [6, 6]))
      let v = try g.addConstant("v", TensorType(.float32, [6, 6]))
      let both = try g.pointwise(.tanh, try g.matmul(w, v, name: "weights"))
      let shift = try g.mean(try g.multiply(.value(w), 2.0), axes: [0])
      let product = try g.matmul(x, both, name: "product")
      try g.addOutput("y", try g.add(.value(product), .value(shift)))
      try g.addOutput("z", try g.multiply(.value(x), .value(try g.pointwise(.exp, shift))))
    },
  ]
}
