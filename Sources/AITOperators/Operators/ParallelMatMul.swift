import AITGraph

/// Multiplies one matrix with two others of one shape: `C[m, n] = Σ_k A[m, k] · B[k, n]`, and the
/// same of a second B.
///
/// A is `[…, M, K]`, or `[…, K, M]` when transposed; each B is `[K, N]`, or `[N, K]`. There are two
/// results of one type, and an epilogue starts from both of them: a gate and what it gates. All
/// element types are one; sums are those of `matmul`. Source: the projections of GLU, SwiGLU and
/// GEGLU (Shazeer 2020).
package struct ParallelMatMul: Operator {
  package static let name = "parallel_matmul"
  package static let summary = "two matrix products of one operand, whose results may meet"

  /// What each of the products is.
  package let product: MatMul

  package init(transposeA: Bool = false, transposeB: Bool = false) {
    product = MatMul(transposeA: transposeA, transposeB: transposeB)
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    product = try MatMul(&attributes)
  }

  package var attributes: [Attribute] { product.attributes }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 3...3)
    let (a, first, second) = (operands[0], operands[1], operands[2])
    guard first == second else {
      throw Diagnostic(
        .shapeMismatch,
        "parallel_matmul of \(a) with \(first) and \(second)",
        hint: "both matrices have one type; products that differ are two nodes"
      )
    }
    guard a.rank >= 2, first.rank == 2 else {
      throw Diagnostic(
        .rankMismatch,
        "parallel_matmul of \(a) with \(first): matrices are multiplied, the right ones of rank 2"
      )
    }
    let result = try product.inferTypes([a, first])
    return result + result
  }

  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    var found: [TensorData] = []
    for (weight, result) in zip(operands.dropFirst(), results) {
      found += try product.evaluate([operands[0], weight], results: [result], symbols: symbols)
    }
    return found
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    product.operationCount(Array(operands.prefix(2)), results: Array(results.prefix(1))) * 2
  }

  package static let examples = [
    OperatorExample(
      ParallelMatMul(transposeB: true),
      [
        TensorType(.float16, [.symbol("batch", 1...40), 64]), TensorType(.float16, [48, 64]),
        TensorType(.float16, [48, 64]),
      ]
    ),
    OperatorExample(
      ParallelMatMul(),
      [
        TensorType(.float32, [2, 5, 17]), TensorType(.float32, [17, 9]),
        TensorType(.float32, [17, 9]),
      ]
    ),
    OperatorExample(
      ParallelMatMul(transposeA: true),
      [TensorType(.int32, [7, 3]), TensorType(.int32, [7, 4]), TensorType(.int32, [7, 4])]
    ),
    OperatorExample(
      ParallelMatMul(),
      [
        TensorType(.float32, [3, 0]), TensorType(.float32, [0, 5]), TensorType(.float32, [0, 5]),
      ]
    ),
  ]
}
