import AITGraph

/// An element type as a weight file names it: one of the compiler's, or one it cannot use yet.
package enum ElementType: Hashable, Sendable {
  case supported(DType)
  case unsupported(String, sizeInBits: Int)

  /// The number of bits of one element.
  package var sizeInBits: Int {
    switch self {
    case .supported(let dtype): dtype.sizeInBytes * 8
    case .unsupported(_, let sizeInBits): sizeInBits
    }
  }

  /// The type of a name in a safetensors header; nil if the format has no such type.
  package static func safetensors(_ name: String) -> ElementType? {
    switch name {
    case "BOOL": .supported(.bool)
    case "U8": .supported(.uint8)
    case "I8": .supported(.int8)
    case "I16": .supported(.int16)
    case "I32": .supported(.int32)
    case "I64": .supported(.int64)
    case "F16": .supported(.float16)
    case "BF16": .supported(.bfloat16)
    case "F32": .supported(.float32)
    case "F64": .supported(.float64)
    case "F4": .unsupported(name, sizeInBits: 4)
    case "F6_E2M3", "F6_E3M2": .unsupported(name, sizeInBits: 6)
    case "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ":
      .unsupported(name, sizeInBits: 8)
    case "U16": .unsupported(name, sizeInBits: 16)
    case "U32": .unsupported(name, sizeInBits: 32)
    case "U64", "C64": .unsupported(name, sizeInBits: 64)
    default: nil
    }
  }

  /// The name of a type in a safetensors header.
  package static func safetensorsName(_ dtype: DType) -> String {
    switch dtype {
    case .bool: "BOOL"
    case .uint8: "U8"
    case .int8: "I8"
    case .int16: "I16"
    case .int32: "I32"
    case .int64: "I64"
    case .float16: "F16"
    case .bfloat16: "BF16"
    case .float32: "F32"
    case .float64: "F64"
    }
  }

  /// The type of a `torch.<name>`; nil if that is no element type.
  package static func torch(_ name: String) -> ElementType? {
    if let dtype = DType(rawValue: name) { return .supported(dtype) }
    switch name {
    case "double": return .supported(.float64)
    case "float": return .supported(.float32)
    case "half": return .supported(.float16)
    case "long": return .supported(.int64)
    case "int": return .supported(.int32)
    case "short": return .supported(.int16)
    case "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu",
      "float4_e2m1fn_x2", "quint8", "qint8":
      return .unsupported(name, sizeInBits: 8)
    case "uint16": return .unsupported(name, sizeInBits: 16)
    case "uint32", "complex32", "chalf", "qint32": return .unsupported(name, sizeInBits: 32)
    case "uint64", "complex64", "cfloat": return .unsupported(name, sizeInBits: 64)
    case "complex128", "cdouble": return .unsupported(name, sizeInBits: 128)
    default: return nil
    }
  }

  /// The type of the elements of a `torch.<name>Storage`; nil if there is no such class.
  package static func torchStorage(_ className: String) -> ElementType? {
    switch className {
    case "BoolStorage": .supported(.bool)
    case "ByteStorage": .supported(.uint8)
    case "CharStorage": .supported(.int8)
    case "ShortStorage": .supported(.int16)
    case "IntStorage": .supported(.int32)
    case "LongStorage": .supported(.int64)
    case "HalfStorage": .supported(.float16)
    case "BFloat16Storage": .supported(.bfloat16)
    case "FloatStorage": .supported(.float32)
    case "DoubleStorage": .supported(.float64)
    case "ComplexFloatStorage": .unsupported("complex64", sizeInBits: 64)
    case "ComplexDoubleStorage": .unsupported("complex128", sizeInBits: 128)
    case "QUInt8Storage": .unsupported("quint8", sizeInBits: 8)
    case "QInt8Storage": .unsupported("qint8", sizeInBits: 8)
    case "QInt32Storage": .unsupported("qint32", sizeInBits: 32)
    case "QUInt4x2Storage": .unsupported("quint4x2", sizeInBits: 8)
    case "QUInt2x4Storage": .unsupported("quint2x4", sizeInBits: 8)
    default: nil
    }
  }

  /// What to do about a tensor of an element type that the compiler lacks.
  package static let advice =
    "convert it before saving, for example with .to(torch.bfloat16), .float() or .to(torch.int64)"
}
