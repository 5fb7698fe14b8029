/// The element type of a tensor.
///
/// The order is that of PyTorch's promotion lattice within each category.
public enum DType: String, CaseIterable, Hashable, Sendable, Codable {
  case bool
  case uint8
  case int8
  case int16
  case int32
  case int64
  case float16
  case bfloat16
  case float32
  case float64

  /// What a type counts as when two types meet.
  public enum Category: Int, Comparable, Sendable {
    case boolean
    case integer
    case floatingPoint

    /// Orders categories as PyTorch's type promotion does.
    public static func < (left: Category, right: Category) -> Bool {
      left.rawValue < right.rawValue
    }
  }

  /// The number of bytes of one element.
  public var sizeInBytes: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .int16, .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }

  /// Whether the type is a truth value, an integer or a floating-point number.
  public var category: Category {
    switch self {
    case .bool: .boolean
    case .uint8, .int8, .int16, .int32, .int64: .integer
    case .float16, .bfloat16, .float32, .float64: .floatingPoint
    }
  }

  /// Whether the type is a floating-point number.
  public var isFloatingPoint: Bool { category == .floatingPoint }

  /// The distance from 1 to the next representable number; 0 for integers.
  public var epsilon: Double {
    switch self {
    case .float16: 0x1p-10
    case .bfloat16: 0x1p-7
    case .float32: 0x1p-23
    case .float64: 0x1p-52
    case .bool, .uint8, .int8, .int16, .int32, .int64: 0
    }
  }

  /// The least and greatest finite values.
  public var finiteRange: ClosedRange<Double> {
    switch self {
    case .bool: 0...1
    case .uint8: 0...255
    case .int8: -128...127
    case .int16: -32768...32767
    case .int32: -0x1p31...(0x1p31 - 1)
    case .int64: -0x1p63...0x1p63
    case .float16: -65504...65504
    case .bfloat16: -0x1.fep127...0x1.fep127
    case .float32: -Double(Float.greatestFiniteMagnitude)...Double(Float.greatestFiniteMagnitude)
    case .float64: -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    }
  }

  /// The type in which kernels compute: `float32` for the half-precision types (no rounding
  /// between fused operations), the type itself for all others.
  package var computeType: DType {
    switch self {
    case .float16, .bfloat16: .float32
    default: self
    }
  }

  /// The number by which the type is known in the C ABI (`AITemplateDtype`); those above 6 are ours.
  package var abiCode: Int {
    switch self {
    case .float16: 1
    case .float32: 2
    case .int32: 3
    case .int64: 4
    case .bool: 5
    case .bfloat16: 6
    case .float64: 7
    case .int8: 8
    case .uint8: 9
    case .int16: 10
    }
  }

  /// Returns the type in which two tensors meet, as `torch.promote_types` does.
  public static func promoting(_ left: DType, _ right: DType) -> DType {
    if left == right { return left }
    if left.category != right.category {
      return left.category < right.category ? right : left
    }
    switch (left, right) {
    case (.float16, .bfloat16), (.bfloat16, .float16): return .float32
    case (.uint8, .int8), (.int8, .uint8): return .int16
    default:
      let order: [DType] = [
        .bool, .uint8, .int8, .int16, .int32, .int64, .float16, .bfloat16, .float32, .float64,
      ]
      let leftRank = order.firstIndex(of: left) ?? 0
      let rightRank = order.firstIndex(of: right) ?? 0
      return leftRank < rightRank ? right : left
    }
  }
}
