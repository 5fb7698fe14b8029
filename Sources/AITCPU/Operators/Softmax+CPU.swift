import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// One pass for the maximum and the sum of exponentials, one that writes (`softmax.h`); scale and
/// mask run in the prologue. Along a strided axis, vectors lie across rows. Bound by memory
/// bandwidth for rows that leave the cache, by the exponential otherwise.
extension Softmax: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let shape = try RowKernel.operandShape(node)
    let extras = node.epilogueInputs.map { node.inputs[$0] }
    let operands = node.prologueInputs.map { node.inputs[$0] } + extras + node.outputs
    let loops = LoopNest(shape, operands)
    let last = shape.rank - 1
    var candidates = [
      try candidate(node, target, loops, shape, extras, isAcross: false)
    ]
    if axis != last {
      candidates.append(try candidate(node, target, loops, shape, extras, isAcross: true))
    }
    return candidates.fastest.map { [$0] } ?? []
  }

  /// The kernel with vectors along the axis, or across rows along the last one.
  private func candidate(
    _ node: NodeContext,
    _ target: Target,
    _ original: LoopNest,
    _ shape: Shape,
    _ extras: [NodeContext.Operand],
    isAcross: Bool
  ) throws(Diagnostic) -> KernelCall {
    let last = shape.rank - 1
    var loops = original
    let others = (0..<shape.rank).filter { $0 != axis && !(isAcross && $0 == last) }
    loops.permute(isAcross ? others + [last, axis] : others + [axis])
    var rows = RowKernel(node, loops: loops, outerRank: shape.rank - 1, extras: extras)
    rows.collapse(keepsLastOuter: isAcross)
    try rows.check(target)
    let vectorAxis = isAcross ? rows.outerRank - 1 : rows.loops.rank - 1
    let dtype = node.fusion.prologue?.resultTypes[0] ?? node.inputs[0].type.dtype
    let epilogue = node.fusion.epilogue ?? .identity([dtype])
    let kernel = KernelSource(
      stem: "softmax_\(dtype.rawValue)",
      headers: ["ait/cpu/math.h", "ait/cpu/softmax.h"],
      definitions: rows.prologue + "\n" + CxxScalar.body(named: "Epilogue", epilogue),
      statement: KernelText.call(
        isAcross ? "softmaxAcross" : "softmax",
        ["Prologue", "Epilogue"] + rows.operandPacks(along: vectorAxis)
          + ["\(rows.outerRank)", isLogarithmic ? "true" : "false", rows.exposes]
      ),
      configuration: isAcross ? "vectors across rows" : "vectors along rows"
    )
    let prologueCost = node.fusion.prologue?.expanded().operationCount ?? 0
    let cost = 40 + prologueCost + epilogue.expanded().operationCount
    return rows.call(
      kernel,
      extraInputs: Array(node.epilogueInputs),
      flops: shape.elementCount * Dimension(cost),
      inPlace: !node.fusion.exposesPrologue,
      seconds: rows.estimate(
        CPUCostModel(target),
        along: vectorAxis,
        operations: cost,
        passes: isAcross ? 3 : 1
      )
    )
  }
}
