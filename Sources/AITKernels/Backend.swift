import AITGraph

/// Turns nodes into kernel calls for one target.
package protocol Backend: Sendable {
  var target: Target { get }
  /// What kernels may do to numbers; nothing by default.
  var numerics: Numerics { get }

  /// The kernel calls that compute a node from operands that lie where the context says.
  ///
  /// Throws a diagnostic with identity `unsupportedOperator` that names node, operator and target
  /// if there is no kernel: there is no slow path.
  func lower(_ node: NodeContext) throws(Diagnostic) -> [KernelCall]
}

extension Backend {
  package var numerics: Numerics { Numerics() }
}

/// A node and where its operands lie: all that a backend sees of a graph.
package struct NodeContext: Sendable {
  /// A value that the node reads or writes.
  package struct Operand: Sendable {
    package let type: TensorType
    package let layout: Layout
    /// Whether it is the same in every run, so that it may be packed ahead of time.
    package let isConstant: Bool

    package init(type: TensorType, layout: Layout, isConstant: Bool = false) {
      self.type = type
      self.layout = layout
      self.isConstant = isConstant
    }
  }

  package let name: String
  package let op: any Operator
  package let fusion: Fusion
  package let inputs: [Operand]
  package let outputs: [Operand]
  /// What its kernels may do to numbers; the backend says so.
  package var numerics = Numerics()

  package init(
    name: String,
    op: any Operator,
    fusion: Fusion = Fusion(),
    inputs: [Operand],
    outputs: [Operand]
  ) {
    self.name = name
    self.op = op
    self.fusion = fusion
    self.inputs = inputs
    self.outputs = outputs
  }

  /// The inputs of the prologue, or the operator's operand 0 alone.
  package var prologueInputs: Range<Int> { 0..<(fusion.prologueInputCount ?? 1) }

  /// The operator's operands beyond operand 0.
  package var otherOperands: Range<Int> {
    prologueInputs.upperBound..<(inputs.count - fusion.epilogueInputCount)
  }

  /// The inputs that join the result in the epilogue.
  package var epilogueInputs: Range<Int> {
    (inputs.count - fusion.epilogueInputCount)..<inputs.count
  }

  /// The outputs that the operator or its epilogue writes, without an exposed prologue value.
  package var resultOutputs: Range<Int> {
    0..<(outputs.count - (fusion.exposesPrologue ? 1 : 0))
  }

  /// The diagnostic for an operator that the target has no kernel for.
  package func unsupported(_ target: Target, _ reason: String? = nil) -> Diagnostic {
    let operands = inputs.map(\.type.description).joined(separator: ", ")
    return Diagnostic(
      .unsupportedOperator,
      "\(type(of: op).name)(\(operands)) has no kernel for \(target)"
        + (reason.map { ": \($0)" } ?? ""),
      at: "node '\(name)'",
      hint: "`ait operators` shows what each target supports"
    )
  }
}

/// One call of a kernel.
package struct KernelCall: Sendable {
  /// What a pointer handed to the kernel points to.
  package enum Operand: Hashable, Sendable {
    /// An input of the node; the offset, in elements, comes on top of that of its layout.
    case input(Int, offset: Dimension = 0)
    /// An output of the node.
    case output(Int, offset: Dimension = 0)
    /// A constant input in the form that another kernel makes of it, once.
    case packed(Int, Packing)
  }

  /// A form of a constant that is made once: at compile time if its elements are known.
  package struct Packing: Hashable, Sendable {
    /// Reads the constant (buffer 0), writes the packed form (buffer 1).
    package let kernel: KernelSource
    package let sizes: [Dimension]
    package let sizeInBytes: Int
    package let dtype: DType

    package init(kernel: KernelSource, sizes: [Dimension], sizeInBytes: Int, dtype: DType) {
      self.kernel = kernel
      self.sizes = sizes
      self.sizeInBytes = sizeInBytes
      self.dtype = dtype
    }
  }

  package var kernel: KernelSource
  /// Those read first, those written last.
  package var operands: [Operand]
  package var readCount: Int
  package var sizes: [Dimension]
  /// Bytes of scratch memory shared by all threads of the call; 0 for none.
  package var workspaceInBytes: Dimension
  /// Pairs of operands (one read, one written) that may share memory element for element.
  package var inPlacePairs: [(read: Int, written: Int)]
  package var flops: Dimension
  /// What the cost model expects the call to take, in seconds at the symbols' upper bounds.
  package var estimatedSeconds: Double?
  /// Why the kernel is what it is, where there were several.
  package var choices: [KernelChoice] = []
  /// What can be measured for a better choice.
  package var problems: [KernelProblem] = []

  package init(
    kernel: KernelSource,
    reads: [Operand],
    writes: [Operand],
    sizes: [Dimension],
    workspaceInBytes: Dimension = 0,
    inPlacePairs: [(read: Int, written: Int)] = [],
    flops: Dimension = 0,
    estimatedSeconds: Double? = nil
  ) {
    self.kernel = kernel
    operands = reads + writes
    readCount = reads.count
    self.sizes = sizes
    self.workspaceInBytes = workspaceInBytes
    self.inPlacePairs = inPlacePairs
    self.flops = flops
    self.estimatedSeconds = estimatedSeconds
  }
}
