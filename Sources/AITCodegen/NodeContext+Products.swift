import AITGraph
import AITKernels
import AITOperators

extension NodeContext {
  /// The products of a `ParallelMatMul` without an epilogue, each as the node of a `MatMul`.
  package func products(_ op: ParallelMatMul) -> [NodeContext] {
    outputs.indices.map { index in
      var product = NodeContext(
        name: name,
        op: op.product,
        inputs: [inputs[0], inputs[1 + index]],
        outputs: [outputs[index]]
      )
      product.numerics = numerics
      return product
    }
  }
}

extension KernelCall {
  /// The call of product `index` of `NodeContext.products`, in terms of the node's operands.
  package func ofProduct(_ index: Int) -> KernelCall {
    var call = self
    call.operands = operands.map { operand in
      switch operand {
      case .input(1, let offset): .input(1 + index, offset: offset)
      case .packed(1, let packing): .packed(1 + index, packing)
      case .output(0, let offset): .output(index, offset: offset)
      case .input, .packed, .output: operand
      }
    }
    return call
  }
}
