import AITKernels

/// What a kernel of a product is expected to take: an analytic model, for choosing among kernels
/// where no device is at hand.
///
/// A block's time is a prologue, as many steps along K as it has, and an epilogue. A step takes what
/// is slowest of the matrix units, the bytes into the multiprocessor and those out of the level-2
/// cache; three things that are near each other slow each other down. Blocks come in waves; memory
/// bounds the whole. The constants were measured on an H200 (Benchmarks/cuda/README.md says how);
/// only ratios matter for a choice.
struct MatmulModel {
  let task: MatmulTask
  let facts: DeviceFacts

  private enum Cycles {
    /// From the start of a block to its first stage, when few copies are under way.
    static let firstStage = 900.0
    /// Blocks of a cluster meet before their copies, and at the end.
    static let cluster = 600.0
    /// A warp group's wait for a stage, and for its products.
    static let wait = 40.0
    /// From the end of a block to the start of the next in its place.
    static let nextBlock = 300.0
    /// From the last products of a warp group to the first of the one that takes turns with it.
    static let turn = 60.0
    /// An epilogue's way through shared memory, whatever its size.
    static let epilogue = 600.0
    /// Instructions that every element takes in an epilogue beside its body's.
    static let element = 8.0
    /// A block that starts while the launch before it ends, beside one of that launch.
    static let earlyStart = 600.0
    /// What is left to a block of the next launch, which needs less than this one.
    static let room = 150.0
    /// A cluster that sums parts of K waits for its slowest block: with two blocks on one
    /// multiprocessor because the launch before it had the others, it takes nearly twice as long.
    static let sharedMultiprocessor = 3000.0
    /// Sums into shared memory and out of it, where K is split.
    static let exchange = 300.0
    /// Warps that wait for loads from memory.
    static let memoryLatency = 800.0
  }

  /// Bytes a cycle from a multiprocessor to another.
  private static let exchangeRate = 14.0
  /// The copies under way that keep the copy engine busy: the latency of 900 cycles, at full rate.
  private static let bytesUnderWay = 57_600.0
  /// What the matrix units reach of their rate: the clock falls while all of them work.
  private static let matrixEfficiency = 0.86
  /// A launch within a graph, in seconds.
  private static let launch = 1.0e-6
  /// What a copy does not reach of the bandwidth when it reads a matrix by tiles.
  private static let bandwidthEfficiency = 0.95

  /// Seconds that a candidate is expected to take, alone and with operands in memory.
  func seconds(_ candidate: MatmulCandidate, _ size: MatmulSize) -> Double {
    let cycles =
      switch candidate {
      case .fewRows(let configuration): fewRows(configuration, size)
      case .hopper(let configuration): hopper(configuration, size)
      case .multistage(let configuration): multistage(configuration, size)
      }
    let reading = memory(size) * waiting(candidate) + Cycles.firstStage
    return Self.launch + slowest(cycles, reading, 0) / facts.clock
  }

  /// How much longer memory takes where too few loads are under way to keep it busy.
  private func waiting(_ candidate: MatmulCandidate) -> Double {
    guard case .fewRows(let configuration) = candidate else { return 1 }
    return 1.08 + 0.4 * max(0, 1 - bytesUnderWay(configuration) / Self.bytesUnderWay)
  }

  /// Two steps of 32 elements of K for each warp.
  private func bytesUnderWay(_ configuration: FewRowsConfiguration) -> Double {
    Double(configuration.warps * 2 * configuration.tileN * 64)
  }

  // MARK: - Memory

  /// Operands once, and results, in cycles.
  private func memory(_ size: MatmulSize) -> Double {
    let elements = Double(size.rows * size.depth + size.columns * size.depth) * 2
    let results = Double(size.rows * size.columns) * Double(task.epilogueBytes)
    return Double(size.batch) * (elements + results) * facts.clock
      / (facts.bandwidth * Self.bandwidthEfficiency)
  }

  // MARK: - Blocks

  /// The slowest of several, slowed down by the others where they are near it.
  private func slowest(_ first: Double, _ second: Double, _ third: Double) -> Double {
    let sum =
      first * first * first * first + second * second * second * second
      + third * third * third * third
    return sum.squareRoot().squareRoot()
  }

