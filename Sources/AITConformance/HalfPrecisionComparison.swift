import AITGraph

/// What a compiled result may be where half-precision intermediates are rounded in the reference and
/// need not be in a kernel.
///
/// A kernel rounds some of the intermediates, those between fused nodes, and not others. So each
/// element may be as with all roundings or as with none of them; which, tells whether it is finite.
/// Finite elements stay those of one reference or the other, and are held to the bound together.
struct HalfPrecisionComparison {
  /// The reference that rounds what each node stores.
  let rounded: TensorData
  /// References that round less, that without rounding first.
  let unrounded: [TensorData]

  /// The tensors that a result is compared with, one after the other.
  func candidates(for found: TensorData) -> [TensorData] {
    guard let wide = unrounded.first else { return [] }
    return [merged([rounded] + unrounded, found), merged([wide, rounded] + unrounded, found)]
  }

  /// For each element, that of the first tensor that agrees with what was found in being finite,
  /// infinite or NaN, or in value if it is an integer; else that of the first.
  private func merged(_ choices: [TensorData], _ found: TensorData) -> TensorData {
    guard choices.allSatisfy({ $0.type == found.type }) else { return choices[0] }
    let (results, columns) = (found.scalars, choices.map(\.scalars))
    let elements = results.indices.map { index in
      columns.first { agrees($0[index], results[index]) }?[index] ?? columns[0][index]
    }
    return TensorData(found.dtype, found.shape, scalars: elements)
  }

  private func agrees(_ expected: ScalarValue, _ found: ScalarValue) -> Bool {
    guard case .float(let left) = expected, case .float(let right) = found else {
      return expected == found
    }
    if left.isFinite || right.isFinite { return left.isFinite && right.isFinite }
    return left == right || (left.isNaN && right.isNaN)
  }
}
