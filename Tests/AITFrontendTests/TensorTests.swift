import AITFrontend
import AITGraph
import AITReference
import Testing

/// A program on X `float64[2, 3] = 1…6`, and what it gives.
struct FunctionalCase: CustomTestStringConvertible, Sendable {
  let name: String
  let build: @Sendable (Tensor) -> Tensor
  let shape: [Int]
  let values: [Double]

  init(
    _ name: String,
    _ shape: [Int],
    _ values: [Double],
    _ build: @escaping @Sendable (Tensor) -> Tensor
  ) {
    self.name = name
    self.build = build
    self.shape = shape
    self.values = values
  }

  var testDescription: String { name }
}

@Suite("Functions on tensors")
struct TensorTests {
  static let cases: [FunctionalCase] = [
    FunctionalCase("x + 1", [2, 3], [2, 3, 4, 5, 6, 7]) { $0 + 1 },
    FunctionalCase("1 - x", [2, 3], [0, -1, -2, -3, -4, -5]) { 1 - $0 },
    FunctionalCase("-x * 0.5", [2, 3], [-0.5, -1, -1.5, -2, -2.5, -3]) { -$0 * 0.5 },
    FunctionalCase("12 / x", [2, 3], [12, 6, 4, 3, 2.4, 2]) { 12 / $0 },
    FunctionalCase("x % 4", [2, 3], [1, 2, 3, 0, 1, 2]) { $0 % 4 },
    FunctionalCase("x .> 3 & x .< 6", [2, 3], [0, 0, 0, 1, 1, 0]) { ($0 .> 3) & ($0 .< 6) },
    FunctionalCase("~(x .== 2)", [2, 3], [1, 0, 1, 1, 1, 1]) { ~($0 .== 2) },
    FunctionalCase("where", [2, 3], [1, 2, 0, 0, 0, 0]) { Tensor.where($0 .<= 2, $0, 0) },
    FunctionalCase("where, free", [2, 3], [1, 2, 0, 0, 0, 0]) { `where`($0 .<= 2, $0, 0) },
    FunctionalCase("maskedFill", [2, 3], [-1, -1, 3, 4, 5, 6]) { $0.maskedFill($0 .< 3, -1) },
    FunctionalCase("clamp", [2, 3], [2, 2, 3, 4, 5, 5]) { $0.clamp(min: 2, max: 5) },
    FunctionalCase("clamp from above", [2, 3], [1, 2, 3, 4, 4, 4]) { $0.clamp(max: 4) },
    FunctionalCase("power", [2, 3], [1, 4, 9, 16, 25, 36]) { $0.power(2) },
    FunctionalCase("maximum", [2, 3], [3, 3, 3, 4, 5, 6]) { maximum($0, 3) },
    FunctionalCase("floorDivide", [2, 3], [0, 1, 1, 2, 2, 3]) { floorDivide($0, 2) },
    FunctionalCase("logicalNot", [2, 3], [0, 0, 0, 0, 0, 0]) { $0.logicalNot() },
    FunctionalCase("cast", [2, 3], [0, 1, 1, 2, 2, 3]) { ($0 / 2).cast(to: .int32) },
    FunctionalCase("sum", [], [21]) { $0.sum() },
    FunctionalCase("sum of an axis", [2], [6, 15]) { $0.sum(axis: -1) },
    FunctionalCase("mean, kept", [1, 3], [2.5, 3.5, 4.5]) {
      $0.mean(axis: 0, keepsDimensions: true)
    },
    FunctionalCase("max and min", [2], [2, 2]) { $0.max(axis: 1) - $0.min(axis: 1) },
    FunctionalCase("product", [3], [4, 10, 18]) { $0.product(axes: [0]) },
    FunctionalCase("any", [2], [0, 1]) { ($0 .> 4).any(axis: 1) },
    FunctionalCase("all", [], [1]) { ($0 .> 0).all() },
    FunctionalCase("variance", [2], [1, 1]) { $0.variance(axes: [1]) },
    FunctionalCase("norm", [], [6]) { $0.norm(order: .infinity) },
    FunctionalCase("argMax", [2], [2, 2]) { $0.argMax(axis: 1) },
    FunctionalCase("reshape", [3, 2], [1, 2, 3, 4, 5, 6]) { $0.reshape(-1, 2) },
    FunctionalCase("flatten", [6], [1, 2, 3, 4, 5, 6]) { $0.flatten() },
    FunctionalCase("permute", [3, 2], [1, 4, 2, 5, 3, 6]) { $0.permute(1, 0) },
    FunctionalCase("mT", [3, 2], [1, 4, 2, 5, 3, 6]) { $0.mT },
    FunctionalCase("unsqueeze and expand", [2, 2, 3], [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]) {
      $0.unsqueeze(axis: 0).expand(2, -1, -1)
    },
    FunctionalCase("squeeze", [2, 3], [1, 2, 3, 4, 5, 6]) { $0.unsqueeze(axis: 1).squeeze() },
    FunctionalCase("concatenate", [2, 4], [1, 2, 3, 1, 4, 5, 6, 4]) {
      concatenate([$0, $0[.all, 0..<1]], axis: 1)
    },
    FunctionalCase("stack", [2, 2], [1, 4, 3, 6]) { stack([$0[.all, 0], $0[.all, -1]]) },
    FunctionalCase("split", [2, 1], [3, 6]) { $0.split(sizes: [2, 1], axis: 1)[1] },
    FunctionalCase("chunk", [1, 3], [4, 5, 6]) { $0.chunk(2)[1] },
    FunctionalCase("unbind", [2], [2, 5]) { $0.unbind(axis: 1)[1] },
    FunctionalCase("pad", [2, 5], [0, 1, 2, 3, 0, 0, 4, 5, 6, 0]) { $0.pad([1, 1]) },
    FunctionalCase("flip", [2, 3], [4, 5, 6, 1, 2, 3]) { $0.flip(axes: [0]) },
    FunctionalCase("tile", [2, 6], [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]) { $0.tile([1, 2]) },
    FunctionalCase("row", [3], [4, 5, 6]) { $0[1] },
    FunctionalCase("column", [2], [3, 6]) { $0[.ellipsis, -1] },
    FunctionalCase("ranges", [1, 2], [5, 6]) { $0[1..., 1...2] },
    FunctionalCase("new axis", [2, 1, 2], [1, 2, 4, 5]) { $0[.all, .newAxis, ..<(-1)] },
    FunctionalCase("reversed", [2, 3], [3, 2, 1, 6, 5, 4]) { $0[.all, .range(by: -1)] },
    FunctionalCase("indexSelect", [2, 2], [3, 1, 6, 4]) {
      $0.indexSelect(axis: 1, .constant(TensorData(.int64, [2], [2, 0])))
    },
    FunctionalCase("gather", [2, 1], [3, 4]) {
      $0.gather(axis: 1, .constant(TensorData(.int64, [2, 1], [2, 0])))
    },
    FunctionalCase("arange", [2, 3], [1, 3, 5, 4, 6, 8]) { $0 + Tensor.arange(3, .float64) },
    FunctionalCase("full", [2, 3], [3, 4, 5, 6, 7, 8]) { $0 + Tensor.full(like: $0, 2) },
    FunctionalCase("addMM", [2, 2], [16, 34, 34, 79]) {
      addMM(.ones([2, 2], .float64), $0, $0.mT, beta: 2) + .zeros([1], .float64)
    },
    FunctionalCase("softplus of a large number", [], [6]) {
      softplus($0[1, 2], beta: 10, threshold: 20)
    },
    FunctionalCase("instanceNorm of a constant", [2, 3, 1], [0, 0, 0, 0, 0, 0]) {
      instanceNorm($0.unsqueeze(axis: -1))
    },
    FunctionalCase("batchNorm", [2, 3], [0, 0, 0, 3, 3, 3]) {
      batchNorm($0, mean: $0[0], variance: .ones([3], .float64), epsilon: 0)
    },
  ]

