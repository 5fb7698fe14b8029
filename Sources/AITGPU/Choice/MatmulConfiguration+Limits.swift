// What follows from a configuration and what it must comply with: the formulas and assertions of the
// templates' headers, for a choice that needs no compiler. `Tests/CodegenGoldenTests` compiles the
// headers and compares.

extension HopperConfiguration {
  /// Elements of K in a stage.
  static let stepK = 64

  /// The warp groups that multiply a tile together.
  private var readers: Int { isPingPong == 1 ? 1 : consumers }
  var groupBlocks: Int { tileM / readers / 64 }
  /// Whether the copying warps give registers to those that multiply.
  var exchangesRegisters: Bool {
    isPingPong == 1
      || (consumers >= 2 && tileM / consumers * tileN >= 64 * (consumers == 2 ? 160 : 192))
  }
  var threads: Int { consumers * 128 + (exchangesRegisters ? 128 : 32) }
  var clusterSize: Int { clusterM * clusterN * splitK }
  var stageSizeInBytes: Int { (tileM + tileN) * 128 }
  var ringSizeInBytes: Int { stages * stageSizeInBytes }

  /// Whether warps stage 32 columns at once instead of 64, on their way to rows.
  var stagesHalf: Bool { tileN % 64 != 0 || isPersistent == 1 }
  private var stagedColumns: Int { stagesHalf ? 32 : 64 }
  /// The tile of C, of which the matrix units may compute the transpose.
  var tileOfC: (rows: Int, columns: Int) { isTransposed == 1 ? (tileN, tileM) : (tileM, tileN) }
  /// What a block of a split product sends to one other.
  var partSizeInBytes: Int {
    tileOfC.rows / splitK * (tileOfC.columns + (isTransposed == 1 ? 4 : 8)) * 4
  }
  private var stagingSizeInBytes: Int {
    if splitK > 1 { return splitK * partSizeInBytes }
    return consumers * 4 * (isTransposed == 1 ? tileN * 20 : 16 * (stagedColumns + 8)) * 4
  }

  var sharedSizeInBytes: Int {
    let isInRing = isPersistent == 0 && stagingSizeInBytes <= ringSizeInBytes
    return ringSizeInBytes + (isInRing ? 0 : stagingSizeInBytes) + (splitK - 1) * partSizeInBytes
      + (2 * stages + 1) * 8
  }

  /// Whether a block fits beside one of another launch that takes less than half a multiprocessor's
  /// shared memory, but not beside a second of its own.
  var fitsBesideAnother: Bool {
    blocksPerMultiprocessor == 2 && (113 << 10 + 1...126 << 10).contains(sharedSizeInBytes)
  }

  /// The sums that a thread keeps in registers.
  var sums: Int { groupBlocks * tileN / 2 }

  /// The sums that registers are exchanged for: 232 registers a thread of two warp groups, 160 of
  /// three.
  private var mostSums: Int { isPingPong == 1 ? 192 : consumers == 3 ? 96 : 128 }

  /// The registers that a thread may have: a quarter of the multiprocessor has 16384, and a share of
  /// the warps.
  private var registers: Int {
    let warps = (blocksPerMultiprocessor * threads / 32 + 3) / 4
    return min(255, 16384 / (warps * 32) / 8 * 8)
  }

  /// Whether the template takes it, and its kernel does not spill.
  ///
  /// With a GELU and a residual, 32 registers do beside the sums; where K is split, the sums that a
  /// thread finishes come on top: 130 do with 48 sums, 96 with 32.
  ///
  /// - Parameters:
  ///   - majorA: the axis along which A is contiguous, `k` or `mn`.
  ///   - majorB: the same of B.
  /// - Returns: whether it is legal.
  func isLegal(majorA: String, majorB: String) -> Bool {
    let (majorA, majorB) = isTransposed == 1 ? (majorB, majorA) : (majorA, majorB)
    let columns = majorB == "mn" ? 64 : isTransposed == 1 ? 8 : 32
    let boxA = majorA == "k" ? tileM / clusterN : Self.stepK / clusterN
    let boxB = majorB == "k" ? tileN / clusterM : Self.stepK / clusterM
    return (1...3).contains(consumers) && tileM % (64 * readers) == 0
      && tileN % columns == 0 && tileN <= 256 && groupBlocks * tileN <= mostSums * 2
      && (isPingPong == 0 || (isPersistent == 1 && consumers == 2 && isTransposed == 0))
      && boxA % 8 == 0 && boxB % 8 == 0 && boxA <= 256 && boxB <= 256 && stages >= 2
      && clusterSize <= 8 && (splitK == 1 || isPersistent == 0)
      && tileOfC.rows % splitK == 0
      && sharedSizeInBytes <= 232_448
      && (exchangesRegisters
        ? blocksPerMultiprocessor == 1
        : (splitK == 1 ? sums + 32 : sums * 9 / 4 + 22) <= registers)
  }
}

extension MultistageConfiguration {
  var threads: Int { warpsM * warpsN * 32 }
  var warpM: Int { tileM / warpsM }
  var warpN: Int { tileN / warpsN }
  var stageSizeInBytes: Int { (tileM + tileN) * 128 }

  var sharedSizeInBytes: Int {
    let stagedColumns = warpN % 64 == 0 ? 64 : 32
    return max(stages * stageSizeInBytes, warpsM * warpsN * 16 * (stagedColumns + 8) * 4)
  }

  /// Whether the template takes it.
  func isLegal(majorA: String, majorB: String, sharedSizeInBytes limit: Int) -> Bool {
    tileM % warpsM == 0 && tileN % warpsN == 0 && warpM % 16 == 0 && warpN % 32 == 0
      && warpM * warpN <= 64 * 64 && (majorA == "k" || tileM % 64 == 0)
      && (majorB == "k" || tileN % 64 == 0) && tileM * 8 % threads == 0
      && tileN * 8 % threads == 0 && threads <= 1024 && stages >= 2
      && sharedSizeInBytes <= limit
  }
}

extension FewRowsConfiguration {
  var threads: Int { warps * 32 }
  var sharedSizeInBytes: Int { warps * rows * (tileN + 4) * 4 }

  /// Whether the template takes it.
  var isLegal: Bool {
    (rows == 8 || rows == 16) && tileN % 16 == 0 && (1...32).contains(warps)
      && sharedSizeInBytes <= 99 << 10
  }
}
