import AITGraph

extension ScalarExpression {
  /// Returns the expression with instructions in the order in which the results ask for them and
  /// the operands of commutative functions in an order that does not depend on how they were
  /// written.
  ///
  /// Two expressions of one canonical form compute the same. It serves comparison only: graphs keep
  /// the order in which the program was written.
  func canonical() -> ScalarExpression {
    let keys = structuralKeys
    var copy = ScalarExpression(inputs: inputTypes)
    var mapping: [Int: Int] = [:]
    func build(_ index: Int) -> Int {
      if let known = mapping[index] { return known }
      let made: Int
      switch instructions[index] {
      case .input(let input): made = input
      case .constant(let constant): made = copy.constant(constant.value, types[index])
      case .cast(let operand): made = copy.cast(build(operand), to: types[index])
      case .call(let function, let operands):
        let ordered =
          function.isCommutative ? operands.sorted { keys[$0] < keys[$1] } : operands
        made = copy.call(function, ordered.map(build))
      }
      mapping[index] = made
      return made
    }
    copy.setResults(results.map(build))
    return copy
  }

  /// A number for each instruction that depends on nothing but what it computes: FNV-1a over the
  /// structure.
  ///
  /// Unequal terms may share one; then equal expressions may be found unequal, never the other way
  /// round.
  private var structuralKeys: [UInt64] {
    var keys: [UInt64] = []
    func mix(_ key: inout UInt64, _ part: UInt64) { key = (key ^ part) &* 0x100_0000_01b3 }
    for (index, instruction) in instructions.enumerated() {
      var key: UInt64 = 0xcbf2_9ce4_8422_2325
      mix(&key, UInt64(DType.allCases.firstIndex(of: types[index]) ?? 0))
      switch instruction {
      case .input(let input): mix(&key, 1 << 32 | UInt64(input))
      case .constant(.float(let bits)): mix(&key, bits ^ 2 << 32)
      case .constant(.integer(let value)): mix(&key, UInt64(bitPattern: value) ^ 3 << 32)
      case .cast(let operand): mix(&key, keys[operand] ^ 4 << 32)
      case .call(let function, let operands):
        for byte in function.rawValue.utf8 { mix(&key, UInt64(byte)) }
        let parts = operands.map { keys[$0] }
        for part in function.isCommutative ? parts.sorted() : parts { mix(&key, part) }
      }
      keys.append(key)
    }
    return keys
  }
}