  /// An epilogue of so many elements: one warp for each scheduler does not hide its own latency, and
  /// beside the products of another warp group its instructions wait, too.
  private func epilogue(elements: Int, warps: Int, besideProducts: Bool = false) -> Double {
    let lanes = 128.0
    let perLane = Cycles.element + Double(task.epilogueOperations)
    let bytes = Double(elements * task.epilogueBytes) / facts.fetchRate
    let exposed = besideProducts ? 3.0 : warps <= 4 ? 1.5 : 1.0
    return Cycles.epilogue + max(exposed * Double(elements) / lanes * perLane, bytes)
  }

  /// Waves of blocks that share multiprocessors: what one round takes, for as many as there are.
  private func rounds(
    blocks: Int,
    multiprocessors: Int,
    resident: Int,
    _ round: (_ together: Int) -> Double
  ) -> Double {
    let each = (blocks + multiprocessors - 1) / multiprocessors
    let whole = each / resident
    let last = each - whole * resident
    let ends = Double(whole - (last == 0 ? 1 : 0)) * Cycles.nextBlock
    return Double(whole) * round(resident) + (last > 0 ? round(last) : 0) + max(0, ends)
  }

  // MARK: - Kernels

  private func hopper(_ configuration: HopperConfiguration, _ size: MatmulSize) -> Double {
    let c = configuration
    let (rows, columns) =
      c.isTransposed == 1 ? (size.columns, size.rows) : (size.rows, size.columns)
    let alongM = (rows + c.tileM * c.clusterM - 1) / (c.tileM * c.clusterM)
    let alongN = (columns + c.tileN * c.clusterN - 1) / (c.tileN * c.clusterN)
    let clusters = alongM * alongN * size.batch
    let blocks = clusters * c.clusterSize
    let multiprocessors = facts.multiprocessors(forClustersOf: c.clusterSize)
    let active = Double(min(blocks, multiprocessors))
    let allSteps = (size.depth + HopperConfiguration.stepK - 1) / HopperConfiguration.stepK
    let steps = Double((allSteps + c.splitK - 1) / c.splitK)
    let fits = residentBlocks(c)
    let isShared = c.isPersistent == 0 && fits >= 2

    // An instruction multiplies 64 rows by 16 elements of K. It reads B, and A again, from shared
    // memory at 128 bytes a cycle.
    let instruction = max(
      Double(c.tileN) * 2048 / facts.matrixRate,
      16 + Double(c.tileN) / 4
    )
    let pace = Self.matrixEfficiency / (c.consumers == 1 && !isShared ? 1.1 : 1)
    let products = Double(c.tileM / 64 * 4) * instruction / pace
    let fetched = Double(c.stageSizeInBytes)
    // Half of what a cluster's blocks share is saved: they wait for each other.
    let distinct =
      128
      * (Double(c.tileM) * (1 + 1 / Double(c.clusterN)) / 2
        + Double(c.tileN) * (1 + 1 / Double(c.clusterM)) / 2)
    let underWay = fetched * Double((c.stages - 1) * (isShared ? 2 : 1))
    let latency =
      max(1, Self.bytesUnderWay / underWay) * (1 + 0.03 * min(1, Self.bytesUnderWay / underWay))
    let step =
      Cycles.wait + latency
      * slowest(products, fetched / facts.fetchRate, active * distinct / facts.level2Rate)

    let first =
      Cycles.firstStage + (c.clusterSize > 1 ? Cycles.cluster : 0)
    let ending =
      epilogue(
        elements: c.tileM * c.tileN / c.splitK,
        warps: c.consumers * 4,
        besideProducts: c.isPingPong == 1
      )
      * (c.stagesHalf ? 1.15 : 1)
    if c.isPersistent == 1 {
      let places = max(1, multiprocessors / c.clusterSize)
      let each = Double((clusters + places - 1) / places)
      if c.isPingPong == 1 {
        let main = steps * step
        let pace = max(main + Cycles.turn, (main + ending) / 2)
        return first + main + (each - 1) * pace + products + ending
      }
      // The ring fills while an epilogue runs.
      let ahead = min(Double(c.stages) * step, ending) * max(0, 1 - products / step)
      return first + each * (steps * step + ending - ahead) + ahead + products
    }
    let exchanged =
      c.splitK == 1
      ? 0 : Cycles.exchange + Double((c.splitK - 1) * c.partSizeInBytes) / Self.exchangeRate
    var cycles = rounds(blocks: blocks, multiprocessors: multiprocessors, resident: fits) {
      together in
      let others = Double(together - 1)
      return first + Double(together) * (steps * step + exchanged) + products
        + ending * (1 + 0.75 * others)
    }
    if blocks <= multiprocessors {
      if fits >= 2 {
        cycles += c.clusterSize == 1 ? -Cycles.earlyStart : Cycles.sharedMultiprocessor
      } else if c.fitsBesideAnother {
        cycles -= Cycles.earlyStart
      } else if c.sharedSizeInBytes <= 160 << 10 {
        cycles -= Cycles.room
      }
    }
    return cycles
  }

