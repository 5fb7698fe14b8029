import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// One product after the other, each as a `MatMul`.
///
/// Sums of two products do not fit the register tile, so that an epilogue on both has no kernel; no
/// pass makes one for this target.
extension ParallelMatMul: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    guard node.fusion.isEmpty else {
      throw node.unsupported(target, "two products meet in an epilogue on GPUs alone")
    }
    var calls: [KernelCall] = []
    for (index, context) in node.products(self).enumerated() {
      calls += try product.lowerToCPU(context, target).map { $0.ofProduct(index) }
    }
    return calls
  }
}
