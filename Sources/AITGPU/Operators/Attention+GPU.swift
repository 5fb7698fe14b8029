import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Tiles of queries against tiles of keys on the matrix units, with a softmax that goes along; heads are
/// read and written where they lie. Queries of heads that share keys are rows of one matrix.
///
/// Few rows have their keys divided (`attention_few_queries.h`); others go by warp groups fed by the copy
/// engine on GPUs that have them (`attention_hopper.h`), else by warps (`attention.h`). A library holds
/// those that its architectures and bounds call for; the sizes of a run decide (`AttentionRule`).
/// 16-bit floats, widths up to 256; other attention is spelt out. Expected bound: the matrix units; for
/// few queries the bandwidth of K and V.
extension Attention: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    guard isComputedOnGPU(node.inputs.map(\.type)) else {
      throw node.unsupported(target, "its types or widths have no kernel")
    }
    return [try DeviceAttention(self, node, target).call]
  }

  /// Whether the kernel takes operands of given types; others are spelt out.
  package func isComputedOnGPU(_ operands: [TensorType]) -> Bool {
    let widths = [operands[0], operands[2]].map { $0.shape[$0.rank - 1].constant ?? 0 }
    return [.float16, .bfloat16].contains(operands[0].dtype)
      && widths.allSatisfy { (1...256).contains($0) }
  }
}

/// Which kernel a run takes, by its rows (queries of heads that share keys) and keys.
private enum AttentionRule {
  /// So few rows are one tile of the kernel that divides keys.
  static let fewRows = 16
  /// Up to so many rows, a tile of the others, have their keys divided where matrices are few and keys
  /// enough for two parts.
  static let fewRowsOfFewMatrices = 64
  static let dividedKeys = 512
  /// What warp groups take, of narrow heads and of others: with fewer keys they have nothing to overlap,
  /// with fewer rows nothing to do.
  static let warpgroupRows = 65
  static let warpgroupKeys = (narrow: 128, others: 256)
  /// Of narrow heads, up to so many keys one warp group a block is faster than two.
  static let shortKeys = 1024
  /// Multiprocessors that blocks are to fill, and twice as many matrices are not few on any GPU.
  static let multiprocessors = 132
  /// Blocks that may leave sums in the workspace: three for each multiprocessor, and some more.
  static let states = 512
}

/// The kernels of one attention.
private struct DeviceAttention {
  private let op: Attention
  private let node: NodeContext
  private let target: Target
  /// Batch axes and heads of keys, with strides of Q, K, V, the mask if there is one, and the result.
  private let loops: LoopNest
  /// Of each of them the strides of a head within its group, a row and a column.
  private let strides: [[Dimension]]
  private let extents: [Dimension]

  init(_ op: Attention, _ node: NodeContext, _ target: Target) throws(Diagnostic) {
    self.op = op
    self.node = node
    self.target = target
    let (q, k, v) = (node.inputs[0].type, node.inputs[1].type, node.inputs[2].type)
    let head = q.rank - 3
    let group = Attention.groupSize(q.shape[head], k.shape[head]) ?? 1
    let scores = Shape(q.shape.dimensions.dropLast() + [k.shape[head + 1]])
    let all = (node.inputs + node.outputs).enumerated().map { index, operand in
      index == 3 && node.inputs.count > 3
        ? LoopNest.strides(operand, over: scores)
        : (0..<q.rank).map { axis in
          axis < head && operand.type.shape[axis] == 1 ? 0 : operand.layout.strides[axis]
        }
    }
    let ofKeys = all.indices.map { $0 == 1 || $0 == 2 }
    var loops = LoopNest(
      extents: q.shape.dimensions[..<head] + [k.shape[head]],
      strides: zip(all, ofKeys).map { own, isOfKeys in
        own[..<head] + [isOfKeys ? own[head] : own[head] * group]
      }
    )
    loops.collapse()
    self.loops = loops
    strides = zip(all, ofKeys).map { own, isOfKeys in
      [isOfKeys ? 0 : own[head], own[head + 1], own[head + 2]]
    }
    extents = [group, scores[head + 1], scores[head + 2], q.shape[head + 2], v.shape[head + 2]]
    try node.checkCount(group * scores[head + 1], target, of: "queries of a group of heads")
    try node.checkCount(scores[head + 2], target, of: "keys")
    let blocks = loops.extents.reduce(1, *) * (group * scores[head + 1] + 63)
    try node.checkCount(blocks, target, of: "queries")
  }

