import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Register tiles of neighbouring outputs by packed filters, over windows of the image that are
/// copied with their padding (`convolution.h`); vectors along the channels where each has a filter
/// of its own (`convolution_depthwise.h`), blocks of neighbouring outputs where its taps are few
/// (`convolution_depthwise_blocks.h`); patches of outputs by fewer products where that is faster
/// (`WinogradConvolution`). The epilogue runs on the accumulators.
///
/// Constant filters are packed once; others when the kernel begins, into its workspace. An image
/// that no tap leaves is read in place if it is float32 or float64 with adjacent channels. Expected
/// bound: FMA throughput; for depthwise convolutions the bandwidth of the caches.
extension Convolution: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let problem = ConvolutionProblem(self, node)
    // The runs of a window have a place of fixed size in each thread's scratch memory.
    let maximumTaps = 160 * 1024 / 24
    guard problem.taps <= maximumTaps else {
      throw node.unsupported(target, "its filters have more than \(maximumTaps) taps")
    }
    let dtype = node.inputs[0].type.dtype
    let storage = CxxScalar.storageType(dtype)
    let winograd = WinogradConvolution(problem, node, target)
    let packing = winograd?.packing() ?? packing(problem, node.inputs[1], target)
    let isConstant = node.inputs[1].isConstant && packing.sizeInBytes > 0
    let isAdjacent = problem.imageStrides[4] == 1 || problem.groups * problem.channels == 1
    let isInPlace = problem.isInside && isAdjacent && dtype.sizeInBytes >= 4
    let isDepthwise = problem.isDepthwise
    let config =
      "ait::ConvolutionConfig<\(storage), \(storage), "
      + "ait::Filters::\(isConstant ? "packed" : "strided")"
      + (isInPlace && !isDepthwise ? ", ait::Image::inPlace>" : ">")
    let epilogue = node.fusion.epilogue ?? .identity([dtype])
    let access = isAdjacent ? "ait::Access::contiguous" : "ait::Access::strided"
    let blocks = isAdjacent ? Self.depthwiseBlocks(problem) : nil
    let stem = winograd != nil ? "winograd_" : isDepthwise ? "depthwise_" : ""
    let header =
      winograd != nil
      ? "_winograd" : blocks != nil ? "_depthwise_blocks" : isDepthwise ? "_depthwise" : ""
    let kernel = KernelSource(
      stem: "\(stem)convolution_\(dtype.rawValue)",
      headers: ["ait/cpu/math.h", "ait/cpu/convolution\(header).h"],
      definitions: CxxScalar.body(named: "Epilogue", epilogue),
      statement: winograd?.statement()
        ?? KernelText.call(
          blocks != nil
            ? "depthwiseBlocksConvolution" : isDepthwise ? "depthwiseConvolution" : "convolution",
          [config] + (blocks ?? (isDepthwise ? [access] : [])) + [
            "Epilogue", KernelText.pack("Inputs", problem.extraTypes),
            KernelText.pack("Outputs", problem.outputTypes),
          ]
        ),
      configuration: winograd.map { "patches of \($0.outputs) x \($0.outputs) outputs" }
        ?? (isConstant ? "filters packed" : "filters packed in each run")
        + (isDepthwise ? "" : isInPlace ? ", image in place" : ", image in windows")
        + (isAdjacent ? "" : ", its channels apart")
    )
    let flops =
      operationCount(node.inputs.prefix(2).map(\.type), results: node.outputs.map(\.type))
      + node.outputs[0].type.shape.elementCount
      * Dimension(node.fusion.epilogue?.expanded().operationCount ?? 0)
    return [
      KernelCall(
        kernel: kernel,
        reads: [.input(0), isConstant ? .packed(1, packing) : .input(1)]
          + node.epilogueInputs.map { .input($0) },
        writes: node.outputs.indices.map { .output($0) },
        sizes: problem.sizes,
        workspaceInBytes: isConstant ? 0 : Dimension(packing.sizeInBytes),
        flops: flops,
        estimatedSeconds: CPUCostModel(target).product(
          flops: flops,
          weightBytes: node.inputs[1].type.sizeInBytes,
          isPacked: isConstant
        )
      )
    ]
  }

  /// The template arguments of depthwise convolutions in blocks, if one is: taps and stride along the
  /// last axis.
  private static func depthwiseBlocks(_ problem: ConvolutionProblem) -> [String]? {
    let axis = problem.axes[2]
    guard problem.isDepthwise, [3, 5, 7].contains(axis.taps), (1...2).contains(axis.stride),
      axis.dilation == 1, axis.inputDilation == 1,
      max(axis.padding.before, axis.padding.after) < axis.taps
    else { return nil }
    return ["\(axis.taps)", "\(axis.stride)"]
  }

  /// How filters are packed: ahead of time if they are constant.
  private func packing(
    _ problem: ConvolutionProblem,
    _ weight: NodeContext.Operand,
    _ target: Target
  ) -> KernelCall.Packing {
    let dtype = weight.type.dtype
    let storage = CxxScalar.storageType(dtype)
    let width = MatMul.panelWidth(dtype, target)
    let isDepthwise = problem.isDepthwise
    let panels = (problem.filters + width - 1) / width
    let kernel = KernelSource(
      stem: "pack_\(isDepthwise ? "depthwise_" : "")filters_\(dtype.rawValue)",
      headers: ["ait/cpu/convolution_pack.h"],
      definitions: isDepthwise
        ? ""
        : "static_assert(ait::MatmulTile<ait::Accumulator<\(storage), \(storage)>>::kColumns == \(width));",
      statement: isDepthwise
        ? "ait::packDepthwiseFilters<\(storage)>(context);"
        : "ait::packFilters<\(storage), \(width)>(context);",
      configuration: isDepthwise ? "tap after tap" : "panels of \(width)"
    )
    let elements =
      problem.taps * problem.groups * (isDepthwise ? 1 : panels * width * problem.channels)
    return KernelCall.Packing(
      kernel: kernel,
      sizes: problem.packingSizes,
      sizeInBytes: elements * dtype.sizeInBytes,
      dtype: dtype
    )
  }
}
