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

@Suite("Attention by AITemplate's names")
struct AttentionEntryTests {
  /// Attention of one query over keys: the scores' softmax, times a column of the values.
  private func attended(_ scores: [Double], _ values: (Int) -> Double) -> Double {
    let total = scores.reduce(0) { $0 + exp($1) }
    return scores.indices.reduce(0) { $0 + exp(scores[$1]) / total * values($1) }
  }

  @Test("two products around softmax", arguments: [false, true])
  func softmaxProducts(_ isCausal: Bool) throws {
    let entry = Entry()
    let (a, A) = entry.random([4, 3, 5])
    let (b, B) = entry.random([4, 3, 5])
    let (v, V) = entry.random([4, 3, 2])
    func y(_ batch: Int, _ row: Int, _ column: Int, _ isCausal: Bool) -> Double {
      let keys = isCausal ? row + 1 : 3
      let scores = (0..<keys).map { j in 0.5 * sum(5) { A[batch, row, $0] * B[batch, j, $0] } }
      return attended(scores) { V[batch, $0, column] }
    }
    let arguments = ["a": a, "b": b, "b1": v, "scale": FacadeArgument.float(0.5)]
    try entry.check(
      "bmm_softmax_bmm",
      arguments,
      Numbers([4, 3, 2]) { i in y(i[0], i[1], i[2], false) }
    )
    let permuted: [String: FacadeArgument] = [
      "shape": .list([.integer(2)]), "causal": .bool(isCausal),
    ]
    try entry.check(
      "bmm_softmax_bmm_permute",
      arguments.merging(permuted) { $1 },
      Numbers([2, 3, 2, 2]) { i in y(i[0] * 2 + i[2], i[1], i[3], isCausal) }
    )
  }

  @Test("padded sequences", arguments: [false, true], [false, true])
  func padded(_ isCausal: Bool, _ isVariable: Bool) throws {
    let entry = Entry()
    let batch = Dimension.symbol("batch", 1...4)
    let (q, Q) = entry.random([2, 2, 3, 4], as: [batch, 2, 3, 4])
    let (k, K) = entry.random([2, 2, 3, 4], as: [batch, 2, 3, 4])
    let (v, V) = entry.random([2, 2, 3, 5], as: [batch, 2, 3, 5])
    let (keys, queries) = ([2, 3], [3, 1])
    try entry.check(
      "mem_eff_attention",
      [
        "causal": .bool(isCausal), "q": q, "k": k, "v": v,
        "variable_seq_length_kv": .bool(isVariable), "variable_seq_length_q": .bool(isVariable),
        "lengths_kv": isVariable ? entry.integers(keys, [2, 1], .int32, as: [batch, 1]) : .none,
        "lengths_q": isVariable ? entry.integers(queries, [2, 1], .int32, as: [batch, 1]) : .none,
      ],
      Numbers([2, 3, 2, 5]) { i in
        let (b, row, head) = (i[0], i[1], i[2])
        if isVariable && row >= queries[b] { return 0 }
        let present = min(isVariable ? keys[b] : 3, isCausal ? row + 1 : 3)
        let scores = (0..<present).map { j in
          sum(4) { Q[b, head, row, $0] * K[b, head, j, $0] } / 2
        }
        return attended(scores) { V[b, head, $0, i[3]] }
      }
    )
    expectDiagnostic(
      .invalidArgument,
      "mem_eff_attention",
      ["causal": .bool(false), "dropout": .float(0.1), "q": q, "k": k, "v": v]
    )
  }

  @Test("sequences without gaps", arguments: [false, true], [[0, 2, 5], [0, 3, 6]])
  func packed(_ isCausal: Bool, _ starts: [Int]) throws {
    let entry = Entry()
    let total = starts[2]
    let (x, X) = entry.random(
      [total, 3, 2, 4],
      // A total that is known leaves no room for gaps if it is the greatest.
      as: [total == 6 ? 6 : .symbol("total", 1...6), 3, 2, 4]
    )
    try entry.check(
      "flash_attention",
      [
        "batch_size": .integer(2), "dropout": .integer(0), "max_seq_len": .integer(3),
        "causal": .bool(isCausal), "x": x, "cu_seqlens": entry.integers(starts, nil, .int32),
      ],
      Numbers([total, 2, 4]) { i in
        let sequence = i[0] < starts[1] ? 0 : 1
        let (first, end) = (starts[sequence], isCausal ? i[0] + 1 : starts[sequence + 1])
        let scores = (first..<end).map { j in
          sum(4) { X[i[0], 0, i[1], $0] * X[j, 1, i[1], $0] } / 2
        }
        return attended(scores) { X[first + $0, 2, i[1], i[2]] }
      }
    )
  }

  // MARK: - Without softmax

  static let functions: [String: @Sendable (Double) -> Double] = [
    "Identity": { $0 }, "Sigmoid": { logistic($0) }, "SiLu": { $0 * logistic($0) },
    "ReLu": { max($0, 0) }, "Tanh": { tanh($0) }, "ELUp1": { $0 > 0 ? $0 + 1 : exp($0) },
  ]
  static let causalTypes = ["NO_CAUSAL", "UPPER_RIGHT_EMPTY", "LOWER_LEFT_EMPTY"]

