import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Convolutions of 3 x 3 taps by Winograd's minimal filtering (`convolution_winograd.h`): for float32
/// images with adjacent channels and constant filters, with a stride of 1 or 2 and without dilation.
///
/// Patches of 4 x 4 outputs take a fourth of the products, and filters four times their memory; those
/// of 2 x 2 take a bit less than half, and 1.8 times the memory. With a stride of 2, they take 56 and
/// 69 % of the products, and the same memory. Which is expected to be fastest, if either is, follows
/// from the sizes: products at the rate of the FMA units, or filters at that of a cache that they do
/// not stay in.
struct WinogradConvolution {
  /// The outputs of a patch along an axis.
  let outputs: Int
  private let problem: ConvolutionProblem
  private let width: Int
  private var stride: Int { problem.axes[2].stride }

  /// Returns nil where the direct algorithm is to be taken.
  init?(_ problem: ConvolutionProblem, _ node: NodeContext, _ target: Target) {
    let axes = problem.axes
    guard node.numerics.allowsWinograd, node.inputs[0].type.dtype == .float32,
      node.inputs[1].isConstant, problem.groups == 1, problem.imageStrides[4] == 1,
      (Self.leastChannels...Self.mostChannels).contains(problem.channels),
      problem.filters >= Self.leastChannels, axes[0].stride == 1,
      axes[1].stride == axes[2].stride, (1...2).contains(axes[2].stride),
      axes.allSatisfy({ $0.inputDilation == 1 }), axes[0].taps == 1,
      axes[0].padding == Convolution.Padding(0, 0),
      axes.dropFirst().allSatisfy({ $0.taps == 3 && $0.dilation == 1 })
    else { return nil }
    let width = MatMul.panelWidth(.float32, target)
    let direct = Self.directCost(problem, width)
    let costs = [2, 4].map { (outputs: $0, cost: Self.cost(problem, $0, width)) }
    // With a stride, little is saved where patches are few, and filters take more memory.
    let margin = axes[2].stride == 1 ? 1.05 : 1.2
    guard let best = costs.min(by: { $0.cost < $1.cost }), best.cost * margin < direct else {
      return nil
    }
    self.problem = problem
    self.width = width
    outputs = best.outputs
  }

  /// Below, the transforms cost what the products save.
  private static let leastChannels = 16
  /// A patch of so many fits the scratch memory of a thread.
  private static let mostChannels = 8192
  /// Rows of products in the time in which a row of filters comes from the level-3 cache, or from
  /// memory: 11 were measured on two cores of a Zen 4, which does half the products a cycle, some 30
  /// on Sapphire Rapids.
  private static let rowsOfTraffic = 20.0

  private static func extent(_ dimension: Dimension) -> Double { Double(dimension.upperBound) }

  /// The time of the direct algorithm, in steps of one output by one panel.
  private static func directCost(_ problem: ConvolutionProblem, _ width: Int) -> Double {
    // Tiles have 12 outputs of a row at most, and lose as much as two on their own work.
    let row = extent(problem.axes[2].output)
    let steps = row + 2 * (row / 12).rounded(.up)
    let rows =
      extent(problem.batch) * extent(problem.axes[0].output) * extent(problem.axes[1].output)
    return max(steps * rows, rowsOfTraffic) * 9 * Double(problem.channels)
      * Double((problem.filters + width - 1) / width)
  }

  /// The same of the products and transforms of patches.
  private static func cost(_ problem: ConvolutionProblem, _ outputs: Int, _ width: Int) -> Double {
    let count = Double(outputs)
    let factors = (count + 2) * (count + 2)
    let positions = problem.axes[2].stride == 1 ? factors : (2 * count + 1) * (2 * count + 1)
    let patches =
      extent(problem.batch) * extent(problem.axes[0].output)
      * (extent(problem.axes[1].output) / count).rounded(.up)
      * (extent(problem.axes[2].output) / count).rounded(.up)
    let channels = Double(problem.channels)
    let panels = Double((problem.filters + width - 1) / width)
    let products = channels * panels * max(1.2 * patches * positions, rowsOfTraffic * factors)
    return products + positions * patches * (3 * channels / 16 + 8 * panels)
  }

  /// The call of the template.
  func statement() -> String {
    KernelText.call(
      "winogradConvolution",
      [
        "\(outputs)", "\(stride)", "Epilogue", KernelText.pack("Inputs", problem.extraTypes),
        KernelText.pack("Outputs", problem.outputTypes),
      ]
    )
  }

  /// How filters are transformed and packed, once.
  func packing() -> KernelCall.Packing {
    let factors = (outputs + 2) * (outputs + 2)
    let panels = (problem.filters + width - 1) / width
    return KernelCall.Packing(
      kernel: KernelSource(
        stem: "pack_winograd_filters_float32",
        headers: ["ait/cpu/convolution_winograd.h"],
        definitions: "",
        statement: "ait::packWinogradFilters<\(outputs), \(stride), \(width)>(context);",
        configuration: "for \(outputs) x \(outputs) outputs, panels of \(width)"
      ),
      sizes: problem.packingSizes,
      sizeInBytes: factors * panels * width * problem.channels * 4,
      dtype: .float32
    )
  }
}
