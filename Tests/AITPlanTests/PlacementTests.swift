import AITCPU
import AITGraph
import AITKernels
import AITOperators
import Testing

@testable import AITPlan

/// Where values lie, in small graphs in which that can be said beforehand.
@Suite struct PlacementTests {
  /// A graph, planned as it is.
  static func plan(_ build: (inout Graph) throws -> Void) throws -> Plan {
    var graph = Graph(name: "g")
    try build(&graph)
    try graph.verify()
    return try Planner.plan(graph, for: CPUBackend(Target(.x86_64v3)))
  }

  /// What steps write and read, one line each: `product -> arena c + 16`.
  static func lines(_ plan: Plan) -> [String] {
    func text(_ operand: Plan.Operand) -> String {
      let place =
        switch operand.storage {
        case .input(let index): plan.graph[plan.graph.inputs[index]].name
        case .constant(let index): plan.constants[index].name
        case .folded(let index): "folded \(plan.folded[index].name)"
        case .output(let index): "output \(plan.graph.outputs[index].name)"
        case .buffer(let index): "buffer \(plan.buffers[index].name)"
        }
      return place + (operand.offsetInBytes == 0 ? "" : " + \(operand.offsetInBytes)")
    }
    return plan.steps.map { step in
      let read = step.operands.prefix(step.readCount).map(text).joined(separator: ", ")
      let written = step.operands.dropFirst(step.readCount).map(text).joined(separator: ", ")
      return "\(step.name): \(read) -> \(written)"
    }
  }

  static let batch = Dimension.symbol("batch", 1...8)

  // MARK: - Concatenation

