import AITGraph
import Testing

@Suite struct ShapeTests {
  static let B = Dimension.symbol("B", 1...8)

  @Test(
    arguments: [
      ([[2, 3], [3]], [2, 3]),
      ([[2, 1], [1, 3]], [2, 3]),
      ([[], [2]], [2]),
      ([[0, 3], [1, 3]], [0, 3]),
      ([[1], [0]], [0]),
      ([[B, 1, 4], [5, 1], [1]], [B, 5, 4]),
      ([[B, 2 * B], [2 * B]], [B, 2 * B]),
      ([], []),
    ] as [([Shape], Shape)]
  )
  func broadcasts(_ shapes: [Shape], _ expected: Shape) throws {
    #expect(try Shape.broadcasting(shapes) == expected)
    #expect(try Shape.broadcasting(shapes.reversed()) == expected)
  }

  @Test(arguments: [[[2], [3]], [[B], [2]], [[2, 3], [2]], [[0], [2]]] as [[Shape]])
  func refusesToBroadcast(_ shapes: [Shape]) {
    #expect { try Shape.broadcasting(shapes) } throws: {
      ($0 as? Diagnostic)?.identity == .shapeMismatch
    }
  }

  @Test func axesAreNormalised() throws {
    let shape: Shape = [2, 3, 4]
    #expect(try shape.normalizedAxis(-1) == 2)
    #expect(try shape.normalizedAxes([-3, 1]) == [0, 1])
    #expect(throws: Diagnostic.self) { try shape.normalizedAxis(3) }
    #expect(throws: Diagnostic.self) { try shape.normalizedAxis(-4) }
    #expect(throws: Diagnostic.self) { try shape.normalizedAxis(Int.min) }
    #expect(throws: Diagnostic.self) { try shape.normalizedAxes([0, -3]) }
    #expect(throws: Diagnostic.self) { try (Shape([] as [Int])).normalizedAxis(0) }
  }

  @Test func rowMajorLayoutIgnoresAxesOfExtentOne() {
    let layout = Layout(rowMajor: [Self.B, 3, 4])
    #expect(layout.strides == [12, 4, 1])
    #expect(Layout(strides: [99, 4, 1]).isRowMajor([1, 3, 4]))
    #expect(!Layout(strides: [99, 4, 1]).isRowMajor([2, 3, 4]))
  }

  @Test func sizesAreLimited() {
    let wide = Dimension.symbol("wide", 0...Int.max)
    for type in [
      TensorType(.float32, [wide]), TensorType(.float32, [0x100_0000_0000, 0x100_0000_0000]),
      TensorType(.float32, [-1]), TensorType(.float32, [Self.B - 2]),
      TensorType(.bool, Shape(Array(repeating: 1, count: 17))),
    ] {
      #expect { try type.checkSize() } throws: { ($0 as? Diagnostic)?.identity == .sizeLimit }
    }
    #expect(throws: Never.self) { try TensorType(.float32, [0, 7]).checkSize() }
  }
}
