import AITCodegen
import AITGraph
import AITKernels

/// The source of a product while it is put together: entries, of which the statement launches one.
struct ProductKernel {
  private let node: NodeContext
  private let problem: MatMulProblem
  private let body: String
  private let packs: [String]
  private var configs: [DeviceConfig] = []
  private var entries: [DeviceEntry] = []
  private var launches: [String] = []

  init(_ node: NodeContext, _ problem: MatMulProblem, _ epilogue: ScalarExpression) {
    self.node = node
    self.problem = problem
    let dtype = node.inputs[0].type.dtype
    let isNarrow = [.uint8, .int8, .int16].contains(dtype)
    body = CxxScalar.body(
      named: "Epilogue",
      epilogue,
      arrivingAs: isNarrow ? [0: "int32_t"] : [:]
    )
    let extras = problem.deviceExtras(node.epilogueInputs.map { node.inputs[$0] }, from: 2)
    let outputs = problem.deviceExtras(node.outputs, from: 2 + node.epilogueInputs.count)
    packs = [
      "using In = \(KernelText.pack("Inputs", extras));",
      "using Out = \(KernelText.pack("Outputs", outputs));",
    ]
  }

  /// Adds an entry: an instance of a template of the prelude, launched where the condition, C++ over
  /// the `sizes` of the run, holds and that of no earlier one does.
  mutating func add(
    _ config: DeviceConfig,
    launch: String,
    template: String,
    header: String,
    blocks: String = "1",
    clusterSize: String = "1",
    architectures: [Target.CUDA] = Target.CUDA.allCases,
    when condition: String? = nil
  ) {
    let name = config.name
    let statement = "ait::\(launch)<\(name), In, Out>(context, kernels[\(entries.count)]);"
    launches.append(condition.map { "if (\($0)) return \(statement)" } ?? statement)
    configs.append(config)
    let function = template.prefix(1).lowercased() + template.dropFirst()
    entries.append(
      DeviceEntry(
        headers: ["ait/gpu/math.h", "ait/gpu/\(header).h"],
        definitions: ([config.text] + packs + [body]).joined(separator: "\n\n"),
        signature: "AIT_KERNEL(ait::\(template)Shape<\(name)>::kThreads, \(blocks))",
        arguments: "ait::\(template)Arguments<\(name), In, Out>",
        statement: "ait::\(function)<\(name), Epilogue, In, Out>(arguments);",
        threads: "ait::\(template)Shape<\(name)>::kThreads",
        sharedSizeInBytes: "ait::\(template)Shape<\(name)>::kSharedBytes",
        clusterSize: clusterSize,
        architectures: architectures
      )
    )
  }

  func source(headers: [String]) -> KernelSource {
    let rank = problem.deviceBatchRank
    var launches = launches
    if launches.count > 1 {
      launches.insert("const ait::ProductSizes<\(rank)> sizes{context.sizes};", at: 0)
    }
    return KernelSource(
      stem: "matmul_\(node.inputs[0].type.dtype.rawValue)",
      headers: headers + problem.outerHeaders,
      definitions: (configs.map(\.text) + packs).joined(separator: "\n\n"),
      statement: problem.forEachOuterMatrix(launches, node.inputs[0].type.dtype),
      configuration: configs.map(\.name).joined(separator: ", "),
      entries: entries
    )
  }
}

extension MatMulProblem {
  /// The copy engine knows five axes, so products have three batch axes at most; a launch is made
  /// for each index of the others.
  var deviceBatchRank: Int { min(batchRank, 3) }

  /// The batch axes that the host goes through.
  var outerRank: Int { batchRank - deviceBatchRank }

  /// The headers that `forEachOuterMatrix` needs.
  var outerHeaders: [String] { outerRank > 0 ? ["ait/gpu/matmul_outer_axes.h"] : [] }

  /// The statements that launch a product of `deviceBatchRank` batch axes, for every such.
  func forEachOuterMatrix(_ launches: [String], _ dtype: DType) -> String {
    guard outerRank > 0 else { return launches.joined(separator: "\n  ") }
    let element = CxxScalar.storageType(dtype)
    let loop = "ait::OuterAxes<\(outerRank), \(deviceBatchRank), \(element), In, Out>::forEach"
    return
      ([
        "\(loop)(context, [&](const ait::KernelContext& context) {"
      ] + launches.map { "  \($0)" } + ["});"]).joined(separator: "\n  ")
  }

  /// The axis that A is contiguous along, by the prelude's name; nil if along neither.
  ///
  /// One element alone is contiguous.
  var majorA: String? {
    let rows = loops.rank - 1
    return major(inner: aInnerStride, other: loops.strides[0][rows], extent: loops.extents[rows])
  }
  /// The same of B.
  var majorB: String? {
    major(inner: bStrides.inner, other: bStrides.columns, extent: columns)
  }

  private func major(inner: Dimension, other: Dimension, extent: Dimension) -> String? {
    if inner == 1 || self.inner == 1 { return "k" }
    return other == 1 || extent == 1 ? "mn" : nil
  }

  /// The prelude's descriptions of operands that join the result.
  func deviceExtras(_ operands: [NodeContext.Operand], from first: Int) -> [String] {
    operands.enumerated().map { index, operand in
      let column = columnStrides[first - 2 + index]
      let access =
        column == 1 || columns == 1 ? "contiguous" : column == 0 ? "uniform" : "strided"
      let storage = CxxScalar.storageType(operand.type.dtype)
      guard access == "contiguous" else {
        return "ait::Operand<\(storage), ait::Access::\(access)>"
      }
      let limit = max(1, DeviceAlignment.widest / operand.type.dtype.sizeInBytes)
      let strides = loops.strides[first + index] + [operand.layout.offset]
      let alignment = strides.map { DeviceAlignment.powerOfTwo($0, limit: limit) }.min() ?? limit
      let rows = loops.strides[first + index][loops.rank - 1] == 0 ? ", ait::Rows::uniform" : ""
      return "ait::Operand<\(storage), ait::Access::contiguous, \(alignment)\(rows)>"
    }
  }
}
