import AITFacade
import AITGraph
import AITReference
import Testing

@Suite("Sequences of different lengths by AITemplate's names")
struct JaggedEntryTests {
  let total = Dimension.symbol("total", 1...64)

  @Test("one level to the padded form and back", arguments: [DType.int32, .int64])
  func oneLevel(_ dtype: DType) throws {
    let starts = [0, 2, 2, 5]
    let entry = Entry()
    let (x, X) = entry.random([5, 2], as: [total, 2])
    let offsets = entry.integers(starts, nil, dtype, as: [.symbol("count", 2...8)])
    let padded = Numbers([3, 4, 2]) { i in
      let row = starts[i[0]] + i[1]
      return row < starts[i[0] + 1] ? X[row, i[2]] : -1.5
    }
    try entry.check(
      "jagged_to_padded_dense",
      [
        "x": x, "padding_value": .float(-1.5), "offsets": .list([offsets]),
        "max_lengths": .list([.integer(4)]),
      ],
      padded
    )
    let back = Entry()
    let (dense, _) = back.input(
      TensorData(.float32, [3, 4, 2], padded.elements),
      [.symbol("batch", 1...8), 4, 2]
    )
    try back.check(
      "padded_dense_to_jagged",
      [
        "x": dense, "total_length": .integer(5),
        "offsets_list": .list([
          back.integers(starts, nil, dtype, as: [.symbol("count", 2...9)])
        ]),
      ],
      Numbers([5, 2]) { X[$0] }
    )
  }

  @Test("two levels to the padded form and back, with extents that a run knows")
  func twoLevels() throws {
    // Two batches: sequences of 3 and 1 sequences, which have 1, 0, 2 and 3 rows.
    let (outer, inner) = ([0, 3, 4], [0, 1, 1, 3, 6])
    let entry = Entry()
    let (x, X) = entry.random([6, 2], as: [total, 2])
    let offsets = FacadeArgument.list([
      entry.integers(outer, as: [.symbol("a", 2...8)]),
      entry.integers(inner, as: [.symbol("b", 1...9)]),
    ])
    let padded = Numbers([2, 3, 4, 2]) { i in
      let sequence = outer[i[0]] + i[1]
      guard sequence < outer[i[0] + 1] else { return 9 }
      let row = inner[sequence] + i[2]
      return row < inner[sequence + 1] ? X[row, i[3]] : 9
    }
    try entry.check(
      "jagged_to_padded_dense",
      [
        "x": x, "padding_value": .integer(9), "offsets": offsets,
        "max_lengths": .list([.integer(3), .integer(4)]),
      ],
      padded
    )
    let back = Entry()
    let (dense, _) = back.input(
      TensorData(.float32, [2, 3, 4, 2], padded.elements),
      [.symbol("batch", 0...8), .symbol("m", 1...4), .symbol("n", 1...4), 2]
    )
    let list = FacadeArgument.list([
      back.integers(outer, as: [.symbol("a", 2...8)]),
      back.integers(inner, as: [.symbol("b", 1...9)]),
    ])
    let arguments: [String: FacadeArgument] = [
      "x": dense, "offsets_list": list, "total_length": .integer(6),
    ]
    try back.check("padded_dense_to_jagged", arguments, Numbers([6, 2]) { X[$0] })
    // Rows beyond the last offset, and beyond the padded form, are 0.
    try back.check(
      "padded_dense_to_jagged",
      arguments.merging(["total_length": .integer(8)]) { $1 },
      Numbers([8, 2]) { i in i[0] < 6 ? X[i] : 0 }
    )
  }

  @Test("sequences that are longer than the padded form are cut")
  func cut() throws {
    let entry = Entry()
    let (x, X) = entry.random([5, 2])
    let offsets = FacadeArgument.list([entry.integers([0, 4, 5])])
    let padded = Numbers([2, 3, 2]) { i in i[0] == 0 ? X[i[1], i[2]] : i[1] == 0 ? X[4, i[2]] : 0 }
    try entry.check(
      "jagged_to_padded_dense",
      ["x": x, "offsets": offsets, "max_lengths": .list([.integer(3)])],
      padded
    )
    let (dense, _) = entry.input(TensorData(.float32, [2, 3, 2], padded.elements))
    try entry.check(
      "padded_dense_to_jagged",
      ["x": dense, "offsets_list": offsets, "total_length": .integer(5)],
      Numbers([5, 2]) { i in i[0] == 3 ? 0 : X[i] }
    )
  }

  @Test("no rows at all")
  func empty() throws {
    let entry = Entry()
    let (x, _) = entry.random([0, 2], as: [.symbol("total", 0...8), 2])
    let offsets = FacadeArgument.list([entry.integers([0, 0])])
    try entry.check(
      "jagged_to_padded_dense",
      ["x": x, "offsets": offsets, "max_lengths": .list([.integer(2)])],
      Numbers([1, 2, 2]) { _ in 0 }
    )
  }

  @Test("a batch that does not fit the offsets fails the run")
  func mismatch() throws {
    let entry = Entry()
    let (dense, _) = entry.random([3, 4, 2], as: [.symbol("batch", 1...8), 4, 2])
    let offsets = entry.integers([0, 1, 2], as: [.symbol("count", 2...8)])
    do {
      _ = try entry.run(
        "padded_dense_to_jagged",
        ["x": dense, "offsets_list": .list([offsets]), "total_length": .integer(2)]
      )
      Issue.record("3 sequences with offsets of 2")
    } catch let error as Diagnostic {
      #expect(error.identity == .runFailed)
    }
  }

  @Test("lengths to offsets and to presence")
  func lengths() throws {
    let entry = Entry()
    let values = [3, 0, 2, 5]
    let lengths = entry.integers(values, nil, .int32, as: [.symbol("batch", 1...8)])
    try entry.check(
      "jagged_lengths_to_offsets",
      ["lengths": lengths],
      Numbers([5]) { i in Double(values.prefix(i[0]).reduce(0, +)) },
      .int32
    )
    for (name, dtype) in [("bool", DType.bool), ("float16", .float16)] {
      try entry.check(
        "jagged_lengths_to_presences",
        ["lengths": lengths, "max_seq_len": .integer(4), "dtype": .string(name)],
        Numbers([4, 4]) { i in i[1] < values[i[0]] ? 1 : 0 },
        dtype
      )
    }
    expectDiagnostic(
      .rankMismatch,
      "jagged_lengths_to_offsets",
      ["lengths": typed("l", [2, 2], .int32)]
    )
    expectDiagnostic(.dtypeMismatch, "jagged_lengths_to_offsets", ["lengths": typed("l", [2])])
  }

  @Test("sums of rows with weights")
  func weighted() throws {
    let entry = Entry()
    let starts = [0, 2, 5]
    let (vectors, V) = entry.random([2, 3, 4], as: [.symbol("batch", 1...4), 3, 4])
    let (matrices, M) = entry.random([5, 3, 2], as: [total, 3, 2])
    try entry.check(
      "batched_dense_vec_jagged_2d_mul",
      [
        "vectors": vectors, "matrices": matrices,
        "offsets": .list([entry.integers(starts, as: [.symbol("count", 2...8)])]),
      ],
      Numbers([2, 3, 2]) { i in
        sum(starts[i[0] + 1] - starts[i[0]]) {
          V[i[0], i[1], $0] * M[starts[i[0]] + $0, i[1], i[2]]
        }
      }
    )
  }
}
