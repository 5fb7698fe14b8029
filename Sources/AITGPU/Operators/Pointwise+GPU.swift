import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// One loop nest over all operands: a thread takes packets of 16 bytes along the innermost axis
/// (`pointwise.h`), or a block a tile of rows and columns where an input is contiguous along
/// another axis than the results (`pointwise_tiles.h`).
///
/// Bound by memory bandwidth.
extension Pointwise: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    try DeviceFunctions.check(body, node, target)
    return [try DevicePointwise(node, target, body).call]
  }
}

/// The kernel of a pointwise node.
private struct DevicePointwise {
  /// Parameters of a kernel are at most so many bytes.
  private static let parameterSizeInBytes = 4096
  /// The shared memory that every launch may have.
  private static let sharedSizeInBytes = 48 << 10
  /// Below so many rows or columns most of a tile would be empty.
  private static let leastTileExtent = 16

  private let node: NodeContext
  private let body: ScalarExpression
  private var nest: LoopNest
  /// The inputs that lie transposed, if there are any: contiguous along the last axis but one.
  private var transposed: Set<Int> = []

  init(_ node: NodeContext, _ target: Target, _ body: ScalarExpression) throws(Diagnostic) {
    self.node = node
    self.body = body
    nest = LoopNest(node.outputs[0].type.shape, node.inputs + node.outputs)
    nest.sort(by: node.inputs.count)
    nest.collapse()
    guard nest.rank <= DeviceRows.maximumRank else {
      throw node.unsupported(
        target,
        "its loops do not join to \(DeviceRows.maximumRank) or fewer"
      )
    }
    let parameters = 8 * (nest.rank + 1) * (1 + operands.count)
    guard parameters <= Self.parameterSizeInBytes else {
      throw node.unsupported(target, "it has more than \(operands.count - 1) operands")
    }
    arrangeTiles()
  }

  private var operands: [NodeContext.Operand] { node.inputs + node.outputs }
  private var types: [DType] { operands.map(\.type.dtype) }
  private var packet: Int { DevicePacket.width(types) }
  private var columns: Dimension { nest.extents[nest.rank - 1] }
  private var elements: Dimension { nest.extents.reduce(1, *) }

  // MARK: - Tiles

  /// The rows and columns of a tile: 128 bytes and more of the widest input that goes through it.
  private func tile(_ inputs: some Collection<Int>) -> Int {
    switch inputs.map({ types[$0].sizeInBytes }).max() ?? 4 {
    case 1: 128
    case 8...: 32
    default: 64
    }
  }

  private func sharedSize(_ inputs: some Collection<Int>) -> Int {
    let tile = tile(inputs)
    return inputs.reduce(0) { $0 + tile * tile * types[$1].sizeInBytes }
  }

  /// Puts the axis that inputs are contiguous along last but one, if there is such and it pays.
  private mutating func arrangeTiles() {
    let last = nest.rank - 1
    let outputs = node.inputs.count..<operands.count
    guard outputs.allSatisfy({ nest.access($0, along: last) == "contiguous" }) else { return }
    let strided = node.inputs.indices.filter { nest.access($0, along: last) == "strided" }
    var best: (axis: Int, inputs: [Int], bytes: Int) = (0, [], 0)
    for axis in 0..<last {
      var inputs = strided.filter { nest.strides[$0][axis] == 1 }
      while sharedSize(inputs) > Self.sharedSizeInBytes { inputs.removeLast() }
      let bytes = inputs.reduce(0) { $0 + types[$1].sizeInBytes }
      if bytes > best.bytes { best = (axis, inputs, bytes) }
    }
    guard best.bytes > 0 else { return }
    let rows = nest.extents[best.axis]
    let others = (0..<last).filter { $0 != best.axis }
    if rows.upperBound >= Self.leastTileExtent && columns.upperBound >= Self.leastTileExtent {
      nest.permute(others + [best.axis, last])
      nest.collapse(0..<others.count)
      transposed = Set(best.inputs)
    } else if rows.upperBound >= 2 * columns.upperBound {
      // Few columns: threads follow the inputs, and neighbours write next to each other's results.
      nest.permute(others + [last, best.axis])
    }
  }

  // MARK: - The kernel

