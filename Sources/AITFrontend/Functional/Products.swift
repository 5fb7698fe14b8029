import AITGraph
import AITOperators

/// The product of matrices, as `torch.matmul`: A `[…, M, K]` by B `[…, K, N]` gives `[…, M, N]`.
///
/// Leading axes broadcast. A tensor of rank 1 is a row on the left or a column on the right, whose
/// axis is missing from the result. Half-precision products are accumulated in float32.
/// `shape-mismatch` if the inner extents differ, `dtype-mismatch` if the element types do,
/// `rank-mismatch` for tensors of rank 0.
public func matmul(
  _ a: Tensor,
  _ b: Tensor,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make([a, b], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    try graph.matmul(x[0], x[1])
  }
}

/// The product with a transposed weight, and a bias: `y = x · Wᵀ + b`; PyTorch's `linear`.
///
/// - Parameters:
///   - x: `[…, K]`.
///   - weight: `[N, K]`, of the element type of x.
///   - bias: `[N]`, if any.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: `[…, N]`; failing with `shape-mismatch`, `dtype-mismatch` or `rank-mismatch` if the
///   operands do not fit.
public func linear(
  _ x: Tensor,
  _ weight: Tensor,
  bias: Tensor? = nil,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make([x, weight] + [bias].compactMap(\.self), .resolved(file, line)) {
    (graph, operands) throws(Diagnostic) in
    try graph.linear(
      operands[0],
      operands[1],
      bias: operands.count > 2 ? operands[2] : nil
    )
  }
}

/// `beta · c + alpha · (a · b)`, where c broadcasts; PyTorch's `addmm` and `baddbmm`.
public func addMM(
  _ c: Tensor,
  _ a: Tensor,
  _ b: Tensor,
  beta: Double = 1,
  alpha: Double = 1,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make([c, a, b], .resolved(file, line)) { (graph, x) throws(Diagnostic) in
    let factors = [beta, alpha].map { factor in
      factor == factor.rounded() && factor.magnitude < 1e15
        ? ScalarValue.integer(Int64(factor)) : .float(factor)
    }
    return try graph.addmm(x[0], x[1], x[2], beta: factors[0], alpha: factors[1])
  }
}

extension Tensor {
  /// The product of matrices; see the function of the same name.
  public func matmul(_ other: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    AITFrontend.matmul(self, other, file: file, line: line)
  }
}
