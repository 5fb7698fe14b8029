import AITGraph
import AITReference
import Testing

@Suite struct ComparisonTests {
  private func tensor(_ dtype: DType, _ values: [Double]) -> TensorData {
    TensorData(dtype, [values.count], values)
  }

  @Test func floatsAreHeldToTheTable() {
    let expected = tensor(.float32, [1, -2, 3])
    #expect(compare(expected, expected).isEqual)
    #expect(compare(tensor(.float32, [1, -2, 3.00001]), expected).isEqual)
    let found = compare(tensor(.float32, [1, -2, 3.01]), expected)
    #expect(!found.isEqual && found.worst?.index == 2)
    #expect(found.description.contains("exceeds"))
    #expect(compare(tensor(.float32, [1, -2, 3.01]), expected, bound: 0.1).isEqual)
    #expect(compare(tensor(.float16, [1, -2, 3.005]), tensor(.float16, [1, -2, 3])).isEqual)
  }

  @Test func integersAreExact() {
    let expected = tensor(.int32, [1, 2, 3])
    #expect(compare(expected, expected).isEqual)
    #expect(!compare(tensor(.int32, [1, 2, 4]), expected).isEqual)
    #expect(compare(tensor(.int32, [1, 2, 4]), expected, disputed: [2]).isEqual)
    #expect(!compare(tensor(.bool, [1]), tensor(.bool, [0])).isEqual)
  }

  @Test func typesAndExtentsAgree() {
    #expect(!compare(tensor(.float32, [1]), tensor(.float16, [1])).isEqual)
    #expect(!compare(tensor(.float32, [1]), tensor(.float32, [1, 1])).isEqual)
    #expect(compare(tensor(.float32, []), tensor(.float32, [])).isEqual)
  }

  static let special: [(found: [Double], expected: [Double], isEqual: Bool)] = [
    ([.nan, 1], [.nan, 1], true),
    ([.nan, 1], [0, 1], false),
    ([0, 1], [.nan, 1], false),
    ([.infinity, 1], [.infinity, 1], true),
    ([-.infinity, 1], [.infinity, 1], false),
    ([.infinity, 1], [1e30, 1], false),
    ([0, 0], [0, 0], true),
    ([1e-3, 0], [0, 0], false),
    ([0, 0], [1, 1], false),
    ([.nan, .infinity], [.nan, .infinity], true),
  ]

  @Test(arguments: special.indices)
  func specialValuesStandInTheSamePlaces(_ row: Int) {
    let (found, expected, isEqual) = Self.special[row]
    let (a, b) = (tensor(.float32, found), tensor(.float32, expected))
    #expect(compare(a, b).isEqual == isEqual)
    #expect(compare(a, b, disputed: [0, 1]).isEqual)
  }

  @Test func squaresNeitherOverflowNorVanish() {
    for magnitude in [1e300, 1e-300] {
      let expected = tensor(.float64, [magnitude, 2 * magnitude])
      #expect(compare(expected, expected).isEqual)
      #expect(!compare(tensor(.float64, [magnitude, 3 * magnitude]), expected).isEqual)
    }
  }

  @Test func longSumsMayErrMore() {
    #expect(Tolerance.bound(.float32, reductionLength: 4096) == 1e-5)
    #expect(Tolerance.bound(.float32, reductionLength: 1 << 20) == 4e-5)
    #expect(Tolerance.bound(.bfloat16) == 1.5e-2)
    #expect(Tolerance.bound(.float16, operatorCount: 4) == 4e-3)
    #expect(Tolerance.bound(.int64) == 0)
  }
}

@Suite struct RandomTensorTests {
  /// The published sequence for the seed 0.
  @Test func sequenceIsThatOfXoshiro() {
    var generator = RandomGenerator(seed: 0)
    let found = (0..<4).map { _ in generator.next() }
    #expect(
      found == [
        11_091_344_671_253_066_420, 13_793_997_310_169_335_082, 1_900_383_378_846_508_768,
        7_684_712_102_626_143_532,
      ]
    )
  }

  @Test func normalNumbersAreNormal() {
    var generator = RandomGenerator(seed: 3)
    let values = TensorData.random(.float64, [20_000], using: &generator, scale: 2).doubles
    let mean = values.reduce(0, +) / 20_000
    let variance = values.reduce(0) { $0 + $1 * $1 } / 20_000
    #expect(mean.magnitude < 0.05 && (variance - 4).magnitude < 0.15)
    #expect(values.allSatisfy { $0.isFinite })
  }

  @Test func integersKeepTheirBounds() {
    var generator = RandomGenerator(seed: 3)
    let indices = TensorData.random(.int64, [1000], using: &generator, indexBound: 7).integers
    #expect(Set(indices) == Set(0..<7))
    let signed = TensorData.random(.int8, [5000], using: &generator).integers
    #expect(signed.min() == -100 && signed.max() == 100)
    let unsigned = TensorData.random(.uint8, [5000], using: &generator).integers
    #expect(unsigned.min() == 0 && unsigned.max() == 200)
    let even = TensorData.random(.bool, [1000], using: &generator).integers
    #expect((400...600).contains(even.reduce(0, +)))
    let ranged = TensorData.random(.int32, [1000], in: -2...2, using: &generator).integers
    #expect(Set(ranged) == Set(-2...2))
    let uniform = TensorData.random(.float32, [1000], in: 3...4, using: &generator).doubles
    #expect(uniform.allSatisfy { (3...4).contains($0) })
  }
}
