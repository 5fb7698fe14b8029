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

private func normalGELU(_ x: Double) -> Double { x * 0.5 * erfc(-x / 2.0.squareRoot()) }

private func tanhGELU(_ x: Double) -> Double {
  0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
}

@Suite("Products by AITemplate's names")
struct ProductEntryTests {
  typealias Formula = @Sendable (_ y: Double, _ d0: Double, _ d1: Double) -> Double

  /// What follows the product and the bias, and how many further operands it takes.
  static let epilogues: [String: (Int, Formula)] = [
    "": (0, { y, _, _ in y }),
    "_relu": (0, { y, _, _ in y < 0 ? 0 : y }),
    "_gelu": (0, { y, _, _ in normalGELU(y) }),
    "_fast_gelu": (0, { y, _, _ in tanhGELU(y) }),
    "_sigmoid": (0, { y, _, _ in logistic(y) }),
    "_tanh": (0, { y, _, _ in tanh(y) }),
    "_swish": (0, { y, _, _ in y * logistic(y) }),
    "_hardswish": (0, { y, _, _ in y * min(max(y + 3, 0), 6) / 6 }),
    "_add": (1, { y, d0, _ in y + d0 }),
    "_add_relu": (1, { y, d0, _ in max(y + d0, 0) }),
    "_add_add": (2, { y, d0, d1 in y + d0 + d1 }),
    "_add_add_relu": (2, { y, d0, d1 in max(y + d0 + d1, 0) }),
    "_mul": (1, { y, d0, _ in y * d0 }),
    "_mul_add": (2, { y, d0, d1 in y * d0 + d1 }),
    "_mul_tanh": (1, { y, d0, _ in tanh(y * d0) }),
    "_sigmoid_mul": (1, { y, d0, _ in logistic(y) * d0 }),
    "_sigmoid_mul_tanh": (1, { y, d0, _ in tanh(logistic(y) * d0) }),
  ]

  @Test("a product, a bias and what follows", arguments: epilogues.keys.sorted())
  func epilogue(_ suffix: String) throws {
    let (count, formula) = try #require(Self.epilogues[suffix])
    let entry = Entry()
    let (a, A) = entry.random([2, 3, 5], as: [.symbol("batch", 1...4), 3, 5])
    let (b, B) = entry.random([7, 5])
    let (bias, C) = entry.random([7])
    let (d0, D0) = entry.random([2, 3, 7], as: [.symbol("batch", 1...4), 3, 7])
    let (d1, D1) = entry.random([2, 3, 7], as: [.symbol("batch", 1...4), 3, 7])
    var arguments = ["a": a, "b": b, "bias": bias]
    if count > 0 { arguments["d0"] = d0 }
    if count > 1 { arguments["d1"] = d1 }
    try entry.check(
      "gemm_rcr_bias\(suffix)",
      arguments,
      Numbers([2, 3, 7]) { i in
        let y = sum(5) { A[i[0], i[1], $0] * B[i[2], $0] } + C[i[2]]
        return formula(y, D0[i], D1[i])
      }
    )
  }

  @Test("products without a bias")
  func plain() throws {
    let entry = Entry()
    let (a, A) = entry.random([3, 5])
    let (b, B) = entry.random([7, 5])
    let (t, T) = entry.random([5, 7])
    let (bias, C) = entry.random([7])
    let (row, R) = entry.random([1, 5])
    func transposed(_ i: [Int]) -> Double { sum(5) { A[i[0], $0] * B[i[1], $0] } }
    func direct(_ i: [Int]) -> Double { sum(5) { A[i[0], $0] * T[$0, i[1]] } }
    try entry.check("gemm_rcr", ["a": a, "b": b], Numbers([3, 7], transposed))
    try entry.check("gemm_rrr", ["a": a, "b": t], Numbers([3, 7], direct))
    try entry.check("gemm_rrr_small_nk", ["a": a, "b": t], Numbers([3, 7], direct))
    try entry.check(
      "gemm_rrr_bias",
      ["a": a, "b": t, "bias": bias],
      Numbers([3, 7]) { direct($0) + C[$0[1]] }
    )
    try entry.check(
      "gemm_rcr_fast_gelu",
      ["a": a, "b": b],
      Numbers([3, 7]) { tanhGELU(transposed($0)) }
    )
    try entry.check(
      "dual_gemm_rcr_silu",
      ["a": a, "b": b, "bias": row],
      Numbers([3, 7]) { i in
        let left = transposed(i)
        return left * logistic(left) * sum(5) { A[i[0], $0] * R[0, $0] }
      }
    )
    try entry.check(
      "dual_gemm_rcr_fast_gelu",
      ["a": a, "b": b, "bias": b],
      Numbers([3, 7]) { tanhGELU(transposed($0)) * transposed($0) }
    )
  }

