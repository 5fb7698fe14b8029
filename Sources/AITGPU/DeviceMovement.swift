import AITCodegen
import AITGraph
import AITKernels

/// What the kernels share that move elements (`movement.h`): loops over the result, the columns
/// last, packets of elements along them.
struct DeviceMovement {
  /// The prelude's loops have at most this many extents.
  static let maximumRank = 8

  let node: NodeContext
  let target: Target
  let loops: LoopNest

  init(_ node: NodeContext, _ target: Target, _ loops: LoopNest) throws(Diagnostic) {
    guard loops.rank <= Self.maximumRank else {
      throw node.unsupported(target, "its loops do not join to \(Self.maximumRank) or fewer")
    }
    self.node = node
    self.target = target
    self.loops = loops
  }

  /// A type of integers as wide as the elements.
  static func bits(_ dtype: DType) -> String { "int\(8 * dtype.sizeInBytes)_t" }

  /// As many elements as 16 bytes hold, but not more than there are columns.
  func packet(_ dtype: DType) -> Int {
    var packet = DeviceAlignment.widest / dtype.sizeInBytes
    while packet > 2 && packet / 2 >= (loops.extents.last?.upperBound ?? 1) { packet /= 2 }
    return packet
  }

  func config(packet: Int) -> DeviceConfig {
    let elements = loops.extents.reduce(1, *)
    var config = DeviceConfig(name: "Config", base: "MovementDefaults")
    if elements.upperBound > 1 << 30 { config.types = [("Index", "int64_t")] }
    config.constants = [
      ("kPacket", packet),
      // Where there is little to do, it goes to more threads.
      (
        "kPackets",
        elements.upperBound >= packet << 18 ? 4 : elements.upperBound >= packet << 15 ? 2 : 1
      ),
      (
        "kColumnMultiple",
        DeviceAlignment.powerOfTwo(loops.extents.last ?? 1, limit: DeviceAlignment.widest)
      ),
    ]
    return config
  }

  /// An operand of integers as large as its elements.
  ///
  /// One that does not move along the columns is read for each of them all the same, as it may have
  /// to be read for none.
  func operand(_ index: Int, _ operand: NodeContext.Operand, also amounts: [Dimension] = [])
    -> String
  {
    let columns = loops.rank - 1
    let bits = Self.bits(operand.type.dtype)
    guard loops.access(index, along: columns) == "contiguous" else {
      return "ait::Operand<\(bits), ait::Access::strided>"
    }
    let limit = DeviceAlignment.widest / operand.type.dtype.sizeInBytes
    let alignment =
      ([DeviceAlignment.of(operand, strides: loops.strides[index], columns: columns)]
      + amounts.map { DeviceAlignment.powerOfTwo($0, limit: limit) }).min() ?? 1
    return "ait::Operand<\(bits), ait::Access::contiguous, \(alignment)>"
  }

  /// The call of a template whose arguments begin with `Config`.
  func call(
    _ function: String,
    header: String,
    stem: String,
    config: DeviceConfig,
    definitions: [String] = [],
    template: [String],
    arguments: String,
    launch: String,
    reads: [Int],
    sizes: [Dimension]
  ) -> KernelCall {
    let entry = DeviceEntry(
      headers: ["ait/gpu/\(header).h"],
      definitions: ([config.text] + definitions).joined(separator: "\n\n"),
      signature: "AIT_KERNEL(Config::kThreads, 1)",
      arguments: arguments,
      statement: "ait::\(function)<\((["Config"] + template).joined(separator: ", "))>(arguments);",
      threads: "Config::kThreads"
    )
    let kernel = KernelSource(
      stem: stem,
      headers: ["ait/gpu/launch_movement.h"],
      definitions: config.text,
      statement: "ait::\(launch)(context, kernels[0]);",
      configuration: config.constants.prefix(2).map { "\($0.name) \($0.value)" }
        .joined(separator: ", "),
      entries: [entry]
    )
    return KernelCall(
      kernel: kernel,
      reads: reads.map { .input($0) },
      writes: node.outputs.indices.map { .output($0) },
      sizes: sizes
    )
  }
}
