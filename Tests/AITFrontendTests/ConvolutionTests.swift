import AITFrontend
import AITGraph
import AITReference
import Foundation
import Testing

/// A convolution that PyTorch computed; see `Tests/Fixtures/make_convolution_fixture.py`.
struct RecordedConvolution: Decodable, CustomTestStringConvertible, Sendable {
  /// One number for each axis, or PyTorch's name of a rule.
  enum Amounts: Decodable, Sendable {
    case numbers([Int])
    case rule(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let numbers = try? container.decode([Int].self) {
        self = .numbers(numbers)
      } else {
        self = .rule(try container.decode(String.self))
      }
    }
  }

  enum CodingKeys: String, CodingKey {
    case x, weight, bias, transposed, stride, padding, dilation, groups, shape, y
    case outputPadding = "output_padding"
  }

  let x: [Int]
  let weight: [Int]
  let bias: Bool
  let transposed: Bool
  let stride: [Int]?
  let padding: Amounts?
  let dilation: [Int]?
  let outputPadding: [Int]?
  let groups: [Int]?
  let shape: [Int]
  let y: [Double]

  var testDescription: String {
    "\(transposed ? "transposed" : "plain") \(x) by \(weight) to \(shape)"
  }

  var groupCount: Int { groups?.first ?? 1 }
  var outputs: Int { transposed ? weight[1] * groupCount : weight[0] }

  static let all: [RecordedConvolution] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/operators/convolution.json")
    guard let data = try? Data(contentsOf: file) else { return [] }
    return (try? JSONDecoder().decode([RecordedConvolution].self, from: data)) ?? []
  }()

  /// The elements that the fixture's script gives an operand.
  static func data(_ shape: [Int], seed: Int) -> TensorData {
    let count = shape.reduce(1, *)
    return TensorData(.float64, shape, (0..<count).map { Double(($0 * 37 + seed) % 23 - 11) })
  }
}

