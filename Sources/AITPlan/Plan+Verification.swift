import AITGraph

extension Plan {
  /// Throws unless the plan is sound for the given symbol values: buffers alive at the same time do
  /// not overlap, lie aligned within the arena, and every operand stays within its storage.
  package func verify(symbols: [String: Int]) throws(Diagnostic) {
    func evaluate(_ dimension: Dimension) throws(Diagnostic) -> Int {
      guard let value = dimension.evaluate(symbols) else {
        throw Diagnostic(
          .internalInconsistency,
          "'\(dimension)' has no value for \(symbols)",
          at: "plan of '\(graph.name)'"
        )
      }
      return value
    }
    func fail(_ message: String) -> Diagnostic {
      Diagnostic(.internalInconsistency, message, at: "plan of '\(graph.name)' for \(symbols)")
    }
    let arena = try evaluate(arenaSize)
    guard arena <= arenaBoundInBytes else {
      throw fail("the arena takes \(arena) bytes, more than its bound \(arenaBoundInBytes)")
    }
    var spans: [Range<Int>] = []
    for buffer in buffers {
      let offset = try evaluate(buffer.offset)
      let size = try evaluate(buffer.sizeInBytes)
      guard offset % MemoryPlanner.alignment == 0, offset >= 0, offset + size <= arena else {
        throw fail("'\(buffer.name)' lies at \(offset) with \(size) bytes in an arena of \(arena)")
      }
      spans.append(offset..<(offset + size))
    }
    for first in buffers.indices {
      for second in buffers.indices.dropFirst(first + 1)
      where buffers[first].lifetime.overlaps(buffers[second].lifetime)
        && spans[first].overlaps(spans[second])
      {
        throw fail("'\(buffers[first].name)' and '\(buffers[second].name)' overlap while both live")
      }
    }
    for (index, step) in steps.enumerated() {
      for operand in step.operands {
        guard case .buffer(let buffer) = operand.storage else { continue }
        guard buffers[buffer].lifetime.contains(index) else {
          throw fail("'\(step.name)' uses '\(buffers[buffer].name)' outside its lifetime")
        }
        let offset = try evaluate(operand.offsetInBytes)
        let isEmpty = try evaluate(operand.type.shape.elementCount) == 0
        guard isEmpty || (offset >= 0 && offset < spans[buffer].count) else {
          throw fail("'\(step.name)' reaches byte \(offset) of '\(buffers[buffer].name)'")
        }
      }
    }
  }
}
