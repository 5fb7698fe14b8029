import AITCodegen
import AITGraph
import AITKernels

/// What the kernels share that sort entries of an element and its position (`sort.h`).
struct DeviceSort {
  /// Entries that a block has in shared memory, at most, and its threads.
  private static let mostEntries = 2048
  private static let mostThreads = 256

  let number: DType
  /// The most elements of a row.
  let count: Dimension

  private var isWide: Bool { count.upperBound > Int(Int32.max) }

  /// The prelude's `Entry`, with what aligns it.
  var entrySizeInBytes: Int { isWide || number.sizeInBytes == 8 ? 16 : 8 }

  /// A power of two that holds the longest row, if there is room.
  var entries: Int {
    var entries = 64
    while entries < min(count.upperBound, Self.mostEntries) { entries *= 2 }
    return entries
  }

  var config: DeviceConfig {
    var config = DeviceConfig(name: "Config", base: "SortDefaults")
    config.types = [
      ("Number", CxxScalar.storageType(number)), ("Position", isWide ? "int64_t" : "int32_t"),
    ]
    config.constants = [
      ("kThreads", min(entries / 2, Self.mostThreads)), ("kEntries", entries),
    ]
    return config
  }

  /// A kernel of one entry.
  static func kernel(
    _ function: String,
    header: String,
    stem: String,
    config: DeviceConfig,
    definitions: [String] = [],
    template: [String],
    arguments: String,
    launch: String,
    shared: String,
    configuration: String
  ) -> KernelSource {
    let entry = DeviceEntry(
      headers: ["ait/gpu/\(header).h"],
      definitions: ([config.text] + definitions).joined(separator: "\n\n"),
      signature: "AIT_KERNEL(Config::kThreads, 1)",
      arguments: "ait::\(arguments)",
      statement: "ait::\(function)<\((["Config"] + template).joined(separator: ", "))>(arguments);",
      threads: "Config::kThreads",
      sharedSizeInBytes: shared
    )
    return KernelSource(
      stem: stem,
      headers: ["ait/gpu/launch_sort.h"],
      definitions: config.text,
      statement: "ait::\(launch);",
      configuration: configuration,
      entries: [entry]
    )
  }
}
