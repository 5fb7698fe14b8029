import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Convolutions on the matrix units (`convolution_hopper.h`, `convolution_product.h`): tiles as the
/// model of products has them for a product of outputs by filters.
extension DeviceConvolution {
  /// Kernels of a convolution for one library: each takes a second to compile.
  private static let limit = 2

  /// The kernels by the number of outputs; nil if the matrix units do not take the elements, or what
  /// is copied does not lie as they need it.
  var productParts: [Part]? {
    let dtype = node.inputs[0].type.dtype
    let isTensorFloat = dtype == .float32 && node.numerics.allowsTF32
    guard [.float16, .bfloat16].contains(dtype) || isTensorFloat, problem.filtersAreMatrix,
      problem.imageStrides[4] == 1 || problem.channels * problem.groups == 1
    else { return nil }
    // Architectures with warp groups have kernels of their own.
    let groups = [target.gpus.filter { $0 == .sm90a }, target.gpus.filter { $0 != .sm90a }]
      .filter { !$0.isEmpty }
    guard task.suitsHopper && groups.count > 1 else {
      let parts = parts(for: target.gpus, isLastGroup: true, first: 0)
      return parts.isEmpty ? nil : parts
    }
    let first = parts(for: groups[0], isLastGroup: false, first: 0)
    return first + parts(for: groups[1], isLastGroup: true, first: first.count)
  }

  /// The kernels for some architectures, told apart from others of the target by the first.
  ///
  /// - Parameters:
  ///   - group: the architectures.
  ///   - isLastGroup: whether they are taken where no others were.
  ///   - first: the number of kernels before these.
  /// - Returns: a kernel, or those by the number of outputs; none if the matrix units take none.
  private func parts(for group: [Target.CUDA], isLastGroup: Bool, first: Int) -> [Part] {
    let choice = MatmulChoice(task, on: DeviceFacts.of(group, named: nil), limit: Self.limit)
    let isAlone = group.count == target.gpus.count
    return choice.parts.enumerated().compactMap { index, part -> Part? in
      let number = first + index
      let name = "Product\(number == 0 ? "" : String(number + 1))"
      var conditions: [String] = []
      if !isLastGroup, let place = target.gpus.firstIndex(of: group[0]) {
        conditions.append("context.queue->architecture() == \(place)")
      }
      if index + 1 < choice.parts.count {
        conditions.append("context.sizes[\(batchRank)] <= \(part.rows)")
      }
      var result: Part
      switch part.candidate {
      case .hopper(let configuration):
        result = Part(
          template: "ConvolutionHopper",
          header: "convolution_hopper",
          config: config(name, configuration),
          configuration: part.candidate.label,
          blocks: "\(name)::kBlocksPerMultiprocessor",
          clusterSize: "ait::ConvolutionHopperShape<\(name)>::kClusterSize"
        )
      case .multistage(let configuration):
        result = Part(
          template: "ConvolutionProduct",
          header: "convolution_product",
          config: config(name, configuration),
          configuration: part.candidate.label,
          blocks: "1"
        )
      case .fewRows: return nil
      }
      result.architectures = isAlone || group.count > 1 ? Target.CUDA.allCases : group
      result.condition = conditions.isEmpty ? nil : conditions.joined(separator: " && ")
      return result
    }
  }

  /// Whether Hopper's copy engine can gather the pixels: no groups, no zeros between elements, corners
  /// and offsets that fit their bits, and channels that fill the steps of 64 by two thirds at least, as
  /// warp groups are faster than warps by as much.
  private var isOfPixels: Bool {
    let step = HopperConfiguration.stepK
    let steps = (problem.channels + step - 1) / step
    guard problem.groups == 1, node.inputs[0].type.dtype.sizeInBytes == 2,
      3 * problem.channels >= 2 * steps * step, problem.batch.range.lowerBound > 0
    else { return false }
    let axes = problem.axes.drop { $0.isAbsent }
    let limit = axes.count <= 1 ? 1 << 15 : axes.count == 2 ? 1 << 7 : 1 << 4
    return axes.allSatisfy { axis in
      // How far a line's last pixel lies behind the image, whatever is left of a stride.
      let reach = (axis.taps - 1) * axis.dilation
      let end = axis.padding.after - reach
      return axis.inputDilation == 1 && axis.stride <= 8 && reach < 2 * limit
        && axis.padding.before <= limit && axis.padding.before > -limit && end < limit
        && end - axis.stride >= -limit && axis.input.range.lowerBound > 0
    }
  }

  /// The elements of 16 bytes.
  private var packet: Int { DeviceAlignment.widest / node.inputs[0].type.dtype.sizeInBytes }

  private var alignments: (a: Int, b: Int) {
    func alignment(_ strides: [Dimension]) -> Int {
      strides.map { DeviceAlignment.powerOfTwo($0, limit: packet) }.min() ?? packet
    }
    return (
      alignment(
        [Dimension(problem.channels)] + problem.imageStrides.prefix(4)
          + (packed?.image == nil ? [node.inputs[0].layout.offset] : [])
      ),
      alignment(
        [problem.filterStrides[0]]
          + (packed?.filters == nil ? [node.inputs[1].layout.offset] : [])
      )
    )
  }

  private func config(_ name: String, _ configuration: HopperConfiguration) -> DeviceConfig {
    var config = DeviceConfig(name: name, base: "ConvolutionHopperDefaults")
    config.types = [("Element", CxxScalar.storageType(node.inputs[0].type.dtype))]
    config.constants =
      [
        ("kBatchRank", batchRank),
        ("kColumnMultiple", DeviceAlignment.powerOfTwo(Dimension(problem.filters), limit: 8)),
        ("kFirstAxis", min(2, problem.axes.firstIndex { !$0.isAbsent } ?? 2)),
        ("kIsConstantB", node.inputs[1].isConstant ? 1 : 0),
      ] + configuration.constants
    return config
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
    task.isOfPixels = isOfPixels
    return task
  }
}

extension ConvolutionProblem.Axis {
  /// Whether there is one position of one element.
  fileprivate var isAbsent: Bool {
    input == 1 && output == 1 && taps == 1 && stride == 1 && padding == .init(0, 0)
  }
}
