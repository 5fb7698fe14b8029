import AITGraph

/// Multiplies matrices: `C[…, m, n] = Σ_k A[…, m, k] · B[…, k, n]`.
///
/// A is `[…, M, K]`, or `[…, K, M]` when transposed; B is `[…, K, N]`, or `[…, N, K]`. Leading
/// dimensions broadcast. A vector `[K]` is a row on the left, a column on the right, and has no axis
/// in the result. Operands and result have one element type; half-precision products accumulate in
/// float32, integers wrap. `K = 0` gives zeros. Source: `torch.matmul`.
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
        .dtypeMismatch,
        "matmul of \(a) and \(b)",
        hint: "convert one operand with a cast"
      )
    }
    guard a.dtype != .bool else { throw Diagnostic(.dtypeMismatch, "matmul of bool operands") }
    guard a.rank >= 1, b.rank >= 1 else {
      throw Diagnostic(
        .rankMismatch,
        "matmul of \(a) and \(b): operands have at least one axis",
        hint: "a product with a number is a multiplication: use a pointwise node"
      )
    }
    guard !(a.rank == 1 && transposeA), !(b.rank == 1 && transposeB) else {
      throw Diagnostic(
        .invalidAttribute,
        "matmul of \(a) and \(b): a vector is not transposed",
        hint: "leave out its flag: a vector is a row on the left and a column on the right"
      )
    }
    let (left, right) = Self.matrices(a.shape, b.shape)
    let (rows, inner) = matrixExtents(left, transposed: transposeA)
    let (otherInner, columns) = matrixExtents(right, transposed: transposeB)
    guard inner == otherInner else {
      throw Diagnostic(
        .shapeMismatch,
        "matmul of \(a) and \(b): the inner extents are \(inner) and \(otherInner)",
        hint: "transpose_a and transpose_b exchange the last two axes of an operand"
      )
    }
    let batch = try Shape.broadcasting([
      Shape(Array(left.dimensions.dropLast(2))), Shape(Array(right.dimensions.dropLast(2))),
    ])
    let matrix = (a.rank == 1 ? [] : [rows]) + (b.rank == 1 ? [] : [columns])
    return [TensorType(a.dtype, Shape(batch.dimensions + matrix))]
  }

  /// The shapes with the axis that a vector lacks: a row on the left, a column on the right.
  private static func matrices(_ a: Shape, _ b: Shape) -> (Shape, Shape) {
    (a.rank == 1 ? [1, a[0]] : a, b.rank == 1 ? [b[0], 1] : b)
  }

  private func matrixExtents(_ shape: Shape, transposed: Bool) -> (Dimension, Dimension) {
    let (last, before) = (shape[shape.rank - 1], shape[shape.rank - 2])
    return transposed ? (last, before) : (before, last)
  }

  /// The extent summed over, from the type of A.
  package func innerExtent(_ a: TensorType) -> Dimension {
    matrixExtents(Self.matrices(a.shape, a.shape).0, transposed: transposeA).1
  }
}

