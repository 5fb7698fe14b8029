import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Products whose result is written with its axes cut and reordered, as the heads of attention are.
  ///
  /// The layout says which: `20314` and `m2n3` cut M into `[m, t1]` and N into `[t2, t3, n]`; `m3n2`
  /// cuts M into `[m, t1, t2]` and N into `[t3, n]`; both order the five axes as 2 0 3 1 4. `0213`
  /// cuts M into `[m, t1]` and N into `[t2, n]`, and exchanges the middle two.
  static let permutedProducts: [FacadeOperator] = [
    permutedProduct("gemm_rcr_permute", "a · bᵀ", isTransposed: true),
    permutedProduct("gemm_rcr_permute_elup1", "elu(a · bᵀ) + 1", isTransposed: true) {
      elu($0) + 1
    },
    permutedProduct("gemm_rcr_bias_permute", "a · bᵀ + bias", isTransposed: true, hasBias: true),
    permutedProduct("gemm_rrr_permute", "a · b", isTransposed: false),
    permutedProduct("gemm_rrr_bias_permute", "a · b + bias", isTransposed: false, hasBias: true),
  ]

  private static func permutedProduct(
    _ name: String,
    _ formula: String,
    isTransposed: Bool,
    hasBias: Bool = false,
    _ function: @escaping @Sendable (Tensor) -> Tensor = { $0 }
  ) -> FacadeOperator {
    FacadeOperator(
      name,
      "\(formula), cut by 'shape' and reordered by 'layout': a [M, K], "
        + (isTransposed ? "b [N, K]" : "b [K, N]") + (hasBias ? ", bias [N]" : ""),
      attributes: [
        FacadeParameter("shape", .integers),
        FacadeParameter("layout", .string, default: .string("20314")),
      ],
      [.tensor("a"), .tensor("b")] + (hasBias ? [.tensor("bias")] : [])
    ) { (call) throws(Diagnostic) in
      _ = try call.tensor("a", rank: 2...2)
      let y = try product(call, isTransposed: isTransposed, hasBias: hasBias)
      return [try permuted(function(y), call)]
    }
  }

  private static func permuted(_ y: Tensor, _ call: FacadeCall) throws(Diagnostic) -> Tensor {
    let layout = try call.string("layout")
    // For each layout: into how many further parts M is cut, and N.
    let cuts: [String: (rows: Int, columns: Int)] = [
      "20314": (1, 2), "m2n3": (1, 2), "m3n2": (2, 1), "0213": (1, 1),
    ]
    guard let cut = cuts[layout] else {
      throw call.failure(
        .invalidArgument,
        "the layout '\(layout)'",
        hint: "one of \(cuts.keys.sorted().joined(separator: ", "))"
      )
    }
    let parts = try call.integers("shape", count: cut.rows + cut.columns)
    let rows = parts[..<cut.rows]
    let columns = parts[cut.rows...]
    let divisor = rows.reduce(1, *)
    let y = try call.multiple(y, axis: 0, of: divisor)
    let extents =
      [try call.part(of: y.extent(0), divisor)] + parts.map { Dimension($0) }
      + [try call.part(of: y.extent(1), columns.reduce(1, *))]
    return y.reshape(extents).permute(layout == "0213" ? [0, 2, 1, 3] : [2, 0, 3, 1, 4])
  }
}