  private func stays(_ row: Int, _ column: Int, _ causalType: String) -> Bool {
    switch causalType {
    case "UPPER_RIGHT_EMPTY": column <= row
    case "LOWER_LEFT_EMPTY": column >= row
    default: true
    }
  }

  @Test("two products with a function between", arguments: functions.keys.sorted(), causalTypes)
  func backToBack(_ name: String, _ causalType: String) throws {
    let function = try #require(Self.functions[name])
    let attributes: [String: FacadeArgument] = [
      "causal_type": .string(causalType), "epilogue_math_name": .string(name),
      "alpha0": .float(0.5), "alpha1": .float(2), "alpha1_divide_by_seq_len": .bool(true),
    ]
    let rows = Dimension.symbol("rows", 1...8)
    let entry = Entry()
    let (q, Q) = entry.random([2, 3, 4], as: [2, rows, 4])
    let (k, K) = entry.random([2, 3, 4], as: [2, rows, 4])
    let (v, V) = entry.random([2, 3, 5], as: [2, rows, 5])
    let (bias, C) = entry.random([1, 3, 3], as: [1, rows, rows])
    try entry.check(
      "classic_b2b_bmm",
      attributes.merging(["q": q, "k": k, "v": v, "bias": bias]) { $1 },
      Numbers([2, 3, 5]) { i in
        sum(3) { j in
          guard stays(i[1], j, causalType) else { return 0 }
          let score = 0.5 * sum(4) { Q[i[0], i[1], $0] * K[i[0], j, $0] } + C[0, i[1], j]
          return 2 / 3.0 * function(score) * V[i[0], j, i[2]]
        }
      }
    )
  }

  @Test("two products with heads", arguments: ["classic_b2b_bmm", "fmha_style_b2b_bmm"])
  func heads(_ name: String) throws {
    let entry = Entry()
    let (q, Q) = entry.random([2, 3, 2, 4])
    let (k, K) = entry.random([2, 6, 2, 4])
    let (v, V) = entry.random([2, 6, 2, 5])
    let (bias, C) = entry.random([2, 1, 3, 6])
    let arguments: [String: FacadeArgument] = [
      "causal_type": .integer(0), "epilogue_math_name": .string("Sigmoid"), "alpha0": .float(0.5),
      "alpha1": .float(1), "q": q, "k": k, "v": v, "bias": bias,
    ]
    try entry.check(
      name,
      arguments,
      Numbers([2, 3, 2, 5]) { i in
        sum(6) { j in
          let score = 0.5 * sum(4) { Q[i[0], i[1], i[2], $0] * K[i[0], j, i[2], $0] }
          return logistic(score + C[i[0], 0, i[1], j]) * V[i[0], j, i[2], i[3]]
        }
      }
    )
    expectDiagnostic(.shapeMismatch, name, arguments.merging(["causal_type": .integer(1)]) { $1 })
    expectDiagnostic(
      .invalidArgument,
      name,
      arguments.merging(["epilogue_math_name": .string("Cosine")]) { $1 }
    )
  }

  @Test(
    "two products of sequences",
    arguments: ["grouped_classic_b2b_bmm", "grouped_fmha_style_b2b_bmm"],
    causalTypes
  )
  func sequences(_ name: String, _ causalType: String) throws {
    let entry = Entry()
    let (starts, total) = ([0, 2, 2, 5], Dimension.symbol("total", 0...12))
    let (q, Q) = entry.random([5, 2, 4], as: [total, 2, 4])
    let (k, K) = entry.random([5, 2, 4], as: [total, 2, 4])
    let (v, V) = entry.random([5, 2, 3], as: [total, 2, 3])
    let (bias, C) = entry.random([3, 2, 4, 4], as: [.symbol("batch", 1...4), 2, 4, 4])
    let offsets = entry.integers(starts, nil, .int32, as: [.symbol("count", 2...5)])
    try entry.check(
      name,
      [
        "causal_type": .string(causalType), "epilogue_math_name": .string("Sigmoid"),
        "alpha0": .float(0.5), "alpha1": .float(1), "alpha1_divide_by_seq_len": .bool(true),
        "q": q, "k": k, "v": v, "bias": bias, "offsets": .list([offsets]),
        "max_lengths": .list([.integer(4)]),
      ],
      Numbers([5, 2, 3]) { i in
        let sequence = i[0] < 2 ? 0 : 2
        let (first, end) = (starts[sequence], starts[sequence + 1])
        return (first..<end).reduce(0) { result, j in
          guard stays(i[0] - first, j - first, causalType) else { return result }
          let score = 0.5 * sum(4) { Q[i[0], i[1], $0] * K[j, i[1], $0] }
          let weight = logistic(score + C[sequence, i[1], i[0] - first, j - first]) / 4
          return result + weight * V[j, i[1], i[2]]
        }
      }
    )
  }
}
