import AITGraph
import AITKernels

/// When and where everything happens: the steps of a run and the memory they use.
///
/// A value.
package struct Plan: Sendable {
  /// Memory that steps read or write.
  package enum Storage: Hashable, Sendable {
    case input(Int)
    case output(Int)
    case constant(Int)
    /// A value computed from constants alone, once.
    case folded(Int)
    /// An intermediate, in the arena.
    case buffer(Int)
  }

  /// A pointer handed to a kernel.
  package struct Operand: Hashable, Sendable {
    package var storage: Storage
    /// Bytes from the start of the storage.
    package var offsetInBytes: Dimension
    package var type: TensorType
    /// What is there, by its name in the graph.
    package var name: String
  }

  /// One kernel call.
  package struct Step: Sendable {
    package var name: String
    package var operation: String
    package var kernel: KernelSource
    package var operands: [Operand]
    package var readCount: Int
    package var sizes: [Dimension]
    /// The buffer of scratch memory.
    package var workspace: Int?
    package var flops: Dimension
    package var bytes: Dimension
    package var estimatedSeconds: Double?
    /// Why the kernel is what it is, where there were several.
    package var choices: [KernelChoice] = []
    /// What can be measured for a better choice.
    package var problems: [KernelProblem] = []
  }

  /// Part of the arena.
  package struct Buffer: Sendable {
    package var name: String
    package var sizeInBytes: Dimension
    /// The steps between which its content matters, inclusive.
    package var lifetime: ClosedRange<Int>
    /// Bytes from the start of the arena, a multiple of `MemoryPlanner.alignment`.
    package var offset: Dimension

    package init(
      name: String,
      sizeInBytes: Dimension,
      lifetime: ClosedRange<Int>,
      offset: Dimension = 0
    ) {
      self.name = name
      self.sizeInBytes = sizeInBytes
      self.lifetime = lifetime
      self.offset = offset
    }
  }

  /// A constant of the graph that steps or fold steps read.
  package struct Constant: Sendable {
    package var value: ValueID
    package var name: String
    package var constant: Graph.Constant
    package var type: TensorType
    /// Whether a step of every run reads it as it is.
    package var isReadByRuns: Bool
    /// Whether a fold step reads it.
    package var isFoldingInput: Bool
  }

  /// A value computed from constants alone.
  package struct Folded: Sendable {
    package var name: String
    package var sizeInBytes: Int
    /// Whether a step of every run reads it; if not, it is only needed while folding.
    package var isReadByRuns: Bool
    /// The constants it depends on, by position in `constants`.
    package var sources: Set<Int>
  }

  package var graph: Graph
  package var target: Target
  /// What its kernels may do to numbers.
  package var numerics = Numerics()
  package var constants: [Constant]
  package var folded: [Folded]
  package var foldSteps: [Step]
  package var steps: [Step]
  package var buffers: [Buffer]
  /// Bytes of the arena for the symbols of a run.
  package var arenaSize: Dimension
  /// What is asked of the sizes of a run before its first step.
  package var sizeConstraints: [SizeConstraint]

  /// The largest arena over all legal symbol values.
  package var arenaBoundInBytes: Int { arenaSize.upperBound }

  /// The distinct kernels, in order of first use.
  package var kernels: [KernelSource] {
    var seen: Set<KernelSource> = []
    return (foldSteps + steps).map(\.kernel).filter { seen.insert($0).inserted }
  }
}
