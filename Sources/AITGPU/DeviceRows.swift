import AITCodegen
import AITGraph
import AITKernels

/// What the row kernels of the prelude share: loops over rows and columns, with a prologue, an
/// epilogue and operands of both.
struct DeviceRows {
  /// The prelude's loops have at most this many extents.
  static let maximumRank = 8
  /// Below so many rows side by side, threads that follow the columns of each lose less.
  private static let leastRowsAcross = 4

  /// How rows lie.
  private enum Form {
    /// Columns last, of so many axes: threads share a row.
    case along(columnAxes: Int)
    /// Rows side by side last, columns before: neighbouring threads have neighbouring rows.
    case across
  }

  let node: NodeContext
  private(set) var loops: LoopNest
  private var form: Form
  private let inputs: [NodeContext.Operand]
  private let extras: [NodeContext.Operand]

  /// Creates the problem of a node whose last `columnAxes` loops are the columns; `loops` holds the
  /// strides of the prologue's inputs, then the extras, then the outputs.
  init(
    _ node: NodeContext,
    _ target: Target,
    loops: LoopNest,
    columnAxes: Int,
    extras: [NodeContext.Operand]
  ) throws(Diagnostic) {
    self.node = node
    self.loops = loops
    self.extras = extras
    inputs = node.prologueInputs.map { node.inputs[$0] }
    form = .along(columnAxes: 1)
    arrange(rows: loops.rank - columnAxes)
    guard self.loops.rank <= Self.maximumRank else {
      throw node.unsupported(target, "its loops do not join to \(Self.maximumRank) or fewer")
    }
    try node.checkCount(rows.reduce(1, *), target, of: "rows")
    try node.checkCount(filledColumns, target, of: "columns")
    for body in [node.fusion.prologue, node.fusion.epilogue].compactMap({ $0 }) {
      try DeviceFunctions.check(body, node, target)
    }
  }

  private var operands: [NodeContext.Operand] { inputs + extras + node.outputs }
  private var types: [DType] { operands.map(\.type.dtype) }
  private var packet: Int { DevicePacket.width(types) }
  private var last: Int { loops.rank - 1 }

  // MARK: - Arrangement

  /// Joins axes and decides how rows lie, given how many of the axes are those of rows.
  private mutating func arrange(rows: Int) {
    var rows = rows
    // Columns may be walked in any order: along the axis that most of the traffic follows.
    if let best = bestAxis(rows..<loops.rank), best != last {
      let columns = (rows..<loops.rank).filter { $0 != best } + [best]
      loops.permute(Array(0..<rows) + columns)
    }
    var columns = loops.collapse(rows..<loops.rank)
    if columns == 0 {
      loops.appendUnitAxis()
      columns = 1
    }
    rows = loops.collapse(0..<rows)
    form = .along(columnAxes: columns)
    guard columns == 1, let axis = bestAxis(0..<rows) else { return }
    let bytes = loops.traffic(types, along: axis).bytes
    let isLong = loops.extents[axis].upperBound >= Self.leastRowsAcross
    guard isLong && bytes > loops.traffic(types, along: last).bytes else { return }
    loops.permute((0..<rows).filter { $0 != axis } + [last, axis])
    loops.collapse(0..<(rows - 1))
    form = .across
  }

  /// The axis of a range along which the operands move most bytes in order; the last of equals, and
  /// none of extent 1.
  private func bestAxis(_ range: Range<Int>) -> Int? {
    range.reversed().filter { loops.extents[$0] != 1 }.max {
      loops.traffic(types, along: $0).bytes < loops.traffic(types, along: $1).bytes
    }
  }

  /// The extents of rows.
  private var rows: [Dimension] {
    switch form {
    case .along(let columnAxes): Array(loops.extents.dropLast(columnAxes))
    case .across: Array(loops.extents.dropLast(2)) + [loops.extents[last]]
    }
  }

  /// The columns of a row; along several axes, the last one filled up to whole packets.
  private var filledColumns: Dimension {
    switch form {
    case .along(1): loops.extents[last]
    case .along(let columnAxes):
      loops.extents.suffix(columnAxes).dropLast().reduce(1, *)
        * (loops.extents[last] + Dimension(packet - 1))
    case .across: loops.extents[last - 1]
    }
  }

  // MARK: - Configuration

  private var isDouble: Bool {
    (node.fusion.prologue?.resultTypes[0] ?? node.inputs[0].type.dtype) == .float64
  }

  /// How threads share rows of so many columns.
  private var config: DeviceConfig {
    var config: DeviceConfig
    switch form {
    case .along(let columnAxes): config = along(columnAxes)
    case .across: config = across
    }
    if isDouble { config.types.append(("Number", "double")) }
    return config
  }

  private func along(_ columnAxes: Int) -> DeviceConfig {
    // A power of two of threads for each row, so that they keep it in four packets each: fewer
    // leave too few loads under way (4096 columns: 3.6 TB/s by 128 threads, 3.5 by 256).
    let longest = filledColumns.upperBound
    var threads = 1
    while threads < 1024 && threads * packet * 4 < longest { threads *= 2 }
    if threads <= 32 { threads = max(threads, min(32, longest / packet)) }
    threads = Self.powerOfTwo(atMost: threads)
    let rows = threads > 32 ? 1 : max(1, 128 / threads)
    var packets = (longest + threads * packet - 1) / (threads * packet)
    packets = min(max(packets, 1), 4)
    var config = DeviceConfig(name: "Config", base: "RowDefaults")
    config.constants = [
      ("kThreadsPerRow", threads), ("kRowsPerBlock", rows), ("kPacket", packet),
      ("kPackets", packets),
      ("kColumnMultiple", DeviceAlignment.powerOfTwo(loops.extents[last], limit: 16)),
    ]
    if columnAxes > 1 { config.constants.append(("kColumnAxes", columnAxes)) }
    return config
  }

