import AITGraph
import AITOperators
import AITReference
import Testing

/// Attention against what PyTorch's `scaled_dot_product_attention` gives in float64, two heads of queries to
/// one of keys.
@Suite struct AttentionTests {
  private static let q = [
    0.8, 0.17, 0.09, -0.61, 0.05, -1.37, 0.34, 1.01, -1.44, 0.98, 0.52, 1.24,
  ]
  private static let k = [-0.86, 0.3, 0.42, -0.08, 0.93, 0.82, 0.5, -0.16]
  private static let v = [-0.68, -1.06, 0.75, 0.24, -0.39, 0.15, -1.18, 0.53]

  private func attend(_ op: Attention, _ mask: TensorData? = nil) throws -> [Double] {
    var operands = [
      TensorData(.float64, [1, 2, 3, 2], Self.q), TensorData(.float64, [1, 1, 4, 2], Self.k),
      TensorData(.float64, [1, 1, 4, 2], Self.v),
    ]
    if let mask { operands.append(mask) }
    let types = operands.map { TensorType($0.dtype, Shape($0.shape)) }
    let results = try op.inferTypes(types)
    return try op.evaluate(operands, results: results, symbols: [:])[0].doubles
  }

  private func expect(_ found: [Double], _ expected: [Double]) {
    #expect(found.count == expected.count)
    for (one, other) in zip(found, expected) { #expect(abs(one - other) < 2e-6) }
  }

  @Test func plain() throws {
    expect(
      try attend(Attention(scale: 0.5.squareRoot())),
      [
        -0.3467847, 0.1176965, -0.3641195, 0.0190558, -0.36095, 0.0558521, -0.3703557, 0.0099651,
        -0.5107063, -0.5415599, -0.3665318, 0.0406981,
      ]
    )
  }

  @Test func masked() throws {
    let scale = 0.5.squareRoot()
    expect(
      try attend(
        Attention(scale: scale),
        TensorData(.bool, [3, 4], [1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 1])
      ),
      [
        -0.7086881, 0.0773403, 0, 0, -0.2537371, 0.3908206, -0.6451608, -0.0464587, 0, 0,
        -0.1953508,
        0.3820475,
      ]
    )
    let low = -Double.infinity
    let added = TensorData(
      .float64,
      [3, 4],
      [0.5, -1, 0, 2, low, low, low, low, low, 1, 0.25, -3]
    )
    expect(
      try attend(Attention(scale: scale), added),
      [
        -0.9574603, 0.3365508, 0, 0, 0.5308404, 0.2298889, -0.8945481, 0.2224282, 0, 0, 0.10565,
        0.1925541,
      ]
    )
    let kept = try attend(Attention(scale: scale, keepsNaN: true), added)
    #expect(kept[2].isNaN && kept[3].isNaN && !kept[0].isNaN)
  }

  @Test func causal() throws {
    expect(
      try attend(Attention(scale: 0.3, isCausal: true)),
      [
        -0.68, -1.06, 0.0721822, -0.376198, -0.0363263, -0.2149969, -0.68, -1.06, -0.1942446,
        -0.6184041, -0.1393515, -0.1541733,
      ]
    )
  }

  /// What does not fit is told with what was found.
  @Test func refusesWhatDoesNotFit() {
    let q = TensorType(.float32, [2, 4, 5, 8])
    let k = TensorType(.float32, [2, 2, 7, 8])
    let op = Attention(scale: 1)
    let wrong: [([TensorType], Diagnostic.Identity)] = [
      ([q, k], .wrongInputCount),
      ([q, k, TensorType(.float16, [2, 2, 7, 8])], .dtypeMismatch),
      ([q, k, TensorType(.float32, [2, 7, 8])], .rankMismatch),
      (
        [q, TensorType(.float32, [2, 3, 7, 8]), TensorType(.float32, [2, 3, 7, 8])], .shapeMismatch
      ),
      ([q, k, TensorType(.float32, [2, 2, 6, 8])], .shapeMismatch),
      ([q, k, k, TensorType(.int32, [5, 7])], .dtypeMismatch),
      ([q, k, k, TensorType(.bool, [4, 7])], .shapeMismatch),
    ]
    for (operands, identity) in wrong {
      do throws(Diagnostic) {
        _ = try op.inferTypes(operands)
        Issue.record("\(operands) are no operands of attention")
      } catch { #expect(error.identity == identity) }
    }
  }
}
