import AITFacade
import AITGraph
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

private func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// One element of a normalised set of numbers.
private func normalized(_ x: Double, _ all: [Double], _ epsilon: Double = 1e-5) -> Double {
  let mean = all.reduce(0, +) / Double(all.count)
  let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
  return (x - mean) / (variance + epsilon).squareRoot()
}

@Suite("Normalisations and reductions by AITemplate's names")
struct NormalizationEntryTests {
  @Test("layer normalisation over one axis and two, with and without parameters")
  func layer() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 3, 4], as: [.symbol("batch", 1...8), 3, 4])
    let (gamma, G) = entry.random([3, 4])
    let (beta, B) = entry.random([4])
    func pair(_ values: Int...) -> FacadeArgument { .list(values.map { .integer($0) }) }
    try entry.check(
      "layernorm",
      ["x": x, "gamma": gamma, "normalized_shape": pair(3, 4), "eps": .float(0.1)],
      Numbers([2, 3, 4]) { i in
        let all = (0..<12).map { X[i[0], $0 / 4, $0 % 4] }
        return normalized(X[i], all, 0.1) * G[i[1], i[2]]
      }
    )
    try entry.check(
      "layernorm",
      ["x": x, "beta": beta, "normalized_shape": pair(4)],
      Numbers([2, 3, 4]) { i in
        normalized(X[i], (0..<4).map { X[i[0], i[1], $0] }) + B[i[2]]
      }
    )
    expectDiagnostic(.shapeMismatch, "layernorm", ["x": x, "normalized_shape": pair(5)])
    expectDiagnostic(
      .dtypeMismatch,
      "layernorm",
      ["x": x, "gamma": typed("g", [4], .float16), "normalized_shape": pair(4)]
    )
  }

  @Test("layer normalisation that gates its operand, with parameters for each batch")
  func gated() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 3, 4])
    let (gamma, G) = entry.random([2, 4])
    let (beta, B) = entry.random([2, 4])
    try entry.check(
      "batch_layernorm_sigmoid_mul",
      ["x": x, "gamma": gamma, "beta": beta, "normalized_shape": .list([.integer(4)])],
      Numbers([2, 3, 4]) { i in
        let y = normalized(X[i], (0..<4).map { X[i[0], i[1], $0] })
        return X[i] * logistic(y * G[i[0], i[2]] + B[i[0], i[2]])
      }
    )
  }

  @Test("groups of layer normalisations", arguments: ["", "_sigmoid_mul"])
  func groups(_ suffix: String) throws {
    let entry = Entry()
    let (x, X) = entry.random([3, 4])
    let (y, Y) = entry.random([3, 6])
    let (gamma, G) = entry.random([4])
    let (delta, D) = entry.random([6])
    let results = try entry.run(
      "group_layernorm\(suffix)",
      [
        "inputs": .list([x, y]), "gammas": .list([gamma, delta]), "betas": .list([.none, .none]),
        "normalized_shapes": .list([.list([.integer(4)]), .list([.integer(6)])]),
      ]
    )
    #expect(results.count == 2)
    func gate(_ x: Double, _ y: Double) -> Double { suffix.isEmpty ? y : x * logistic(y) }
    Entry.compare(
      results[0],
      Numbers([3, 4]) { i in
        gate(X[i], normalized(X[i], (0..<4).map { X[i[0], $0] }) * G[i[1]])
      }
    )
    Entry.compare(
      results[1],
      Numbers([3, 6]) { i in
        gate(Y[i], normalized(Y[i], (0..<6).map { Y[i[0], $0] }) * D[i[1]])
      }
    )
  }

  @Test(
    "group normalisation of channels-last images",
    arguments: ["group_norm", "group_norm_swish"]
  )
  func group(_ name: String) throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 3, 2, 6], as: [.symbol("batch", 1...4), 3, 2, 6])
    let (gamma, G) = entry.random([6])
    let (beta, B) = entry.random([6])
    let groups = ["num_groups": FacadeArgument.integer(2), "num_channels": .integer(6)]
    try entry.check(
      name,
      groups.merging(["x": x, "gamma": gamma, "beta": beta]) { $1 },
      Numbers([2, 3, 2, 6]) { i in
        let first = i[3] / 3 * 3
        let all = (0..<18).map { X[i[0], $0 / 6, $0 / 3 % 2, first + $0 % 3] }
        let y = normalized(X[i], all) * G[i[3]] + B[i[3]]
        return name.contains("swish") ? y * logistic(y) : y
      }
    )
  }

  @Test("softmax along any axis")
  func softmax() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 3, 4])
    try entry.check(
      "softmax",
      ["x": x, "dim": .integer(1)],
      Numbers([2, 3, 4]) { i in exp(X[i]) / sum(3) { exp(X[i[0], $0, i[2]]) } }
    )
    expectDiagnostic(.invalidArgument, "softmax", ["x": x])
  }

  @Test("reductions over an axis, kept and removed")
  func reductions() throws {
    let functions: [String: @Sendable ([Double]) -> Double] = [
      "reduce_sum": { $0.reduce(0, +) },
      "reduce_mean": { $0.reduce(0, +) / Double($0.count) },
      "reduce_max": { $0.max() ?? 0 },
      "reduce_min": { $0.min() ?? 0 },
      "vector_norm": { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() },
    ]
    for (name, function) in functions {
      let entry = Entry()
      let (x, X) = entry.random([2, 3, 4], as: [.symbol("batch", 1...8), 3, 4])
      try entry.check(
        name,
        ["x": x, "dim": .integer(1)],
        Numbers([2, 4]) { i in function((0..<3).map { X[i[0], $0, i[1]] }) }
      )
      try entry.check(
        name,
        ["x": x, "dim": .list([.integer(-1)]), "keepdim": .bool(true)],
        Numbers([2, 3, 1]) { i in function((0..<4).map { X[i[0], i[1], $0] }) }
      )
    }
  }

  @Test("the variance, biased and not, in a type asked for")
  func variance() throws {
    let entry = Entry()
    let (x, X) = entry.random([3, 5], .float16)
    for isUnbiased in [true, false] {
      try entry.check(
        "var",
        [
          "x": x, "dim": .integer(-1), "unbiased": .bool(isUnbiased),
          "dtype": .string("float32"),
        ],
        Numbers([3]) { i in
          let row = (0..<5).map { X[i[0], $0] }
          let mean = row.reduce(0, +) / 5
          return row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (isUnbiased ? 4 : 5)
        }
      )
    }
    expectDiagnostic(.axisOutOfRange, "reduce_sum", ["x": x, "dim": .integer(2)])
    expectDiagnostic(.invalidArgument, "vector_norm", ["x": x])
  }

  @Test("norms of other orders")
  func norms() throws {
    let entry = Entry()
    let (x, X) = entry.random([3, 5])
    try entry.check(
      "vector_norm",
      ["x": x, "dim": .integer(1), "ord_kind": .string("inf")],
      Numbers([3]) { i in (0..<5).map { X[i[0], $0].magnitude }.max() ?? 0 }
    )
    try entry.check(
      "vector_norm",
      ["x": x, "dim": .integer(1), "ord_kind": .integer(1)],
      Numbers([3]) { i in sum(5) { X[i[0], $0].magnitude } }
    )
  }

  @Test("positions of largest elements")
  func argmax() throws {
    let entry = Entry()
    let (x, X) = entry.random([6, 5])
    try entry.check(
      "argmax",
      ["x": x, "dim": .integer(1)],
      Numbers([6]) { i in
        Double((0..<5).max { X[i[0], $0] < X[i[0], $1] } ?? 0)
      },
      .int64
    )
  }
}
