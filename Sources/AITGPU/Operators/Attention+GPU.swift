import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Tiles of queries against tiles of keys on the matrix units, with a softmax that goes along
/// (`attention.h`); heads are read and written where they lie. Queries of heads that share keys are
/// rows of one matrix.
///
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

/// The kernel of one attention.
private struct DeviceAttention {
  private let op: Attention
  private let node: NodeContext
  /// Batch axes and heads of keys, with strides of Q, K, V, the mask if there is one, and the result.
  private let loops: LoopNest
  /// Of each of them the strides of a head within its group, a row and a column.
  private let strides: [[Dimension]]
  private let extents: [Dimension]

  init(_ op: Attention, _ node: NodeContext, _ target: Target) throws(Diagnostic) {
    self.op = op
    self.node = node
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

  private var config: String {
    let (q, v) = (node.inputs[0].type, node.inputs[2].type)
    let widths = [q, v].map { (($0.shape[$0.rank - 1].constant ?? 0) + 15) / 16 * 16 }
    let mask = node.inputs.count > 3 ? CxxScalar.storageType(node.inputs[3].type.dtype) : "void"
    var config = DeviceConfig(name: "Config", base: "AttentionDefaults")
    config.types = [("Element", CxxScalar.storageType(q.dtype)), ("Mask", mask)]
    config.constants = [
      ("kBatchRank", loops.rank), ("kDepth", widths[0]), ("kWidth", widths[1]),
      ("kIsCausal", op.isCausal ? 1 : 0), ("kKeepsNaN", op.keepsNaN ? 1 : 0),
      ("kAlignmentQ", alignment(node.inputs[0], 0)),
      ("kAlignmentK", alignment(node.inputs[1], 1)),
      ("kAlignmentV", alignment(node.inputs[2], 2)),
      ("kAlignmentOut", alignment(node.outputs[0], strides.count - 1)),
    ]
    // log2 e, so that weights are powers of 2.
    let scale = CxxScalar.literal(.float(op.scale * 1.4426950408889634), .float32)
    return config.text.dropLast(2) + "  static constexpr float kScale = \(scale);\n};"
  }

  var call: KernelCall {
    let shape = "ait::AttentionShape<Config>"
    let entry = DeviceEntry(
      headers: ["ait/gpu/math.h", "ait/gpu/attention.h"],
      definitions: config,
      signature: "AIT_KERNEL(\(shape)::kThreads, 1)",
      arguments: "ait::AttentionArguments<Config>",
      statement: "ait::attention<Config>(arguments);",
      threads: "\(shape)::kThreads",
      sharedSizeInBytes: "\(shape)::kSharedBytes"
    )
    let kernel = KernelSource(
      stem: "attention_\(node.inputs[0].type.dtype.rawValue)",
      headers: ["ait/gpu/attention_launch.h"],
      definitions: config,
      statement: "ait::launchAttention<Config>(context, kernels[0]);",
      configuration: "online softmax, 64 queries a block",
      entries: [entry]
    )
    return KernelCall(
      kernel: kernel,
      reads: node.inputs.indices.map { .input($0) },
      writes: [.output(0)],
      sizes: loops.extents + extents + zip(loops.strides, strides).flatMap { $0 + $1 },
      flops: op.operationCount(node.inputs.map(\.type), results: [node.outputs[0].type])
    )
  }
}
