import AITGraph
import AITKernels

@testable import AITGPU

/// Products as the choice of their kernels sees them.
enum Products {
  static func task(
    rows: Dimension,
    columns: Int,
    depth: Int,
    batch: Int = 1,
    operations: Int = 0,
    alignment: Int = 8,
    majorB: String = "k"
  ) -> MatmulTask {
    MatmulTask(
      element: "float16",
      majors: ("k", majorB),
      alignments: (alignment, alignment),
      columnMultiple: 8,
      isConstantB: true,
      hasEmptySums: false,
      epilogueOperations: operations,
      epilogueBytes: 2,
      epilogue: "e",
      extents: (Dimension(batch), rows, Dimension(columns), Dimension(depth))
    )
  }

  /// The tutorial's first and second product, with GELU and with bias and residual.
  static let first = task(rows: 1024, columns: 2048, depth: 512, operations: 8)
  static let second = task(rows: 1024, columns: 512, depth: 2048, operations: 2)

  static let h200 = DeviceFacts.of([.sm90a], named: "NVIDIA H200")
  static let a100 = DeviceFacts.of([.sm80], named: nil)

  /// Products of all sorts of sizes.
  static let many: [MatmulTask] = {
    var result: [MatmulTask] = []
    for rows in [1, 16, 17, 64, 100, 128, 512, 1000, 4096, 8192] {
      for (columns, depth) in [(64, 64), (768, 768), (512, 2048), (4096, 4096), (11008, 4096)] {
        result.append(task(rows: Dimension(rows), columns: columns, depth: depth))
      }
    }
    return result
  }()
}
