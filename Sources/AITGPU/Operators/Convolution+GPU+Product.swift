import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Convolutions on the matrix units (`convolution_product.h`): tiles as the model of products has them
/// for a product of outputs by filters.
extension DeviceConvolution {
  /// Kernels of a convolution for one library: each takes a second to compile.
  private static let limit = 2

  /// The kernels by the number of outputs; nil if the matrix units do not take the elements, or what
  /// is copied does not lie as they need it.
  var productParts: [Part]? {
    let dtype = node.inputs[0].type.dtype
    let isTensorFloat = dtype == .float32 && node.numerics.allowsTF32
    guard [.float16, .bfloat16].contains(dtype) || isTensorFloat, filtersAreMatrix,
      problem.imageStrides[4] == 1 || problem.channels * problem.groups == 1
    else { return nil }
    let facts = DeviceFacts.of(target.gpus, named: nil)
    let choice = MatmulChoice(task, on: facts, limit: Self.limit)
    let parts = choice.parts.enumerated().compactMap { index, part -> Part? in
      guard case .multistage(let configuration) = part.candidate else { return nil }
      let isLast = index + 1 == choice.parts.count
      return Part(
        config: config("Product\(index == 0 ? "" : String(index + 1))", configuration),
        configuration: part.candidate.label,
        blocks: 1,
        condition: isLast ? nil : "context.sizes[\(batchRank)] <= \(part.rows)"
      )
    }
    return parts.isEmpty ? nil : parts
  }

  /// Whether the filters are a matrix: a row for each, its taps and channels without gaps.
  private var filtersAreMatrix: Bool {
    let extents = problem.axes.map(\.taps) + [problem.channels]
    var distance = 1
    for axis in extents.indices.reversed() {
      guard extents[axis] == 1 || problem.filterStrides[axis + 1] == Dimension(distance) else {
        return false
      }
      distance *= extents[axis]
    }
    return true
  }

  /// The elements of 16 bytes.
  private var packet: Int { DeviceAlignment.widest / node.inputs[0].type.dtype.sizeInBytes }

  private var alignments: (a: Int, b: Int) {
    func alignment(_ strides: [Dimension]) -> Int {
      strides.map { DeviceAlignment.powerOfTwo($0, limit: packet) }.min() ?? packet
    }
    return (
      alignment(
        [Dimension(problem.channels), node.inputs[0].layout.offset]
          + problem.imageStrides.prefix(4)
      ),
      alignment([problem.filterStrides[0], node.inputs[1].layout.offset])
    )
  }

  private func config(_ name: String, _ configuration: MultistageConfiguration) -> DeviceConfig {
    var config = DeviceConfig(name: name, base: "ConvolutionProductDefaults")
    config.types = [("Element", CxxScalar.storageType(node.inputs[0].type.dtype))]
    config.constants =
      [
        ("kBatchRank", batchRank),
        ("kColumnMultiple", DeviceAlignment.powerOfTwo(Dimension(problem.filters), limit: 8)),
        ("kFirstAxis", problem.axes.firstIndex { !$0.isAbsent } ?? 2),
        ("kHasZeros", problem.axes.contains { $0.inputDilation > 1 } ? 1 : 0),
        ("kHasGroups", problem.groups > 1 ? 1 : 0),
      ] + configuration.constants + [("kAlignmentA", alignments.a), ("kAlignmentB", alignments.b)]
    return config
  }

  private var task: MatmulTask {
    let size = node.inputs[0].type.dtype.sizeInBytes
    let bytes = (node.outputs + node.epilogueInputs.map { node.inputs[$0] })
      .enumerated().filter { $0.offset < node.outputs.count || $0.element.type.rank > 1 }
      .reduce(0) { $0 + $1.element.type.dtype.sizeInBytes }
    var task = MatmulTask(
      element: node.inputs[0].type.dtype.rawValue,
      majors: ("k", "k"),
      // Of 16-bit elements.
      alignments: (alignments.a * size / 2, alignments.b * size / 2),
      columnMultiple: DeviceAlignment.powerOfTwo(Dimension(problem.filters), limit: 8),
      isConstantB: node.inputs[1].isConstant,
      hasEmptySums: problem.channels == 0,
      epilogueOperations: epilogueOperations,
      epilogueBytes: bytes,
      epilogue: "",
      extents: (
        loops.extents.dropLast().reduce(1, *), loops.extents[batchRank],
        Dimension(problem.filters), Dimension(problem.taps * problem.channels * size / 2)
      )
    )
    task.isGathered = true
    return task
  }
}

extension ConvolutionProblem.Axis {
  /// Whether there is one position of one element.
  fileprivate var isAbsent: Bool {
    input == 1 && output == 1 && taps == 1 && stride == 1 && padding == .init(0, 0)
  }
}
