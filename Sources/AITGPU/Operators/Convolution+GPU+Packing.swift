import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// The operands of a convolution as the matrix units take them: pixels and taps whose channels lie side
/// by side in whole packets of 16 bytes, and filters that are a matrix.
///
/// Constant filters that lie otherwise, as PyTorch's do, are packed once. An image is packed into the
/// workspace at every run if its channels do not lie so, as those of the first layer: then both get
/// zeros as further channels. Where a packet has room for as many neighbours as windows are apart, it
/// holds these: ResNet's first layer then has 7 x 4 taps of 8 channels, not 7 x 7. Expected bound of
/// packing: memory, some bytes for each of the image.
struct PackedConvolution {
  /// The convolution of what is packed.
  let problem: ConvolutionProblem
  /// How filters are packed; nil if they lie well, or are not constant.
  let filters: KernelCall.Packing?
  /// The sizes by which the image is packed, and the bytes it then takes; nil if it lies well.
  let image: (sizes: [Dimension], sizeInBytes: Dimension)?

  init(_ problem: ConvolutionProblem, _ node: NodeContext) {
    let (x, weight) = (node.inputs[0], node.inputs[1])
    let size = x.type.dtype.sizeInBytes
    let packet = DeviceAlignment.widest / size
    func isAligned(_ strides: [Dimension]) -> Bool {
      strides.allSatisfy { DeviceAlignment.powerOfTwo($0, limit: packet) == packet }
    }
    let isWhole = problem.channels.isMultiple(of: packet)
    // More than one output may meet an element, and a packet is filled with zeros at most once.
    let liesWell =
      problem.imageStrides[4] == 1 && isWhole
      && isAligned([x.layout.offset] + problem.imageStrides.prefix(4))
    let packsImage =
      !liesWell && problem.groups == 1 && problem.channels > 0 && weight.isConstant
      && (size == 2 || size == 4)
    let last = problem.axes[2]
    // Windows that begin in the midst of a packet would need others.
    let fold =
      packsImage && last.stride > 1 && last.dilation == 1 && last.inputDilation == 1
        && packet % last.stride == 0 && packet / last.stride >= problem.channels ? last.stride : 1
    let pitch = packsImage ? (problem.channels + packet - 1) / packet * packet : problem.channels
    var axes = problem.axes
    var elementsBefore = 0
    if fold > 1 { (axes[2], elementsBefore) = last.grouped }
    let needsFilters =
      !problem.filtersAreMatrix || pitch != problem.channels
      || !isAligned([problem.filterStrides[0], weight.layout.offset])
    let packsFilters =
      needsFilters && weight.isConstant && pitch > 0 && pitch.isMultiple(of: packet)
      && (size == 2 || size == 4)
    guard packsImage || packsFilters else {
      (self.problem, filters, image) = (problem, nil, nil)
      return
    }
    let taps = axes.map { Dimension($0.taps) }
    let rows = Dimension(problem.groups * problem.filters)
    let depth = Dimension(pitch)
    let filterEnds = [fold, pitch / fold, elementsBefore, last.taps].map { Dimension($0) }
    let filterCount = axes.reduce(problem.groups * problem.filters) { $0 * $1.taps }
    filters =
      packsFilters
      ? KernelCall.Packing(
        kernel: DevicePacking.kernel(elementSize: size),
        sizes: Self.sizes([rows] + taps, problem.channels, problem.filterStrides, pitch: pitch)
          + filterEnds,
        sizeInBytes: filterCount * pitch * size,
        dtype: weight.type.dtype
      ) : nil
    let extents = axes.map(\.input)
    let imageEnds = [Dimension(fold), Dimension(pitch / fold), 0, last.input]
    image =
      packsImage
      ? (
        Self.sizes([problem.batch] + extents, problem.channels, problem.imageStrides, pitch: pitch)
          + imageEnds,
        extents.reduce(problem.batch * depth * Dimension(size), *)
      ) : nil
    self.problem = problem.moved(
      channels: pitch,
      axes: axes,
      image: packsImage ? Self.strides(extents, depth) : problem.imageStrides,
      filters: packsFilters ? Self.strides(taps, depth) : problem.filterStrides
    )
  }

  /// The sizes of a launch of `packRows` up to the pitch: three batch extents, K, N; their strides.
  private static func sizes(
    _ extents: [Dimension],
    _ channels: Int,
    _ strides: [Dimension],
    pitch: Int
  ) -> [Dimension] {
    extents.prefix(3) + [Dimension(channels), extents[3]] + strides.prefix(3)
      + [strides[4], strides[3], Dimension(pitch)]
  }

  /// Strides of a first axis, three more and channels without gaps.
  private static func strides(_ extents: [Dimension], _ pitch: Dimension) -> [Dimension] {
    var strides = [pitch, 1]
    for extent in extents.reversed() { strides.insert(strides[0] * extent, at: 0) }
    return strides
  }
}

extension ConvolutionProblem {
  /// Whether the filters are a matrix: a row for each, its taps and channels without gaps.
  var filtersAreMatrix: Bool {
    let extents = axes.map(\.taps) + [channels]
    var distance = 1
    for axis in extents.indices.reversed() {
      guard extents[axis] == 1 || filterStrides[axis + 1] == Dimension(distance) else {
        return false
      }
      distance *= extents[axis]
    }
    return true
  }
}
