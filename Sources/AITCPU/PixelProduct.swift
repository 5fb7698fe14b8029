import AITCodegen
import AITGraph
import AITKernels
import AITOperators

extension MatMul {
  /// The product of the pixels of images by a constant matrix, as a convolution of one tap.
  ///
  /// It reads pixels where they lie (`convolution.h`): there is nothing to pack, and rows of an image
  /// are cut into even tiles. Measured on Zen 4, layers of MobileNetV3 and ResNet-50 that have
  /// no more results than channels take 62 to 100 % of the time of a product; with more results,
  /// packing costs less, and both take as long.
  ///
  /// Nil for others, and unless images are float32 with adjacent channels and rows of seven pixels
  /// or more, at least 32 pixels in all, so that no run has few rows.
  func pixelConvolution(_ node: NodeContext) -> (op: Convolution, node: NodeContext)? {
    let (image, matrix) = (node.inputs[0], node.inputs[1])
    let shape = image.type.shape
    guard !transposeA, image.type.dtype == .float32, shape.rank == 4, matrix.type.rank == 2,
      matrix.isConstant, image.layout.strides[3] == 1, shape[2].lowerBound >= 7,
      (shape[1] * shape[2]).lowerBound >= 32
    else { return nil }
    let (columns, inner) = transposeB ? (0, 1) : (1, 0)
    let extents = matrix.type.shape
    guard (extents[inner] - extents[columns]).lowerBound >= 0 else { return nil }
    var layout = matrix.layout
    layout.strides = [layout.strides[columns], 0, 0, layout.strides[inner]]
    let filters = NodeContext.Operand(
      type: TensorType(matrix.type.dtype, Shape([extents[columns], 1, 1, extents[inner]])),
      layout: layout,
      isConstant: true
    )
    let op = Convolution(stride: [1, 1])
    var pixels = NodeContext(
      name: node.name,
      op: op,
      fusion: node.fusion,
      inputs: [image, filters] + node.inputs.dropFirst(2),
      outputs: node.outputs
    )
    pixels.numerics = node.numerics
    return (op, pixels)
  }
}