  /// Elements that an operand's address and strides are multiples of; 0 if a row's elements do not
  /// follow each other.
  private func alignment(_ operand: NodeContext.Operand, _ index: Int) -> Int {
    guard strides[index][2] == 1 || extents[index == 0 || index == 1 ? 3 : 4] == 1 else { return 0 }
    return (loops.strides[index] + strides[index].prefix(2) + [operand.layout.offset])
      .map { DeviceAlignment.powerOfTwo($0, limit: 8) }.min() ?? 8
  }

  // MARK: The choice of kernels

  private var matrices: Dimension { loops.extents.reduce(1, *) }
  private var rows: Dimension { extents[0] * extents[1] }
  private var keys: Dimension { extents[2] }

  /// Whether some run has few queries.
  private var hasFewQueries: Bool {
    let least = rows.lowerBound
    if least <= AttentionRule.fewRows { return true }
    return least <= AttentionRule.fewRowsOfFewMatrices
      && keys.upperBound >= AttentionRule.dividedKeys
      && matrices.lowerBound <= AttentionRule.multiprocessors
  }

  private var hasFewQueriesOnly: Bool { rows.upperBound <= AttentionRule.fewRows }

  /// Whether some run is one for warp groups: the copy engine fetches keys and values as tensors of five
  /// axes at most, by pieces of 16 bytes.
  private var suitsWarpgroups: Bool {
    target.gpus.contains(.sm90a) && loops.rank <= 3
      && rows.upperBound >= AttentionRule.warpgroupRows
      && keys.upperBound >= warpgroupKeys
      && (1...2).allSatisfy { alignment(node.inputs[$0], $0) == 8 }
  }

  private var isNarrow: Bool { max(widths.depth, widths.width) <= 64 }

  private var warpgroupKeys: Int {
    isNarrow ? AttentionRule.warpgroupKeys.narrow : AttentionRule.warpgroupKeys.others
  }

  /// The warp groups of a block that multiply: one where queries are too few to fill the GPU by two, and
  /// for narrow heads of short sequences, of which several blocks fit a multiprocessor.
  private var consumers: Int {
    let blocks = matrices.upperBound * ((rows.upperBound + 127) / 128)
    return (isNarrow && keys.upperBound <= AttentionRule.shortKeys)
      || blocks < AttentionRule.multiprocessors ? 1 : 2
  }

  /// The blocks that may leave sums in the workspace.
  ///
  /// What is folded is computed without one.
  private var states: Int {
    let isFolded = node.outputs.contains(where: \.isConstant)
    let isDivided = hasFewQueries && keys.upperBound >= AttentionRule.dividedKeys
    return isDivided && !isFolded ? AttentionRule.states : 0
  }

  // MARK: Code

  /// The widths of keys and of values, rounded up to 16.
  private var widths: (depth: Int, width: Int) {
    let (q, v) = (node.inputs[0].type, node.inputs[2].type)
    let rounded = [q, v].map { (($0.shape[$0.rank - 1].constant ?? 0) + 15) / 16 * 16 }
    return (rounded[0], rounded[1])
  }

  private var config: String {
    let hasMask = node.inputs.count > 3
    let mask = hasMask ? CxxScalar.storageType(node.inputs[3].type.dtype) : "void"
    var config = DeviceConfig(name: "Config", base: "AttentionDefaults")
    config.types = [
      ("Element", CxxScalar.storageType(node.inputs[0].type.dtype)), ("Mask", mask),
    ]
    config.constants = [
      ("kBatchRank", loops.rank), ("kDepth", widths.depth), ("kWidth", widths.width),
      ("kIsCausal", op.isCausal ? 1 : 0), ("kKeepsNaN", op.keepsNaN ? 1 : 0),
      ("kAlignmentQ", alignment(node.inputs[0], 0)),
      ("kAlignmentK", alignment(node.inputs[1], 1)),
      ("kAlignmentV", alignment(node.inputs[2], 2)),
      ("kAlignmentOut", alignment(node.outputs[0], strides.count - 1)),
    ]
    if hasMask, strides[3][2] == 1 || keys == 1 {
      config.constants.append(("kIsMaskContiguous", 1))
    }
    if suitsWarpgroups { config.constants.append(("kConsumers", consumers)) }
    if hasFewQueries { config.constants.append(("kWorkspaceStates", states)) }
    // log2 e, so that weights are powers of 2.
    let scale = CxxScalar.literal(.float(op.scale * 1.4426950408889634), .float32)
    return config.text.dropLast(2) + "  static constexpr float kScale = \(scale);\n};"
  }

