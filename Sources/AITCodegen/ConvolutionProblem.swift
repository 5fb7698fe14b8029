import AITGraph
import AITKernels
import AITOperators

/// A convolution as the prelude's templates see it: images of three spatial axes, of which an image
/// of fewer lacks the first.
package struct ConvolutionProblem {
  /// One spatial axis.
  package struct Axis {
    package fileprivate(set) var input: Dimension = 1
    package fileprivate(set) var output: Dimension = 1
    package fileprivate(set) var taps = 1
    package fileprivate(set) var stride = 1
    package fileprivate(set) var dilation = 1
    package fileprivate(set) var inputDilation = 1
    package fileprivate(set) var padding = Convolution.Padding(0, 0)

    /// The same windows over groups of `stride` elements, with as many elements in front of the first
    /// tap as fill up the first group.
    package var grouped: (axis: Self, elementsBefore: Int) {
      var axis = self
      let before = padding.before
      let groupsBefore = before >= 0 ? (before + stride - 1) / stride : -(-before / stride)
      let elementsBefore = groupsBefore * stride - before
      axis.input = (input + Dimension(stride - 1)).floorDivided(by: Dimension(stride))
      axis.taps = (taps + elementsBefore + stride - 1) / stride
      axis.stride = 1
      axis.padding = Convolution.Padding(groupsBefore, padding.after)
      return (axis, elementsBefore)
    }
  }

  package let batch: Dimension
  package let groups: Int
  /// The channels of a group.
  package private(set) var channels: Int
  /// The filters of a group.
  package let filters: Int
  package private(set) var axes: [Axis]
  /// Strides of the image, then of the filters: n or o, three spatial axes, c.
  package private(set) var imageStrides: [Dimension]
  package private(set) var filterStrides: [Dimension]
  /// The same of each extra, then of each output.
  package let operandStrides: [[Dimension]]
  private let extras: [NodeContext.Operand]
  private let outputs: [NodeContext.Operand]

  package init(_ op: Convolution, _ node: NodeContext) {
    let (x, weight) = (node.inputs[0], node.inputs[1])
    let shape = node.outputs[0].type.shape
    let rank = op.spatialRank
    let known = weight.type.shape.dimensions.map { $0.constant ?? 0 }
    batch = x.type.shape[0]
    groups = op.groups
    channels = known[rank + 1]
    filters = known[0] / op.groups
    extras = node.epilogueInputs.map { node.inputs[$0] }
    outputs = node.outputs
    axes =
      Array(repeating: Axis(), count: 3 - rank)
      + (0..<rank).map { axis in
        Axis(
          input: x.type.shape[axis + 1],
          output: shape[axis + 1],
          taps: known[axis + 1],
          stride: op.stride[axis],
          dilation: op.dilation[axis],
          inputDilation: op.inputDilation[axis],
          padding: op.padding[axis]
        )
      }
    func withAllAxes(_ strides: [Dimension]) -> [Dimension] {
      [strides[0]] + Array(repeating: 0, count: 3 - rank) + strides.dropFirst()
    }
    imageStrides = withAllAxes(x.layout.strides)
    filterStrides = withAllAxes(weight.layout.strides)
    operandStrides = (extras + outputs).map { withAllAxes(LoopNest.strides($0, over: shape)) }
  }

  /// The same of operands that lie elsewhere, with as many channels and such axes.
  package func moved(channels: Int, axes: [Axis], image: [Dimension], filters: [Dimension]) -> Self
  {
    var result = self
    result.axes = axes
    (result.channels, result.imageStrides, result.filterStrides) = (channels, image, filters)
    return result
  }

  package var taps: Int { axes.reduce(1) { $0 * $1.taps } }

  /// Whether each channel has a filter of its own.
  package var isDepthwise: Bool { groups > 1 && channels == 1 && filters == 1 }

  /// Whether every tap of every output meets an element of the image.
  package var isInside: Bool {
    axes.allSatisfy {
      $0.inputDilation == 1 && $0.padding.before <= 0 && $0.padding.after <= 0
    }
  }

  /// What is slid over what: the sizes up to the strides of the filters.
  package var geometrySizes: [Dimension] {
    let counts = [batch, Dimension(channels), Dimension(filters), Dimension(groups)]
    let spatial = axes.flatMap { axis -> [Dimension] in
      [
        axis.input, axis.output, Dimension(axis.taps), Dimension(axis.stride),
        Dimension(axis.dilation), Dimension(axis.inputDilation), Dimension(axis.padding.before),
      ]
    }
    return counts + spatial + imageStrides + filterStrides
  }

  /// The sizes of a kernel; see `conv::Sizes` of the prelude.
  package var sizes: [Dimension] { geometrySizes + operandStrides.flatMap { $0 } }

  /// Those by which filters are packed, which depend on nothing that a run decides.
  package var packingSizes: [Dimension] {
    let spatial = axes.flatMap { axis -> [Dimension] in [1, 1, Dimension(axis.taps), 1, 1, 1, 0] }
    return [1, Dimension(channels), Dimension(filters), Dimension(groups)] + spatial
      + Array(repeating: 0, count: 5) + filterStrides
  }

  private func operandType(_ operand: NodeContext.Operand, _ index: Int) -> String {
    let stride = operandStrides[index][4]
    let isOne = groups * filters == 1
    let access = stride == 1 || isOne ? "contiguous" : stride == 0 ? "uniform" : "strided"
    return "ait::Operand<\(CxxScalar.storageType(operand.type.dtype)), ait::Access::\(access)>"
  }

  /// The prelude's descriptions of the extras.
  package var extraTypes: [String] {
    extras.enumerated().map { operandType($0.element, $0.offset) }
  }

  /// The prelude's descriptions of the outputs.
  package var outputTypes: [String] {
    outputs.enumerated().map { operandType($0.element, extras.count + $0.offset) }
  }
}
