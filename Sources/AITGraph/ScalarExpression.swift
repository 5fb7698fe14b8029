/// A function from scalars to scalars as data: the body of a pointwise operator, a prologue or an
/// epilogue.
///
/// A list of instructions in which each refers to earlier ones, so that shared terms are computed
/// once. Equal instructions are stored once, and operands are strictly typed: promotion is made
/// explicit by casts when the expression is built.
///
/// Numerics: half-precision values are computed in `float32` (in Double by the reference) and
/// rounded only where a result is stored or a cast says so. Integers wrap to their width.
package struct ScalarExpression: Hashable, Sendable {
  /// A step of the computation; operands are indices of earlier instructions.
  package enum Instruction: Hashable, Sendable {
    case input(Int)
    case constant(ScalarConstant)
    case call(ScalarFunction, [Int])
    case cast(Int)
  }

  /// A literal; its type is that of its instruction.
  package enum ScalarConstant: Hashable, Sendable {
    case float(UInt64)  // bits of a Double, so that NaN equals itself
    case integer(Int64)

    package static func float(_ value: Double) -> ScalarConstant { .float(value.bitPattern) }

    package var value: ScalarValue {
      switch self {
      case .float(let bits): .float(Double(bitPattern: bits))
      case .integer(let value): .integer(value)
      }
    }
  }

  /// The types of the inputs.
  package private(set) var inputTypes: [DType]
  /// The computation, operands before users.
  package private(set) var instructions: [Instruction] = []
  /// The type of each instruction's value.
  package private(set) var types: [DType] = []
  /// The instructions whose values are the results.
  package private(set) var results: [Int] = []
  /// Where each instruction stands, by what it is: equal ones are found without a search.
  private var positions: [TypedInstruction: Int] = [:]

  private struct TypedInstruction: Hashable {
    let instruction: Instruction
    let type: DType
  }

  /// Creates an expression with no results yet; `inputs` are its first instructions.
  package init(inputs: [DType]) {
    inputTypes = inputs
    for index in inputs.indices { _ = append(.input(index), inputs[index]) }
  }

  /// The types of the results.
  package var resultTypes: [DType] { results.map { types[$0] } }

  package static func == (left: ScalarExpression, right: ScalarExpression) -> Bool {
    left.inputTypes == right.inputTypes && left.instructions == right.instructions
      && left.types == right.types && left.results == right.results
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(inputTypes)
    hasher.combine(instructions)
    hasher.combine(types)
    hasher.combine(results)
  }

  // MARK: - Building

  private mutating func append(_ instruction: Instruction, _ type: DType) -> Int {
    let key = TypedInstruction(instruction: instruction, type: type)
    if let known = positions[key] { return known }
    positions[key] = instructions.count
    instructions.append(instruction)
    types.append(type)
    return instructions.count - 1
  }

  /// Adds a literal and returns its index.
  ///
  /// The literal is converted to the type in which the given type is computed: a factor of 0.1 is
  /// not rounded to half precision, as PyTorch does not round it either.
  package mutating func constant(_ value: ScalarValue, _ type: DType) -> Int {
    switch value.converted(to: type.computeType) {
    case .float(let double): append(.constant(.float(double)), type)
    case .integer(let integer): append(.constant(.integer(integer)), type)
    case .bool(let bool): append(.constant(.integer(bool ? 1 : 0)), type)
    }
  }

  /// Adds a floating-point literal; returns its index.
  package mutating func constant(_ value: Double, _ type: DType) -> Int {
    constant(.float(value), type)
  }

  /// Adds a call; returns its index.
  ///
  /// Operands must have types the function accepts.
  package mutating func call(_ function: ScalarFunction, _ operands: Int...) -> Int {
    call(function, operands)
  }

  /// Adds a call; returns its index.
  ///
  /// Operands must have types the function accepts.
  package mutating func call(_ function: ScalarFunction, _ operands: [Int]) -> Int {
    guard let type = function.resultType(operands.map { types[$0] }) else {
      preconditionFailure(
        "\(function.rawValue) of \(operands.map { types[$0].rawValue }): callers check the types"
      )
    }
    return append(.call(function, operands), type)
  }

  /// Adds a conversion; returns its index, or the operand's if it has the type already.
  package mutating func cast(_ operand: Int, to type: DType) -> Int {
    types[operand] == type ? operand : append(.cast(operand), type)
  }

  /// Names the results.
  package mutating func setResults(_ indices: [Int]) { results = indices }

  /// Builds an expression from a closure that returns the indices of the results.
  package init(
    inputs: [DType],
    _ build: (inout ScalarExpression, [Int]) -> [Int]
  ) {
    self.init(inputs: inputs)
    results = build(&self, Array(inputs.indices))
  }

  /// The expression that returns its inputs.
  package static func identity(_ types: [DType]) -> ScalarExpression {
    ScalarExpression(inputs: types) { _, inputs in inputs }
  }

  /// Whether the results are the inputs, in order.
  package var isIdentity: Bool { results == Array(inputTypes.indices) }

  // MARK: - Composition

  /// Adds another expression's instructions with its inputs replaced; returns the indices of its
  /// results.
  ///
  /// `operands` must have the types of its inputs.
  package mutating func inline(_ other: ScalarExpression, _ operands: [Int]) -> [Int] {
    var mapping: [Int] = []
    for (index, instruction) in other.instructions.enumerated() {
      switch instruction {
      case .input(let input): mapping.append(operands[input])
      case .constant: mapping.append(append(instruction, other.types[index]))
      case .call(let function, let arguments):
        mapping.append(append(.call(function, arguments.map { mapping[$0] }), other.types[index]))
      case .cast(let argument): mapping.append(cast(mapping[argument], to: other.types[index]))
      }
    }
    return other.results.map { mapping[$0] }
  }

  /// Returns the expression without instructions that no result needs.
  ///
  /// Inputs stay.
  package func pruned() -> ScalarExpression {
    let needed = neededInstructions
    var copy = ScalarExpression(inputs: inputTypes)
    var mapping: [Int: Int] = [:]
    for (index, instruction) in instructions.enumerated() {
      switch instruction {
      case .input(let input): mapping[index] = input
      case _ where !needed.contains(index): break
      case .constant: mapping[index] = copy.append(instruction, types[index])
      case .call(let function, let arguments):
        mapping[index] = copy.append(
          .call(function, arguments.compactMap { mapping[$0] }),
          types[index]
        )
      case .cast(let argument):
        mapping[index] = copy.append(.cast(mapping[argument] ?? 0), types[index])
      }
    }
    copy.results = results.compactMap { mapping[$0] }
    return copy
  }

  /// Returns the expression with its inputs renumbered: input `i` becomes `mapping[i]` of
  /// `newTypes`; inputs that become the same one are merged.
  package func remappingInputs(_ mapping: [Int], newTypes: [DType]) -> ScalarExpression {
    var copy = ScalarExpression(inputs: newTypes)
    copy.results = copy.inline(self, mapping)
    return copy
  }

  /// Returns the expression with only some of its results, in the order given.
  package func selectingResults(_ indices: [Int]) -> ScalarExpression {
    var copy = self
    copy.results = indices.map { results[$0] }
    return copy.pruned()
  }

  /// Returns the expression with composed functions replaced by their definitions, as backends
  /// want it.
  package func expanded() -> ScalarExpression {
    var copy = ScalarExpression(inputs: inputTypes)
    var mapping: [Int] = []
    for (index, instruction) in instructions.enumerated() {
      switch instruction {
      case .input(let input): mapping.append(input)
      case .constant: mapping.append(copy.append(instruction, types[index]))
      case .call(let function, let arguments):
        let operands = arguments.map { mapping[$0] }
        if let defined = function.define(in: &copy, operands) {
          mapping.append(defined)
        } else {
          mapping.append(copy.append(.call(function, operands), types[index]))
        }
      case .cast(let argument): mapping.append(copy.cast(mapping[argument], to: types[index]))
      }
    }
    copy.results = results.map { mapping[$0] }
    return copy.pruned()
  }

  // MARK: - Queries

  /// The inputs that some result depends on.
  package var usedInputs: Set<Int> {
    var used: Set<Int> = []
    for index in neededInstructions {
      if case .input(let input) = instructions[index] { used.insert(input) }
    }
    return used
  }

  private var neededInstructions: Set<Int> {
    var needed = Set(results)
    for index in instructions.indices.reversed() where needed.contains(index) {
      switch instructions[index] {
      case .call(_, let arguments): needed.formUnion(arguments)
      case .cast(let argument): needed.insert(argument)
      case .input, .constant: break
      }
    }
    return needed
  }

  /// Rough number of floating-point operations of one evaluation.
  package var operationCount: Int {
    instructions.reduce(0) { count, instruction in
      if case .call(let function, _) = instruction {
        count + function.operationCount
      } else {
        count
      }
    }
  }

  /// The only function that computes the results, if the expression is one call on its inputs.
  package var soleFunction: ScalarFunction? {
    let pruned = pruned()
    let calls = pruned.instructions.filter {
      if case .call = $0 { true } else { false }
    }
    guard calls.count == 1, case .call(let function, _)? = calls.first else { return nil }
    return function
  }

  // MARK: - Meaning

  /// The values of the results: Double for all floating-point types, exact integers otherwise.
  ///
  /// Only casts round. Results are not rounded to their types; storing them does that. For many
  /// evaluations, expand the expression first.
  package func evaluate(_ inputs: [ScalarValue]) -> [ScalarValue] {
    var values: [ScalarValue] = []
    values.reserveCapacity(instructions.count)
    for (index, instruction) in instructions.enumerated() {
      switch instruction {
      case .input(let input): values.append(inputs[input])
      case .constant(let constant):
        values.append(types[index] == .bool ? .bool(constant.value.bool) : constant.value)
      case .call(let function, let arguments):
        let operands = arguments.map { values[$0] }
        if function.isComposed {
          let alone = ScalarExpression(inputs: arguments.map { types[$0] }) { e, inputs in
            [e.call(function, inputs)]
          }
          values.append(alone.expanded().evaluate(operands)[0])
        } else {
          values.append(function.evaluate(operands, dtype: types[arguments[0]]))
        }
      case .cast(let argument):
        let isWidening =
          types[argument].isFloatingPoint && types[index].isFloatingPoint
          && types[argument].sizeInBytes < types[index].sizeInBytes
        values.append(
          isWidening ? values[argument] : values[argument].converted(to: types[index])
        )
      }
    }
    return results.map { values[$0] }
  }
}