  @Test("products under softmax")
  func softmax() throws {
    let entry = Entry()
    let (a, A) = entry.random([3, 5])
    let (b, B) = entry.random([7, 5])
    let (bias, C) = entry.random([7])
    func normalized(_ y: @escaping (Int, Int) -> Double) -> Numbers {
      Numbers([3, 7]) { i in exp(y(i[0], i[1])) / sum(7) { exp(y(i[0], $0)) } }
    }
    func y(_ i: Int, _ j: Int) -> Double { sum(5) { A[i, $0] * B[j, $0] } }
    try entry.check("gemm_rcr_softmax", ["a": a, "b": b], normalized(y))
    try entry.check(
      "gemm_rcr_bias_softmax",
      ["a": a, "b": b, "bias": bias],
      normalized { y($0, $1) + C[$1] }
    )
  }

  @Test(
    "results whose axes are cut and reordered",
    arguments: ["20314", "m2n3", "m3n2", "0213"],
    ["gemm_rcr_permute", "gemm_rcr_permute_elup1", "gemm_rrr_bias_permute"]
  )
  func permuted(_ layout: String, _ name: String) throws {
    let entry = Entry()
    let (a, A) = entry.random([12, 5], as: [layout == "0213" ? 2 * .symbol("m", 1...8) : 12, 5])
    let (b, B) = entry.random(name.contains("rcr") ? [12, 5] : [5, 12])
    let (bias, C) = entry.random([12])
    func y(_ row: Int, _ column: Int) -> Double {
      let product = sum(5) {
        A[row, $0] * (name.contains("rcr") ? B[column, $0] : B[$0, column])
      }
      if name.contains("bias") { return product + C[column] }
      guard name.contains("elup1") else { return product }
      return product > 0 ? product + 1 : exp(product)
    }
    let (parts, expected): ([Int], Numbers) =
      switch layout {
      case "0213":
        ([2, 3], Numbers([6, 3, 2, 4]) { i in y(i[0] * 2 + i[2], i[1] * 4 + i[3]) })
      case "m3n2":
        // Rows [2, 2, 3], columns [4, 3].
        (
          [2, 3, 4],
          Numbers([3, 2, 4, 2, 3]) { i in y((i[1] * 2 + i[3]) * 3 + i[0], i[2] * 3 + i[4]) }
        )
      default:
        // Rows [6, 2], columns [3, 2, 2].
        (
          [2, 3, 2],
          Numbers([3, 6, 2, 2, 2]) { i in y(i[1] * 2 + i[3], (i[0] * 2 + i[2]) * 2 + i[4]) }
        )
      }
    var arguments = ["a": a, "b": b, "layout": .string(layout)]
    arguments["shape"] = .list(parts.map { .integer($0) })
    if name.contains("bias") { arguments["bias"] = bias }
    try entry.check(name, arguments, expected)
  }

