/// The numbers that a kernel of a product is instantiated with, which decide how fast it is and
/// not what it computes.
///
/// A constant of a template that is to be chosen is a property and a line of `fields`: then it is
/// generated, enumerated, printed and read back.
protocol MatmulConfiguration: Hashable, Sendable {
  /// The template's name without `Matmul`, such as `Hopper`.
  static var kernel: String { get }
  /// The constants of the template by name, in the order in which they are generated.
  static var fields: [MatmulField<Self>] { get }
  /// The template's defaults.
  init()
}

/// A constant of a template.
struct MatmulField<Configuration> {
  let name: String
  let value: WritableKeyPath<Configuration, Int>
  /// Whether generated code leaves it out where it has the template's default.
  let isOptional: Bool

  init(_ name: String, _ value: WritableKeyPath<Configuration, Int>, isOptional: Bool = false) {
    self.name = name
    self.value = value
    self.isOptional = isOptional
  }
}

extension MatmulConfiguration {
  /// The constants that generated code sets.
  var constants: [(name: String, value: Int)] {
    let defaults = Self()
    return Self.fields.compactMap { field in
      let value = self[keyPath: field.value]
      guard !field.isOptional || value != defaults[keyPath: field.value] else { return nil }
      return (field.name, value)
    }
  }
}

/// Of `matmul_hopper_config.h`.
struct HopperConfiguration: MatmulConfiguration {
  var tileM = 128
  var tileN = 128
  var stages = 4
  var consumers = 2
  var clusterM = 1
  var clusterN = 1
  var splitK = 1
  var isPersistent = 0
  var isPingPong = 0
  var isTransposed = 0
  var blocksPerMultiprocessor = 1

  static let kernel = "Hopper"

  static var fields: [MatmulField<Self>] {
    [
      .init("kTileM", \.tileM), .init("kTileN", \.tileN), .init("kStages", \.stages),
      .init("kConsumers", \.consumers), .init("kClusterM", \.clusterM, isOptional: true),
      .init("kClusterN", \.clusterN, isOptional: true), .init("kSplitK", \.splitK),
      .init("kBlocksPerMultiprocessor", \.blocksPerMultiprocessor),
      .init("kIsPersistent", \.isPersistent, isOptional: true),
      .init("kIsPingPong", \.isPingPong, isOptional: true),
      .init("kIsTransposed", \.isTransposed, isOptional: true),
    ]
  }
}

/// Of `matmul_multistage_config.h`.
struct MultistageConfiguration: MatmulConfiguration {
  var tileM = 128
  var tileN = 128
  var warpsM = 2
  var warpsN = 4
  var stages = 3

  static let kernel = "Multistage"

  static var fields: [MatmulField<Self>] {
    [
      .init("kTileM", \.tileM, isOptional: true), .init("kTileN", \.tileN, isOptional: true),
      .init("kWarpsM", \.warpsM, isOptional: true), .init("kWarpsN", \.warpsN, isOptional: true),
      .init("kStages", \.stages, isOptional: true),
    ]
  }
}

/// Of `matmul_few_rows_config.h`.
struct FewRowsConfiguration: MatmulConfiguration {
  var rows = 8
  var warps = 16
  var tileN = 32

  static let kernel = "FewRows"

  static var fields: [MatmulField<Self>] {
    [
      .init("kRows", \.rows), .init("kWarps", \.warps),
      .init("kTileN", \.tileN, isOptional: true),
    ]
  }
}
