import AITFrontend
import AITGraph
import AITReference
import Testing

/// A layer of one element to one element, and its formula.
struct ActivationCase: CustomTestStringConvertible, @unchecked Sendable {
  let layer: any UnaryLayer
  let formula: @Sendable (Double) -> Double

  init(_ layer: any UnaryLayer, _ formula: @escaping @Sendable (Double) -> Double) {
    self.layer = layer
    self.formula = formula
  }

  var testDescription: String { layer.description }
}

@Suite("Layers")
struct LayerTests {
  static let activations = [
    ActivationCase(ReLU(), relu), ActivationCase(ReLU6()) { min(relu($0), 6) },
    ActivationCase(GELU(), gelu), ActivationCase(GELU(approximate: .tanh), fastGELU),
    ActivationCase(SiLU(), silu), ActivationCase(Sigmoid(), sigmoid),
    ActivationCase(Tanh(), hyperbolicTangent),
    ActivationCase(Mish()) { $0 * hyperbolicTangent(softplus($0)) },
    ActivationCase(Softsign()) { $0 / (1 + $0.magnitude) },
    ActivationCase(HardSwish()) { $0 * min(max($0 + 3, 0), 6) / 6 },
    ActivationCase(HardSigmoid()) { min(max($0 + 3, 0), 6) / 6 },
    ActivationCase(SELU()) {
      1.0507009873554805 * ($0 > 0 ? $0 : 1.6732632423543772 * (exponential($0) - 1))
    },
    ActivationCase(LogSigmoid()) { naturalLogarithm(sigmoid($0)) },
    ActivationCase(LeakyReLU(slope: 0.2)) { $0 > 0 ? $0 : 0.2 * $0 },
    ActivationCase(ELU(alpha: 1.5)) { $0 > 0 ? $0 : 1.5 * (exponential($0) - 1) },
    ActivationCase(CELU(alpha: 1.5)) { $0 > 0 ? $0 : 1.5 * (exponential($0 / 1.5) - 1) },
    ActivationCase(Softplus(beta: 2)) { softplus(2 * $0) / 2 },
    ActivationCase(Hardtanh(min: -0.5, max: 0.25)) { min(max($0, -0.5), 0.25) },
    ActivationCase(Identity()) { $0 }, ActivationCase(Dropout(0.3)) { $0 },
  ]

  @Test("of one element to one element", arguments: activations)
  func activation(_ row: ActivationCase) throws {
    let data = random([4, 33])
    let x = Tensor.input("X", [4, 33], .float64)
    let run = try Run(row.layer(x), ["X": data])
    #expect(run.isClose(data.doubles.map(row.formula), 1e-9))
    #expect(row.layer.parameters.isEmpty)
  }

  @Test("linear with each specialisation", arguments: Linear.Specialization.allCases)
  func linear(_ specialization: Linear.Specialization) throws {
    let data = random([3, 5])
    let others = [random([3, 4], seed: 8), random([3, 4], seed: 9)]
    let layer = Linear(5, 4, specialization: specialization)
    let x = Tensor.input("X", [3, 5], .float64)
    let d = Tensor.input("D", [3, 4], .float64)
    let e = Tensor.input("E", [3, 4], .float64)
    var inputs = ["X": data]
    let output: Tensor
    switch specialization.operandCount {
    case 0: output = layer(x)
    case 1: output = layer(x, d)
    default: output = layer(x, d, e)
    }
    if specialization.operandCount > 0 { inputs["D"] = others[0] }
    if specialization.operandCount > 1 { inputs["E"] = others[1] }
    let run = try Run(output, inputs)
    let y = Matrix(data.doubles, columns: 5)
      .linear(try run.matrix("weight"), try run.vector("bias"))
    let (first, second) = (
      Matrix(others[0].doubles, columns: 4), Matrix(others[1].doubles, columns: 4)
    )
    let expected: Matrix =
      switch specialization {
      case .none: y
      case .relu: y.map(relu)
      case .gelu: y.map(gelu)
      case .fastGELU: y.map(fastGELU)
      case .silu: y.map(silu)
      case .hardSwish: y.map { $0 * min(max($0 + 3, 0), 6) / 6 }
      case .sigmoid: y.map(sigmoid)
      case .tanh: y.map(hyperbolicTangent)
      case .softmax: Matrix(y.rows.map(softmax))
      case .add: y.zip(first, +)
      case .addReLU: y.zip(first, +).map(relu)
      case .addAdd: y.zip(first, +).zip(second, +)
      case .addAddReLU: y.zip(first, +).zip(second, +).map(relu)
      case .multiply: y.zip(first, *)
      case .multiplyAdd: y.zip(first, *).zip(second, +)
      case .multiplyTanh: y.zip(first, *).map(hyperbolicTangent)
      case .sigmoidMultiply: y.map(sigmoid).zip(first, *)
      case .sigmoidMultiplyTanh: y.map(sigmoid).zip(first, *).map(hyperbolicTangent)
      }
    #expect(run.isClose(expected.values))
  }

