import AITGraph
import AITKernels
import AITOperators

/// Kernels for GPUs: instances of the templates in `Prelude`, each with the host code that starts it.
package struct GPUBackend: Backend {
  package let target: Target
  package let numerics: Numerics

  package init(_ target: Target, _ numerics: Numerics = Numerics()) {
    self.target = target
    self.numerics = numerics
  }

  package func lower(_ node: NodeContext) throws(Diagnostic) -> [KernelCall] {
    // The conformance is the registration: an operator without one has no kernel.
    guard let lowerable = node.op as? any GPULowerable else { throw node.unsupported(target) }
    var node = node
    node.numerics = numerics
    return try lowerable.lowerToGPU(node, target)
  }
}

/// An operator that the GPU backend has kernels for.
package protocol GPULowerable: Operator {
  /// The kernel calls that compute the node.
  func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
}
