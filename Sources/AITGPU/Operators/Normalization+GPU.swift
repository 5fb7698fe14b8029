import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Rows are read once where the threads of a row can keep it (`normalize.h`); a residual is added
/// in the prologue, weight and bias join the epilogue.
///
/// Bound by memory bandwidth.
private struct DeviceNormalization {
  let kind: String
  let epsilon: Double
  let hasWeight: Bool
  let hasBias: Bool
  let axisCount: Int

  func lower(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall] {
    let shape = try Shape.broadcasting(node.prologueInputs.map { node.inputs[$0].type.shape })
    let extraInputs = Array(node.otherOperands) + Array(node.epilogueInputs)
    let extras = extraInputs.map { node.inputs[$0] }
    let loops = LoopNest(
      shape,
      node.prologueInputs.map { node.inputs[$0] } + extras + node.outputs
    )
    let rows = try DeviceRows(node, target, loops: loops, columnAxes: axisCount, extras: extras)
    let dtype = node.fusion.prologue?.resultTypes[0] ?? node.inputs[0].type.dtype
    let cost = 8 + (node.fusion.prologue?.operationCount ?? 0)
    return [
      rows.call(
        "normalize",
        leading: ["ait::Normalization::\(kind)", "Parameters"],
        definitions: """
          struct Parameters {
            static constexpr double kEpsilon = \(epsilon);
          };

          """,
        epilogue: epilogue(dtype, node.fusion.epilogue),
        extraInputs: extraInputs,
        flops: shape.elementCount * Dimension(cost)
      )
    ]
  }

  /// Weight, bias and the node's own epilogue as one expression of the normalised value.
  private func epilogue(_ dtype: DType, _ own: ScalarExpression?) -> ScalarExpression {
    let parameterCount = (hasWeight ? 1 : 0) + (hasBias ? 1 : 0)
    let extraTypes = own.map { Array($0.inputTypes.dropFirst()) } ?? []
    let types = [dtype] + Array(repeating: dtype, count: parameterCount) + extraTypes
    return ScalarExpression(inputs: types) { e, inputs in
      var value = inputs[0]
      if hasWeight { value = e.call(.multiply, value, inputs[1]) }
      if hasBias { value = e.call(.add, value, inputs[parameterCount]) }
      guard let own else { return [value] }
      return e.inline(own, [value] + inputs.dropFirst(1 + parameterCount))
    }
  }
}

extension LayerNorm: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    try DeviceNormalization(
      kind: "layer",
      epsilon: epsilon,
      hasWeight: hasWeight,
      hasBias: hasBias,
      axisCount: axisCount
    ).lower(node, target)
  }
}

extension RMSNorm: GPULowerable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    try DeviceNormalization(
      kind: "rms",
      epsilon: epsilon,
      hasWeight: hasWeight,
      hasBias: false,
      axisCount: axisCount
    ).lower(node, target)
  }
}
