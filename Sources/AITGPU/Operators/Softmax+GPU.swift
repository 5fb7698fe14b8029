import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Rows are read once where the threads of a row can keep it (`softmax.h`); scale and mask run in
/// the prologue.
///
/// Bound by memory bandwidth.
extension Softmax: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let shape = try Shape.broadcasting(node.prologueInputs.map { node.inputs[$0].type.shape })
    let extras = node.epilogueInputs.map { node.inputs[$0] }
    var loops = LoopNest(
      shape,
      node.prologueInputs.map { node.inputs[$0] } + extras + node.outputs
    )
    loops.permute((0..<shape.rank).filter { $0 != axis } + [axis])
    let rows = try DeviceRows(node, target, loops: loops, columnAxes: 1, extras: extras)
    let dtype = node.fusion.prologue?.resultTypes[0] ?? node.inputs[0].type.dtype
    let cost = 8 + (node.fusion.prologue?.expanded().operationCount ?? 0)
    return [
      rows.call(
        "softmax",
        leading: [isLogarithmic ? "true" : "false"],
        definitions: "",
        epilogue: node.fusion.epilogue ?? .identity([dtype]),
        extraInputs: Array(node.epilogueInputs),
        flops: shape.elementCount * Dimension(cost)
      )
    ]
  }
}
