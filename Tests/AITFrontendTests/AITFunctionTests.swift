import AITFrontend
import AITGraph
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One of AITemplate's elementwise functions: by its name there, ours, and a formula in Double that
/// shares nothing with it.
struct AITFunction: CustomTestStringConvertible, Sendable {
  let name: String
  let build: @Sendable (_ x: Tensor, _ y: Tensor) -> Tensor
  let formula: @Sendable (_ x: Double, _ y: Double) -> Double

  init(
    _ name: String,
    _ build: @escaping @Sendable (Tensor, Tensor) -> Tensor,
    _ formula: @escaping @Sendable (Double, Double) -> Double
  ) {
    self.name = name
    self.build = build
    self.formula = formula
  }

  var testDescription: String { name }

  var takesTwo: Bool {
    ["ADD", "SUB", "MUL", "DIV", "MAX", "MIN", "POW", "FLOOR_DIV"].contains(name)
  }
}

@Suite("AITemplate's elementwise functions")
struct AITFunctionTests {
  static let functions: [AITFunction] = [
    AITFunction("ADD", { $0 + $1 }) { $0 + $1 },
    AITFunction("SUB", { $0 - $1 }) { $0 - $1 },
    AITFunction("MUL", { $0 * $1 }) { $0 * $1 },
    AITFunction("DIV", { $0 / $1 }) { $0 / $1 },
    AITFunction("TANH", { x, _ in tanh(x) }) { x, _ in 1 - 2 / (exponential(2 * x) + 1) },
    AITFunction("COS", { x, _ in cos(x) }) { x, _ in cosine(x) },
    AITFunction("SIN", { x, _ in sin(x) }) { x, _ in cosine(x - .pi / 2) },
    AITFunction("SIGN", { x, _ in sign(x) }) { x, _ in x > 0 ? 1 : x < 0 ? -1 : x.isNaN ? .nan : 0
    },
    AITFunction("ABS", { x, _ in abs(x) }) { x, _ in x.magnitude },
    AITFunction("LOGE", { x, _ in log(x) }) { x, _ in naturalLogarithm(x) },
    AITFunction("EXP", { x, _ in exp(x) }) { x, _ in exponential(x) },
    AITFunction("SQRT", { x, _ in sqrt(x) }) { x, _ in x.squareRoot() },
    AITFunction("MAX", { maximum($0, $1) }) { $0.isNaN || $1.isNaN ? .nan : $0 > $1 ? $0 : $1 },
    AITFunction("MIN", { minimum($0, $1) }) { $0.isNaN || $1.isNaN ? .nan : $0 < $1 ? $0 : $1 },
    AITFunction("SIGMOID", { x, _ in sigmoid(x) }) { x, _ in 1 / (1 + exponential(-x)) },
    AITFunction("LRELU", { x, _ in leakyReLU(x, slope: 0.2) }) { x, _ in x > 0 ? x : 0.2 * x },
    AITFunction("HARDTANH", { x, _ in hardtanh(x, min: -2, max: 1.5) }) { x, _ in
      x.isNaN ? x : x < -2 ? -2 : x > 1.5 ? 1.5 : x
    },
    AITFunction("RELU", { x, _ in relu(x) }) { x, _ in x < 0 ? 0 : x },
    AITFunction(
      "NAN_TO_NUM",
      { x, _ in x.nanToNum(nan: 3, positiveInfinity: 4, negativeInfinity: 5) }
    ) { x, _ in x.isNaN ? 3 : x == .infinity ? 4 : x == -.infinity ? 5 : x },
    AITFunction("CLAMP_NAN_TO_NUM", { x, _ in x.clampNaNToNum(min: -2, max: 1.5, nan: 0.25) }) {
      x,
      _ in x.isNaN ? 0.25 : x < -2 ? -2 : x > 1.5 ? 1.5 : x
    },
    AITFunction("SILU", { x, _ in silu(x) }) { x, _ in
      x == -.infinity ? .nan : x / (1 + exponential(-x))
    },
    AITFunction("POW", { power($0, $1) }) { raised($0, $1) },
    AITFunction("GELU", { x, _ in gelu(x) }) { x, _ in x * normalDistribution(x) },
    AITFunction("FASTGELU", { x, _ in gelu(x, approximate: .tanh) }) { x, _ in
      x * (1 - 1 / (exponential(2 * (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)) + 1))
    },
    AITFunction("SOFTPLUS", { x, _ in softplus(x, beta: 2, threshold: 3) }) { x, _ in
      2 * x > 3 ? x : naturalLogarithm(1 + exponential(2 * x)) / 2
    },
    AITFunction("ELU", { x, _ in elu(x, alpha: 0.5) }) { x, _ in
      x > 0 ? x : 0.5 * (exponential(x) - 1)
    },
    AITFunction("SOFTSIGN", { x, _ in softsign(x) }) { x, _ in x / (1 + x.magnitude) },
    AITFunction("FLOOR_DIV", { floorDivide($0, $1) }) {
      $0.isInfinite ? .nan : ($0 / $1).rounded(.down)
    },
    AITFunction("CELU", { x, _ in celu(x, alpha: 0.5) }) { x, _ in
      x > 0 ? x : 0.5 * (exponential(x / 0.5) - 1)
    },
    AITFunction("FLOOR", { x, _ in floor(x) }) { x, _ in x.rounded(.down) },
    AITFunction("LOG1P", { x, _ in log1p(x) }) { x, _ in naturalLogarithm(1 + x) },
    AITFunction("RECIPROCAL", { x, _ in reciprocal(x) }) { x, _ in 1 / x },
  ]

