import AITFacade
import AITFrontend
import AITGraph
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

private func list(_ values: Int...) -> FacadeArgument { .list(values.map { .integer($0) }) }

@Suite("Movements by AITemplate's names")
struct MovementEntryTests {
  let batch = Dimension.symbol("batch", 1...8)

  // MARK: - Joining and cutting

  @Test("tensors joined along an axis, empty ones left out")
  func concatenate() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 3], as: [batch, 3])
    let (y, Y) = entry.random([2, 4], as: [batch, 4])
    let (none, _) = entry.random([0])
    func joined(_ i: [Int]) -> Double { i[1] < 3 ? X[i] : Y[i[0], i[1] - 3] }
    try entry.check(
      "concatenate",
      ["inputs": .list([x, none, y]), "dim": .integer(-1)],
      Numbers([2, 7], joined)
    )
    try entry.check(
      "concatenate_tanh",
      ["inputs": .list([x, y]), "dim": .integer(1)],
      Numbers([2, 7]) { tanh(joined($0)) }
    )
    let (z, Z) = entry.random([2, 1], as: [.symbol("rows", 1...4), 1])
    try entry.check(
      "concatenate",
      ["inputs": .list([x, z]), "dim": .integer(1)],
      Numbers([2, 4]) { i in i[1] < 3 ? X[i] : Z[i[0], 0] }
    )
    expectDiagnostic(
      .dtypeMismatch,
      "concatenate",
      ["inputs": .list([x, typed("h", [batch, 3], .float16)])]
    )
  }

  @Test("parts by size, by sizes and by number")
  func parts() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 7], as: [batch, 7])
    let calls: [(String, [String: FacadeArgument], [Int])] = [
      ("split", ["x": x, "split_size_or_sections": .integer(3), "dim": .integer(1)], [3, 3, 1]),
      (
        "split", ["x": x, "split_size_or_sections": list(1, 4, 2), "dim": .integer(-1)], [1, 4, 2]
      ),
      ("chunk", ["input": x, "chunks": .integer(3), "dim": .integer(1)], [3, 3, 1]),
    ]
    for (name, arguments, sizes) in calls {
      let results = try entry.run(name, arguments)
      #expect(results.count == sizes.count)
      var start = 0
      for (result, size) in zip(results, sizes) {
        let first = start
        Entry.compare(result, Numbers([2, size]) { i in X[i[0], first + i[1]] })
        start += size
      }
    }
    expectDiagnostic(
      .shapeMismatch,
      "chunk",
      ["input": typed("x", [.symbol("n", 13...17), 5]), "chunks": .integer(2)]
    )
    expectDiagnostic(
      .shapeMismatch,
      "split",
      ["x": x, "split_size_or_sections": list(1, 2), "dim": .integer(1)]
    )
  }

  @Test("slices count from either end and stop at the ends")
  func slices() throws {
    let entry = Entry()
    let (x, X) = entry.random([4, 3, 5], as: [batch, 3, 5])
    try entry.check(
      "dynamic_slice",
      [
        "x": x, "start_indices": .list([.none, .integer(-3), .integer(1)]),
        "end_indices": .list([.integer(2), .integer(Int(Int32.max)), .integer(-1)]),
      ],
      Numbers([2, 3, 3]) { i in X[i[0], i[1], i[2] + 1] }
    )
    try entry.check(
      "dynamic_slice",
      [
        "x": x, "start_indices": .list([.integer(-3), .integer(2), .dimension(0)]),
        "end_indices": .list([.integer(123), .integer(1), .none]),
      ],
      Numbers([3, 0, 5]) { _ in 0 }
    )
    expectDiagnostic(
      .rankMismatch,
      "dynamic_slice",
      ["x": x, "start_indices": list(0), "end_indices": list(1)]
    )
  }

  // MARK: - Shapes

  @Test("other extents for the same elements")
  func shapes() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 1, 6], as: [batch, 1, 6])
    func check(_ name: String, _ arguments: [String: FacadeArgument], _ shape: [Int]) throws {
      try entry.check(
        name,
        arguments.merging(["x": x]) { $1 },
        Numbers(shape) { i in
          let position = zip(i, shape).reduce(0) { $0 * $1.1 + $1.0 }
          return X[position / 6, 0, position % 6]
        }
      )
    }
    try check("reshape", ["shape": list(-1, 3)], [4, 3])
    try check(
      "reshape",
      ["shape": .list([.dimension(batch), .integer(2), .integer(3)])],
      [2, 2, 3]
    )
    // The only symbolic extent is what is left, whatever it is called.
    try check(
      "reshape",
      ["shape": .list([.dimension(.symbol("rows", 2...16)), .integer(3)])],
      [4, 3]
    )
    try check("flatten", ["start_dim": .integer(1)], [2, 6])
    try check("flatten", [:], [12])
    try check("squeeze", ["dim": .integer(1)], [2, 6])
    try check("squeeze", ["dim": .none], [2, 6])
    try check("squeeze", ["dim": .integer(0)], [2, 1, 6])
    try check("unsqueeze", ["dim": .integer(-1)], [2, 1, 6, 1])
    try check("identity", [:], [2, 1, 6])
  }

  @Test("axes of extent 1 repeated")
  func expand() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 1, 3], as: [batch, 1, 3])
    try entry.check(
      "expand",
      ["tensor": x, "shape": list(4, -1, 5, 3)],
      Numbers([4, 2, 5, 3]) { i in X[i[1], 0, i[3]] }
    )
    let refused: [(Shape, FacadeArgument)] = [
      ([5, .symbol("n", 1...10), 5], list(5, -1)), ([5, 1, 2], list(6, 1, 2)),
      ([.symbol("n", 1...10)], list(20)),
    ]
    for (shape, target) in refused {
      expectDiagnostic(.shapeMismatch, "expand", ["tensor": typed("x", shape), "shape": target])
    }
  }

  @Test("tensors of one value")
  func full() throws {
    let entry = Entry()
    try entry.check(
      "full",
      ["shape": list(2, 3), "fill_value": .float(0.5)],
      Numbers([2, 3]) { _ in 0.5 },
      .float16
    )
    let results = try FacadeCatalog.apply(
      "full",
      ["shape": .dimension(batch), "fill_value": .integer(1), "dtype": .string("bool")]
    )
    #expect(results[0].type == TensorType(.bool, [batch]))
  }

  @Test("axes in other orders")
  func permutations() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 3, 4], as: [batch, 3, 4])
    let (y, Y) = entry.random([2, 3, 4, 5])
    func check(_ name: String, _ order: [Int], _ further: [String: FacadeArgument] = [:]) throws {
      let source = order.count == 3 ? X : Y
      try entry.check(
        name,
        further.merging(["x": order.count == 3 ? x : y]) { $1 },
        Numbers(order.map { source.shape[$0] }) { i in
          var index = i
          for (axis, origin) in order.enumerated() { index[origin] = i[axis] }
          return source[index]
        }
      )
    }
    try check("permute", [2, 0, 1], ["dims": list(-1, 0, 1)])
    try check("permute021", [0, 2, 1])
    try check("permute021", [0, 1, 3, 2])
    try check("permute102", [1, 0, 2])
    try check("permute210", [2, 1, 0])
    try check("permute0213", [0, 2, 1, 3])
    try check("transpose", [0, 3, 2, 1], ["dim0": .integer(1), "dim1": .integer(-1)])
    expectDiagnostic(.rankMismatch, "permute021", ["x": typed("x", [2, 3])])
    expectDiagnostic(.rankMismatch, "permute102", ["x": y])
  }

  @Test("zeros behind the last axis")
  func paddings() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 2, 2, 3], as: [batch, 2, 2, 3])
    let (v, V) = entry.random([1, 2, 2, 2, 3])
    for (name, extent) in [("nhwc3to4", 4), ("nhwc3to8", 8)] {
      try entry.check(
        name,
        ["x": x],
        Numbers([2, 2, 2, extent]) { i in i[3] < 3 ? X[i] : 0 }
      )
    }
    try entry.check(
      "ndhwc3to8",
      ["x": v],
      Numbers([1, 2, 2, 2, 8]) { i in i[4] < 3 ? V[i] : 0 }
    )
    try entry.check(
      "pad_last_dim",
      ["x": x, "ndim": .integer(4), "out_dim": .integer(5)],
      Numbers([2, 2, 2, 5]) { i in i[3] < 3 ? X[i] : 0 }
    )
    expectDiagnostic(
      .shapeMismatch,
      "pad_last_dim",
      ["x": x, "ndim": .integer(4), "out_dim": .integer(3)]
    )
    expectDiagnostic(
      .rankMismatch,
      "pad_last_dim",
      ["x": x, "ndim": .integer(3), "out_dim": .integer(5)]
    )
  }

  // MARK: - By positions

  @Test("elements and slices by positions")
  func gathering() throws {
    let entry = Entry()
    let (x, X) = entry.random([3, 4], as: [.symbol("n", 1...8), 4])
    let index = [2, 0, 1, 1, 0, 2, 2, 1]
    try entry.check(
      "gather",
      ["x": x, "dim": .integer(0), "index": entry.integers(index, [2, 4])],
      Numbers([2, 4]) { i in X[index[i[0] * 4 + i[1]], i[1]] }
    )
    try entry.check(
      "index_select",
      ["x": x, "dim": .integer(1), "dim_idxs": entry.integers([3, 3, 0], nil, .int32)],
      Numbers([3, 3]) { i in X[i[0], [3, 3, 0][i[1]]] }
    )
    expectDiagnostic(
      .rankMismatch,
      "index_select",
      ["x": x, "dim_idxs": typed("i", [2, 2], .int64)]
    )
  }

  @Test("slices by positions for each batch")
  func batches() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 3, 4, 2])
    let flat = [1, 0, 1]
    try entry.check(
      "batch_gather",
      ["x": x, "indices": entry.integers(flat)],
      Numbers([3, 3, 4, 2]) { i in X[flat[i[0]], i[1], i[2], i[3]] }
    )
    let nested = [3, 0, 2, 1, 1, 3, 0, 0, 2, 3, 3, 1]
    try entry.check(
      "batch_gather",
      ["x": x, "indices": entry.integers(nested, [2, 3, 2])],
      Numbers([2, 3, 2, 2]) { i in X[i[0], i[1], nested[(i[0] * 3 + i[1]) * 2 + i[2]], i[3]] }
    )
    expectDiagnostic(
      .shapeMismatch,
      "batch_gather",
      ["x": x, "indices": typed("i", [3, 3], .int64)]
    )
  }

  @Test("the embeddings of BERT")
  func embeddings() throws {
    let entry = Entry()
    let (words, W) = entry.random([7, 8])
    let (types, T) = entry.random([2, 8])
    let (places, P) = entry.random([5, 8])
    let (gamma, G) = entry.random([8])
    let (beta, B) = entry.random([8])
    let (ids, kinds, order) = ([6, 0, 3, 3, 1, 5], [0, 1, 1, 0, 0, 1], [0, 1, 2, 4, 3, 0])
    let shape: Shape = [.symbol("batch", 1...4), 3]
    func row(_ place: Int) -> [Double] {
      (0..<8).map { W[ids[place], $0] + T[kinds[place], $0] + P[order[place], $0] }
    }
    try entry.check(
      "bert_embeddings",
      [
        "input_ids": entry.integers(ids, [2, 3], as: shape),
        "token_type_ids": entry.integers(kinds, [2, 3], as: shape),
        "position_ids": entry.integers(order, [2, 3], as: shape),
        "word_embeddings": words, "token_type_embeddings": types, "position_embeddings": places,
        "gamma": gamma, "beta": beta,
      ],
      Numbers([2, 3, 8]) { i in
        let all = row(i[0] * 3 + i[1])
        let mean = all.reduce(0, +) / 8
        let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 8
        return (all[i[2]] - mean) / (variance + 1e-5).squareRoot() * G[i[2]] + B[i[2]]
      }
    )
  }
}
