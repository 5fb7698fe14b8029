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

@Suite("Batched products by AITemplate's names")
struct BatchedProductEntryTests {
  static let layouts = ["ccc", "ccr", "crc", "crr", "rcc", "rcr", "rrc", "rrr"]

  private static func matrix(_ extents: [Int], isByColumns: Bool) -> [Int] {
    isByColumns ? extents.reversed() : extents
  }

  @Test("every layout, alone and with a sum", arguments: layouts)
  func layout(_ layout: String) throws {
    let isByColumns = layout.map { $0 == "c" }
    for (batchA, batchB): ([Int], [Int]) in [([2], [2]), ([1], [2]), ([2], []), ([], [2])] {
      let entry = Entry()
      let (a, A) = entry.random(batchA + Self.matrix([3, 5], isByColumns: isByColumns[0]))
      let (b, B) = entry.random(batchB + Self.matrix([5, 4], isByColumns: isByColumns[1]))
      let result = [2] + Self.matrix([3, 4], isByColumns: isByColumns[2])
      let (c, C) = entry.random(result)
      let (row, R) = entry.random([result[2]])
      func at(_ x: Numbers, _ batch: Int, _ i: Int, _ j: Int, _ isByColumns: Bool) -> Double {
        let matrix = isByColumns ? [j, i] : [i, j]
        return x[x.shape.count == 2 ? matrix : [x.shape[0] == 1 ? 0 : batch] + matrix]
      }
      let product = Numbers(result) { i in
        let (row, column) = isByColumns[2] ? (i[2], i[1]) : (i[1], i[2])
        return sum(5) { k in
          at(A, i[0], row, k, isByColumns[0]) * at(B, i[0], k, column, isByColumns[1])
        }
      }
      try entry.check("bmm_\(layout)", ["a": a, "b": b], product)
      try entry.check(
        "bmm_\(layout)_add",
        ["a": a, "b": b, "c": c],
        Numbers(result) { product[$0] + C[$0] }
      )
      try entry.check(
        "bmm_\(layout)_add",
        ["a": a, "b": b, "c": row],
        Numbers(result) { product[$0] + R[$0[2]] }
      )
    }
  }

  @Test("products with what AITemplate fuses behind them")
  func fused() throws {
    let entry = Entry()
    let batch = Dimension.symbol("batch", 1...8)
    let (a, A) = entry.random([4, 3, 5], as: [batch * 2, 3, 5])
    let (b, B) = entry.random([4, 6, 5], as: [batch * 2, 6, 5])
    let (t, T) = entry.random([4, 5, 6], as: [batch * 2, 5, 6])
    let (one, O) = entry.random([4, 1, 5])
    let (column, C) = entry.random([4, 5, 1])
    func rcr(_ i: [Int]) -> Double { sum(5) { A[i[0], i[1], $0] * B[i[0], i[2], $0] } }
    func rrr(_ i: [Int]) -> Double { sum(5) { A[i[0], i[1], $0] * T[i[0], $0, i[2]] } }
    try entry.check(
      "bmm_rcr_softmax",
      ["a": a, "b": b],
      Numbers([4, 3, 6]) { i in exp(rcr(i)) / sum(6) { exp(rcr([i[0], i[1], $0])) } }
    )
    try entry.check(
      "bmm_rrr_k1_tanh",
      ["a": a, "b": t],
      Numbers([4, 3, 6]) { tanh(rrr($0)) }
    )
    let (fixed, F) = entry.random([4, 3, 5])
    try entry.check(
      "bmm_rcr_n1",
      ["a": fixed, "b": one, "alpha": .float(0.5)],
      Numbers([4, 3, 1]) { i in 0.5 * sum(5) { F[i[0], i[1], $0] * O[i[0], 0, $0] } }
    )
    let (weight, W) = entry.random([4, 5, 6])
    try entry.check(
      "dual_bmm_rrr_div",
      ["a": fixed, "b": weight, "bias": column],
      Numbers([4, 3, 6]) { i in
        sum(5) { F[i[0], i[1], $0] * W[i[0], $0, i[2]] }
          / sum(5) { F[i[0], i[1], $0] * C[i[0], $0, 0] }
      },
      tolerance: 1e-4
    )
    let heads = FacadeArgument.list([.integer(2)])
    try entry.check(
      "bmm_rcr_permute",
      ["a": a, "b": b, "shape": heads],
      Numbers([2, 3, 2, 6]) { i in rcr([i[0] * 2 + i[2], i[1], i[3]]) }
    )
    try entry.check(
      "bmm_rrr_permute",
      ["a": a, "b": t, "shape": heads],
      Numbers([2, 3, 2, 6]) { i in rrr([i[0] * 2 + i[2], i[1], i[3]]) }
    )
  }

