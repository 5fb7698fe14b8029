import AITGraph

/// Multiplies matrices: `C[…, m, n] = Σ_k A[…, m, k] · B[…, k, n]`.
///
/// A is `[…, M, K]`, or `[…, K, M]` when transposed; B is `[…, K, N]`, or `[…, N, K]`. Leading
/// dimensions broadcast. Operands and result have one element type; half-precision products
/// accumulate in float32, integers wrap. `K = 0` gives zeros. Source: `torch.matmul` of operands of
/// rank two and more; the builder gives vectors their axis.
package struct MatMul: Operator {
  package static let name = "matmul"
  package static let summary = "matrix product, batched and broadcast, either operand transposed"

  /// Whether A is stored as `[…, K, M]`.
  package let transposeA: Bool
  /// Whether B is stored as `[…, N, K]`.
  package let transposeB: Bool

  package init(transposeA: Bool = false, transposeB: Bool = false) {
    self.transposeA = transposeA
    self.transposeB = transposeB
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    transposeA = try attributes.bool("transpose_a", default: false)
    transposeB = try attributes.bool("transpose_b", default: false)
  }

  package var attributes: [Attribute] {
    (transposeA ? [Attribute("transpose_a", .bool(true))] : [])
      + (transposeB ? [Attribute("transpose_b", .bool(true))] : [])
  }

  package var traits: OperatorTraits { .acceptsEpilogue }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try checkOperandCount(operands, 2...2)
    let (a, b) = (operands[0], operands[1])
    guard a.dtype == b.dtype else {
      throw Diagnostic(
        .dtypeMismatch, "matmul of \(a) and \(b)", hint: "convert one operand with a cast")
    }
    guard a.dtype != .bool else { throw Diagnostic(.dtypeMismatch, "matmul of bool operands") }
    guard a.rank >= 2, b.rank >= 2 else {
      throw Diagnostic(
        .rankMismatch, "matmul of \(a) and \(b): operands have a rank of at least 2",
        hint: "give a vector an axis of extent 1")
    }
    let (rows, inner) = matrixExtents(a.shape, transposed: transposeA)
    let (otherInner, columns) = matrixExtents(b.shape, transposed: transposeB)
    guard inner == otherInner else {
      throw Diagnostic(
        .shapeMismatch, "matmul of \(a) and \(b): the inner extents are \(inner) and \(otherInner)",
        hint: "transpose_a and transpose_b exchange the last two axes of an operand")
    }
    let batch = try Shape.broadcasting([
      Shape(Array(a.shape.dimensions.dropLast(2))), Shape(Array(b.shape.dimensions.dropLast(2))),
    ])
    return [TensorType(a.dtype, Shape(batch.dimensions + [rows, columns]))]
  }

  private func matrixExtents(_ shape: Shape, transposed: Bool) -> (Dimension, Dimension) {
    let (last, before) = (shape[shape.rank - 1], shape[shape.rank - 2])
    return transposed ? (last, before) : (before, last)
  }

  /// The extent summed over, from the type of A.
  package func innerExtent(_ a: TensorType) -> Dimension {
    matrixExtents(a.shape, transposed: transposeA).1
  }
}
