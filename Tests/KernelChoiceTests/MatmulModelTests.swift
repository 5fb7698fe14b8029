import AITGraph
import AITKernels
import Testing

@testable import AITGPU

/// The model of products, and what it finds best where that was measured.
@Suite struct MatmulModelTests {
  private func hopper(_ task: MatmulTask, on facts: DeviceFacts = Products.h200)
    -> HopperConfiguration?
  {
    let parts = MatmulChoice(task, on: facts).parts
    guard parts.count == 1, case .hopper(let configuration) = parts[0].candidate else { return nil }
    return configuration
  }

  @Test("What was measured to be fastest on an H200 is found")
  func measuredPicks() throws {
    let first = try #require(hopper(Products.first))
    #expect((first.tileM, first.tileN, first.stages, first.consumers) == (128, 128, 3, 2))
    #expect(first.splitK == 1 && first.clusterSize == 1 && first.blocksPerMultiprocessor == 2)
    let second = try #require(hopper(Products.second))
    // Beside the first: 16.1 us for the whole model, against 16.7 with five stages.
    #expect((second.tileM, second.tileN, second.stages, second.splitK) == (128, 64, 4, 2))
    #expect(second.fitsBesideAnother)
    for size in [4096, 8192] {
      let large = try #require(
        hopper(Products.task(rows: Dimension(size), columns: size, depth: size))
      )
      #expect((large.tileM, large.tileN, large.stages) == (128, 256, 4))
      #expect(large.isPersistent == 1 && large.clusterSize == 2)
    }
  }

  @Test("Few rows of a small weight have a kernel of their own", arguments: [1, 8])
  func fewRows(_ rows: Int) {
    let task = Products.task(rows: Dimension(rows), columns: 2048, depth: 512)
    let parts = MatmulChoice(task, on: Products.h200).parts
    #expect(parts.map(\.candidate.kernel) == ["FewRows"])
  }

  @Test("Few rows of a large weight are columns of the matrix units' product")
  func transposed() throws {
    for (rows, columns) in [(1, 8), (8, 8), (16, 16), (32, 32)] {
      let found = try #require(
        hopper(Products.task(rows: Dimension(rows), columns: 4096, depth: 4096))
      )
      #expect(found.isTransposed == 1 && found.tileN == columns && found.splitK == 2, "\(rows)")
    }
  }

  @Test("No candidate breaks an assertion of its template")
  func legal() {
    for majorB in ["k", "mn"] {
      let task = Products.task(rows: 512, columns: 512, depth: 512, majorB: majorB)
      for facts in DeviceFacts.all {
        let candidates = MatmulCandidates.all(for: task, on: facts)
        #expect(Set(candidates).count == candidates.count)
        #expect(candidates.count > 8)
        for candidate in candidates {
          #expect(candidate.sharedSizeInBytes <= facts.blockSharedSizeInBytes)
          switch candidate {
          case .hopper(let c): #expect(c.isLegal(majorA: "k", majorB: majorB), "\(candidate)")
          case .multistage(let c):
            #expect(
              c.isLegal(
                majorA: "k",
                majorB: majorB,
                sharedSizeInBytes: facts.blockSharedSizeInBytes
              )
            )
          case .fewRows(let c): #expect(c.isLegal)
          }
        }
      }
    }
  }

  @Test("What spills or does not fit is refused")
  func illegal() {
    var c = HopperConfiguration(tileM: 256, tileN: 256)
    #expect(!c.isLegal(majorA: "k", majorB: "k"), "256 sums for each thread")
    c = HopperConfiguration(tileM: 128, tileN: 256, stages: 5)
    #expect(!c.isLegal(majorA: "k", majorB: "k"), "240 KB of stages")
    c = HopperConfiguration(tileM: 128, tileN: 96)
    #expect(c.isLegal(majorA: "k", majorB: "k"))
    #expect(!c.isLegal(majorA: "k", majorB: "mn"), "boxes of 64 columns")
    c = HopperConfiguration(tileM: 128, tileN: 256, blocksPerMultiprocessor: 2)
    #expect(!c.isLegal(majorA: "k", majorB: "k"), "registers of two blocks")
    c = HopperConfiguration(splitK: 2, isPersistent: 1)
    #expect(!c.isLegal(majorA: "k", majorB: "k"))
    c = HopperConfiguration(tileM: 192, tileN: 192, consumers: 3)
    #expect(c.isLegal(majorA: "k", majorB: "k"))
    c.tileN = 256
    c.stages = 3
    #expect(!c.isLegal(majorA: "k", majorB: "k"), "128 sums of three warp groups")
    c = HopperConfiguration(tileM: 192, isPersistent: 1, isPingPong: 1)
    #expect(c.isLegal(majorA: "k", majorB: "k"), "192 sums of each of two")
    c.tileN = 160
    #expect(!c.isLegal(majorA: "k", majorB: "k"), "240 sums")
    c = HopperConfiguration(isPingPong: 1)
    #expect(!c.isLegal(majorA: "k", majorB: "k"), "turns at one tile")
  }

  @Test("More work takes no less time, for every candidate")
  func monotone() {
    for facts in [Products.h200, Products.a100] {
      for alignment in facts == Products.h200 ? [8] : [8, 2] {
        let task = Products.task(rows: 4096, columns: 4096, depth: 4096, alignment: alignment)
        let model = MatmulModel(task: task, facts: facts)
        for candidate in MatmulCandidates.all(for: task, on: facts) {
          var size = MatmulSize(batch: 1, rows: 1024, columns: 1024, depth: 1024)
          let base = model.seconds(candidate, size)
          #expect(base.isFinite && base > 0)
          size.depth = 2048
          #expect(model.seconds(candidate, size) > base, "\(candidate)")
          size.depth = 1024
          size.rows = 8192
          #expect(model.seconds(candidate, size) > base, "\(candidate)")
          size.rows = 1024
          size.batch = 16
          #expect(model.seconds(candidate, size) > base, "\(candidate)")
        }
      }
    }
  }

  @Test("No choice is expected to beat the matrix units or the memory")
  func bounds() {
    for task in Products.many {
      for facts in DeviceFacts.all {
        for part in MatmulChoice(task, on: facts).parts {
          let size = task.size(rows: part.rows)
          let flops = 2 * Double(size.rows) * Double(size.columns) * Double(size.depth)
          let peak = facts.matrixRate * Double(facts.multiprocessors) * facts.clock
          let bytes = 2 * Double(size.columns * size.depth)
          #expect(part.seconds > flops / peak)
          #expect(part.seconds > bytes / facts.bandwidth)
        }
      }
    }
  }

  @Test("A GPU with less bandwidth takes longer for few rows")
  func bandwidth() {
    let task = Products.task(rows: 1, columns: 8192, depth: 8192)
    let h100 = DeviceFacts.of([.sm90a], named: "NVIDIA H100 80GB HBM3")
    #expect(h100.bandwidth < Products.h200.bandwidth)
    let times = [Products.h200, h100].map { MatmulChoice(task, on: $0).parts[0].seconds }
    #expect(times[0] < times[1])
  }

  @Test("Facts go by the longest name, and by the least shared memory of several architectures")
  func facts() {
    #expect(DeviceFacts.of([.sm90a], named: "NVIDIA H100 PCIe").multiprocessors == 114)
    #expect(DeviceFacts.of([.sm90a], named: "NVIDIA H200 NVL").name == "NVIDIA H200")
    #expect(DeviceFacts.of([.sm90a], named: "something else").name == "NVIDIA H200")
    #expect(DeviceFacts.of([.sm80], named: nil).blockSharedSizeInBytes == 163 << 10)
    #expect(DeviceFacts.of([.sm80, .sm86], named: nil).blockSharedSizeInBytes == 99 << 10)
  }
}