extension MatMul {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let (isRow, isColumn) = (operands[0].shape.count == 1, operands[1].shape.count == 1)
    let row = isRow ? operands[0].reshaped([1] + operands[0].shape) : operands[0]
    let column = isColumn ? operands[1].reshaped(operands[1].shape + [1]) : operands[1]
    let a = transposeA ? Self.exchangingLastAxes(row) : row
    let b = transposeB ? Self.exchangingLastAxes(column) : column
    let result = try extents(results[0])
    var shape = result
    if isColumn { shape.append(1) }
    if isRow { shape.insert(1, at: shape.count - 1) }
    let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
    let inner = a.shape[a.shape.count - 1]
    let batch = Array(shape.dropLast(2))
    func starts(_ operand: TensorData) -> [Int] {
      let strides = Positions.broadcastStrides(Array(operand.shape.dropLast(2)), to: batch)
      let matrix = operand.shape.suffix(2).reduce(1, *)
      return Positions.list(batch, strides: strides.map { $0 * matrix })
    }
    let pairs = zip(starts(a), starts(b))
    let size = rows * columns
    if a.dtype.isFloatingPoint {
      let (left, right) = (a.doubles, b.doubles)
      var products = Array(repeating: 0.0, count: shape.reduce(1, *))
      for (matrix, (startA, startB)) in pairs.enumerated() where size * inner > 0 {
        Self.multiply(
          left[startA..<(startA + rows * inner)],
          right[startB..<(startB + inner * columns)],
          &products[(matrix * size)..<((matrix + 1) * size)],
          (rows, columns, inner)
        )
      }
      return [TensorData(results[0].dtype, result, products)]
    }
    let (left, right) = (a.integers, b.integers)
    var products: [Int64] = []
    for (startA, startB) in pairs {
      for row in 0..<rows {
        for column in 0..<columns {
          let sum = (0..<inner).reduce(Int64(0)) { sum, k in
            sum &+ left[startA + row * inner + k] &* right[startB + k * columns + column]
          }
          products.append(sum)
        }
      }
    }
    return [TensorData(results[0].dtype, result, integers: products)]
  }

  /// Adds the product of two matrices to a third.
  ///
  /// Each element is summed over k in order; the innermost loop runs along rows, and over pointers,
  /// so that a thousand million products take seconds.
  private static func multiply(
    _ a: ArraySlice<Double>,
    _ b: ArraySlice<Double>,
    _ c: inout ArraySlice<Double>,
    _ extents: (rows: Int, columns: Int, inner: Int)
  ) {
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        c.withUnsafeMutableBufferPointer { c in
          guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
          for row in 0..<extents.rows {
            let sums = c + row * extents.columns
            for k in 0..<extents.inner {
              let factor = a[row * extents.inner + k]
              let source = b + k * extents.columns
              var column = 0
              while column < extents.columns {
                sums[column] += factor * source[column]
                column += 1
              }
            }
          }
        }
      }
    }
  }

  private static func exchangingLastAxes(_ x: TensorData) -> TensorData {
    var (shape, strides) = (x.shape, Positions.rowMajorStrides(x.shape))
    shape.swapAt(shape.count - 2, shape.count - 1)
    strides.swapAt(shape.count - 2, shape.count - 1)
    return x.picking(Positions.list(shape, strides: strides), shape: shape)
  }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    results[0].shape.elementCount * innerExtent(operands[0]) * 2
  }

  package static let examples = [
    OperatorExample(MatMul(), [TensorType(.float32, [17, 33]), TensorType(.float32, [33, 19])]),
    OperatorExample(
      MatMul(transposeB: true),
      [TensorType(.float16, [.symbol("batch", 1...8), 64]), TensorType(.float16, [48, 64])]
    ),
    OperatorExample(
      MatMul(transposeA: true),
      [TensorType(.bfloat16, [2, 7, 3]), TensorType(.bfloat16, [2, 7, 5])]
    ),
    OperatorExample(
      MatMul(),
      [TensorType(.float32, [2, 1, 3, 7]), TensorType(.float32, [4, 7, 5])]
    ),
    OperatorExample(
      MatMul(transposeA: true, transposeB: true),
      [TensorType(.int32, [7, 3]), TensorType(.int32, [5, 7])]
    ),
    OperatorExample(MatMul(), [TensorType(.float32, [37]), TensorType(.float32, [37])]),
    OperatorExample(
      MatMul(transposeB: true),
      [TensorType(.float16, [19]), TensorType(.float16, [3, 5, 19])]
    ),
    OperatorExample(
      MatMul(transposeA: true),
      [TensorType(.int32, [2, 9, .symbol("rows", 1...40)]), TensorType(.int32, [9])]
    ),
    OperatorExample(MatMul(), [TensorType(.float32, [0]), TensorType(.float32, [0])]),
    OperatorExample(MatMul(), [TensorType(.float32, [3, 0]), TensorType(.float32, [0, 5])]),
    OperatorExample(MatMul(), [TensorType(.float64, [0, 7]), TensorType(.float64, [7, 5])]),
    OperatorExample(
      MatMul(transposeB: true),
      [TensorType(.float64, [21, 40]), TensorType(.float64, [67, 40])]
    ),
    OperatorExample(MatMul(), [TensorType(.int8, [9, 70]), TensorType(.int8, [70, 13])]),
    OperatorExample(
      MatMul(transposeB: true),
      [TensorType(.uint8, [40, 19]), TensorType(.uint8, [24, 19])]
    ),
    OperatorExample(MatMul(), [TensorType(.int16, [3, 33]), TensorType(.int16, [33, 35])]),
    OperatorExample(
      MatMul(transposeA: true),
      [TensorType(.int64, [11, 18]), TensorType(.int64, [11, 6])]
    ),
    // Sizes that are multiples of nothing, beyond one tile.
    OperatorExample(
      MatMul(),
      [TensorType(.bfloat16, [137, 45]), TensorType(.bfloat16, [45, 51])]
    ),
    OperatorExample(
      MatMul(transposeA: true, transposeB: true),
      [TensorType(.float32, [45, 139]), TensorType(.float32, [71, 45])]
    ),
    // Strides that are a multiple of a symbol.
    OperatorExample(
      MatMul(),
      [
        TensorType(.float16, [2, 24, .symbol("length", 8...64)]),
        TensorType(.float16, [2, .symbol("length", 8...64), 16]),
      ]
    ),
    // Batch axes that do not join.
    OperatorExample(
      MatMul(),
      [TensorType(.float16, [2, 1, 3, 1, 5, 8]), TensorType(.float16, [1, 2, 1, 4, 8, 6])]
    ),
    OperatorExample(
      MatMul(),
      [
        TensorType(.float32, [.symbol("batch", 1...8), .symbol("seq", 1...16), 9]),
        TensorType(.float32, [.symbol("batch", 1...8), 9, .symbol("seq", 1...16)]),
      ]
    ),
  ]
}
