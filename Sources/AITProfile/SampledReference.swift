import AITGraph
import AITOperators
import AITReference

/// The results of a product at some rows and columns, by the reference evaluator: an independent
/// truth that takes no time where the whole product would take minutes.
struct SampledReference {
  /// For each axis of the results, the places that were computed.
  private let places: [[Int]]
  private let expected: [TensorData]
  private let depth: Int

  private static let rowCount = 8
  private static let columnCount = 32

  /// Computes a node's results at random places, and at the first and last.
  ///
  /// - Parameters:
  ///   - op: the product.
  ///   - fusion: its epilogue.
  ///   - operands: all of them.
  ///   - shape: the extents of the results.
  ///   - random: where.
  /// - Throws: what the evaluator throws.
  init(
    _ op: MatMul,
    _ fusion: Fusion,
    _ operands: [TensorData],
    shape: [Int],
    _ random: inout RandomGenerator
  ) throws(Diagnostic) {
    let (rows, columns) = (shape.count - 2, shape.count - 1)
    places = shape.enumerated().map { axis, extent in
      let count = axis == rows ? Self.rowCount : axis == columns ? Self.columnCount : 1
      guard extent > count else { return Array(0..<extent) }
      var some: Set<Int> = count > 2 ? [0, extent - 1] : []
      while some.count < count { some.insert(random.integer(below: extent)) }
      return some.sorted()
    }
    depth = operands[0].shape[op.transposeA ? rows : columns]
    let inner = Array(0..<depth)
    var graph = Graph(name: "sample")
    var tensors: [String: TensorData] = [:]
    var values: [ValueID] = []
    for (index, operand) in operands.enumerated() {
      var chosen = places
      if index == 0 {
        (chosen[rows], chosen[columns]) =
          op.transposeA ? (inner, places[rows]) : (places[rows], inner)
      } else if index == 1 {
        (chosen[rows], chosen[columns]) =
          op.transposeB ? (places[columns], inner) : (inner, places[columns])
      }
      let part = operand.part(chosen)
      values.append(try graph.addInput("operand\(index)", part.type))
      tensors["operand\(index)"] = part
    }
    let results = try graph.addNode(op, values, fusion: fusion)
    for (index, result) in results.enumerated() { try graph.addOutput("result\(index)", result) }
    let outputs = try Evaluator.run(graph, tensors).outputs
    expected = results.indices.compactMap { outputs["result\($0)"] }
  }

  /// What is wrong with results; nil if they are right at the places of the sample.
  func fault(of results: [TensorData]) -> String? {
    guard results.count == expected.count else { return "has \(results.count) results" }
    for (found, expected) in zip(results, expected) {
      let comparison = compare(found.part(places), expected, reductionLength: depth)
      if let problem = comparison.problem { return problem }
    }
    return nil
  }
}

extension TensorData {
  /// The elements at some places of each axis; an axis of extent 1 that is broadcast keeps its one.
  fileprivate func part(_ places: [[Int]]) -> TensorData {
    let chosen = zip(shape, places).map { extent, places in extent == 1 ? [0] : places }
    let size = dtype.sizeInBytes
    var result = TensorData(zeros: dtype, chosen.map(\.count))
    var offsets = [0]
    var stride = sizeInBytes
    for (extent, places) in zip(shape, chosen) {
      stride /= max(1, extent)
      offsets = offsets.flatMap { offset in places.map { offset + $0 * stride } }
    }
    withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        for (index, offset) in offsets.enumerated() {
          for byte in 0..<size { target[index * size + byte] = source[offset + byte] }
        }
      }
    }
    return result
  }
}
