import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// One loop nest over all operands (`pointwise.h`): vectors along the innermost axis, threads over
/// chunks of the others. Bound by memory bandwidth but for long chains of exponentials.
extension Pointwise: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let shape = node.outputs[0].type.shape
    let operands = node.inputs + node.outputs
    var nest = LoopNest(shape, operands)
    nest.sort(by: node.inputs.count)
    nest.collapse()
    guard nest.rank <= LoopNest.maximumRank else {
      throw node.unsupported(target, "its loops do not join to \(LoopNest.maximumRank) or fewer")
    }
    let model = CPUCostModel(target)
    let candidates = [vectorLoop(node, nest, model), transposingCopy(node, nest, model)]
    return candidates.compactMap { $0 }.fastest.map { [$0] } ?? []
  }

  /// Vectors along the innermost axis.
  private func vectorLoop(_ node: NodeContext, _ nest: LoopNest, _ model: CPUCostModel)
    -> KernelCall
  {
    let inner = nest.rank - 1
    let inputs = node.inputs.enumerated().map { index, operand in
      nest.operandType(index, operand.type.dtype, along: inner)
    }
    let outputs = node.outputs.enumerated().map { index, operand in
      nest.operandType(node.inputs.count + index, operand.type.dtype, along: inner)
    }
    let kernel = KernelSource(
      stem: "pointwise_\(stemTypes(node))",
      headers: ["ait/cpu/math.h", "ait/cpu/pointwise.h"],
      definitions: CxxScalar.body(named: "Body", body),
      statement: KernelText.call(
        "pointwise",
        [
          "Body", KernelText.pack("Inputs", inputs), KernelText.pack("Outputs", outputs),
          "\(nest.rank)",
        ]
      ),
      configuration: "loops of rank \(nest.rank)"
    )
    let elements = nest.extents.reduce(1, *)
    let operations = body.expanded().operationCount
    let traffic = nest.traffic((node.inputs + node.outputs).map(\.type.dtype), along: inner)
    return KernelCall(
      kernel: kernel,
      reads: node.inputs.indices.map { .input($0) },
      writes: node.outputs.indices.map { .output($0) },
      sizes: nest.sizes,
      inPlacePairs: inPlacePairs(node, nest),
      flops: elements * Dimension(operations),
      estimatedSeconds: model.seconds(
        elements: elements,
        operations: operations,
        contiguousBytes: traffic.bytes,
        stridedAccesses: traffic.strided
      )
    )
  }

  private func stemTypes(_ node: NodeContext) -> String {
    var seen: Set<DType> = []
    return node.outputs.map(\.type.dtype).filter { seen.insert($0).inserted }
      .map(\.rawValue).joined(separator: "_")
  }

  /// Inputs that are walked as an output of the same element size is.
  private func inPlacePairs(_ node: NodeContext, _ nest: LoopNest) -> [(read: Int, written: Int)] {
    var pairs: [(read: Int, written: Int)] = []
    let inputs = node.inputs
    for (output, written) in node.outputs.enumerated() {
      let position = inputs.count + output
      let match = inputs.indices.first { index in
        inputs[index].type.dtype.sizeInBytes == written.type.dtype.sizeInBytes
          && inputs[index].type.shape == written.type.shape
          && nest.strides[index] == nest.strides[position]
          && !pairs.contains { $0.read == index }
      }
      if let match { pairs.append((match, position)) }
    }
    return pairs
  }

  /// A plain copy whose operand is contiguous along another axis than the result goes through
  /// blocks (`movement.h`): a strided inner loop would use one element of each cache line.
  private func transposingCopy(_ node: NodeContext, _ nest: LoopNest, _ model: CPUCostModel)
    -> KernelCall?
  {
    guard body.isIdentity, node.inputs.count == 1, nest.rank >= 2,
      nest.strides[1][nest.rank - 1] == 1, nest.strides[0][nest.rank - 1] != 1,
      let axis = nest.strides[0].firstIndex(of: 1),
      // Less than a tile is quicker element by element.
      nest.extents[axis].upperBound >= 4, nest.extents[nest.rank - 1].upperBound >= 4
    else { return nil }
    // The kernel transposes the last two axes of its loops.
    var loops = nest
    loops.permute(
      loops.extents.indices.filter { $0 != axis && $0 != nest.rank - 1 } + [axis, nest.rank - 1]
    )
    let bits = body.inputTypes[0].sizeInBytes
    let kernel = KernelSource(
      stem: "transpose_\(bits)",
      headers: ["ait/cpu/movement.h"],
      definitions: "",
      statement: "ait::permuteCopy<\(bits), \(loops.rank)>(context);",
      configuration: "blocks of a transposition, loops of rank \(loops.rank)"
    )
    return KernelCall(
      kernel: kernel,
      reads: [.input(0)],
      writes: [.output(0)],
      sizes: loops.sizes,
      estimatedSeconds: model.seconds(
        elements: nest.extents.reduce(1, *),
        operations: 1,
        contiguousBytes: bits,
        stridedAccesses: 1,
        usesWholeLines: true
      )
    )
  }
}
