import AITKernels

/// What the model of kernels knows of a GPU.
///
/// Sources: NVIDIA's data sheets for multiprocessors, clocks and the matrix units; bandwidth as a
/// copy measures it where one was measured (H200), else nine tenths of the data sheet's.
struct DeviceFacts: Hashable, Sendable {
  /// The name by which the driver knows it begins with this.
  let name: String
  var architecture: Target.CUDA
  let multiprocessors: Int
  /// Cycles a second while the matrix units work.
  let clock: Double
  /// Bytes a second to and from memory.
  let bandwidth: Double
  /// Bytes a cycle out of the level-2 cache, for all multiprocessors together.
  let level2Rate: Double
  let level2SizeInBytes: Int
  /// Bytes a cycle into one multiprocessor.
  let fetchRate: Double
  /// Floating-point operations a cycle of the matrix units of one multiprocessor, for 16-bit floats
  /// that are summed in float32.
  let matrixRate: Double
  /// Shared memory of a multiprocessor, and the most of it that one block may have.
  let sharedSizeInBytes: Int
  private(set) var blockSharedSizeInBytes: Int

  static let all = [a100, a10, l40s, h200, h100, h100PCIe]

  static let a100 = DeviceFacts(
    name: "NVIDIA A100",
    architecture: .sm80,
    multiprocessors: 108,
    clock: 1.41e9,
    bandwidth: 1.8e12,
    level2Rate: 5120,
    level2SizeInBytes: 40 << 20,
    fetchRate: 64,
    matrixRate: 2048,
    sharedSizeInBytes: 164 << 10,
    blockSharedSizeInBytes: 163 << 10
  )

  static let a10 = DeviceFacts(
    name: "NVIDIA A10",
    architecture: .sm86,
    multiprocessors: 72,
    clock: 1.7e9,
    bandwidth: 0.54e12,
    level2Rate: 2048,
    level2SizeInBytes: 6 << 20,
    fetchRate: 64,
    matrixRate: 1024,
    sharedSizeInBytes: 100 << 10,
    blockSharedSizeInBytes: 99 << 10
  )

  static let l40s = DeviceFacts(
    name: "NVIDIA L40S",
    architecture: .sm89,
    multiprocessors: 142,
    clock: 2.3e9,
    bandwidth: 0.78e12,
    level2Rate: 4096,
    level2SizeInBytes: 96 << 20,
    fetchRate: 64,
    matrixRate: 1024,
    sharedSizeInBytes: 100 << 10,
    blockSharedSizeInBytes: 99 << 10
  )

  static let h200 = hopper("NVIDIA H200", multiprocessors: 132, clock: 1.755e9, bandwidth: 4.2e12)
  static let h100 = hopper(
    "NVIDIA H100 80GB HBM3",
    multiprocessors: 132,
    clock: 1.755e9,
    bandwidth: 3.0e12
  )
  static let h100PCIe = hopper(
    "NVIDIA H100 PCIe",
    multiprocessors: 114,
    clock: 1.6e9,
    bandwidth: 1.8e12
  )

  private static func hopper(
    _ name: String,
    multiprocessors: Int,
    clock: Double,
    bandwidth: Double
  ) -> DeviceFacts {
    DeviceFacts(
      name: name,
      architecture: .sm90a,
      multiprocessors: multiprocessors,
      clock: clock,
      bandwidth: bandwidth,
      level2Rate: 5120,
      level2SizeInBytes: 50 << 20,
      fetchRate: 64,
      matrixRate: 4096,
      sharedSizeInBytes: 228 << 10,
      blockSharedSizeInBytes: 227 << 10
    )
  }

  /// The facts of a device by its name, or of the one that the first architecture is best known by;
  /// the shared memory is what all of the architectures have.
  static func of(_ architectures: [Target.CUDA], named name: String?) -> DeviceFacts {
    // The GPUs of sm_90 are those of sm_90a.
    let known = architectures.map { $0 == .sm90 ? .sm90a : $0 }
    let those = all.filter { $0.architecture == known.first }
    // A longer name says more: `NVIDIA H100 PCIe` is not an `NVIDIA H100`.
    let named = those.filter { name?.hasPrefix($0.name) ?? false }
      .max { $0.name.count < $1.name.count }
    var facts = named ?? those.first ?? h200
    facts.blockSharedSizeInBytes =
      all.filter { known.contains($0.architecture) }.map(\.blockSharedSizeInBytes).min()
      ?? facts.blockSharedSizeInBytes
    facts.architecture = architectures.first ?? facts.architecture
    return facts
  }

  /// The multiprocessors that clusters of a size find room for.
  ///
  /// A cluster lies within a group of 16 or 18 multiprocessors, some of which have one switched off.
  /// Measured on an H200: 132 for two, 120 for four.
  func multiprocessors(forClustersOf size: Int) -> Int {
    guard size > 2 else { return multiprocessors / size * size }
    return multiprocessors * (size <= 4 ? 10 : size <= 8 ? 9 : 6) / 11 / size * size
  }
}
