import AITCodegen
import AITGraph
import AITKernels

/// The kernels of a product of float32 whose factors may be rounded to tf32: warps on the matrix
/// units (`matmul_multistage.h`), and for at most 16 rows, which are bound by the bandwidth of B,
/// the exact kernel.
///
/// Expected bound: the matrix units.
struct TensorFloatProduct {
  private let node: NodeContext
  private let problem: MatMulProblem

  /// Whether a product is one that tf32 is allowed for, with operands contiguous along an axis.
  static func covers(_ node: NodeContext, _ problem: MatMulProblem) -> Bool {
    node.numerics.allowsTF32 && node.inputs[0].type.dtype == .float32 && problem.majorA != nil
      && problem.majorB != nil
  }

  init(_ node: NodeContext, _ problem: MatMulProblem) {
    self.node = node
    self.problem = problem
  }

  func kernel(_ epilogue: ScalarExpression) -> KernelSource {
    let exact = SimtProduct(node, problem)
    guard exact.hasManyRows else { return exact.kernel(epilogue) }
    var kernel = ProductKernel(node, problem, epilogue)
    exact.addFewRows(to: &kernel)
    kernel.add(
      exact.config(multistage: MultistageConfiguration()),
      launch: "launchMultistage",
      template: "MatmulMultistage",
      header: "matmul_multistage"
    )
    return kernel.source(headers: ["ait/gpu/matmul_simt_launch.h"])
  }
}
