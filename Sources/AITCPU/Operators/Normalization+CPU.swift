import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Rows are read once for their statistics and once to be normalised (`normalize.h`), and so are groups
/// of channels that lie side by side (`normalize_groups.h`); a residual is added in the prologue, weight
/// and bias join the epilogue.
///
/// Bound by memory bandwidth.
struct NormalizationLowering {
  enum Kind: String {
    case layer, rms
  }

  let kind: Kind
  let epsilon: Double
  let hasWeight: Bool
  let hasBias: Bool

  /// The call for loops over `outer` and `inner` axes, which together have the elements of x.
  ///
  /// `strides` gives an operand's strides over those axes, for operands of x's shape and, with
  /// `isParameter`, for weight and bias. With `groupedColumns`, so many neighbouring columns, along the
  /// last inner axis, are normalised together.
  func lower(
    _ node: NodeContext,
    _ target: Target,
    outer: [Dimension],
    inner: [Dimension],
    groupedColumns: Int? = nil,
    strides: (NodeContext.Operand, _ isParameter: Bool) -> [Dimension]
  ) throws(Diagnostic) -> [KernelCall] {
    let parameters = node.otherOperands.map { node.inputs[$0] }
    let joined = node.epilogueInputs.map { node.inputs[$0] }
    let inputs = node.prologueInputs.map { node.inputs[$0] }
    let loops = LoopNest(
      extents: outer + inner,
      strides: inputs.map { strides($0, false) } + parameters.map { strides($0, true) }
        + (joined + node.outputs).map { strides($0, false) }
    )
    var rows = RowKernel(
      node,
      loops: loops,
      outerRank: outer.count,
      extras: parameters + joined
    )
    rows.collapse(keepsLastInner: groupedColumns != nil)
    try rows.check(target)
    let dtype = node.fusion.prologue?.resultTypes[0] ?? node.inputs[0].type.dtype
    let epilogue = epilogue(dtype, node.fusion.epilogue)
    let channels = groupedColumns.map { "  static constexpr int64_t kChannels = \($0);\n" } ?? ""
    let parametersText = """
      struct Parameters {
        static constexpr double kEpsilon = \(epsilon);
      \(channels)};

      """
    let kernel = KernelSource(
      stem: "\(type(of: node.op).name)_\(dtype.rawValue)",
      headers: [
        "ait/cpu/math.h",
        groupedColumns == nil ? "ait/cpu/normalize.h" : "ait/cpu/normalize_groups.h",
      ],
      definitions: parametersText + "\n" + rows.prologue + "\n"
        + CxxScalar.body(named: "Epilogue", epilogue),
      statement: KernelText.call(
        groupedColumns == nil ? "normalize" : "normalizeGroups",
        (groupedColumns == nil ? ["ait::Normalization::\(kind)"] : [])
          + ["Parameters", "Prologue", "Epilogue"]
          + rows.operandPacks(along: rows.loops.rank - 1)
          + ["\(rows.outerRank)", "\(rows.innerRank)", rows.exposes]
      ),
      configuration: groupedColumns.map { "groups of \($0) columns" }
        ?? "rows of \(rows.innerRank) axes"
    )
    let elements = (outer + inner).reduce(1, *)
    let cost = 8 + (node.fusion.prologue?.operationCount ?? 0) + epilogue.expanded().operationCount
    return [
      rows.call(
        kernel,
        extraInputs: Array(node.otherOperands) + Array(node.epilogueInputs),
        flops: elements * Dimension(cost),
        inPlace: !node.fusion.exposesPrologue,
        seconds: rows.estimate(
          CPUCostModel(target),
          along: rows.loops.rank - 1,
          operations: cost,
          passes: groupedColumns == nil ? 1 : 2
        )
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

extension LayerNorm: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    try NormalizationLowering(
      kind: .layer,
      epsilon: epsilon,
      hasWeight: hasWeight,
      hasBias: hasBias
    ).lowerTrailingAxes(node, target, axisCount: axisCount)
  }
}

extension RMSNorm: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    try NormalizationLowering(kind: .rms, epsilon: epsilon, hasWeight: hasWeight, hasBias: false)
      .lowerTrailingAxes(node, target, axisCount: axisCount)
  }
}

extension NormalizationLowering {
  func lowerTrailingAxes(_ node: NodeContext, _ target: Target, axisCount: Int)
    throws(Diagnostic) -> [KernelCall]
  {
    let shape = try RowKernel.operandShape(node)
    let split = shape.rank - axisCount
    return try lower(
      node,
      target,
      outer: Array(shape.dimensions[..<split]),
      inner: Array(shape.dimensions[split...])
    ) { operand, _ in LoopNest.strides(operand, over: shape) }
  }
}

/// The channel axis splits into groups and the channels of one. Samples and groups are the rows; or,
/// where channels lie side by side, groups are columns of the pixels.
extension GroupNorm: CPULowerable {
  /// Channels of a group, at most, that are columns: what the scratch memory has room for.
  private static let mostColumns = 8192

  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let shape = node.inputs[0].type.shape
    let channels = (shape[1].constant ?? groupCount) / groupCount
    let spatial = Array(shape.dimensions.dropFirst(2))
    let lowering = NormalizationLowering(
      kind: .layer,
      epsilon: epsilon,
      hasWeight: hasWeight,
      hasBias: hasBias
    )
    if channels <= Self.mostColumns, isChannelsLast(node, shape) {
      return try lowering.lower(
        node,
        target,
        outer: [shape[0]],
        inner: spatial + [shape[1]],
        groupedColumns: channels
      ) { operand, isParameter in
        if isParameter { return [0] + spatial.map { _ in 0 } + [operand.layout.strides[0]] }
        let own = LoopNest.strides(operand, over: shape)
        return [own[0]] + Array(own.dropFirst(2)) + [own[1]]
      }
    }
    return try lowering.lower(
      node,
      target,
      outer: [shape[0], Dimension(groupCount)],
      inner: [Dimension(channels)] + spatial
    ) { operand, isParameter in
      if isParameter {
        let stride = operand.layout.strides[0]
        return [0, stride * Dimension(channels), stride] + spatial.map { _ in 0 }
      }
      let own = LoopNest.strides(operand, over: shape)
      return [own[0], own[1] * Dimension(channels), own[1]] + Array(own.dropFirst(2))
    }
  }

  /// Whether what is read and what is written have a pixel's channels side by side, and not a
  /// channel's pixels.
  private func isChannelsLast(_ node: NodeContext, _ shape: Shape) -> Bool {
    guard shape.rank > 2 else { return false }
    let operands = [node.inputs[node.prologueInputs[0]], node.outputs[0]]
    return operands.allSatisfy {
      let own = LoopNest.strides($0, over: shape)
      return own[1] == 1 && own[shape.rank - 1] != 1
    }
  }
}