  @Test func allAreThere() {
    #expect(Self.functions.count == 32)
    #expect(Set(Self.functions.map(\.name)).count == 32)
  }

  @Test(arguments: functions)
  func haveTheValuesOfTheirFormulas(_ function: AITFunction) throws {
    let xs: [Double] = [
      -30, -6.5, -2, -1.25, -0.5, 0.001, 0.5, 1, 1.75, 4, 30.25, .infinity, -.infinity, .nan,
    ]
    let ys = [-2, -0.5, 0.75, 3]
    let pairs = xs.flatMap { x in ys.map { (x, $0) } }
    let type = TensorType(.float64, [Dimension(pairs.count)])
    let x = TensorData(.float64, [pairs.count], pairs.map(\.0))
    let y = TensorData(.float64, [pairs.count], pairs.map(\.1))
    let result = try Run(
      function.build(.input("X", type.shape, .float64), .input("Y", type.shape, .float64)),
      function.takesTwo ? ["X": x, "Y": y] : ["X": x]
    )
    for (pair, found) in zip(pairs, result.values) {
      let expected = function.formula(pair.0, pair.1)
      // What PyTorch's formulas leave open at the infinities is tested where they are recorded.
      if expected.isNaN && !pair.0.isFinite { continue }
      let isClose = (found - expected).magnitude <= 1e-9 * (1 + expected.magnitude)
      #expect(
        isClose || found == expected || (found.isNaN && expected.isNaN),
        "of \(pair): \(found), expected \(expected)"
      )
    }
  }

  @Test func negativeZeroStays() throws {
    let zero = ["X": TensorData(.float64, [1], [-0.0])]
    let x = Tensor.input("X", [1], .float64)
    for y in [relu(x), x.clamp(min: 0, max: 1), x.clampNaNToNum(min: 0, max: 1)] {
      #expect(try Run(y, zero).values[0].sign == .minus)
    }
  }
}

// Named apart from the functions of tensors.

private func cosine(_ x: Double) -> Double { cos(x) }
private func raised(_ x: Double, _ y: Double) -> Double { pow(x, y) }
private func normalDistribution(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
