import AITGraph
import AITReference
import Testing

@testable import AITPlan

/// Offsets for buffers of given sizes and lifetimes.
@Suite struct MemoryPlannerTests {
  static func buffer(_ size: Dimension, _ lifetime: ClosedRange<Int>) -> Plan.Buffer {
    Plan.Buffer(name: "b", sizeInBytes: size, lifetime: lifetime, offset: 0)
  }

  static func offsets(_ buffers: [Plan.Buffer]) -> (offsets: [String], arena: String) {
    var placed = buffers
    let arena = MemoryPlanner.assignOffsets(&placed)
    return (placed.map { "\($0.offset)" }, "\(arena)")
  }

  @Test func buffersThatDoNotMeetShareMemory() {
    let found = Self.offsets([
      Self.buffer(100, 0...1), Self.buffer(100, 1...2), Self.buffer(100, 2...3),
    ])
    #expect(found.offsets == ["0", "128", "0"])
    #expect(found.arena == "256")
  }

  @Test func aSmallBufferFillsAGap() {
    let found = Self.offsets([
      Self.buffer(640, 0...3), Self.buffer(320, 0...1), Self.buffer(64, 1...3),
      Self.buffer(256, 2...3),
    ])
    #expect(found.offsets == ["0", "640", "960", "640"])
    #expect(found.arena == "1024")
  }

  @Test func nothingTakesNothing() {
    #expect(Self.offsets([]).arena == "0")
    #expect(Self.offsets([Self.buffer(0, 0...0)]).arena == "0")
  }

  /// Multiples of one symbol are packed among themselves, behind those of another.
  @Test func symbolicSizesFormRegions() {
    let batch = Dimension.symbol("batch", 1...8)
    let rows = Dimension.symbol("rows", 0...100)
    let found = Self.offsets([
      Self.buffer(2048 * batch, 0...1), Self.buffer(4096 * batch, 1...2),
      Self.buffer(1024 * batch, 2...3), Self.buffer(2000 * rows, 0...3), Self.buffer(192, 0...3),
    ])
    #expect(
      found.offsets == ["4096*batch", "0", "4096*batch", "6144*batch", "6144*batch + 2048*rows"]
    )
    #expect(found.arena == "6144*batch + 2048*rows + 192")
  }

  /// Rounding `8·rows` bytes to 64·rows would waste much: whole cache lines are taken instead.
  @Test func smallSymbolicSizesTakeWholeLines() throws {
    let rows = Dimension.symbol("rows", 0...1000)
    var placed = [Self.buffer(8 * rows, 0...1), Self.buffer(8 * rows, 1...2)]
    let arena = MemoryPlanner.assignOffsets(&placed)
    for (count, expected) in [(0, 0), (1, 128), (8, 128), (9, 256), (1000, 16000)] {
      #expect(arena.evaluate(["rows": count]) == expected)
    }
  }

  /// Many buffers of random sizes and lifetimes, checked for every pair.
  @Test(arguments: 1...40)
  func randomBuffersDoNotOverlap(_ seed: Int) throws {
    var random = RandomGenerator(seed: UInt64(seed))
    let batch = Dimension.symbol("batch", 0...9)
    let units: [Dimension] = seed.isMultiple(of: 2) ? [1] : [1, batch, batch * batch, batch + 3]
    var placed = (0..<60).map { _ in
      let start = random.integer(below: 50)
      let size = 1 + random.integer(below: random.integer(below: 4) == 0 ? 100_000 : 3000)
      return Self.buffer(
        Dimension(size) * units[random.integer(below: units.count)],
        start...(start + random.integer(below: 6))
      )
    }
    let arena = MemoryPlanner.assignOffsets(&placed)
    for value in [0, 1, 4, 9] {
      let symbols = ["batch": value]
      let spans = try placed.map { buffer in
        let offset = try #require(buffer.offset.evaluate(symbols))
        return offset..<(offset + (try #require(buffer.sizeInBytes.evaluate(symbols))))
      }
      let end = try #require(arena.evaluate(symbols))
      for (index, first) in placed.enumerated() {
        #expect(spans[index].lowerBound.isMultiple(of: MemoryPlanner.alignment))
        #expect(spans[index].upperBound <= end)
        for other in placed.indices.dropFirst(index + 1)
        where placed[other].lifetime.overlaps(first.lifetime) {
          #expect(!spans[index].overlaps(spans[other]), "batch \(value): \(index) and \(other)")
        }
      }
      // A good packing of one region wastes little; here the largest live set is known.
      guard units.count == 1 else { continue }
      let live = (0..<60).map { step in
        zip(placed, spans).filter { $0.0.lifetime.contains(step) }.reduce(0) { $0 + $1.1.count }
      }
      #expect(Double(end) <= 1.4 * Double(live.max() ?? 0), "seed \(seed)")
    }
  }
}