  @Test("linear refuses too few operands for its specialisation")
  func linearOperands() {
    let x = Tensor.input("X", [3, 5], .float64)
    #expect(Linear(5, 4, specialization: .add)(x).diagnostic?.identity == .wrongInputCount)
  }

  @Test("normalisations")
  func normalization() throws {
    let data = random([2, 3, 4])
    let x = Tensor.input("X", [2, 3, 4], .float64)
    let layer = try Run(LayerNorm([3, 4])(x), ["X": data])
    let flat = Matrix(data.doubles, columns: 12)
    #expect(
      layer.isClose(flat.layerNorm(try layer.vector("weight"), try layer.vector("bias")).values)
    )

    let rms = try Run(RMSNorm(4, epsilon: 1e-3)(x), ["X": data])
    let weight = try rms.vector("weight")
    let scaled = Matrix(data.doubles, columns: 4).rows.flatMap { row in
      let square = row.reduce(0) { $0 + $1 * $1 } / 4
      return row.enumerated().map { $1 / (square + 1e-3).squareRoot() * weight[$0] }
    }
    #expect(rms.isClose(scaled))

    let image = random([2, 6, 5])
    let group = try Run(
      GroupNorm(2, 6)(Tensor.input("X", [2, 6, 5], .float64)),
      ["X": image]
    )
    let normal = Matrix(image.doubles, columns: 15)
      .layerNorm(Array(repeating: 1, count: 15), Array(repeating: 0, count: 15)).values
    let (scale, bias) = (try group.vector("weight"), try group.vector("bias"))
    #expect(
      group.isClose(
        normal.enumerated().map { $1 * scale[$0 / 5 % 6] + bias[$0 / 5 % 6] }
      )
    )
  }

  @Test("normalisations without parameters, and over extents that x does not have")
  func plainNormalization() throws {
    let x = Tensor.input("X", [2, 6], .float64)
    let data = random([2, 6])
    let run = try Run(LayerNorm(6, affine: false)(x), ["X": data])
    #expect(
      run.isClose(
        Matrix(data.doubles, columns: 6)
          .layerNorm(Array(repeating: 1, count: 6), Array(repeating: 0, count: 6)).values
      )
    )
    for layer in [LayerNorm(5), RMSNorm([3, 6]), GroupNorm(2, 4)] as [any UnaryLayer] {
      #expect(layer(x).diagnostic?.identity == .shapeMismatch)
    }
  }

  @Test("embedding looks up rows, and is float32 by itself")
  func embedding() throws {
    let index = TensorData(.int64, [2, 3], [4, 0, 1, 1, 3, 2])
    let layer = Embedding(5, 2)
    let run = try Run(layer(Tensor.input("X", [2, 3], .int64)), ["X": index])
    #expect(run.dtype == .float32)
    let table = try run.matrix("weight")
    #expect(run.isClose([4, 0, 1, 1, 3, 2].flatMap { table.rows[$0] }))
    let x = Tensor.input("H", [3, 2], .float32)
    let logits = try Run(layer.asLinear(x), ["H": random([3, 2], .float32)])
    #expect(logits.shape == [3, 5])
  }

  @Test("softmax, its logarithm and gated linear units")
  func softmaxes() throws {
    let data = random([3, 4])
    let x = Tensor.input("X", [3, 4], .float64)
    let rows = Matrix(data.doubles, columns: 4).rows
    #expect(try Run(Softmax(axis: -1)(x), ["X": data]).isClose(rows.flatMap(softmax)))
    #expect(
      try Run(LogSoftmax(axis: 1)(x), ["X": data])
        .isClose(rows.flatMap { softmax($0).map(naturalLogarithm) })
    )
    #expect(
      try Run(GLU()(x), ["X": data])
        .isClose(rows.flatMap { [$0[0] * sigmoid($0[2]), $0[1] * sigmoid($0[3])] })
    )
    #expect(GLU(axis: 0)(x).diagnostic?.identity == .shapeMismatch)
  }

  @Test("sequences and other shapes")
  func shapes() throws {
    let x = Tensor.input("X", [.symbol("batch", 1...4), 2, 3], .float64)
    let model = Sequential(Flatten(), Linear(6, 4), ReLU(), Reshape(-1, 2, 2))
    #expect(model.namedParameters.map(\.name) == ["1.weight", "1.bias"])
    let data = random([3, 2, 3])
    let run = try Run(model(x), ["X": data])
    #expect(run.shape == [3, 2, 2])
    #expect(
      run.isClose(
        Matrix(data.doubles, columns: 6)
          .linear(try run.matrix("1.weight"), try run.vector("1.bias")).map(relu).values
      )
    )
  }

  @Test("the gated feed-forward")
  func swiGLU() throws {
    let data = random([3, 4])
    let run = try Run(
      SwiGLU(4, hiddenWidth: 6)(Tensor.input("X", [3, 4], .float64)),
      ["X": data]
    )
    let x = Matrix(data.doubles, columns: 4)
    let hidden = x.linear(try run.matrix("gate_proj.weight")).map(silu)
      .zip(x.linear(try run.matrix("up_proj.weight")), *)
    #expect(run.isClose(hidden.linear(try run.matrix("down_proj.weight")).values))
  }
}