  @Test("rows that a run finds to be a multiple, operands that it finds to fit")
  func foundInARun() throws {
    let entry = Entry()
    let (a, A) = entry.random([6, 5], as: [.symbol("rows", 1...9), 5])
    let (b, B) = entry.random([8, 5])
    let (bias, C) = entry.random([8])
    let (d, D) = entry.random([6, 8], as: [.symbol("others", 4...7), 8])
    func y(_ row: Int, _ column: Int) -> Double { sum(5) { A[row, $0] * B[column, $0] } }
    var arguments: [String: FacadeArgument] = [
      "a": a, "b": b, "layout": .string("0213"), "shape": .list([.integer(3), .integer(2)]),
    ]
    try entry.check(
      "gemm_rcr_permute",
      arguments,
      Numbers([2, 2, 3, 4]) { i in y(i[0] * 3 + i[2], i[1] * 4 + i[3]) }
    )
    try entry.check(
      "gemm_rcr_bias_add",
      ["a": a, "b": b, "bias": bias, "d0": d],
      Numbers([6, 8]) { i in y(i[0], i[1]) + C[i[1]] + D[i] }
    )
    arguments["shape"] = .list([.integer(4), .integer(2)])
    #expect(throws: Diagnostic.self) { try entry.run("gemm_rcr_permute", arguments) }
    let (other, _) = entry.random([5, 8], as: [.symbol("fewer", 4...7), 8])
    #expect(throws: Diagnostic.self) {
      try entry.run("gemm_rcr_bias_add", ["a": a, "b": b, "bias": bias, "d0": other])
    }
  }

  @Test("groups of products, apart and joined")
  func grouped() throws {
    for (name, function): (String, @Sendable (Double) -> Double) in [
      ("group_gemm_rcr", { $0 }), ("group_gemm_rcr_bias", { $0 }),
      ("group_gemm_rcr_bias_relu", { max($0, 0) }),
      ("group_gemm_rcr_bias_sigmoid", { logistic($0) }),
    ] {
      let entry = Entry()
      let (a0, A0) = entry.random([3, 4])
      let (b0, B0) = entry.random([2, 4])
      let (c0, C0) = entry.random([2])
      let (a1, A1) = entry.random([3, 5])
      let (b1, B1) = entry.random([6, 5])
      let (c1, C1) = entry.random([6])
      let hasBias = name.contains("bias")
      let groups = FacadeArgument.list([
        .list(hasBias ? [a0, b0, c0] : [a0, b0]), .list(hasBias ? [a1, b1, c1] : [a1, b1]),
      ])
      let first = Numbers([3, 2]) { i in
        function(sum(4) { A0[i[0], $0] * B0[i[1], $0] } + (hasBias ? C0[i[1]] : 0))
      }
      let second = Numbers([3, 6]) { i in
        function(sum(5) { A1[i[0], $0] * B1[i[1], $0] } + (hasBias ? C1[i[1]] : 0))
      }
      let apart = try entry.run(name, ["operand_groups": groups])
      #expect(apart.count == 2)
      Entry.compare(apart[0], first)
      Entry.compare(apart[1], second)
      try entry.check(
        name,
        ["operand_groups": groups, "output_stride_dim": .integer(1)],
        Numbers([3, 8]) { i in i[1] < 2 ? first[i] : second[i[0], i[1] - 2] }
      )
    }
  }

  @Test("what does not fit is refused")
  func refusals() {
    let a = typed("a", [3, 5])
    let b = typed("b", [7, 5])
    expectDiagnostic(.rankMismatch, "gemm_rcr", ["a": typed("a", [5]), "b": b])
    expectDiagnostic(.rankMismatch, "gemm_rcr", ["a": a, "b": typed("b", [1, 7, 5])])
    expectDiagnostic(.shapeMismatch, "gemm_rcr", ["a": a, "b": typed("b", [7, 6])])
    expectDiagnostic(.dtypeMismatch, "gemm_rcr", ["a": a, "b": typed("b", [7, 5], .float16)])
    expectDiagnostic(
      .shapeMismatch,
      "gemm_rcr_bias",
      ["a": a, "b": b, "bias": typed("bias", [1])]
    )
    expectDiagnostic(
      .shapeMismatch,
      "gemm_rcr_bias_add",
      ["a": a, "b": b, "bias": typed("bias", [7]), "d0": typed("d0", [7])]
    )
    expectDiagnostic(
      .invalidArgument,
      "gemm_rcr_bias_add",
      [
        "a": a, "b": b, "bias": typed("bias", [7]), "d0": typed("d0", [3, 7]),
        "d1": typed("d1", [3, 7]),
      ]
    )
    expectDiagnostic(
      .invalidArgument,
      "gemm_rcr_permute",
      ["a": a, "b": b, "shape": .list([.integer(1), .integer(1)]), "layout": .string("210")]
    )
    expectDiagnostic(
      .shapeMismatch,
      "gemm_rcr_permute",
      ["a": a, "b": b, "shape": .list([.integer(2), .integer(1), .integer(1)])]
    )
  }
}
