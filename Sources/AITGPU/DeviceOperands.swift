import AITCodegen
import AITGraph
import AITKernels

/// What is known of addresses when a kernel is compiled: how wide its accesses may be.
enum DeviceAlignment {
  /// The bytes of the widest access.
  static let widest = 16

  /// The largest power of two, up to a limit, that a dimension is a multiple of for all values of
  /// its symbols.
  static func powerOfTwo(_ dimension: Dimension, limit: Int) -> Int {
    var divisor = limit
    for term in dimension.terms {
      while divisor > 1 && term.coefficient % divisor != 0 { divisor /= 2 }
    }
    return divisor
  }

  /// The elements that an operand's address and strides are multiples of, the stride along
  /// `columns` aside: buffers begin at multiples of 16 bytes.
  static func of(_ operand: NodeContext.Operand, strides: [Dimension], columns: Int) -> Int {
    let limit = max(1, widest / operand.type.dtype.sizeInBytes)
    let others = strides.indices.filter { $0 != columns }.map { strides[$0] }
    return (others + [operand.layout.offset]).map { powerOfTwo($0, limit: limit) }.min() ?? limit
  }
}

extension NodeContext {
  /// Throws if a count that device code keeps in 32 bits might not fit.
  func checkCount(_ count: Dimension, _ target: Target, of what: String) throws(Diagnostic) {
    guard count.upperBound <= Int(Int32.max) else {
      throw unsupported(target, "it may have \(count.upperBound) \(what), more than \(Int32.max)")
    }
  }
}

extension LoopNest {
  /// The prelude's description of an operand of a GPU kernel, whose columns are the last axis.
  ///
  /// A result of which there is no element may have strides of 0; it is not uniform for that.
  func deviceOperand(_ index: Int, _ operand: NodeContext.Operand, isWritten: Bool = false)
    -> String
  {
    let columns = rank - 1
    var access = access(index, along: columns)
    if isWritten && access == "uniform" { access = "strided" }
    let storage = CxxScalar.storageType(operand.type.dtype)
    guard access == "contiguous" else { return "ait::Operand<\(storage), ait::Access::\(access)>" }
    let alignment = DeviceAlignment.of(operand, strides: strides[index], columns: columns)
    return "ait::Operand<\(storage), ait::Access::contiguous, \(alignment)>"
  }
}

/// The columns that a thread takes at once.
enum DevicePacket {
  /// Returns as many as 16 bytes of the widest element hold, but enough for 4 bytes of the
  /// narrowest: one byte at a time would cost more accesses than it saves registers.
  static func width(_ types: [DType]) -> Int {
    let sizes = types.map(\.sizeInBytes)
    let (widest, narrowest) = (sizes.max() ?? 4, sizes.min() ?? 4)
    return max(2, DeviceAlignment.widest / widest, 4 / narrowest)
  }
}

/// A configuration struct of the prelude: constants that replace those of its defaults.
struct DeviceConfig {
  let name: String
  let base: String
  var types: [(name: String, type: String)] = []
  var constants: [(name: String, value: Int)] = []
  var majors: [(name: String, value: String)] = []

  var text: String {
    var lines = ["struct \(name) : ait::\(base) {"]
    lines += types.map { "  using \($0.name) = \($0.type);" }
    lines += majors.map { "  static constexpr ait::Major \($0.name) = ait::Major::\($0.value);" }
    lines += constants.map { "  static constexpr int \($0.name) = \($0.value);" }
    return (lines + ["};"]).joined(separator: "\n")
  }
}
