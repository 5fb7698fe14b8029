import AITGraph
import AITKernels

/// What a kernel is expected to take, from the work and the traffic it has: the larger of the two.
///
/// The figures are those of one core of a server processor of the last five years; only ratios
/// matter for a choice. Symbols count at their upper bounds.
struct CPUCostModel {
  /// float32 lanes of a vector.
  private let lanes: Double

  /// Cycles a second.
  private static let clock = 3e9
  /// Bytes a second from memory, for one core.
  private static let bandwidth = 12e9
  /// The bytes that travel for one element that has no neighbours in its cache line.
  private static let lineSize = 64.0
  /// Cycles for an element that is loaded or stored on its own, into or out of a vector.
  private static let scalarAccess = 1.5

  init(_ target: Target) { lanes = Double(target.vectorLanes) }

  /// Seconds of a loop.
  ///
  /// - Parameters:
  ///   - elements: how many elements the loop visits.
  ///   - operations: floating-point operations for each, in vectors.
  ///   - contiguousBytes: bytes for each element that are read and written in order.
  ///   - stridedAccesses: accesses for each element that are not: one element at a time.
  ///   - usesWholeLines: whether the neighbours of a strided element are used before its cache line
  ///     is dropped, as a loop in blocks does.
  /// - Returns: the larger of the time for the work and the time for the traffic.
  func seconds(
    elements: Dimension,
    operations: Int,
    contiguousBytes: Int,
    stridedAccesses: Int,
    usesWholeLines: Bool = false
  ) -> Double {
    let count = Double(elements.upperBound)
    let lineBytes = usesWholeLines ? 8 : Self.lineSize
    let cycles =
      Double(operations) / (2 * lanes) + Double(stridedAccesses) * Self.scalarAccess
    let bytes = Double(contiguousBytes) + Double(stridedAccesses) * lineBytes
    return count * max(cycles / Self.clock, bytes / Self.bandwidth)
  }

  /// Seconds of a matrix product: two vector multiply-adds a cycle, or B once from memory.
  func product(flops: Dimension, weightBytes: Dimension, isPacked: Bool) -> Double {
    // Packing B at run time costs a pass over it.
    let passes = isPacked ? 1.0 : 3.0
    return max(
      Double(flops.upperBound) / (4 * lanes * Self.clock),
      passes * Double(weightBytes.upperBound) / Self.bandwidth
    )
  }
}

extension [KernelCall] {
  /// The call that is expected to take least; the first of equals.
  var fastest: KernelCall? {
    self.min { ($0.estimatedSeconds ?? .infinity) < ($1.estimatedSeconds ?? .infinity) }
  }
}