  /// The blocks that a multiprocessor has room for.
  private func residentBlocks(_ c: HopperConfiguration) -> Int {
    guard c.isPersistent == 0 && !c.exchangesRegisters else { return 1 }
    let byMemory = facts.sharedSizeInBytes / (c.sharedSizeInBytes + 1024)
    let registers = min(255, (c.sums + 88 + 7) / 8 * 8)
    let byRegisters = max(c.blocksPerMultiprocessor, 65536 / (registers * c.threads))
    return max(1, min(byMemory, byRegisters, 2048 / c.threads))
  }

  private func multistage(_ configuration: MultistageConfiguration, _ size: MatmulSize) -> Double {
    let c = configuration
    let blocks = size.tiles(c.tileM, c.tileN)
    let active = Double(min(blocks, facts.multiprocessors))
    let steps = Double((size.depth + 63) / 64)
    let registers = min(255, (c.warpM * c.warpN / 32 + 96 + 7) / 8 * 8)
    let fits = max(
      1,
      min(
        facts.sharedSizeInBytes / (c.sharedSizeInBytes + 1024),
        65536 / (registers * c.threads),
        2048 / c.threads
      )
    )
    // Warps load fragments between products: small ones more often for each. On Hopper these
    // instructions do not reach the rate of its warp groups.
    let fragments = 1 + 8 * Double(c.warpM + c.warpN) / Double(c.warpM * c.warpN)
    let rate = facts.matrixRate * (facts.architecture.capability >= 90 ? 0.6 : 0.9)
    let products = Double(c.tileM * c.tileN * 128) / rate * fragments
    let exposed = max(1, 2 / Double((c.stages - 1) * fits)) * (c.threads * fits <= 128 ? 1.3 : 1)
    let fetched =
      Double(c.tileM * 128) * narrowness(task.alignments.a)
      + Double(c.tileN * 128) * narrowness(task.alignments.b)
    let step =
      Cycles.wait + exposed
      * slowest(
        products,
        fetched / facts.fetchRate,
        active * Double(c.stageSizeInBytes) / facts.level2Rate
      )
    let ending = epilogue(elements: c.tileM * c.tileN, warps: c.warpsM * c.warpsN)
    return rounds(blocks: blocks, multiprocessors: facts.multiprocessors, resident: fits) {
      together in
      Cycles.firstStage + Double(together) * steps * step + ending
        * (1 + 0.75 * Double(together - 1))
    }
  }

  /// How much longer narrow copies take: each moves fewer bytes; single elements go through
  /// registers.
  private func narrowness(_ alignment: Int) -> Double {
    alignment >= 8 ? 1 : alignment >= 4 ? 1.6 : alignment >= 2 ? 2.8 : 8
  }

  private func fewRows(_ configuration: FewRowsConfiguration, _ size: MatmulSize) -> Double {
    let c = configuration
    let blocks = (size.columns + c.tileN - 1) / c.tileN * size.batch
    let fits = max(1, min(2048 / c.threads, 65536 / (c.threads * (c.rows == 8 ? 96 : 128))))
    let underWay = bytesUnderWay(c)
    return rounds(blocks: blocks, multiprocessors: facts.multiprocessors, resident: fits) {
      together in
      let rate = min(facts.fetchRate, Double(together) * underWay / Cycles.memoryLatency)
      let active = Double(min(blocks, facts.multiprocessors))
      let bytes = Double((c.tileN + c.rows) * size.depth * 2 * together)
      let reading = max(bytes / rate, active * bytes / facts.level2Rate)
      let ending = epilogue(elements: c.rows * c.tileN, warps: c.warps)
      return Cycles.memoryLatency + reading + ending + 4 * Double(c.warps * c.tileN / 32)
    }
  }
}