  @Test("products of activations that lie transposed")
  func transposed() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 5, 3], as: [.symbol("batch", 1...4), 5, 3])
    let (w, W) = entry.random([1, 4, 5])
    let (t, T) = entry.random([1, 5, 4])
    let (bias, C) = entry.random([4])
    func y(_ i: [Int]) -> Double { sum(5) { X[i[0], $0, i[1]] * W[0, i[2], $0] } }
    func z(_ i: [Int]) -> Double { sum(5) { X[i[0], $0, i[1]] * T[0, $0, i[2]] } }
    try entry.check("perm021fc_ccr", ["a": x, "b": w], Numbers([2, 3, 4], y))
    try entry.check(
      "perm021fc_ccr_bias",
      ["a": x, "b": w, "bias": bias],
      Numbers([2, 3, 4]) { y($0) + C[$0[2]] }
    )
    try entry.check(
      "perm021fc_ccr_bias_permute",
      ["a": x, "b": w, "bias": bias],
      Numbers([2, 4, 3]) { i in y([i[0], i[2], i[1]]) + C[i[1]] }
    )
    try entry.check("perm021fc_crc", ["a": t, "b": x], Numbers([2, 3, 4], z))
    try entry.check(
      "perm021fc_crc_bias",
      ["a": t, "b": x, "bias": bias],
      Numbers([2, 3, 4]) { z($0) + C[$0[2]] }
    )
  }

  @Test("products for each position of the middle axis")
  func middle() throws {
    let entry = Entry()
    let (a, A) = entry.random([3, 2, 5], as: [.symbol("rows", 1...8), 2, 5])
    let (b, B) = entry.random([2, 4, 5])
    let (t, T) = entry.random([2, 5, 4])
    let (bias, C) = entry.random([2, 4])
    func y(_ i: [Int]) -> Double { sum(5) { A[i[0], i[1], $0] * B[i[1], i[2], $0] } }
    func z(_ i: [Int]) -> Double { sum(5) { A[i[0], i[1], $0] * T[i[1], $0, i[2]] } }
    try entry.check("perm102_bmm_rcr", ["a": a, "b": b], Numbers([3, 2, 4], y))
    try entry.check("perm102_bmm_rrr", ["a": a, "b": t], Numbers([3, 2, 4], z))
    try entry.check(
      "perm102_bmm_rcr_bias",
      ["a": a, "b": b, "bias": bias],
      Numbers([3, 2, 4]) { y($0) + C[$0[1], $0[2]] }
    )
    try entry.check(
      "perm102_bmm_rrr_bias",
      ["a": a, "b": t, "bias": bias],
      Numbers([3, 2, 4]) { z($0) + C[$0[1], $0[2]] }
    )
  }

  @Test("what does not fit is refused")
  func refusals() {
    let a = typed("a", [2, 3, 5])
    expectDiagnostic(
      .rankMismatch,
      "bmm_rrr",
      ["a": typed("a", [3, 5]), "b": typed("b", [5, 4])]
    )
    expectDiagnostic(.shapeMismatch, "bmm_rrr", ["a": a, "b": typed("b", [3, 5, 4])])
    expectDiagnostic(
      .shapeMismatch,
      "bmm_rrr_add",
      ["a": a, "b": typed("b", [2, 5, 4]), "c": typed("c", [6, 2, 3, 4])]
    )
    expectDiagnostic(.shapeMismatch, "bmm_rcr_n1", ["a": a, "b": typed("b", [2, 2, 5])])
    expectDiagnostic(
      .shapeMismatch,
      "bmm_rcr_permute",
      ["a": a, "b": typed("b", [2, 4, 5]), "shape": .list([.integer(3)])]
    )
  }
}
