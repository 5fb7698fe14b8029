import AITGraph
import AITKernels
import AITOperators

/// Vector C++ for CPUs: instances of the templates in `Prelude`.
package struct CPUBackend: Backend {
  package let target: Target
  package let numerics: Numerics

  package init(_ target: Target, _ numerics: Numerics = Numerics()) {
    self.target = target
    self.numerics = numerics
  }

  package func lower(_ node: NodeContext) throws(Diagnostic) -> [KernelCall] {
    // The conformance is the registration: an operator without one has no kernel.
    guard let lowerable = node.op as? any CPULowerable else { throw node.unsupported(target) }
    var node = node
    node.numerics = numerics
    return try lowerable.lowerToCPU(node, target)
  }
}

/// An operator that the CPU backend has kernels for.
package protocol CPULowerable: Operator {
  /// The kernel calls that compute the node.
  func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
}
