import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// One pass over the elements (`reduce.h`).
///
/// Where the innermost axis is reduced, vectors lie along it; where it stays, vectors hold
/// neighbouring results. Bound by memory bandwidth.
struct ReductionLowering {
  let reducer: String
  let axes: [Int]
  let parameters: String
  let resultType: DType

  func lower(_ node: NodeContext, _ target: Target, keepsDimensions: Bool) throws(Diagnostic)
    -> [KernelCall]
  {
    let shape = try RowKernel.operandShape(node)
    let extras = node.epilogueInputs.map { node.inputs[$0] }
    let inputs = node.prologueInputs.map { node.inputs[$0] }
    let resultCount = node.resultOutputs.count
    let kept = (0..<shape.rank).filter { !axes.contains($0) }
    let resultShape = Shape(
      (0..<shape.rank).compactMap { axis in
        axes.contains(axis) ? (keepsDimensions ? 1 : nil) : shape[axis]
      }
    )
    func strides(_ operand: NodeContext.Operand, isResult: Bool) -> [Dimension] {
      guard isResult else { return LoopNest.strides(operand, over: shape) }
      let own = LoopNest.strides(operand, over: resultShape)
      return (0..<shape.rank).map { axis in
        if axes.contains(axis) { return 0 }
        return keepsDimensions ? own[axis] : own[kept.firstIndex(of: axis) ?? 0]
      }
    }
    var loops = LoopNest(
      extents: shape.dimensions,
      strides: inputs.map { strides($0, isResult: false) }
        + extras.map { strides($0, isResult: true) }
        + node.outputs.enumerated().map { strides($0.element, isResult: $0.offset < resultCount) }
    )
    loops.permute(kept + axes)
    var candidates = [
      try candidate(node, target, loops, keptCount: kept.count, extras, isAcross: false)
    ]
    if !kept.isEmpty && !axes.isEmpty {
      candidates.append(
        try candidate(node, target, loops, keptCount: kept.count, extras, isAcross: true)
      )
    }
    return candidates.fastest.map { [$0] } ?? []
  }

  /// The kernel with vectors along the last reduced axis, or across results along the last kept one.
  private func candidate(
    _ node: NodeContext,
    _ target: Target,
    _ loops: LoopNest,
    keptCount: Int,
    _ extras: [NodeContext.Operand],
    isAcross: Bool
  ) throws(Diagnostic) -> KernelCall {
    var rows = RowKernel(node, loops: loops, outerRank: keptCount, extras: extras)
    rows.collapse(keepsLastOuter: isAcross)
    try rows.check(target)
    let vectorAxis = isAcross ? rows.outerRank - 1 : rows.loops.rank - 1
    let dtype = node.fusion.prologue?.resultTypes[0] ?? node.inputs[0].type.dtype
    let epilogue = node.fusion.epilogue ?? .identity([resultType])
    let kernel = KernelSource(
      stem: "reduce_\(dtype.rawValue)",
      headers: ["ait/cpu/math.h", "ait/cpu/reduce.h"],
      definitions: parameters + "\n" + rows.prologue + "\n"
        + CxxScalar.body(named: "Epilogue", epilogue),
      statement: KernelText.call(
        isAcross ? "reduceAcross" : "reduce",
        ["ait::\(reducer)", "Parameters", "Prologue", "Epilogue"]
          + rows.operandPacks(along: vectorAxis)
          + ["\(rows.outerRank)", "\(rows.innerRank)", rows.exposes]
      ),
      configuration: isAcross ? "vectors across results" : "vectors along the reduced axis"
    )
    let cost = 1 + (node.fusion.prologue?.expanded().operationCount ?? 0)
    return rows.call(
      kernel,
      extraInputs: Array(node.epilogueInputs),
      flops: rows.loops.extents.reduce(1, *) * Dimension(cost),
      inPlace: false,
      seconds: rows.estimate(CPUCostModel(target), along: vectorAxis, operations: cost, passes: 1)
    )
  }
}

extension Reduce: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let dtype = node.fusion.prologue?.resultTypes[0] ?? node.inputs[0].type.dtype
    let name =
      switch kind {
      case .sum: "Sum"
      case .mean: "Mean"
      case .product: "Product"
      case .maximum: "Maximum"
      case .minimum: "Minimum"
      case .any: "Any"
      case .all: "All"
      case .logSumExp: "LogSumExp"
      case .variance: "Variance"
      case .norm: "Norm"
      }
    let isWidened = kind == .sum || kind == .product
    let resultType: DType =
      kind == .any || kind == .all ? .bool : isWidened && !dtype.isFloatingPoint ? .int64 : dtype
    let parameter: String? =
      switch kind {
      case .variance: "kCorrection = \(correction)"
      case .norm: "kOrder = \(Self.literal(order))"
      default: nil
      }
    let parameters =
      parameter.map { "struct Parameters {\n  static constexpr double \($0);\n};\n" }
      ?? "struct Parameters {};\n"
    return try ReductionLowering(
      reducer: name,
      axes: axes,
      parameters: parameters,
      resultType: resultType
    ).lower(node, target, keepsDimensions: keepsDimensions)
  }

  private static func literal(_ value: Double) -> String {
    value.isInfinite ? "\(value < 0 ? "-" : "")__builtin_huge_val()" : "\(value)"
  }
}

extension ArgReduce: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    try ReductionLowering(
      reducer: isMaximum ? "ArgMaximum" : "ArgMinimum",
      axes: [axis],
      parameters: "struct Parameters {};\n",
      resultType: .int64
    ).lower(node, target, keepsDimensions: keepsDimensions)
  }
}