  @Test("give PyTorch's results", arguments: cases)
  func functional(_ row: FunctionalCase) throws {
    let x = Tensor.input("X", [2, 3], .float64)
    let run = try Run(row.build(x), ["X": TensorData(.float64, [2, 3], (1...6).map(Double.init))])
    #expect(run.shape == row.shape)
    #expect(run.isClose(row.values, 1e-12), "\(run.values)")
  }

  @Test("promote numbers as Python's")
  func promotion() {
    let half = Tensor.input("H", [2], .float16)
    let whole = Tensor.input("I", [2], .int32)
    #expect((half * 2.5).dtype == .float16)
    #expect((whole + 1).dtype == .int32)
    #expect((1.5 + whole).dtype == .float32)
    #expect((half + whole).dtype == .float16)
    #expect((whole / 2).dtype == .float32)
    #expect((half .< 1).dtype == .bool)
    #expect(softmax(half, axis: 0, dtype: .float32).dtype == .float32)
    #expect(Tensor.constant(TensorData(scalar: 2, .float64)).rank == 0)
  }

  @Test("know symbolic shapes")
  func symbols() {
    let x = Tensor.input("X", [.symbol("batch", 1...8), 3, 4], .float32)
    #expect(x.flatten(end: 1).shape == [.symbol("batch", 1...8) * 3, 4])
    #expect(x.extent(-1) == 4)
    #expect(x.extent(0) == .symbol("batch", 1...8))
    #expect("\(x.reshape(-1, 2))" == "float32[6*batch, 2]")
  }

  @Test("agree in both of their forms")
  func forms() {
    let x = Tensor.input("X", [2], .float32)
    func text(_ y: Tensor) -> String? { try? Graph(name: "g", outputs: [y]).pseudoCode() }
    #expect(text(exp(x)) == text(x.exp()))
    #expect(text(relu(x)) == text(x.relu()))
    #expect(text(gelu(x, approximate: .tanh)) == text(x.gelu(approximate: .tanh)))
    #expect(text(matmul(x, x)) == text(x.matmul(x)))
    #expect(text(exp(x)) != text(relu(x)))
  }
}