  /// Blocks that are to fit a multiprocessor.
  ///
  /// Half of its threads do where 64 registers are enough:
  /// with few operands, no prologue and an epilogue of a few operations, and without odd ends.
  private func residentBlocks(_ shape: String) -> String {
    guard case .along = form, !isDouble, node.fusion.prologue == nil, operands.count <= 4,
      (node.fusion.epilogue?.expanded().operationCount ?? 0) <= 8,
      DeviceAlignment.powerOfTwo(loops.extents[last], limit: 16) >= packet
    else { return "1" }
    return "1024 / ait::\(shape)<Config>::kThreads"
  }

  /// Rows of 128 bytes for a block, so that there are many blocks, and all other threads for columns.
  private var across: DeviceConfig {
    let rows = loops.extents[last].upperBound
    let longest = max(1, filledColumns.upperBound)
    var rowThreads = 1
    while rowThreads < 8 && rowThreads * packet < rows { rowThreads *= 2 }
    var columnThreads = 32 / rowThreads
    while rowThreads * columnThreads < 256 && columnThreads < longest { columnThreads *= 2 }
    let columns = min(4, (longest + columnThreads - 1) / columnThreads)
    var config = DeviceConfig(name: "Config", base: "RowsAcrossDefaults")
    config.constants = [
      ("kRowThreads", rowThreads), ("kColumnThreads", columnThreads), ("kPacket", packet),
      ("kColumns", columns),
      ("kRowMultiple", DeviceAlignment.powerOfTwo(loops.extents[last], limit: 16)),
    ]
    return config
  }

  private static func powerOfTwo(atMost limit: Int) -> Int {
    var power = 1
    while power * 2 <= limit { power *= 2 }
    return power
  }

  // MARK: - The call

  /// The call of a template whose arguments begin with `Config` and `leading`.
  ///
  /// The template for rows side by side has the same name and header, each with `Across` behind it.
  func call(
    _ function: String,
    leading: [String],
    definitions: String,
    epilogue: ScalarExpression,
    extraInputs: [Int],
    flops: Dimension
  ) -> KernelCall {
    let config = config
    let first = inputs.count + extras.count
    let names = operands.enumerated().map { index, operand in
      loops.deviceOperand(index, operand, isWritten: index >= first)
    }
    let packs = [
      "using In = \(KernelText.pack("Inputs", Array(names[..<inputs.count])));",
      "using Extra = \(KernelText.pack("Inputs", Array(names[inputs.count..<first])));",
      "using Out = \(KernelText.pack("Outputs", Array(names[first...])));",
    ]
    let prologue = node.fusion.prologue ?? .identity([inputs[0].type.dtype])
    let template =
      (["Config"] + leading + ["Prologue", "Epilogue", "In", "Extra", "Out"]
      + ["\(loops.rank)", node.fusion.exposesPrologue ? "true" : "false"])
      .joined(separator: ", ")
    let (suffix, shape, launch, shared): (String, String, String, String) =
      switch form {
      case .along: ("", "RowShape", "launchRows", "\(isDouble ? 512 : 256)")
      case .across:
        (
          "Across", "RowsAcrossShape", "launchRowsAcross",
          "ait::RowsAcrossShape<Config>::kSharedBytes"
        )
      }
    let entry = DeviceEntry(
      headers: ["ait/gpu/math.h", "ait/gpu/\(function)\(suffix.isEmpty ? "" : "_across").h"],
      definitions: ([config.text] + packs + [
        definitions, CxxScalar.body(named: "Prologue", prologue),
        CxxScalar.body(named: "Epilogue", epilogue),
      ]).filter { !$0.isEmpty }.joined(separator: "\n\n"),
      signature: "AIT_KERNEL(ait::\(shape)<Config>::kThreads, \(residentBlocks(shape)))",
      arguments: "ait::RowArguments<\(loops.rank), \(operands.count)>",
      statement: "ait::\(function)\(suffix)<\(template)>(arguments);",
      threads: "ait::\(shape)<Config>::kThreads",
      sharedSizeInBytes: shared
    )
    let kernel = KernelSource(
      stem: "\(type(of: node.op).name)_\(node.outputs[0].type.dtype.rawValue)",
      headers: ["ait/gpu/launch.h"],
      definitions: config.text,
      statement:
        "ait::\(launch)<Config, \(loops.rank), \(operands.count)>(context, kernels[0], \(shared));",
      configuration: config.constants.prefix(4).map { "\($0.name) \($0.value)" }
        .joined(separator: ", "),
      entries: [entry]
    )
    return KernelCall(
      kernel: kernel,
      reads: node.prologueInputs.map { .input($0) } + extraInputs.map { .input($0) },
      writes: node.outputs.indices.map { .output($0) },
      sizes: loops.sizes,
      flops: flops
    )
  }
}
