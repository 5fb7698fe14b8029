import AITGraph
import AITOperators

/// Computes a convolution whose windows lie side by side, as a product of patches by filters, where an
/// image has few channels: the first layer of a vision transformer.
///
/// ```
/// y = convolution(x, w) {stride: [4, 4]} : float32[2, 3, 5, 96]
/// ```
/// becomes, where the image is `float32[2, 12, 20, 3]` and the filters `float32[96, 4, 4, 3]`,
/// ```
/// a = reshape(x) {shape: [2, 3, 4, 5, 4, 3]} : float32[2, 3, 4, 5, 4, 3]
/// b = permute(a) {permutation: [0, 1, 3, 2, 4, 5]} : float32[2, 3, 5, 4, 4, 3]
/// p = reshape(b) {shape: [2, 3, 5, 48]} : float32[2, 3, 5, 48]
/// v = reshape(w) {shape: [96, 48]} : float32[96, 48]
/// y = matmul(p, v) {transpose_b: true} : float32[2, 3, 5, 96]
/// ```
///
/// Every element of the image is read once, so gathering it as patches is a copy like that which the
/// image may need to have its channels side by side, and the product has no channels to fill up. With
/// many channels a convolution gathers as fast as a product reads. Elements of a patch keep the order
/// that the image has in memory: channels come first where it is a permute of PyTorch's `[n, c, h, w]`.
///
/// Runs first of all, before anything is fused. Visits each node once.
package struct PatchRecognition: GraphPass {
  package static let name = "patch-recognition"

  /// The channels from which on a convolution gathers whole packets.
  private static let manyChannels = 16

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    for id in graph.sortedNodes() where graph.contains(id) {
      guard let convolution = graph[id].op as? Convolution, graph[id].fusion.isEmpty else {
        continue
      }
      try replace(id, convolution, in: &graph)
    }
  }

  private func replace(_ id: NodeID, _ op: Convolution, in graph: inout Graph) throws(Diagnostic) {
    let node = graph[id]
    let (image, filters) = (graph[node.inputs[0]].type.shape, graph[node.inputs[1]].type.shape)
    let result = graph[node.outputs[0]].type.shape
    let axes = 1...op.spatialRank
    let channels = image.rank - 1
    guard op.groups == 1, let count = image[channels].constant, count < Self.manyChannels,
      axes.contains(where: { filters[$0] != 1 }),
      axes.allSatisfy({ axis in
        op.padding[axis - 1] == .init(0, 0) && op.inputDilation[axis - 1] == 1
          && (op.dilation[axis - 1] == 1 || filters[axis] == 1)
          && filters[axis] == Dimension(op.stride[axis - 1])
          && result[axis] * filters[axis] == image[axis]
      })
    else { return }
    // n, (patches, elements of a patch) of each axis, c.
    let divided = [image[0]] + axes.flatMap { [result[$0], filters[$0]] } + [image[channels]]
    let patches = axes.map { 2 * $0 - 1 }
    let elements = patches.map { $0 + 1 }
    let isChannelsFirst =
      graph.plainProducer(of: node.inputs[0], Permute.self)?.op.permutation.last == 1
    let last = divided.count - 1
    let order = [0] + patches + (isChannelsFirst ? [last] + elements : elements + [last])
    let depth = axes.reduce(image[channels]) { $0 * filters[$1] }
    let parts = try graph.addView(Reshape(Shape(divided)), of: node.inputs[0], like: id)
    let gathered = try graph.addView(Permute(order), of: parts, like: id)
    let rows = try graph.addView(
      Reshape(Shape(result.dimensions.dropLast() + [depth])),
      of: gathered,
      like: id
    )
    let ordered = try graph.addView(
      Permute(isChannelsFirst ? [0, channels] + axes : Array(0...channels)),
      of: node.inputs[1],
      like: id
    )
    let columns = try graph.addView(Reshape([filters[0], depth]), of: ordered, like: id)
    try graph.replace(id, with: MatMul(transposeB: true), [rows, columns])
  }
}