@Suite("Convolutions")
struct ConvolutionTests {
  @Test("the recording is there")
  func recording() { #expect(RecordedConvolution.all.count >= 19) }

  @Test("as PyTorch computes them", arguments: RecordedConvolution.all)
  func recorded(_ row: RecordedConvolution) throws {
    let x = Tensor.input("X", Shape(row.x), .float64)
    let weight = Tensor.input("W", Shape(row.weight), .float64)
    let bias = row.bias ? Tensor.input("B", Shape([row.outputs]), .float64) : nil
    var inputs = [
      "X": RecordedConvolution.data(row.x, seed: 0),
      "W": RecordedConvolution.data(row.weight, seed: 5),
    ]
    if row.bias { inputs["B"] = RecordedConvolution.data([row.outputs], seed: 9) }
    let result: Tensor
    switch (row.transposed, row.padding) {
    case (false, .rule): result = convolve(row, x, weight, bias, .same)
    case (false, .numbers(let amounts)):
      result = convolve(row, x, weight, bias, .symmetric(amounts))
    case (false, nil): result = convolve(row, x, weight, bias, 0)
    case (true, let padding):
      var amounts = [0]
      if case .numbers(let numbers) = padding { amounts = numbers }
      result = transposedConvolution(
        x,
        weight,
        bias: bias,
        stride: row.stride ?? [1],
        padding: amounts,
        outputPadding: row.outputPadding ?? [0],
        dilation: row.dilation ?? [1],
        groups: row.groupCount
      )
    }
    let run = try Run(result, inputs)
    #expect(run.shape == row.shape)
    #expect(run.isClose(row.y))
  }

  private func convolve(
    _ row: RecordedConvolution,
    _ x: Tensor,
    _ weight: Tensor,
    _ bias: Tensor?,
    _ padding: ConvolutionPadding
  ) -> Tensor {
    convolution(
      x,
      weight,
      bias: bias,
      stride: row.stride ?? [1],
      padding: padding,
      dilation: row.dilation ?? [1],
      groups: row.groupCount
    )
  }

  @Test("channels last gives the same elements")
  func channelsLast() throws {
    let data = random([2, 3, 5, 6])
    let x = Tensor.input("X", [2, 3, 5, 6], .float64)
    let weight = Tensor.weight("W", [4, 3, 3, 3], .float64)
    let first = try Run(convolution(x, weight, padding: 1), ["X": data])
    let last = try Run(
      convolution(x.permute(0, 2, 3, 1), weight, padding: 1, channelsLast: true)
        .permute(0, 3, 1, 2),
      ["X": data]
    )
    #expect(last.isClose(first.values))
  }

  @Test("layers have PyTorch's parameters and results")
  func layers() throws {
    let data = random([1, 4, 6, 5])
    let x = Tensor.input("X", [1, 4, 6, 5], .float64)
    let layer = Conv2d(4, 6, kernel: [3, 2], stride: [2, 1], padding: [1, 0], groups: 2)
    #expect(layer.namedParameters.map(\.name) == ["weight", "bias"])
    #expect(layer.weight.shape == [6, 2, 3, 2])
    let run = try Run(layer(x), ["X": data])
    #expect(run.shape == [1, 6, 3, 4])
    let spread = ConvTranspose2d(4, 6, kernel: [3], stride: [2], outputPadding: [1], groups: 2)
    #expect(spread.weight.shape == [4, 3, 3, 3])
    #expect(spread(x).shape == [1, 6, 14, 12])
    #expect(
      Conv1d(3, 8, kernel: [5], padding: .same)(Tensor.input("X", [2, 3, 9], .float32)).shape
        == [2, 8, 9]
    )
    #expect(
      ConvTranspose3d(2, 1, kernel: [2])(Tensor.input("X", [1, 2, 3, 3, 3], .float32)).shape
        == [1, 1, 4, 4, 4]
    )
    #expect(
      Conv3d(2, 3, kernel: [1])(Tensor.input("X", [2, 4, 4, 4], .float16)).shape
        == [3, 4, 4, 4]
    )
    #expect(
      ConvTranspose1d(2, 3, kernel: [4])(Tensor.input("X", [1, 2, 7], .float32)).shape
        == [1, 3, 10]
    )
  }

  @Test("what does not fit is said")
  func mistakes() {
    let x = Tensor.input("X", [1, 4, 6, 5], .float32)
    let weight = Tensor.weight("W", [6, 4, 3, 3], .float32)
    let symbolic = Tensor.input("S", [1, .symbol("c", 1...4), 6, 5], .float32)
    let rows: [(Tensor, Diagnostic.Identity)] = [
      (convolution(x, weight, groups: 2), .shapeMismatch),
      (convolution(x, Tensor.weight("V", [6, 4, 7, 3], .float32)), .shapeMismatch),
      (convolution(symbolic, weight), .shapeMismatch),
      (convolution(x, Tensor.weight("H", [6, 4, 3, 3], .float16)), .dtypeMismatch),
      (convolution(x, Tensor.weight("R", [6, 4, 3], .float32)), .rankMismatch),
      (convolution(x, weight, bias: Tensor.weight("B", [4], .float32)), .shapeMismatch),
      (convolution(x, weight, stride: [0]), .invalidAttribute),
      (convolution(x, weight, stride: [1, 2, 3]), .invalidAttribute),
      (convolution(x, weight, stride: [2], padding: .same), .invalidAttribute),
      (
        convolution(x, weight, padding: .asymmetric(before: [1], after: [1, 1])), .invalidAttribute
      ),
      (
        transposedConvolution(x, Tensor.weight("T", [4, 6, 3, 3], .float32), outputPadding: [1]),
        .invalidAttribute
      ),
    ]
    for (index, row) in rows.enumerated() {
      #expect(row.0.diagnostic?.identity == row.1, "\(index)")
    }
  }
}
