import AITGraph
import AITKernels

/// The loops of a kernel on channels-last images: those over its result, `[N, D1, D2, D3, C]`, whose
/// first D are 1 where images have fewer axes.
package struct ImageLoops {
  package static let rank = 5

  private let node: NodeContext
  private let resultShape: Shape
  /// The operands that join the result.
  package let extras: [NodeContext.Operand]
  /// The extents of the result, and the strides of x, of the epilogue's operands and of the outputs.
  package let nest: LoopNest

  /// Whether the channels of x that a result has lie apart, whatever their stride.
  package let isSteppedAcross: Bool

  package init(_ node: NodeContext, steppedAcross isSteppedAcross: Bool = false) {
    self.isSteppedAcross = isSteppedAcross
    self.node = node
    resultShape = node.outputs[0].type.shape
    extras = node.epilogueInputs.map { node.inputs[$0] }
    let shape = resultShape
    let results = (extras + node.outputs).map { operand in
      Self.padded(LoopNest.strides(operand, over: shape), with: 0)
    }
    nest = LoopNest(
      extents: Self.padded(shape.dimensions, with: 1),
      strides: [Self.padded(node.inputs[0].layout.strides, with: 0)] + results
    )
  }

  /// A list for the axes of an image, or for all of `[N, …, C]`, with a filler for the D that there
  /// are not.
  package static func padded<Element>(_ list: [Element], with filler: Element) -> [Element] {
    let fillers = Array(repeating: filler, count: rank - list.count)
    return Array(list.prefix(1)) + fillers + list.dropFirst()
  }

  /// A number for each of three axes of an image.
  package static func axes<Element>(_ list: [Element], with filler: Element) -> [Element] {
    Array(repeating: filler, count: 3 - list.count) + list
  }

  /// The prelude's description of an operand by its place in the nest.
  package func operandType(_ index: Int, _ dtype: DType) -> String {
    isSteppedAcross && index == 0
      ? "ait::Operand<\(CxxScalar.storageType(dtype)), ait::Access::strided>"
      : nest.operandType(index, dtype, along: Self.rank - 1)
  }

  /// What follows extents and strides in the sizes of a kernel: x's extents along the axes.
  package var imageExtents: [Dimension] {
    let x = node.inputs[0].type.shape
    return Self.axes(Array(x.dimensions[1..<(x.rank - 1)]), with: 1)
  }

  /// The epilogue, or one that returns the result.
  package var epilogue: ScalarExpression {
    node.fusion.epilogue ?? .identity([node.inputs[0].type.dtype])
  }

  /// The call of a kernel that reads the operator's operands, then the extras.
  package func call(
    _ kernel: KernelSource,
    parameters: [Dimension],
    flops: Dimension,
    workspaceInBytes: Dimension = 0
  ) -> KernelCall {
    KernelCall(
      kernel: kernel,
      reads: node.inputs.indices.map { .input($0) },
      writes: node.outputs.indices.map { .output($0) },
      sizes: nest.sizes + imageExtents + parameters,
      workspaceInBytes: workspaceInBytes,
      flops: flops
        + resultShape.elementCount * Dimension(epilogue.expanded().operationCount)
    )
  }
}
