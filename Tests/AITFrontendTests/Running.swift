import AITFrontend
import AITGraph
import AITReference
import Testing

/// The values of a program's one output by the reference evaluator.
///
/// Constants without data get seeded random numbers, by their original names, which the closure that
/// checks can read.
struct Run {
  let values: [Double]
  let shape: [Int]
  let dtype: DType
  let constants: [String: TensorData]

  init(_ output: Tensor, _ inputs: [String: TensorData], seed: UInt64 = 1) throws {
    let graph = try Graph(name: "test", outputs: [output.named("result")])
    var generator = RandomGenerator(seed: seed)
    var constants: [String: TensorData] = [:]
    for id in graph.constants {
      guard let constant = graph.constant(id), constant.data == nil else { continue }
      let type = graph[id].type
      let shape = try #require(type.shape.constants)
      constants[constant.originalName] = .random(type.dtype, shape, using: &generator)
    }
    let outputs = try Evaluator.run(graph, inputs, constants: constants).outputs
    let result = try #require(outputs["result"])
    values = result.doubles
    shape = result.shape
    dtype = result.dtype
    self.constants = constants
  }

  /// The rows of a constant of rank 2.
  func matrix(_ name: String) throws -> Matrix {
    let data = try #require(constants[name])
    return Matrix(data.doubles, columns: data.shape[1])
  }

  func vector(_ name: String) throws -> [Double] { try #require(constants[name]).doubles }

  func isClose(_ expected: [Double], _ tolerance: Double = 1e-10) -> Bool {
    values.count == expected.count
      && zip(values, expected).allSatisfy { ($0 - $1).magnitude <= tolerance * (1 + $1.magnitude) }
  }
}

/// Rows of numbers, for formulas written out.
struct Matrix {
  var rows: [[Double]]

  init(_ rows: [[Double]]) { self.rows = rows }

  init(_ values: [Double], columns: Int) {
    rows = stride(from: 0, to: values.count, by: columns).map { Array(values[$0..<($0 + columns)]) }
  }

  var values: [Double] { rows.flatMap(\.self) }

  /// `x · Wᵀ + b`.
  func linear(_ weight: Matrix, _ bias: [Double]? = nil) -> Matrix {
    var result: [[Double]] = []
    for row in rows {
      var sums: [Double] = []
      for (index, column) in weight.rows.enumerated() {
        var sum = bias?[index] ?? 0
        for (x, w) in Swift.zip(row, column) { sum += x * w }
        sums.append(sum)
      }
      result.append(sums)
    }
    return Matrix(result)
  }

  func map(_ function: (Double) -> Double) -> Matrix { Matrix(rows.map { $0.map(function) }) }

  func zip(_ other: Matrix, _ function: (Double, Double) -> Double) -> Matrix {
    Matrix(Swift.zip(rows, other.rows).map { Swift.zip($0, $1).map(function) })
  }

  func layerNorm(_ weight: [Double], _ bias: [Double], _ epsilon: Double = 1e-5) -> Matrix {
    Matrix(
      rows.map { row in
        let mean = row.reduce(0, +) / Double(row.count)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
        return row.enumerated().map {
          ($1 - mean) / (variance + epsilon).squareRoot() * weight[$0] + bias[$0]
        }
      }
    )
  }

  func columns(_ range: Range<Int>) -> Matrix { Matrix(rows.map { Array($0[range]) }) }
  func rows(_ range: Range<Int>) -> Matrix { Matrix(Array(rows[range])) }
}

/// Seeded random numbers for an input.
func random(_ shape: [Int], _ dtype: DType = .float64, seed: UInt64 = 7) -> TensorData {
  var generator = RandomGenerator(seed: seed)
  return .random(dtype, shape, using: &generator)
}
