import AITGraph

/// Assigns offsets in one arena so that buffers alive at the same time never overlap.
///
/// Objective: a small arena for every value of the symbols. Sizes that are multiples of the same
/// product of symbols (`c · batch`) form a region, in which the coefficients are packed greedily,
/// largest first, into the lowest gap (Pisarchyk and Lee 2020, arXiv:2001.03288, "greedy by size");
/// offsets are then multiples of that product, so the packing holds for every batch. Regions follow
/// each other. Cost: quadratic in the number of buffers.
package enum MemoryPlanner {
  /// Every offset is a multiple of this: a cache line, and the widest vector.
  package static let alignment = 64

  /// Coefficients below this are not rounded up to the alignment, which would waste too much.
  private static let smallestScaledSize = 16 * alignment

  private struct Request {
    let index: Int
    let coefficient: Int
    let lifetime: ClosedRange<Int>
  }

  /// Sets the offsets of buffers; returns the size of the arena.
  package static func assignOffsets(_ buffers: inout [Plan.Buffer]) -> Dimension {
    var regions: [Dimension: [Request]] = [:]
    var order: [Dimension] = []
    for (index, buffer) in buffers.enumerated() {
      let (unit, coefficient) = scaled(buffer.sizeInBytes)
      if regions[unit] == nil { order.append(unit) }
      regions[unit, default: []].append(
        Request(index: index, coefficient: coefficient, lifetime: buffer.lifetime)
      )
    }
    var base: Dimension = 0
    for unit in order {
      let (offsets, size) = pack(regions[unit] ?? [])
      for (index, offset) in offsets {
        buffers[index].offset = base + Dimension(offset) * unit
      }
      base = base + Dimension(size) * unit
    }
    return base
  }

  /// A size as a multiple of a unit; unit times coefficient is a multiple of the alignment and not
  /// less than the size.
  private static func scaled(_ size: Dimension) -> (unit: Dimension, coefficient: Int) {
    if let constant = size.constant { return (1, roundUp(constant)) }
    if size.terms.count == 1, size.terms[0].coefficient >= smallestScaledSize,
      let unit = size.exactQuotient(by: Dimension(size.terms[0].coefficient))
    {
      return (unit, roundUp(size.terms[0].coefficient))
    }
    let lines = (size + Dimension(alignment - 1)) / Dimension(alignment)
    return (lines * Dimension(alignment), 1)
  }

  private static func roundUp(_ size: Int) -> Int {
    (size + alignment - 1) / alignment * alignment
  }

  private static func pack(_ requests: [Request]) -> (offsets: [(Int, Int)], size: Int) {
    var placed: [(request: Request, offset: Int)] = []
    for request in requests.sorted(by: { ($1.coefficient, $0.index) < ($0.coefficient, $1.index) })
    {
      var offset = 0
      let rivals = placed.filter { $0.request.lifetime.overlaps(request.lifetime) }
        .sorted { $0.offset < $1.offset }
      for rival in rivals {
        if offset + request.coefficient <= rival.offset { break }
        offset = max(offset, rival.offset + rival.request.coefficient)
      }
      placed.append((request, offset))
    }
    let size = placed.map { $0.offset + $0.request.coefficient }.max() ?? 0
    return (placed.map { ($0.request.index, $0.offset) }, size)
  }
}
