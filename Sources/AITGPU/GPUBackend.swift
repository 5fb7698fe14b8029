import AITGraph
import AITKernels
import AITOperators

/// Kernels for GPUs: instances of the templates in `Prelude`, each with the host code that starts it.
package struct GPUBackend: Backend {
  package let target: Target
  package let numerics: Numerics
  private let choice: DeviceChoice

  /// Creates the backend of a target; `choice` says which of several kernels a node gets.
  package init(
    _ target: Target,
    _ numerics: Numerics = Numerics(),
    choosing choice: DeviceChoice = .recorded(TuningRecord())
  ) {
    self.target = target
    self.numerics = numerics
    self.choice = choice
  }

  package func lower(_ node: NodeContext) throws(Diagnostic) -> [KernelCall] {
    // The conformance is the registration: an operator without one has no kernel.
    guard let lowerable = node.op as? any GPULowerable else { throw node.unsupported(target) }
    var node = node
    node.numerics = numerics
    if let tunable = lowerable as? any GPUTunable {
      return try tunable.lowerToGPU(node, target, choice)
    }
    return try lowerable.lowerToGPU(node, target)
  }
}

/// An operator that the GPU backend has kernels for.
package protocol GPULowerable: Operator {
  /// The kernel calls that compute the node.
  func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
}

/// An operator with several kernels, of which some are chosen.
package protocol GPUTunable: GPULowerable {
  /// The kernel calls that compute the node.
  func lowerToGPU(_ node: NodeContext, _ target: Target, _ choice: DeviceChoice)
    throws(Diagnostic) -> [KernelCall]
}

extension GPUTunable {
  package func lowerToGPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    try lowerToGPU(node, target, .recorded(TuningRecord()))
  }
}

/// How it is decided which of several kernels a node gets.
package enum DeviceChoice: Sendable {
  /// By a model of the GPU, put right by what was measured.
  case recorded(TuningRecord)
  /// All of a list, of which a run takes the one whose number the selector is, from 1 on: for
  /// measuring them.
  case each([String], selector: Dimension)
}

/// What tells kernel templates of one time from those of another: a hash of them all.
package let templateVersion = StableHash.hexadecimal(
  preludeSources.map { "\($0.path)\u{0}\($0.text)" }.joined(separator: "\u{0}")
)