  @Test("Products write their parts of a concatenation where they belong")
  func concatOfProducts() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 8]))
      let v = try g.addConstant("v", TensorType(.float32, [8, 4]))
      let w = try g.addConstant("w", TensorType(.float32, [8, 12]))
      let parts = [try g.matmul(x, v, name: "a"), try g.matmul(x, w, name: "b")]
      let whole = try g.concat(parts, axis: 1, name: "whole")
      try g.addOutput("y", try g.softmax(whole, axis: 1, name: "soft"))
    }
    #expect(
      Self.lines(plan) == [
        "a: x, folded v_packed -> buffer whole", "b: x, folded w_packed -> buffer whole + 16",
        "soft: buffer whole -> output y",
      ]
    )
    #expect(plan.buffers.map { "\($0.sizeInBytes)" } == ["64*batch"])
  }

  @Test("A concatenation within another is part of it")
  func nestedConcat() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 2]))
      let a = try g.pointwise(.tanh, x, name: "a")
      let b = try g.pointwise(.exp, x, name: "b")
      let c = try g.pointwise(.sin, x, name: "c")
      let inner = try g.concat([a, b], axis: 0, name: "inner")
      try g.addOutput("y", try g.concat([c, inner], axis: 0, name: "outer"))
    }
    #expect(
      Self.lines(plan) == [
        "a: x -> output y + 8*batch", "b: x -> output y + 16*batch", "c: x -> output y",
      ]
    )
    #expect(plan.buffers.isEmpty)
  }

  @Test("A part that is an output as well lies in the output and is copied into the whole")
  func partThatIsAnOutput() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [2, 3]))
      let a = try g.pointwise(.tanh, x, name: "a")
      let b = try g.pointwise(.exp, x, name: "b")
      try g.addOutput("part", a)
      try g.addOutput("whole", try g.concat([a, b], axis: 0, name: "joined"))
    }
    #expect(
      Self.lines(plan) == [
        "a: x -> output part", "b: x -> output whole + 24",
        "joined_part0: output part -> output whole",
      ]
    )
  }

  @Test("Of a value that is two parts, one is written in place and the other copied")
  func sameValueTwice() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [2, 3]))
      let a = try g.pointwise(.tanh, x, name: "a")
      try g.addOutput("y", try g.concat([a, a], axis: 1, name: "twice"))
    }
    #expect(
      Self.lines(plan) == [
        "a: x -> output y", "twice_part1: output y -> output y + 12",
      ]
    )
  }

  @Test("Inputs and constants are copied into a concatenation")
  func givenParts() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [2, 3]))
      let w = try g.addConstant("w", TensorType(.float32, [2, 3]))
      try g.addOutput("y", try g.concat([w, x], axis: 0, name: "joined"))
    }
    #expect(
      Self.lines(plan) == [
        "joined_part0: w -> output y", "joined_part1: x -> output y + 24",
      ]
    )
  }

  @Test("A part is written in place through views of it")
  func partsBehindViews() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 2, 3]))
      let a = try g.pointwise(.tanh, x, name: "a")
      let b = try g.pointwise(.exp, x, name: "b")
      let turned = try g.permute(a, [0, 2, 1])
      let flat = try g.reshape(b, [Self.batch, 6])
      let joined = try g.concat(
        [try g.reshape(turned, [Self.batch, 3, 2]), try g.reshape(flat, [Self.batch, 3, 2])],
        axis: 1,
        name: "joined"
      )
      try g.addOutput("y", joined)
    }
    #expect(
      Self.lines(plan) == ["a: x -> output y", "b: x -> output y + 24"]
    )
  }

  // MARK: - Images

  /// The strides of a value, in a graph as it is.
  static func strides(_ build: (inout Graph) throws -> ValueID) throws -> [String] {
    var graph = Graph(name: "g")
    let value = try build(&graph)
    try graph.verify()
    let placement = try #require(Placements(graph).byValue[value])
    return placement.layout.strides.map { "\($0)" }
  }

  @Test("What a convolution reads through a permute is written with channels side by side")
  func imagesBehindPermutes() throws {
    let strides = try Self.strides { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 8, 5, 6]))
      let filters = try g.addConstant("w", TensorType(.float32, [4, 3, 3, 8]))
      let soft = try g.softmax(x, axis: 1)
      try g.addOutput("y", try g.convolution(try g.permute(soft, [0, 2, 3, 1]), filters))
      return soft
    }
    #expect(strides == ["240", "1", "48", "8"])
  }

  @Test("What comes with channels side by side goes on so, where a permute follows")
  func imagesBetweenPermutes() throws {
    let strides = try Self.strides { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 5, 6, 8]))
      let normal = try g.groupNorm(try g.permute(x, [0, 3, 1, 2]), groupCount: 2)
      let image = try g.permute(normal, [0, 2, 3, 1])
      try g.addOutput("y", try g.softmax(image, axis: 3))
      return normal
    }
    #expect(strides == ["240", "1", "48", "8"])
  }

  @Test("A convolution of one tap, which is a product, writes channels side by side")
  func convolutionsBetweenPermutes() throws {
    let strides = try Self.strides { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 8, 8, 8]))
      let filters = try g.addConstant("w", TensorType(.float32, [8, 1, 1, 8]))
      let convolved = try g.convolution(try g.permute(x, [0, 2, 3, 1]), filters)
      try g.addOutput("y", try g.groupNorm(try g.permute(convolved, [0, 3, 1, 2]), groupCount: 2))
      return convolved
    }
    #expect(strides == ["512", "64", "8", "1"])
  }

  @Test("An image that others read as well, such as a residual, has channels side by side")
  func sharedImages() throws {
    let strides = try Self.strides { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 8, 5, 6]))
      let filters = try g.addConstant("w", TensorType(.float32, [4, 3, 3, 8]))
      let soft = try g.softmax(x, axis: 1)
      try g.addOutput("y", try g.convolution(try g.permute(soft, [0, 2, 3, 1]), filters))
      let rows = try g.permute(try g.reshape(soft, [Self.batch, 8, 30]), [0, 2, 1])
      try g.addOutput("z", try g.softmax(rows, axis: 2))
      return soft
    }
    #expect(strides == ["240", "1", "48", "8"])
  }

  @Test("Pixels that are seen as an image and as rows stay rows")
  func imagesOfRows() throws {
    let strides = try Self.strides { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 30, 8]))
      let filters = try g.addConstant("w", TensorType(.float32, [4, 3, 3, 8]))
      let soft = try g.softmax(x, axis: 2)
      let channels = try g.reshape(try g.permute(soft, [0, 2, 1]), [Self.batch, 8, 5, 6])
      try g.addOutput("y", try g.convolution(try g.permute(channels, [0, 2, 3, 1]), filters))
      return soft
    }
    #expect(strides == ["240", "8", "1"])
  }

  @Test("What others read in another order, or as views of its rows, lies row by row")
  func permutesOfOthers() throws {
    let others = try Self.strides { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 8, 5]))
      let soft = try g.softmax(x, axis: 1)
      try g.addOutput("y", try g.softmax(try g.permute(soft, [0, 2, 1]), axis: 2))
      return soft
    }
    #expect(others == ["40", "5", "1"])
    let shared = try Self.strides { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 8, 5, 6]))
      let filters = try g.addConstant("w", TensorType(.float32, [4, 3, 3, 8]))
      let soft = try g.softmax(x, axis: 1)
      try g.addOutput("y", try g.convolution(try g.permute(soft, [0, 2, 3, 1]), filters))
      try g.addOutput("z", try g.softmax(try g.reshape(soft, [Self.batch, 240]), axis: 1))
      return soft
    }
    #expect(shared == ["240", "30", "6", "1"])
  }

  // MARK: - Outputs

  @Test("Outputs that are inputs or constants are copies")
  func givenOutputs() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [2, 3]))
      let w = try g.addConstant("w", TensorType(.float32, [4]))
      try g.addOutput("same", x)
      try g.addOutput("weight", w)
      try g.addOutput("turned", try g.transpose(x, 0, 1, name: "t"))
    }
    #expect(
      Self.lines(plan) == [
        "same_copy: x -> output same", "weight_copy: w -> output weight",
        "turned_copy: x -> output turned",
      ]
    )
  }

  @Test("A value that is two outputs is computed once and copied")
  func sameOutputTwice() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [2, 3]))
      let a = try g.pointwise(.tanh, x, name: "a")
      try g.addOutput("first", a)
      try g.addOutput("second", a)
    }
    #expect(
      Self.lines(plan) == [
        "a: x -> output first", "second_copy: output first -> output second",
      ]
    )
  }

  @Test("An output behind views is written where they lead")
  func outputsBehindViews() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 2, 3]))
      let a = try g.pointwise(.tanh, x, name: "a")
      try g.addOutput("turned", try g.permute(a, [2, 0, 1]))
      let b = try g.pointwise(.exp, x, name: "b")
      try g.addOutput("flat", try g.reshape(b, [Self.batch, 6]))
      try g.addOutput("sum", try g.sum(b, axes: [1], name: "sum"))
    }
    #expect(
      Self.lines(plan) == [
        "a: x -> output turned", "b: x -> output flat", "sum: output flat -> output sum",
      ]
    )
  }

  @Test("A part of a value as an output is a copy of the part")
  func slicedOutput() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 6]))
      let a = try g.pointwise(.tanh, x, name: "a")
      try g.addOutput("y", try g.slice(a, axis: 1, SliceRange(2, 4)))
    }
    #expect(
      Self.lines(plan) == ["a: x -> buffer a", "y_copy: buffer a + 8 -> output y"]
    )
  }

  // MARK: - Views

  @Test("Views of an input are no work; their offsets and strides reach the kernel")
  func viewsAreFree() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 4, 6]))
      let part = try g.slice(x, axis: 2, SliceRange(1, 6))
      let back = try g.flip(part, axes: [1])
      try g.addOutput("y", try g.pointwise(.exp, try g.permute(back, [2, 0, 1]), name: "a"))
    }
    // Flipped, the axis begins at its last row: 3 · 6 elements on, and one for the slice.
    #expect(Self.lines(plan) == ["a: x + 76 -> output y"])
  }

  @Test("A reshape that no layout describes copies")
  func reshapeOfPermuted() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 4, 6]))
      let turned = try g.permute(x, [0, 2, 1])
      let flat = try g.reshape(turned, [Self.batch, 24], name: "flat")
      try g.addOutput("y", try g.pointwise(.exp, flat, name: "a"))
    }
    #expect(Self.lines(plan) == ["flat: x -> buffer flat", "a: buffer flat -> output y"])
    #expect(plan.steps[0].operation == "reshape")
  }

  @Test("A reshape that keeps runs of a permuted value whole does not copy")
  func reshapeWithinRuns() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 4, 6]))
      let turned = try g.permute(x, [1, 0, 2])
      let split = try g.reshape(turned, [2, 2, Self.batch, 3, 2])
      try g.addOutput("y", try g.pointwise(.exp, split, name: "a"))
    }
    #expect(Self.lines(plan) == ["a: x -> output y"])
  }

  // MARK: - In place

  @Test("Results take the memory of operands that die")
  func inPlace() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 8]))
      let w = try g.addConstant("w", TensorType(.float32, [8, 8]))
      let product = try g.matmul(x, w, name: "product")
      let curve = try g.pointwise(.tanh, product, name: "curve")
      let soft = try g.softmax(curve, axis: 1, name: "soft")
      try g.addOutput("y", try g.matmul(soft, w, name: "last"))
    }
    #expect(
      Self.lines(plan) == [
        "product: x, folded w_packed -> buffer product", "curve: buffer product -> buffer product",
        "soft: buffer product -> buffer product",
        "last: buffer product, folded w_packed -> output y",
      ]
    )
    #expect(plan.foldSteps.map(\.name) == ["w_packed"])
  }

  @Test("A result does not take the memory of an operand that is read later, or read twice apart")
  func notInPlace() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [4, 4]))
      let a = try g.pointwise(.tanh, x, name: "a")
      let b = try g.pointwise(.exp, a, name: "b")
      // Read along both axes: an element is needed after the one at its place was written.
      let c = try g.add(.value(b), .value(try g.transpose(b, 0, 1)), name: "c")
      let d = try g.pointwise(.sin, c, name: "d")
      try g.addOutput("y", try g.matmul(d, a, name: "product"))
    }
    #expect(
      Self.lines(plan) == [
        "a: x -> buffer a", "b: buffer a -> buffer b", "c: buffer b, buffer b -> buffer c",
        "d: buffer c -> buffer c", "product: buffer c, buffer a -> output y",
      ]
    )
  }

  @Test("A part that the whole would lay out otherwise is copied")
  func partsThatNeedCopies() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 2, 3]))
      let y = try g.addInput("y", TensorType(.float32, [Self.batch, 3, 2]))
      // Rows of 3 become rows of 2, between which the other part lies.
      let a = try g.reshape(try g.pointwise(.exp, x, name: "a"), [Self.batch, 3, 2])
      try g.addOutput("z", try g.concat([y, a], axis: 2, name: "joined"))
    }
    #expect(
      Self.lines(plan) == [
        "a: x -> buffer a", "joined_part0: y -> output z",
        "joined_part1: buffer a -> output z + 8",
      ]
    )
  }

  @Test("A result of another size or walked otherwise does not take an operand's memory")
  func notInPlaceElsewhere() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [4, 4]))
      let y = try g.addInput("y", TensorType(.float32, [3, 4, 4]))
      let a = try g.pointwise(.tanh, x, name: "a")
      let wide = try g.add(.value(a), .value(y), name: "wide")
      let half = try g.cast(wide, to: .float16, name: "half")
      let part = try g.slice(half, axis: 0, SliceRange(0, 1))
      let b = try g.pointwise(.exp, part, name: "b")
      let turned = try g.pointwise(.sin, try g.transpose(b, 1, 2), name: "turned")
      try g.addOutput("z", try g.sum(turned, name: "sum"))
    }
    #expect(plan.buffers.map(\.name) == ["a", "wide", "half", "b", "turned"])
    #expect(
      Self.lines(plan).suffix(3) == [
        "b: buffer half -> buffer b", "turned: buffer b -> buffer turned",
        "sum: buffer turned -> output z",
      ]
    )
  }

  // MARK: - Constants

  @Test("What depends on constants alone is computed once, and packed weights are shared")
  func folding() throws {
    let plan = try Self.plan { g in
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 8]))
      let v = try g.addConstant("v", TensorType(.float32, [8, 8]))
      let w = try g.addConstant("w", TensorType(.float32, [8, 8]))
      let sum = try g.add(.value(v), .value(w), name: "sum")
      let once = try g.matmul(x, sum, name: "once")
      try g.addOutput("y", try g.matmul(once, sum, name: "again"))
      try g.addOutput("z", try g.matmul(x, try g.transpose(sum, 0, 1, name: "t"), name: "turned"))
    }
    #expect(plan.foldSteps.map(\.name) == ["sum", "sum_packed", "t_packed"])
    #expect(plan.folded.map(\.isReadByRuns) == [false, true, true])
    #expect(plan.folded.map(\.sources) == [[0, 1], [0, 1], [0, 1]])
    #expect(plan.constants.map(\.isReadByRuns) == [false, false])
    #expect(plan.constants.map(\.isFoldingInput) == [true, true])
    #expect(
      Self.lines(plan) == [
        "once: x, folded sum_packed -> buffer once",
        "again: buffer once, folded sum_packed -> output y",
        "turned: x, folded t_packed -> output z",
      ]
    )
  }

  // MARK: - Symbols

  @Test("Buffers that grow with different symbols lie in regions of their own")
  func regions() throws {
    let plan = try Self.plan { g in
      let rows = Dimension.symbol("rows", 1...16)
      let x = try g.addInput("x", TensorType(.float32, [Self.batch, 512]))
      let y = try g.addInput("y", TensorType(.float32, [rows, 512]))
      let w = try g.addConstant("w", TensorType(.float32, [512, 512]))
      let a = try g.matmul(x, w, name: "a")
      let b = try g.matmul(y, w, name: "b")
      try g.addOutput("z", try g.matmul(a, try g.transpose(b, 0, 1), name: "c"))
    }
    #expect(plan.buffers.map { "\($0.offset)" } == ["0", "2048*batch"])
    #expect("\(plan.arenaSize)" == "2048*batch + 2048*rows")
    #expect(plan.arenaBoundInBytes == 2048 * (8 + 16))
  }

  @Test("An operator without a kernel is refused by name, with node and target")
  func unsupported() throws {
    let shape = Shape(Array(repeating: Dimension(2), count: 16))
    let error = #expect(throws: Diagnostic.self) {
      _ = try Self.plan { g in
        // The transposition leaves no two of 16 axes that can be walked as one.
        let x = try g.addInput("x", TensorType(.float32, shape))
        let turned = try g.permute(x, Array((0..<16).reversed()))
        try g.addOutput("y", try g.add(.value(x), .value(turned), name: "both"))
      }
    }
    #expect(error?.identity == .unsupportedOperator)
    #expect(error?.location == "node 'both'")
    #expect(error?.message.hasPrefix("pointwise(float32[2, 2,") == true)
    #expect(
      error?.message.contains("has no kernel for cpu:x86-64-v3: its loops do not join") == true
    )
  }
}
