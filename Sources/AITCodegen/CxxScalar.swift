import AITGraph

/// Writes scalar expressions as C++ over the prelude's vectors.
package enum CxxScalar {
  /// The prelude's storage type of an element type.
  package static func storageType(_ dtype: DType) -> String {
    switch dtype {
    case .bool: "bool"
    case .uint8: "uint8_t"
    case .int8: "int8_t"
    case .int16: "int16_t"
    case .int32: "int32_t"
    case .int64: "int64_t"
    case .float16: "ait::float16"
    case .bfloat16: "ait::bfloat16"
    case .float32: "float"
    case .float64: "double"
    }
  }

  /// The type in which elements of a type are computed.
  package static func computeType(_ dtype: DType) -> String { storageType(dtype.computeType) }

  /// A literal of a type's compute type.
  package static func literal(_ value: ScalarValue, _ dtype: DType) -> String {
    switch dtype.category {
    case .boolean: return value.bool ? "true" : "false"
    case .integer:
      if value.integer == .min { return "(-9223372036854775807LL - 1)" }
      return dtype == .int64 ? "\(value.integer)LL" : "\(value.integer)"
    case .floatingPoint:
      let isDouble = dtype == .float64
      let suffix = isDouble ? "" : "f"
      let double = value.double
      if double.isNaN { return "__builtin_nan\(suffix)(\"\")" }
      if double.isInfinite {
        return "\(double < 0 ? "-" : "")__builtin_huge_val\(suffix)()"
      }
      let rounded = isDouble ? double : Double(Float(double))
      if rounded.isInfinite { return "\(rounded < 0 ? "-" : "")__builtin_huge_val\(suffix)()" }
      return "\(hexadecimal(rounded))\(suffix)"
    }
  }

  /// A hexadecimal literal, which is exact: `0x1.8p+0`.
  private static func hexadecimal(_ value: Double) -> String {
    let sign = value.sign == .minus ? "-" : ""
    if value == 0 { return "\(sign)0x0p+0" }
    let exponent = value.magnitude.exponent
    let significand = value.magnitude.significand  // in 1..<2
    let bits = UInt64((significand - 1) * 0x1p52)
    var digits = String(bits, radix: 16)
    digits = String(repeating: "0", count: 13 - digits.count) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    let fraction = digits.isEmpty ? "" : ".\(digits)"
    return "\(sign)0x1\(fraction)p\(exponent < 0 ? "-" : "+")\(abs(Int(exponent)))"
  }

  /// A struct with the static function `apply<W>` that computes the results of an expression from
  /// vectors of its inputs.
  ///
  /// `inputTypes`, if given, are the types the inputs arrive in where those differ from the
  /// expression's: accumulators of integer products are wider than their results.
  package static func body(
    named name: String,
    _ expression: ScalarExpression,
    arrivingAs arriving: [Int: String] = [:]
  ) -> String {
    let expanded = expression.expanded()
    var writer = CodeWriter()
    writer.block("struct \(name) {", "};") { writer in
      writer.line("template <int W>")
      let parameters = expanded.inputTypes.enumerated().map { index, dtype in
        "ait::Vec<\(arriving[index] ?? computeType(dtype)), W> \(arriving[index] == nil ? "x" : "a")\(index)"
      }
      let opening = "static AIT_INLINE auto apply(\(parameters.joined(separator: ", "))) {"
      writer.block(opening) { writer in
        for index in arriving.keys.sorted() {
          let type = computeType(expanded.inputTypes[index])
          writer.line("const auto x\(index) = ait::convert<\(type)>(a\(index));")
        }
        for index in expanded.instructions.indices {
          guard let value = statement(index, expanded) else { continue }
          // A comparison of single numbers, as on a GPU, is C++'s own bool, on which ~ and & give
          // an int.
          let declared = expanded.types[index] == .bool ? "ait::Vec<bool, W>" : "auto"
          writer.line("const \(declared) t\(index) = \(value);")
        }
        let results = expanded.results.map { Self.name(of: $0, expanded) }
        writer.line("return ait::results(\(results.joined(separator: ", ")));")
      }
    }
    return writer.output
  }

  private static func name(of index: Int, _ expression: ScalarExpression) -> String {
    if case .input(let input) = expression.instructions[index] { "x\(input)" } else { "t\(index)" }
  }

  private static func statement(_ index: Int, _ expression: ScalarExpression) -> String? {
    let type = expression.types[index]
    switch expression.instructions[index] {
    case .input: return nil
    case .constant(let constant):
      return "ait::constant<\(computeType(type)), W>(\(literal(constant.value, type)))"
    case .cast(let argument):
      let source = expression.types[argument]
      let operand = name(of: argument, expression)
      // Widening a half-precision value changes nothing: it is computed as float32 already.
      if source.computeType == type { return operand }
      return "ait::convert<\(storageType(type))>(\(operand))"
    case .call(let function, let arguments):
      let operands = arguments.map { name(of: $0, expression) }
      return call(function, operands, expression.types[arguments[0]])
    }
  }

  private static func call(_ function: ScalarFunction, _ x: [String], _ type: DType) -> String {
    let isBool = type == .bool
    switch function {
    case .add: return isBool ? "\(x[0]) | \(x[1])" : "\(x[0]) + \(x[1])"
    case .subtract: return "\(x[0]) - \(x[1])"
    case .multiply: return isBool ? "\(x[0]) & \(x[1])" : "\(x[0]) * \(x[1])"
    case .divide: return "\(x[0]) / \(x[1])"
    case .negate: return "-\(x[0])"
    case .square: return "\(x[0]) * \(x[0])"
    case .equal: return "\(x[0]) == \(x[1])"
    case .notEqual: return "\(x[0]) != \(x[1])"
    case .less: return "\(x[0]) < \(x[1])"
    case .lessEqual: return "\(x[0]) <= \(x[1])"
    case .greater: return "\(x[0]) > \(x[1])"
    case .greaterEqual: return "\(x[0]) >= \(x[1])"
    case .and: return "\(x[0]) & \(x[1])"
    case .or: return "\(x[0]) | \(x[1])"
    case .xor: return "\(x[0]) ^ \(x[1])"
    case .not: return "~\(x[0])"
    case .shiftLeft: return "\(x[0]) << \(x[1])"
    case .shiftRight: return "\(x[0]) >> \(x[1])"
    case .floor, .ceil, .round, .trunc:
      return type.isFloatingPoint ? "ait::\(function.rawValue)(\(x[0]))" : x[0]
    case .isNaN, .isInfinite, .isFinite:
      if !type.isFloatingPoint {
        return "ait::constant<bool, W>(\(function == .isFinite ? "true" : "false"))"
      }
      return "ait::\(preludeName(function))(\(x[0]))"
    default: return "ait::\(preludeName(function))(\(x.joined(separator: ", ")))"
    }
  }

  /// The vector function of the prelude.
  private static func preludeName(_ function: ScalarFunction) -> String {
    switch function {
    case .floorDivide: "floorDivide"
    case .power: "power"
    case .isNaN: "isNaN"
    case .isInfinite: "isInfinite"
    case .isFinite: "isFinite"
    default: function.rawValue
    }
  }
}
