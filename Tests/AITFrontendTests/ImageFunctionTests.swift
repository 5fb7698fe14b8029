import AITFrontend
import AITGraph
import Testing

/// Functions on images, on order and on places that an index chooses: types and mistakes.
@Suite struct ImageFunctionTests {
  private let height: Dimension = .symbol("h", 4...40)

  private var image: Tensor { .input("x", [2, height, 20, 3], .float16) }

  @Test func poolsHaveThePositionsOfWindows() {
    let windows = PoolWindows([3, 3], stride: [2, 2], padding: [1, 1])
    let extents: Shape = [2, (height - 1) / 2 + 1, 10, 3]
    #expect(maxPool(image, windows).type == TensorType(.float16, extents))
    #expect(averagePool(image, windows, countsPadding: false).shape == extents)
    #expect(adaptiveAveragePool(image, [5, 7]).shape == [2, 5, 7, 3])
    #expect(adaptiveMaxPool(image, [1, 1]).shape == [2, 1, 1, 3])
    #expect(maxPool(image, PoolWindows([2])).diagnostic?.identity == .invalidAttribute)
  }

  @Test func resizedImagesHaveTheExtentsGiven() {
    #expect(interpolate(image, to: [7, 9], .cubic).shape == [2, 7, 9, 3])
    let half = height * 3 / 2
    #expect(interpolate(image, by: [1.5, 0.25], .linear).shape == [2, half, 5, 3])
    #expect(interpolate(image, by: [2, 2]).shape == [2, height * 2, 40, 3])
    // No fraction of small numbers is this factor, and the extent is not known.
    let odd = interpolate(image, by: [0.123456789, 1])
    #expect(odd.diagnostic?.identity == .invalidAttribute)
  }

  @Test func orderGivesValuesAndPositions() {
    let best = image.topK(2, axis: 1)
    #expect(best.values.type == TensorType(.float16, [2, 2, 20, 3]))
    #expect(best.positions.type == TensorType(.int64, [2, 2, 20, 3]))
    #expect(image.sort(axis: 1).values.shape == image.shape)
    #expect(image.argSort(isDescending: true).dtype == .int64)
    #expect(image.topK(4).values.diagnostic?.identity == .invalidAttribute)
  }

  @Test func runningSumsOfIntegersAreWide() {
    let counts = Tensor.input("counts", [4, 5], .int8)
    #expect(counts.cumulativeSum(axis: -1).dtype == .int64)
    #expect(counts.cumulativeProduct(axis: 0).dtype == .int64)
    #expect(counts.cumulativeMax(axis: 0, isExclusive: true).dtype == .int8)
    #expect(counts.cumulativeMin(axis: 0, isReversed: true).dtype == .int8)
    #expect(counts.cumulativeSum(axis: 2).diagnostic?.identity == .axisOutOfRange)
  }

  @Test func boxesHaveFixedSizes() {
    let regions = Tensor.input("regions", [9, 5], .float16)
    #expect(roiAlign(image, regions, size: [7, 5]).shape == [9, 7, 5, 3])
    let maps = Tensor.input("maps", [2, 8, 8, 12], .float16)
    #expect(roiAlign(maps, regions, size: [2, 2], isPerPosition: true).shape == [9, 2, 2, 3])
    let boxes = Tensor.input("boxes", [2, 50, 4], .float32)
    let scores = Tensor.input("scores", [2, 50], .float32)
    let kept = nonMaximumSuppression(boxes, scores: scores, count: 10, overlap: 0.5)
    #expect(kept.positions.type == TensorType(.int64, [2, 10]))
    #expect(kept.counts.shape == [2])
    let wrong = nonMaximumSuppression(scores, scores: scores, count: 10, overlap: 0.5)
    #expect(wrong.counts.diagnostic?.identity == .shapeMismatch)
  }

  @Test func scatteredTensorsKeepTheirType() {
    let x = Tensor.input("table", [6, 4], .float32)
    let index = Tensor.input("index", [2, 4], .int64)
    let updates = Tensor.input("updates", [3, 4], .float32)
    #expect(x.scatter(axis: 0, index, updates, .add, includesSelf: false).type == x.type)
    let rows = Tensor.input("rows", [3], .int32)
    #expect(x.scatterSlices(axis: 0, rows, updates, .maximum).type == x.type)
    #expect(x.scatterSlices(axis: 0, index, updates).diagnostic?.identity == .shapeMismatch)
  }
}
