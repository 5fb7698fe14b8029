/// The values of one scalar for many elements: Double for floating-point types, exact integers
/// otherwise, truth as 0 and 1.
package enum ScalarColumn: Sendable {
  case floats([Double])
  case integers([Int64])

  /// The value at a position.
  package func scalar(at index: Int, _ type: DType) -> ScalarValue {
    switch self {
    case .floats(let values): .float(values[index])
    case .integers(let values): type == .bool ? .bool(values[index] != 0) : .integer(values[index])
    }
  }
}

extension ScalarExpression {
  /// The values of the results for many elements at once; the meaning is that of `evaluate`.
  ///
  /// The expression must be expanded. One instruction after the other runs over all elements, so
  /// callers pass blocks of a few thousand.
  package func evaluate(columns inputs: [ScalarColumn], count: Int) -> [ScalarColumn] {
    var columns: [ScalarColumn] = []
    columns.reserveCapacity(instructions.count)
    for (index, instruction) in instructions.enumerated() {
      switch instruction {
      case .input(let input): columns.append(inputs[input])
      case .constant(let constant):
        columns.append(
          types[index].isFloatingPoint
            ? .floats(Array(repeating: constant.value.double, count: count))
            : .integers(Array(repeating: constant.value.integer, count: count))
        )
      case .call(let function, let arguments):
        columns.append(
          Self.call(function, arguments.map { columns[$0] }, types[arguments[0]], count)
        )
      case .cast(let argument):
        columns.append(Self.cast(columns[argument], types[argument], to: types[index]))
      }
    }
    return results.map { columns[$0] }
  }

  private static func call(
    _ function: ScalarFunction,
    _ operands: [ScalarColumn],
    _ type: DType,
    _ count: Int
  ) -> ScalarColumn {
    switch (operands[0], operands.count > 1 ? operands[1] : operands[0]) {
    case (.integers(let condition), .floats(let chosen)) where function == .select:
      guard case .floats(let other) = operands[2] else { break }
      return .floats((0..<count).map { condition[$0] != 0 ? chosen[$0] : other[$0] })
    case (.integers(let condition), .integers(let chosen)) where function == .select:
      guard case .integers(let other) = operands[2] else { break }
      return .integers((0..<count).map { condition[$0] != 0 ? chosen[$0] : other[$0] })
    case (.floats(let x), .floats(let y)):
      switch function.floatMeaning {
      case .unary(let function): return .floats(map(x, function))
      case .binary(let function): return .floats(map(x, y, function))
      case .test(let function): return .integers(x.map { function($0) ? 1 : 0 })
      case .comparison(let function):
        return .integers((0..<count).map { function(x[$0], y[$0]) ? 1 : 0 })
      }
    case (.integers(let x), .integers(let y)) where type == .bool:
      return .integers(
        (0..<count).map { function.evaluateBool([x[$0] != 0, y[$0] != 0]).integer }
      )
    case (.integers(let x), .integers(let y)):
      func wrap(_ value: Int64) -> Int64 {
        type == .int64 ? value : ScalarValue.integer(value).converted(to: type).integer
      }
      switch function.integerMeaning {
      case .unary(let function): return .integers(x.map { wrap(function($0)) })
      case .binary(let function):
        return .integers((0..<count).map { wrap(function(x[$0], y[$0])) })
      case .test(let function): return .integers(x.map { function($0) ? 1 : 0 })
      case .comparison(let function):
        return .integers((0..<count).map { function(x[$0], y[$0]) ? 1 : 0 })
      }
    default: break
    }
    preconditionFailure("\(function.rawValue) of mixed columns; resultType refuses them")
  }

  private static func cast(_ column: ScalarColumn, _ from: DType, to type: DType) -> ScalarColumn {
    switch column {
    case .floats(let values):
      if type.isFloatingPoint {
        // Only narrowing rounds.
        if from.sizeInBytes < type.sizeInBytes || from == type { return column }
        return .floats(values.map { ScalarValue.float($0).converted(to: type).double })
      }
      return .integers(values.map { ScalarValue.float($0).converted(to: type).integer })
    case .integers(let values):
      if type.isFloatingPoint {
        return .floats(values.map { ScalarValue.integer($0).converted(to: type).double })
      }
      return .integers(values.map { ScalarValue.integer($0).converted(to: type).integer })
    }
  }

  // Loops over pointers: without optimisation an array costs ten times as much.

  private static func map(_ x: [Double], _ function: (Double) -> Double) -> [Double] {
    [Double](unsafeUninitializedCapacity: x.count) { target, initialized in
      x.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        let count = source.count
        var index = 0
        while index < count {
          to[index] = function(from[index])
          index += 1
        }
      }
      initialized = x.count
    }
  }

  private static func map(
    _ x: [Double],
    _ y: [Double],
    _ function: (Double, Double) -> Double
  ) -> [Double] {
    [Double](unsafeUninitializedCapacity: x.count) { target, initialized in
      x.withUnsafeBufferPointer { first in
        y.withUnsafeBufferPointer { second in
          guard let left = first.baseAddress, let right = second.baseAddress,
            let to = target.baseAddress
          else { return }
          let count = first.count
          var index = 0
          while index < count {
            to[index] = function(left[index], right[index])
            index += 1
          }
        }
      }
      initialized = x.count
    }
  }
}
