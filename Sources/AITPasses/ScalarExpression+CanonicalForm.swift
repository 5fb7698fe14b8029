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
    // A stack of its own: a body may be deeper than that of the program.
    var pending = Array(results.reversed())
    while let index = pending.last {
      let operands = operands(of: index, orderedBy: keys)
      if let next = operands.first(where: { mapping[$0] == nil }), mapping[index] == nil {
        pending.append(next)
        continue
      }
      pending.removeLast()
      if mapping[index] != nil { continue }
      let made = operands.compactMap { mapping[$0] }
      mapping[index] =
        switch instructions[index] {
        case .input(let input): input
        case .constant(let constant): copy.constant(constant.value, types[index])
        case .cast: copy.cast(made[0], to: types[index])
        case .call(let function, _): copy.call(function, made)
        }
    }
    copy.setResults(results.compactMap { mapping[$0] })
    return copy
  }

  private func operands(of index: Int, orderedBy keys: [UInt64]) -> [Int] {
    switch instructions[index] {
    case .input, .constant: []
    case .cast(let operand): [operand]
    case .call(let function, let operands):
      function.isCommutative ? operands.sorted { keys[$0] < keys[$1] } : operands
    }
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
