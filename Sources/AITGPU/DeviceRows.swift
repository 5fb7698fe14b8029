import AITCodegen
import AITGraph
import AITKernels

/// What the row kernels of the prelude share: loops over rows, the columns last, with a prologue,
/// an epilogue and operands of both.
struct DeviceRows {
  /// The prelude's loops have at most this many extents.
  static let maximumRank = 8
  /// Room for the sums of a block's warps, twice.
  private static let sharedSizeInBytes = 256

  let node: NodeContext
  private(set) var loops: LoopNest
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
    let rows = loops.rank - columnAxes
    let columns = self.loops.collapse(rows..<loops.rank)
    if columns == 0 { self.loops.appendUnitAxis() }
    _ = self.loops.collapse(0..<rows)
    guard columns <= 1 else {
      throw node.unsupported(target, "the axes of a row do not join to one")
    }
    guard self.loops.rank <= Self.maximumRank else {
      throw node.unsupported(target, "its loops do not join to \(Self.maximumRank) or fewer")
    }
    try node.checkCount(self.loops.extents.dropLast().reduce(1, *), target, of: "rows")
    try node.checkCount(self.loops.extents.last ?? 1, target, of: "columns")
    for body in [node.fusion.prologue, node.fusion.epilogue].compactMap({ $0 }) {
      try DeviceFunctions.check(body, node, target)
    }
    let read = node.fusion.prologue?.resultTypes[0] ?? node.inputs[0].type.dtype
    guard read != .float64 else {
      throw node.unsupported(target, "rows are computed in float32")
    }
  }

  private var operands: [NodeContext.Operand] { inputs + extras + node.outputs }
  var operandCount: Int { operands.count }

  /// How threads share rows of so many columns.
  var config: DeviceConfig {
    let columns = loops.extents[loops.rank - 1]
    let packet = DevicePacket.width(operands.map(\.type.dtype))
    // A power of two of threads for each row, so that they keep it in a few packets each.
    let longest = columns.upperBound
    var threads = 1
    while threads < 1024 && threads * packet * 2 < longest { threads *= 2 }
    if threads <= 32 { threads = max(threads, min(32, longest / packet)) }
    var power = 1
    while power * 2 <= threads { power *= 2 }
    threads = power
    let rows = threads > 32 ? 1 : max(1, 128 / threads)
    var packets = (longest + threads * packet - 1) / (threads * packet)
    packets = min(max(packets, 1), 4)
    var config = DeviceConfig(name: "Config", base: "RowDefaults")
    config.constants = [
      ("kThreadsPerRow", threads), ("kRowsPerBlock", rows), ("kPacket", packet),
      ("kPackets", packets), ("kColumnMultiple", DeviceAlignment.powerOfTwo(columns, limit: 16)),
    ]
    return config
  }

  /// The call of a template whose arguments begin with `Config` and `leading`.
  func call(
    _ function: String,
    header: String,
    leading: [String],
    definitions: String,
    epilogue: ScalarExpression,
    extraInputs: [Int],
    flops: Dimension
  ) -> KernelCall {
    let config = config
    let first = inputs.count + extras.count
    let types = operands.enumerated().map { index, operand in
      loops.deviceOperand(index, operand, isWritten: index >= first)
    }
    let packs = [
      "using In = \(KernelText.pack("Inputs", Array(types[..<inputs.count])));",
      "using Extra = \(KernelText.pack("Inputs", Array(types[inputs.count..<first])));",
      "using Out = \(KernelText.pack("Outputs", Array(types[first...])));",
    ]
    let prologue = node.fusion.prologue ?? .identity([inputs[0].type.dtype])
    let template =
      (["Config"] + leading + ["Prologue", "Epilogue", "In", "Extra", "Out"]
      + ["\(loops.rank)", node.fusion.exposesPrologue ? "true" : "false"])
      .joined(separator: ", ")
    let entry = DeviceEntry(
      headers: ["ait/gpu/math.h", header],
      definitions: ([config.text] + packs + [
        definitions, CxxScalar.body(named: "Prologue", prologue),
        CxxScalar.body(named: "Epilogue", epilogue),
      ]).filter { !$0.isEmpty }.joined(separator: "\n\n"),
      signature: "AIT_KERNEL(ait::RowShape<Config>::kThreads, 1)",
      arguments: "ait::RowArguments<\(loops.rank), \(operands.count)>",
      statement: "ait::\(function)<\(template)>(arguments);",
      threads: "ait::RowShape<Config>::kThreads",
      sharedSizeInBytes: "\(Self.sharedSizeInBytes)"
    )
    let kernel = KernelSource(
      stem: "\(type(of: node.op).name)_\(node.outputs[0].type.dtype.rawValue)",
      headers: ["ait/gpu/launch.h"],
      definitions: config.text,
      statement:
        "ait::launchRows<Config, \(loops.rank), \(operands.count)>(context, kernels[0], \(Self.sharedSizeInBytes));",
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
