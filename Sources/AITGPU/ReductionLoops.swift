import AITCodegen
import AITGraph
import AITKernels

/// Loops over kept axes, then reduced axes, then the columns: the axis along which an input is
/// contiguous, whether it is reduced or not.
struct ReductionLoops {
  /// The prelude's loops have at most this many extents.
  static let maximumRank = 8
  /// Loads of a thread that are under way together.
  static let packets = 4
  /// More blocks than any device holds at once.
  static let mostBlocks = 2048

  private(set) var loops: LoopNest
  private(set) var keptRank: Int
  private(set) var reducedRank: Int
  /// Whether the columns are kept.
  private(set) var isAcross = false

  /// Joins the axes of loops of which the first are kept; the columns are those of an input.
  ///
  /// With `reducesColumns`, the columns are among the reduced axes though the input may be
  /// contiguous along another.
  init(_ loops: LoopNest, keptCount: Int, by input: Int, reducesColumns: Bool = false) {
    self.loops = loops
    // Neighbours in memory become neighbours in the loops, so that they join.
    let own = loops.strides[input].map { abs($0.upperBound) }
    func sorted(_ axes: Range<Int>) -> [Int] {
      axes.sorted { own[$0] == own[$1] ? $0 < $1 : own[$0] > own[$1] }
    }
    self.loops.permute(sorted(0..<keptCount) + sorted(keptCount..<loops.rank))
    reducedRank = self.loops.collapse(keptCount..<loops.rank)
    keptRank = self.loops.collapse(0..<keptCount)
    var contiguous = self.loops.strides[input].lastIndex { $0 == 1 }
    if reducesColumns, let axis = contiguous, axis < keptRank { contiguous = nil }
    isAcross = contiguous.map { $0 < keptRank } ?? (reducedRank == 0 && !reducesColumns)
    if self.loops.rank == 0 || (!isAcross && reducedRank == 0) {
      self.loops.appendUnitAxis()
      reducedRank = 1
      isAcross = false
    }
    let columns = contiguous ?? (isAcross ? keptRank - 1 : self.loops.rank - 1)
    self.loops.permute(self.loops.extents.indices.filter { $0 != columns } + [columns])
    if isAcross { keptRank -= 1 } else { reducedRank -= 1 }
  }

  var rank: Int { loops.rank }
  var columns: Dimension { loops.extents[rank - 1] }
  /// The kept elements, without the columns.
  var results: Dimension { loops.extents[..<keptRank].reduce(1, *) }
  /// The reduced elements, without the columns.
  var rows: Dimension { loops.extents[keptRank..<(rank - 1)].reduce(1, *) }
  /// The number of elements of a result.
  var length: Dimension { isAcross ? rows : rows * columns }

  /// The type that counts results and elements: 32 bits where they suffice.
  var index: String {
    [results, rows * columns].allSatisfy { $0.upperBound <= 1 << 30 } ? "int32_t" : "int64_t"
  }

  /// The columns that a thread takes at once, of operands of these types: not more than there are.
  func packet(_ types: [DType]) -> Int {
    var packet = DevicePacket.width(types)
    while packet > 2 && packet / 2 >= columns.upperBound { packet /= 2 }
    return packet
  }

  /// What all configurations have in common.
  func config(packet: Int, stateSizeInBytes: Int, workspaceStates: Int) -> DeviceConfig {
    var config = DeviceConfig(name: "Config", base: "ReduceDefaults")
    if index != "int32_t" { config.types = [("Index", index)] }
    config.constants = [
      ("kPacket", packet), ("kColumnMultiple", DeviceAlignment.powerOfTwo(columns, limit: 16)),
      ("kIsAcross", isAcross ? 1 : 0), ("kReducedRank", reducedRank),
      ("kStateBytes", stateSizeInBytes), ("kWorkspaceStates", workspaceStates),
    ]
    return config
  }

  /// The states that blocks of so many threads may leave in the workspace: none if the least results
  /// fill a device, or the greatest have too little to share.
  func workspaceStates(packet: Int, threads: Int, atMost limit: Int) -> Int {
    guard results.range.lowerBound < Self.mostBlocks else { return 0 }
    // Two rounds of loads for each of two blocks.
    let rounds = Self.packets * 4
    if isAcross {
      let sharing = rows.upperBound / (threads / 32 * rounds / 2)
      guard sharing >= 2 else { return 0 }
      return min(limit, (results * columns).upperBound * min(sharing, Self.mostBlocks))
    }
    return length.upperBound >= threads * rounds * packet ? Self.mostBlocks : 0
  }
}
