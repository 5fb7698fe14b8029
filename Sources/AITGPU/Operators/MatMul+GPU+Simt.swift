import AITCodegen
import AITGraph
import AITKernels

/// The kernels of a product by the threads' own arithmetic units (`matmul_simt.h`): float32,
/// float64, integers, and operands of any type that are contiguous along neither axis.
///
/// At most 16 rows by a kernel that reads B once (`matmul_simt_few_rows.h`), else tiles of 128 x 128
/// where they fill the device, and smaller ones where they would leave it idle; where symbols leave
/// that open, M decides when the model runs. Expected bound: the arithmetic units, or for few rows
/// the bandwidth of B.
struct SimtProduct {
  private let node: NodeContext
  private let problem: MatMulProblem
  private let a: Access
  private let b: Access

  /// How an operand is fetched.
  private struct Access {
    let major: String
    let isStrided: Bool
    let alignment: Int
  }

  /// A tile, and the warps that share it along M and N.
  private struct Tile {
    let name: String
    let rows: Int
    let columns: Int
    let warpsM: Int
    let warpsN: Int
  }

  init(_ node: NodeContext, _ problem: MatMulProblem) {
    self.node = node
    self.problem = problem
    let limit = max(1, DeviceAlignment.widest / node.inputs[0].type.dtype.sizeInBytes)
    func access(
      _ operand: NodeContext.Operand,
      major: String?,
      inner: Dimension,
      other: Dimension,
      batch: [Dimension]
    ) -> Access {
      let strides = batch + [major == "k" ? other : inner, operand.layout.offset]
      return Access(
        major: major ?? "k",
        isStrided: major == nil,
        alignment: strides.map { DeviceAlignment.powerOfTwo($0, limit: limit) }.min() ?? limit
      )
    }
    a = access(
      node.inputs[0],
      major: problem.majorA,
      inner: problem.aInnerStride,
      other: problem.loops.strides[0][problem.loops.rank - 1],
      batch: Array(problem.loops.strides[0].dropLast())
    )
    b = access(
      node.inputs[1],
      major: problem.majorB,
      inner: problem.bStrides.inner,
      other: problem.bStrides.columns,
      batch: Array(problem.loops.strides[1].dropLast())
    )
  }

  /// Multiprocessors that tiles are to fill: an A100 has 108, an H100 132.
  private static let multiprocessors = 100

  /// The tiles from the largest to the smallest; sums of 8 bytes take twice the registers.
  private var tiles: [Tile] {
    let large = Tile(name: "Large", rows: 128, columns: 128, warpsM: 4, warpsN: 2)
    let isWide = node.inputs[0].type.dtype.sizeInBytes == 8
    return (isWide ? [] : [large]) + [
      Tile(name: "Medium", rows: 64, columns: 64, warpsM: isWide ? 4 : 2, warpsN: 2),
      Tile(name: "Small", rows: 32, columns: 64, warpsM: 2, warpsN: 2),
    ]
  }

  private func blocks(_ tile: Tile, _ extent: (Dimension) -> Int) -> Int {
    let counts = problem.loops.extents.dropLast().map(extent)
    let rows = extent(M)
    return counts.reduce(1, *) * ((rows + tile.rows - 1) / tile.rows)
      * ((extent(problem.columns) + tile.columns - 1) / tile.columns)
  }

  /// The tiles that runs may call for.
  private var candidates: [Tile] {
    let all = tiles
    let possible = all.dropLast().filter {
      blocks($0, \.upperBound) >= Self.multiprocessors
    }
    let certain = possible.firstIndex {
      blocks($0, \.range.lowerBound) >= Self.multiprocessors
    }
    return certain.map { Array(possible[...$0]) } ?? possible + all.suffix(1)
  }

  private var M: Dimension { problem.loops.extents[problem.loops.rank - 1] }

  /// Whether runs may have 16 rows or fewer, and more.
  private var hasFewRows: Bool { !b.isStrided && M.range.lowerBound <= 16 }
  var hasManyRows: Bool { !hasFewRows || M.upperBound > 16 }

  private func config(_ name: String, _ base: String) -> DeviceConfig {
    var config = DeviceConfig(name: name, base: base)
    config.types = [("Element", CxxScalar.storageType(node.inputs[0].type.dtype))]
    config.constants = [
      ("kBatchRank", problem.deviceBatchRank),
      ("kColumnMultiple", DeviceAlignment.powerOfTwo(problem.columns, limit: 8)),
    ]
    return config
  }

  private var fewRows: DeviceConfig {
    var config = config("FewRows", "MatmulSimtFewRowsDefaults")
    config.majors = [("kMajorB", b.major)]
    // Each thread along K is to have some steps of 16 bytes.
    let packet = DeviceAlignment.widest / node.inputs[0].type.dtype.sizeInBytes
    var threads = 256
    while threads > 32 && threads * packet * 2 > problem.inner.upperBound { threads /= 2 }
    config.constants += [
      ("kRows", M.upperBound <= 8 ? 8 : 16), ("kThreadsAlongK", threads),
      ("kIsAlongKA", a.major == "k" && !a.isStrided ? 1 : 0), ("kAlignmentA", a.alignment),
      ("kAlignmentB", b.alignment), ("kIsConstantB", node.inputs[1].isConstant ? 1 : 0),
    ]
    return config
  }

  private func config(_ tile: Tile) -> DeviceConfig {
    var config = config(tile.name, "MatmulSimtDefaults")
    config.majors = [("kMajorA", a.major), ("kMajorB", b.major)]
    config.constants += [
      ("kTileM", tile.rows), ("kTileN", tile.columns), ("kWarpsM", tile.warpsM),
      ("kWarpsN", tile.warpsN), ("kIsStridedA", a.isStrided ? 1 : 0),
      ("kIsStridedB", b.isStrided ? 1 : 0), ("kAlignmentA", a.alignment),
      ("kAlignmentB", b.alignment),
    ]
    return config
  }

  /// The configuration of the warps' kernel for the same operands.
  func config(multistage: MultistageConfiguration) -> DeviceConfig {
    var config = config("Multistage", "MatmulMultistageDefaults")
    config.majors = [("kMajorA", a.major), ("kMajorB", b.major)]
    config.constants += multistage.constants
    config.constants += [("kAlignmentA", a.alignment), ("kAlignmentB", b.alignment)]
    return config
  }

  /// Adds the kernel of at most 16 rows, if there may be so few.
  func addFewRows(to kernel: inout ProductKernel) {
    guard hasFewRows else { return }
    kernel.add(
      fewRows,
      launch: "launchSimtFewRows",
      template: "MatmulSimtFewRows",
      header: "matmul_simt_few_rows",
      when: hasManyRows ? "sizes.M() <= 16" : nil
    )
  }

  func kernel(_ epilogue: ScalarExpression) -> KernelSource {
    var kernel = ProductKernel(node, problem, epilogue)
    addFewRows(to: &kernel)
    let tiles = hasManyRows ? candidates : []
    for (index, tile) in tiles.enumerated() {
      let count = "ait::matmulSimtBlocks<\(tile.name)>(sizes.M(), sizes.N(), sizes.batchCount())"
      kernel.add(
        config(tile),
        launch: "launchSimt",
        template: "MatmulSimt",
        header: "matmul_simt",
        blocks: "\(tile.name)::kBlocksPerMultiprocessor",
        when: index + 1 < tiles.count ? "\(count) >= \(Self.multiprocessors)" : nil
      )
    }
    return kernel.source(headers: ["ait/gpu/matmul_simt_launch.h"])
  }
}