  private func type(_ index: Int) -> String {
    let operand = operands[index]
    guard transposed.contains(index) else {
      return nest.deviceOperand(index, operand, isWritten: index >= node.inputs.count)
    }
    let alignment = DeviceAlignment.of(
      operand,
      strides: nest.strides[index],
      columns: nest.rank - 2
    )
    let storage = CxxScalar.storageType(operand.type.dtype)
    return "ait::Operand<\(storage), ait::Access::transposed, \(alignment)>"
  }

  /// The packets that a thread has under way: as many as there is work and registers for.
  ///
  /// Long functions keep a thread busy with one, and every packet is a copy of their code.
  private var packets: Int {
    let work = elements.upperBound >= 1 << 22 ? 4 : elements.upperBound >= 1 << 19 ? 2 : 1
    if body.expanded().operationCount > 40 { return 1 }
    let registers = types.reduce(0) { $0 + 2 + packet * max(4, $1.sizeInBytes) / 4 }
    var packets = work
    while packets > 1 && packets * registers > 160 { packets /= 2 }
    return packets
  }

  private var config: DeviceConfig {
    let multiple = DeviceAlignment.powerOfTwo(columns, limit: 16)
    guard transposed.isEmpty else {
      var config = DeviceConfig(name: "Config", base: "PointwiseTileDefaults")
      config.constants = [
        ("kTile", tile(transposed)), ("kPacket", packet), ("kColumnMultiple", multiple),
        ("kSharedBytes", sharedSize(transposed)),
      ]
      return config
    }
    var config = DeviceConfig(name: "Config", base: "PointwiseDefaults")
    config.constants = [
      ("kPacket", packet), ("kPackets", packets), ("kColumnMultiple", multiple),
    ]
    return config
  }

  var call: KernelCall {
    let config = config
    let names = operands.indices.map(type)
    let packs = [
      "using In = \(KernelText.pack("Inputs", Array(names[..<node.inputs.count])));",
      "using Out = \(KernelText.pack("Outputs", Array(names[node.inputs.count...])));",
    ]
    let isTiled = !transposed.isEmpty
    let function = isTiled ? "pointwiseTiles" : "pointwise"
    let entry = DeviceEntry(
      headers: ["ait/gpu/math.h", "ait/gpu/pointwise\(isTiled ? "_tiles" : "").h"],
      definitions: ([config.text] + packs + [CxxScalar.body(named: "Body", body)])
        .joined(separator: "\n\n"),
      signature: "AIT_KERNEL(Config::kThreads, 1)",
      arguments: "ait::RowArguments<\(nest.rank), \(operands.count)>",
      statement: "ait::\(function)<Config, Body, In, Out, \(nest.rank)>(arguments);",
      threads: "Config::kThreads",
      sharedSizeInBytes: isTiled ? "Config::kSharedBytes" : "0"
    )
    let sizes = types.map { "\($0.sizeInBytes)" }.joined(separator: ", ")
    let launch = isTiled ? "launchPointwiseTiles" : "launchPointwise"
    let kernel = KernelSource(
      stem: "pointwise_\(node.outputs[0].type.dtype.rawValue)",
      headers: ["ait/gpu/launch_pointwise.h"],
      definitions: config.text,
      statement: "ait::\(launch)<Config, \(nest.rank), \(sizes)>(context, kernels[0]);",
      configuration: isTiled
        ? "loops of rank \(nest.rank), tiles of \(tile(transposed))"
        : "loops of rank \(nest.rank), packets of \(packet)",
      entries: [entry]
    )
    return KernelCall(
      kernel: kernel,
      reads: node.inputs.indices.map { .input($0) },
      writes: node.outputs.indices.map { .output($0) },
      sizes: nest.sizes,
      inPlacePairs: inPlacePairs,
      flops: elements * Dimension(body.expanded().operationCount)
    )
  }

  /// Inputs that are walked as an output of the same element size is.
  private var inPlacePairs: [(read: Int, written: Int)] {
    var pairs: [(read: Int, written: Int)] = []
    for (output, written) in node.outputs.enumerated() {
      let position = node.inputs.count + output
      let match = node.inputs.indices.first { index in
        node.inputs[index].type.dtype.sizeInBytes == written.type.dtype.sizeInBytes
          && node.inputs[index].type.shape == written.type.shape
          && nest.strides[index] == nest.strides[position]
          && !pairs.contains { $0.read == index }
      }
      if let match { pairs.append((match, position)) }
    }
    return pairs
  }
}
