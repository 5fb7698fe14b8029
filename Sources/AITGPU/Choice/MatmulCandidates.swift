import AITKernels

/// The configurations that a product may have on a GPU.
enum MatmulCandidates {
  /// All that are worth a thought, in an order in which the first of equals is the better.
  static func all(for task: MatmulTask, on facts: DeviceFacts) -> [MatmulCandidate] {
    var result: [MatmulCandidate] = []
    if task.suitsFewRows { result += fewRows.map { .fewRows($0) } }
    if facts.architecture == .sm90a && task.suitsHopper {
      result += hopper(majorA: task.majors.a, majorB: task.majors.b).map { .hopper($0) }
      if !task.isGathered {
        result += transposed(majorA: task.majors.a, majorB: task.majors.b).map { .hopper($0) }
      }
    } else {
      result += multistage(task, facts).map { .multistage($0) }
    }
    return result
  }

  /// Whether a candidate may compute a product of so many rows.
  ///
  /// Few rows have a kernel of their own wherever it fits: tiles that lie mostly outside a matrix are
  /// slow to copy, more than the model knows.
  static func takes(_ candidate: MatmulCandidate, rows: Int, of task: MatmulTask) -> Bool {
    switch candidate {
    case .fewRows(let configuration): rows <= configuration.rows
    case .hopper(let configuration) where configuration.isTransposed == 1:
      rows <= configuration.tileN
    case .hopper, .multistage: !task.suitsFewRows || rows > 16
    }
  }

  private static let fewRows: [FewRowsConfiguration] = {
    var result: [FewRowsConfiguration] = []
    for tileN in [32, 16] {
      // With 16 rows, half as many warps have twice the registers for their sums.
      for (rows, warps) in [(8, 16), (16, 8)] {
        result.append(FewRowsConfiguration(rows: rows, warps: warps, tileN: tileN))
      }
    }
    return result.filter(\.isLegal)
  }()

  private static let hopperTiles: [(m: Int, n: Int, consumers: Int)] = [
    (128, 256, 2), (128, 192, 2), (128, 160, 2), (128, 128, 2), (128, 96, 2), (128, 64, 2),
    (256, 128, 2), (256, 96, 2), (256, 64, 2), (192, 192, 3), (192, 160, 3), (192, 128, 3),
    (192, 96, 3), (64, 256, 1), (64, 192, 1), (64, 160, 1), (64, 128, 1), (64, 96, 1), (64, 64, 1),
    (64, 32, 1),
  ]

  /// Tiles of a single warp group, two of which take turns.
  private static let pingPongTiles = [(192, 128), (128, 192), (128, 160), (192, 96), (128, 128)]

  private static func hopper(majorA: String, majorB: String) -> [HopperConfiguration] {
    var result: [HopperConfiguration] = []
    func add(_ configuration: HopperConfiguration) {
      for staged in stagings(configuration)
      where staged.isLegal(majorA: majorA, majorB: majorB) && !result.contains(staged) {
        result.append(staged)
      }
    }
    for tile in hopperTiles {
      var base = HopperConfiguration()
      (base.tileM, base.tileN, base.consumers) = tile
      for (m, n) in [(1, 1), (2, 1), (1, 2)] {
        (base.clusterM, base.clusterN) = (m, n)
        for isPersistent in [0, 1] {
          base.isPersistent = isPersistent
          add(base)
        }
      }
      (base.clusterM, base.clusterN, base.isPersistent) = (1, 1, 0)
      for split in [2, 4] {
        base.splitK = split
        add(base)
      }
    }
    for tile in pingPongTiles {
      var base = HopperConfiguration(isPersistent: 1, isPingPong: 1)
      (base.tileM, base.tileN) = tile
      for (m, n) in [(1, 1), (2, 1), (1, 2)] {
        (base.clusterM, base.clusterN) = (m, n)
        add(base)
      }
    }
    return result
  }

  /// Few rows as columns of the matrix units' product, with a ring that takes all there is: what
  /// counts is how much of B is under way.
  private static func transposed(majorA: String, majorB: String) -> [HopperConfiguration] {
    var result: [HopperConfiguration] = []
    for tileN in [8, 16, 32, 64] {
      for split in [1, 2, 4, 8] {
        var configuration = HopperConfiguration()
        configuration.isTransposed = 1
        (configuration.tileM, configuration.tileN, configuration.consumers) = (64, tileN, 1)
        configuration.splitK = split
        configuration.stages = (200 << 10) / configuration.stageSizeInBytes
        if configuration.isLegal(majorA: majorA, majorB: majorB) { result.append(configuration) }
      }
    }
    return result
  }

  /// A configuration with the depths of its ring that are worth a thought: as few stages as keep the
  /// copies coming, in a block that leaves room for a second; as many as fit beside a block of another
  /// launch and not beside a second of this one; as few as keep the copies coming without any beside;
  /// as many as there is room for.
  private static func stagings(_ base: HopperConfiguration) -> [HopperConfiguration] {
    func staged(_ stages: Int, blocks: Int) -> HopperConfiguration {
      var result = base
      (result.stages, result.blocksPerMultiprocessor) = (stages, blocks)
      return result
    }
    let half = 113 << 10
    func fewest(_ bytes: Int) -> Int {
      1 + (bytes + base.stageSizeInBytes - 1) / base.stageSizeInBytes
    }
    var result: [HopperConfiguration] = []
    let shared = staged(fewest(56 << 10), blocks: 2)
    if base.isPersistent == 0 && shared.sharedSizeInBytes <= half { result.append(shared) }
    var beside = shared
    while beside.sharedSizeInBytes <= half { beside.stages += 1 }
    if base.isPersistent == 0 && beside.fitsBesideAnother { result.append(beside) }
    var alone = staged(fewest(80 << 10), blocks: 1)
    while alone.sharedSizeInBytes <= half { alone.stages += 1 }
    result.append(alone)
    while staged(alone.stages + 1, blocks: 1).sharedSizeInBytes <= 232_448 && alone.stages < 8 {
      alone.stages += 1
    }
    result.append(alone)
    return result
  }

  private static let multistageTiles: [(m: Int, n: Int, warpsM: Int, warpsN: Int)] = [
    (128, 128, 2, 4), (128, 256, 2, 4), (256, 128, 4, 2), (128, 64, 4, 2), (64, 128, 2, 4),
    (64, 64, 2, 2), (32, 64, 2, 2), (32, 128, 2, 4),
  ]

  private static func multistage(_ task: MatmulTask, _ facts: DeviceFacts)
    -> [MultistageConfiguration]
  {
    var result: [MultistageConfiguration] = []
    for tile in multistageTiles {
      for stages in [3, 4, 2] {
        let configuration = MultistageConfiguration(
          tileM: tile.m,
          tileN: tile.n,
          warpsM: tile.warpsM,
          warpsN: tile.warpsN,
          stages: stages
        )
        // Rows that a thread gathers element by element are 4 at most: more of them spill.
        let gathersElements = task.isGathered && task.alignments.a == 1
        if gathersElements && tile.m * 8 > configuration.threads * 4 { continue }
        if configuration.isLegal(
          majorA: task.majors.a,
          majorB: task.majors.b,
          sharedSizeInBytes: facts.blockSharedSizeInBytes
        ) {
          result.append(configuration)
        }
      }
    }
    return result
  }
}