  /// - kind: `Hopper`, `FewQueries` or nothing, as the prelude names what belongs to a kernel.
  private func entry(
    _ kind: String,
    header: String,
    function: String,
    shared: String = "kSharedBytes",
    architectures: [Target.CUDA] = Target.CUDA.allCases
  ) -> DeviceEntry {
    let shape = "ait::Attention\(kind)Shape<Config>"
    return DeviceEntry(
      headers: ["ait/gpu/math.h", "ait/gpu/\(header).h"],
      definitions: config,
      signature: "AIT_KERNEL(\(shape)::kThreads, \(shape)::kBlocksPerMultiprocessor)",
      arguments: "ait::Attention\(kind)Arguments<Config>",
      statement: "ait::\(function)<Config>(arguments);",
      threads: "\(shape)::kThreads",
      sharedSizeInBytes: "\(shape)::\(shared)",
      architectures: architectures
    )
  }

  var call: KernelCall {
    var entries: [DeviceEntry] = []
    var launches: [String] = []
    var names: [String] = []
    if hasFewQueries {
      let launch = "ait::launchAttentionFewQueries<Config>(context, kernels);"
      let limits = [
        AttentionRule.fewRows, AttentionRule.fewRowsOfFewMatrices, AttentionRule.dividedKeys,
      ].map(String.init).joined(separator: ", ")
      let condition = "ait::attentionHasFewQueries<Config>(context, \(limits))"
      launches.append(hasFewQueriesOnly ? launch : "if (\(condition)) return \(launch)")
      names.append(states > 0 ? "few queries, keys in parts" : "few queries")
      let header = "attention_few_queries"
      entries.append(entry("FewQueries", header: header, function: "attentionFewQueries"))
      if states > 0 {
        entries.append(
          entry(
            "FewQueries",
            header: header,
            function: "finishAttentionFewQueries",
            shared: "kFinishSharedBytes"
          )
        )
      }
    }
    if suitsWarpgroups, !hasFewQueriesOnly, let place = target.gpus.firstIndex(of: .sm90a) {
      let limits = "\(AttentionRule.warpgroupRows), \(warpgroupKeys)"
      let suits = "ait::attentionSuitsWarpgroups<Config>(context, \(limits))"
      let condition =
        target.gpus.count > 1 ? "context.queue->architecture() == \(place) && \(suits)" : suits
      let launch = "ait::launchAttentionHopper<Config>(context, kernels[\(entries.count)]);"
      launches.append("if (\(condition)) return \(launch)")
      names.append("\(64 * consumers) queries by warp groups")
      entries.append(
        entry(
          "Hopper",
          header: "attention_hopper",
          function: "attentionHopper",
          architectures: target.gpus.count > 1 ? [.sm90a] : Target.CUDA.allCases
        )
      )
    }
    if !hasFewQueriesOnly {
      launches.append("ait::launchAttention<Config>(context, kernels[\(entries.count)]);")
      names.append("64 queries by warps")
      entries.append(entry("", header: "attention", function: "attention"))
    }
    let kernel = KernelSource(
      stem: "attention_\(node.inputs[0].type.dtype.rawValue)",
      headers: ["ait/gpu/attention_launch.h"],
      definitions: config,
      statement: launches.joined(separator: "\n  "),
      configuration: "online softmax: " + names.joined(separator: "; "),
      entries: entries
    )
    return KernelCall(
      kernel: kernel,
      reads: node.inputs.indices.map { .input($0) },
      writes: [.output(0)],
      sizes: loops.extents + extents + zip(loops.strides, strides).flatMap { $0 + $1 },
      // Of 16 queries: the sums of a row, its largest score and weight.
      workspaceInBytes: Dimension(states * 16 * (widths.width + 2) * 4),
      flops: op.operationCount(node.inputs.map(\.type), results: [node.outputs[0].type])
    )
  }
}
