import AITCodegen
import AITGraph
import AITKernels

/// What the row kernels of the prelude share: loops over outer axes, then over inner ones that are
/// reduced or normalised together, with a prologue, an epilogue and operands of both.
struct RowKernel {
  let node: NodeContext
  private(set) var loops: LoopNest
  private(set) var outerRank: Int
  private(set) var innerRank: Int
  /// The operands in the order of the loops' strides: prologue inputs, extras, outputs.
  private let inputCount: Int
  private let extraCount: Int
  private let outputs: [NodeContext.Operand]
  private let inputs: [NodeContext.Operand]
  private let extras: [NodeContext.Operand]

  /// Creates the problem of a node.
  ///
  /// `loops` holds the strides of the prologue's inputs, then the extras, then the outputs, over the
  /// outer axes and the inner ones; `extras` are the operands that the epilogue reads beyond the
  /// operator's result.
  init(
    _ node: NodeContext,
    loops: LoopNest,
    outerRank: Int,
    extras: [NodeContext.Operand]
  ) {
    self.node = node
    self.loops = loops
    self.outerRank = outerRank
    innerRank = loops.rank - outerRank
    inputs = node.prologueInputs.map { node.inputs[$0] }
    self.extras = extras
    outputs = node.outputs
    inputCount = inputs.count
    extraCount = extras.count
  }

  /// Joins axes that all operands walk as one, outer and inner ones apart; both keep at least one.
  ///
  /// `keepsLastOuter` leaves the last outer axis alone and in place, `keepsLastInner` the last inner
  /// one: it is the vector axis.
  mutating func collapse(keepsLastOuter: Bool = false, keepsLastInner: Bool = false) {
    let vectorAxes = keepsLastOuter ? 1 : 0
    let columnAxes = keepsLastInner ? 1 : 0
    innerRank = loops.collapse(outerRank..<(outerRank + innerRank - columnAxes)) + columnAxes
    if innerRank == 0 {
      loops.insertUnitAxis(at: outerRank)
      innerRank = 1
    }
    outerRank = loops.collapse(0..<(outerRank - vectorAxes)) + vectorAxes
    if outerRank == 0 {
      loops.insertUnitAxis(at: 0)
      outerRank = 1
    }
  }

  func check(_ target: Target) throws(Diagnostic) {
    guard loops.rank <= LoopNest.maximumRank else {
      throw node.unsupported(target, "its loops do not join to \(LoopNest.maximumRank) or fewer")
    }
  }

  /// The prologue's body; one that returns its only input if the node has none.
  var prologue: String {
    CxxScalar.body(
      named: "Prologue",
      node.fusion.prologue ?? .identity([inputs[0].type.dtype])
    )
  }

  private func types(_ operands: [NodeContext.Operand], from first: Int, along axis: Int)
    -> [String]
  {
    operands.enumerated().map {
      loops.operandType(first + $0.offset, $0.element.type.dtype, along: axis)
    }
  }

  /// The last template arguments: inputs, extras and outputs as they move along the vector axis.
  func operandPacks(along axis: Int) -> [String] {
    [
      KernelText.pack("Inputs", types(inputs, from: 0, along: axis)),
      KernelText.pack("Inputs", types(extras, from: inputCount, along: axis)),
      KernelText.pack("Outputs", types(outputs, from: inputCount + extraCount, along: axis)),
    ]
  }

  var exposes: String { node.fusion.exposesPrologue ? "true" : "false" }

  /// Inputs of the prologue that an output may take the place of: walked alike, of one size.
  var inPlacePairs: [(read: Int, written: Int)] {
    let first = inputCount + extraCount
    guard let written = outputs.first else { return [] }
    let match = inputs.indices.first { index in
      inputs[index].type.dtype.sizeInBytes == written.type.dtype.sizeInBytes
        && inputs[index].type.shape == written.type.shape
        && loops.strides[index] == loops.strides[first]
    }
    return match.map { [($0, first)] } ?? []
  }

  /// What the loop is expected to take with vectors along an axis, `passes` times over the inputs.
  func estimate(_ model: CPUCostModel, along axis: Int, operations: Int, passes: Int) -> Double {
    let all = (inputs + extras + outputs).map(\.type.dtype)
    let traffic = loops.traffic(all, along: axis)
    return model.seconds(
      elements: loops.extents.reduce(1, *),
      operations: operations,
      contiguousBytes: traffic.bytes,
      stridedAccesses: traffic.strided * passes
    )
  }

  /// The call; its reads are the prologue's inputs, then the extras.
  func call(
    _ kernel: KernelSource,
    extraInputs: [Int],
    flops: Dimension,
    inPlace: Bool,
    seconds: Double
  ) -> KernelCall {
    KernelCall(
      kernel: kernel,
      reads: node.prologueInputs.map { .input($0) } + extraInputs.map { .input($0) },
      writes: node.outputs.indices.map { .output($0) },
      sizes: loops.sizes,
      inPlacePairs: inPlace ? inPlacePairs : [],
      flops: flops,
      estimatedSeconds: seconds
    )
  }

  /// The shape of operand 0: what the prologue makes.
  static func operandShape(_ node: NodeContext) throws(Diagnostic) -> Shape {
    try Shape.broadcasting(node.prologueInputs.map { node.inputs[$0].type.shape })
  }
}
