import AITGraph
import AITKernels
import AITOperators

// What kernels of boxes of images are told on every target.
extension RoIAlign {
  package var kernelDefinitions: String {
    """
    struct Boxes {
      static constexpr double kScale = \(scale);
      static constexpr int kSamples = \(sampling);
      static constexpr bool kIsAligned = \(isAligned);
      static constexpr bool kIsPerPosition = \(isPerPosition);
    };

    """
  }

  package func kernelArguments(_ node: NodeContext) -> [String] {
    ["Boxes"] + node.otherOperands.map { CxxScalar.storageType(node.inputs[$0].type.dtype) }
  }

  /// The strides of the boxes and of the images' indices, and the number of images.
  package func kernelSizes(_ node: NodeContext) -> [Dimension] {
    node.otherOperands.flatMap { node.inputs[$0].layout.strides } + [node.inputs[0].type.shape[0]]
  }
}
